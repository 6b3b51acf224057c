// json.cpp: commas, quotes, and text that may be anything.
#include "base/json.hpp"

namespace airssys::rt::base {

namespace {

constexpr std::string_view replacement = "\xEF\xBF\xBD";  // U+FFFD: here was something unreadable

bool is_continuation(char byte) noexcept {
  return (static_cast<unsigned char>(byte) & 0xC0U) == 0x80U;
}

// How many bytes the UTF-8 character at the front of the text has; 0: it is not one.
std::size_t character_bytes(std::string_view text) noexcept {
  const auto lead = static_cast<unsigned char>(text.front());
  std::size_t bytes = 0;
  std::uint32_t smallest = 0;
  std::uint32_t value = 0;
  if (lead < 0x80) return 1;
  if (lead >= 0xC2 && lead < 0xE0) {
    bytes = 2, smallest = 0x80, value = lead & 0x1FU;
  } else if (lead >= 0xE0 && lead < 0xF0) {
    bytes = 3, smallest = 0x800, value = lead & 0x0FU;
  } else if (lead >= 0xF0 && lead < 0xF5) {
    bytes = 4, smallest = 0x10000, value = lead & 0x07U;
  }
  if (bytes == 0 || text.size() < bytes) return 0;
  for (const char byte : text.substr(1, bytes - 1)) {
    if (!is_continuation(byte)) return 0;
    value = value << 6 | (static_cast<unsigned char>(byte) & 0x3FU);
  }
  const bool is_surrogate = value >= 0xD800 && value <= 0xDFFF;
  return value < smallest || value > 0x10FFFF || is_surrogate ? 0 : bytes;
}

}  // namespace

void JsonWriter::separate() {
  if (needs_comma_) out_ += ',';
  needs_comma_ = true;
}

JsonWriter& JsonWriter::begin(char bracket) {
  separate();
  out_ += bracket;
  needs_comma_ = false;
  return *this;
}

JsonWriter& JsonWriter::end(char bracket) {
  out_ += bracket;
  needs_comma_ = true;
  return *this;
}

JsonWriter& JsonWriter::key(std::string_view name) {
  separate();
  quote(name);
  out_ += ':';
  needs_comma_ = false;
  return *this;
}

JsonWriter& JsonWriter::plain(std::string_view value) {
  separate();
  out_ += value;
  return *this;
}

JsonWriter& JsonWriter::text(std::string_view value) {
  separate();
  quote(value);
  return *this;
}

JsonWriter& JsonWriter::number(std::uint64_t value) {
  return plain(std::to_string(value));
}
JsonWriter& JsonWriter::boolean(bool value) {
  return plain(value ? "true" : "false");
}
JsonWriter& JsonWriter::null() {
  return plain("null");
}

void JsonWriter::quote(std::string_view value) {
  value = value.substr(0, text_bytes_max);
  out_ += '"';
  while (!value.empty()) {
    const std::size_t bytes = character_bytes(value);
    const char first = value.front();
    if (bytes == 0) {
      out_ += replacement;
    } else if (first == '"' || first == '\\') {
      out_.append({'\\', first});
    } else if (static_cast<unsigned char>(first) < 0x20) {
      constexpr std::string_view digits = "0123456789abcdef";
      const auto code = static_cast<unsigned char>(first);
      out_.append("\\u00").append({digits[code >> 4U], digits[code & 0xFU]});
    } else {
      out_ += value.substr(0, bytes);
    }
    value.remove_prefix(bytes == 0 ? 1 : bytes);
  }
  out_ += '"';
}

}  // namespace airssys::rt::base
