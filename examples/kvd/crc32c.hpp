// crc32c.hpp: the checksum of log records (Castagnoli's polynomial).
//
// It finds every burst of damage up to 32 bits and, of longer ones, all but one in four thousand
// million.
#pragma once

#include <cstdint>
#include <string_view>

namespace kvd {

[[nodiscard]] std::uint32_t crc32c(std::string_view bytes) noexcept;

// The same, computed as on a processor that has no instruction for it.
[[nodiscard]] std::uint32_t crc32c_by_tables(std::string_view bytes) noexcept;

}  // namespace kvd
