// crc32c.hpp: the checksum of log records (Castagnoli's polynomial).
//
// It finds every burst of damage up to 32 bits and, of longer ones, all but one in four thousand
// million. In portable C++, eight bytes a step.
#pragma once

#include <cstdint>
#include <string_view>

namespace kvd {

[[nodiscard]] std::uint32_t crc32c(std::string_view bytes) noexcept;

}  // namespace kvd
