// reply.cpp: RESP2 is a letter, a number or text, and a line break.
//
// The numbers are written by std::to_chars into a small array: no stream, no temporary string.
#include "examples/kvd/reply.hpp"

#include <algorithm>
#include <array>
#include <charconv>

namespace kvd {
namespace {

void append_line(std::string& out, char type, std::int64_t number) {
  std::array<char, 24> text;
  text[0] = type;
  char* end = std::to_chars(text.data() + 1, text.data() + text.size() - 2, number).ptr;
  *end++ = '\r';
  *end++ = '\n';
  out.append(text.data(), end);
}

}  // namespace

void append_simple(std::string& out, std::string_view text) {
  out += '+';
  out += text;
  out += "\r\n";
}

void append_integer(std::string& out, std::int64_t value) {
  append_line(out, ':', value);
}

void append_bulk(std::string& out, std::string_view bytes) {
  append_line(out, '$', static_cast<std::int64_t>(bytes.size()));
  out += bytes;
  out += "\r\n";
}

void append_null(std::string& out) {
  out += "$-1\r\n";
}

void append_array(std::string& out, std::size_t length) {
  append_line(out, '*', static_cast<std::int64_t>(length));
}

void append_error(std::string& out, std::string_view text) {
  out += '-';
  std::size_t start = out.size();
  out += text;
  std::replace_if(
      out.begin() + static_cast<std::ptrdiff_t>(start),
      out.end(),
      [](char c) { return c == '\r' || c == '\n'; },
      ' ');
  out += "\r\n";
}

std::string_view quotable(std::string_view text, std::size_t length_max) noexcept {
  return text.substr(0, std::min(text.find('\0'), length_max));
}

void append_arity_error(std::string& out, std::string_view command) {
  std::string text = "ERR wrong number of arguments for '";
  text += command;
  text += "' command";
  append_error(out, text);
}

}  // namespace kvd
