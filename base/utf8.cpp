// utf8.cpp: one character after the other.
#include "base/utf8.hpp"

#include <algorithm>
#include <cstdint>

namespace airssys::rt::base {

namespace {

bool is_continuation(char byte) noexcept {
  return (static_cast<unsigned char>(byte) & 0xC0U) == 0x80U;
}

bool is_printable_ascii(char byte) noexcept {
  return byte >= ' ' && byte <= '~';
}

// The controls of ASCII and of Latin-1, and what Unicode has to end a line or a paragraph.
bool is_control(std::string_view character) noexcept {
  const auto lead = static_cast<unsigned char>(character.front());
  if (character.size() == 1) return lead < 0x20 || lead == 0x7F;
  if (character.size() == 2) return lead == 0xC2 && static_cast<unsigned char>(character[1]) < 0xA0;
  return character == "\u2028" || character == "\u2029";
}

}  // namespace

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

std::string one_line(std::string text, std::size_t bytes_max) {
  if (text.size() <= bytes_max && std::ranges::all_of(text, &is_printable_ascii)) return text;
  std::string line;
  std::string_view rest = text;
  while (!rest.empty()) {
    const std::size_t bytes = character_bytes(rest);
    std::string_view character = rest.substr(0, std::max<std::size_t>(bytes, 1));
    rest.remove_prefix(character.size());
    if (bytes == 0) {
      character = replacement_character;
    } else if (is_control(character)) {
      character = " ";
    }
    if (line.size() + character.size() > bytes_max) return line + "...";
    line += character;
  }
  return line;
}

}  // namespace airssys::rt::base
