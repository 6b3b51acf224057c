// json.cpp: commas, quotes, and text that may be anything.
#include "base/json.hpp"

#include "base/utf8.hpp"

namespace airssys::rt::base {

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
      out_ += replacement_character;
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
