// integer.cpp: std::from_chars, minus the forms that Redis refuses.
//
// What remains of them is a leading zero: from_chars takes neither spaces nor a plus sign.
#include "examples/kvd/integer.hpp"

#include <charconv>

namespace kvd {

std::optional<std::int64_t> parse_integer(std::string_view text) noexcept {
  std::string_view digits = text.starts_with('-') ? text.substr(1) : text;
  if (digits.starts_with('0') && text != "0") return std::nullopt;

  std::int64_t value = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

}  // namespace kvd
