// integer.hpp: a number as Redis reads it.
//
// Redis takes the shortest decimal form only: no spaces, no plus sign, no leading zeros, no "-0".
// Protocol lengths, counters and options all go through this one function.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace kvd {

// Nothing when `text` is not the shortest decimal form of a 64-bit integer.
[[nodiscard]] std::optional<std::int64_t> parse_integer(std::string_view text) noexcept;

}  // namespace kvd
