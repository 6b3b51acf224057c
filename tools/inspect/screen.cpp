// screen.cpp: widths in characters, not in bytes.
#include "tools/inspect/screen.hpp"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <iterator>

namespace airssys::rt::inspect {

namespace {

// Every byte but the second and later ones of a character of UTF-8.
bool begins_character(char byte) noexcept {
  return (static_cast<unsigned char>(byte) & 0xC0U) != 0x80U;
}

std::size_t characters(std::string_view text) noexcept {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), begins_character));
}

std::string padded(const std::string& cell, std::size_t width, Table::Align align) {
  const std::string space(width - std::min(characters(cell), width), ' ');
  return align == Table::Align::right ? space + cell : cell + space;
}

}  // namespace

std::string harmless(std::string_view text) {
  std::string clean;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    // U+0080 to U+009F are C2 80 to C2 9F: controls, too.
    const bool is_wide_control =
        byte == 0xC2 && i + 1 < text.size() && static_cast<unsigned char>(text[i + 1]) < 0xA0;
    if (is_wide_control) ++i;
    clean += byte < 0x20 || byte == 0x7F || is_wide_control ? '?' : text[i];
  }
  return clean;
}

std::string brief(std::uint64_t number) {
  if (number < 10'000) return std::to_string(number);
  constexpr std::string_view units = "kMGTPE";
  auto value = static_cast<double>(number);
  std::size_t unit = 0;
  for (value /= 1000; value >= 999.5 && unit + 1 < units.size(); ++unit) value /= 1000;
  char text[16];
  const auto written = std::to_chars(
      std::begin(text), std::end(text), value, std::chars_format::fixed, value < 99.95 ? 1 : 0);
  return std::string(text, written.ptr) + units[unit];
}

Screen::Screen() : has_colours_(false), width_(0) {
  if (::isatty(STDOUT_FILENO) == 0) return;
  winsize size{};
  if (::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0) width_ = size.ws_col;
  const char* no_color = std::getenv("NO_COLOR");  // NOLINT(concurrency-mt-unsafe): one thread
  has_colours_ = no_color == nullptr || *no_color == 0;
}

std::string Screen::coloured(std::string_view code, std::string_view text) const {
  if (!has_colours_) return std::string(text);
  return "\x1B[" + std::string(code) + "m" + std::string(text) + "\x1B[0m";
}

std::string Screen::cut(std::string_view line) const {
  std::size_t seen = 0;
  for (std::size_t i = 0; width_ != 0 && i < line.size(); ++i) {
    if (begins_character(line[i]) && ++seen > width_) return std::string(line.substr(0, i));
  }
  return std::string(line);
}

std::string Table::print(const Screen& screen) const {
  std::vector<std::size_t> widths;
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    std::size_t width = characters(columns_[i].heading);
    for (const auto& row : rows_) width = std::max(width, characters(row[i]));
    widths.push_back(width);
  }
  const auto line = [&](const auto& cell_of) {
    std::string text;
    for (std::size_t i = 0; i < columns_.size(); ++i)
      text += (i == 0 ? "" : "  ") + padded(cell_of(i), widths[i], columns_[i].align);
    text.erase(text.find_last_not_of(' ') + 1);
    return screen.cut(text);
  };
  std::string text = screen.bold(line([&](std::size_t i) { return columns_[i].heading; })) + "\n";
  for (const auto& row : rows_) text += line([&](std::size_t i) { return row[i]; }) + "\n";
  return text;
}

}  // namespace airssys::rt::inspect
