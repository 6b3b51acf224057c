// screen.hpp: text for people: columns, and colours only where somebody sees them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace airssys::rt::inspect {

// What a terminal would obey is shown as a question mark: names come from the program that is
// looked at.
std::string harmless(std::string_view text);

// "12", "3.4k", "5.6M": a number in at most five characters.
std::string brief(std::uint64_t number);

class Screen {
 public:
  // Looks at the standard output: a terminal? how wide? NO_COLOR?
  Screen();
  explicit Screen(bool has_colours, std::size_t width) : has_colours_(has_colours), width_(width) {}

  std::string bold(std::string_view text) const { return coloured("1", text); }
  std::string faint(std::string_view text) const { return coloured("2", text); }
  std::string alarming(std::string_view text) const { return coloured("31", text); }
  // Characters of a line; 0: as many as there are.
  std::size_t width() const noexcept { return width_; }
  // The line, cut to the width. It holds no colours.
  std::string cut(std::string_view line) const;

 private:
  std::string coloured(std::string_view code, std::string_view text) const;

  bool has_colours_;
  std::size_t width_;
};

// Rows under headings, each column as wide as its widest cell; numbers stand to the right.
class Table {
 public:
  enum class Align : std::uint8_t { left, right };
  struct Column {
    std::string heading;
    Align align = Align::left;
  };

  explicit Table(std::vector<Column> columns) : columns_(std::move(columns)) {}
  // As many cells as columns.
  void add(std::vector<std::string> cells) { rows_.push_back(std::move(cells)); }
  std::string print(const Screen& screen) const;

 private:
  std::vector<Column> columns_;
  std::vector<std::vector<std::string>> rows_;
};

}  // namespace airssys::rt::inspect
