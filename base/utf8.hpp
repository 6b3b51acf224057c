// utf8.hpp: which bytes are text.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace airssys::rt::base {

/// U+FFFD: here was something unreadable.
inline constexpr std::string_view replacement_character = "\xEF\xBF\xBD";

/// How many bytes the UTF-8 character at the front of the text has; 0: it is not one. Requires: the
/// text is not empty.
[[nodiscard]] std::size_t character_bytes(std::string_view text) noexcept;

/// The text as one line of at most so many bytes, and "..." for what is beyond: what ends a line or
/// controls a terminal becomes a space, what is no UTF-8 the replacement character.
[[nodiscard]] std::string one_line(std::string text, std::size_t bytes_max);

}  // namespace airssys::rt::base
