// inline_arguments.cpp: a reader and a writer move over the same line; the writer is never ahead.
//
// The grammar is that of Redis' own splitter, with its corners: a quote opens anywhere in a word.
#include "examples/kvd/inline_arguments.hpp"

#include <string_view>

namespace kvd {
namespace {

bool is_blank(char c) noexcept {
  return c == ' ' || c == '\t' || c == '\n' || c == '\v' || c == '\f' || c == '\r';
}

int hex_value(char c) noexcept {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

char unescaped(char c) noexcept {
  switch (c) {
    case 'n':
      return '\n';
    case 'r':
      return '\r';
    case 't':
      return '\t';
    case 'b':
      return '\b';
    case 'a':
      return '\a';
    default:
      return c;
  }
}

class Line {
 public:
  Line(std::string& text, std::size_t begin, std::size_t end)
      : text_(text), read_(begin), write_(begin), end_(end) {}

  void skip_blanks() {
    while (read_ < end_ && is_blank(text_[read_])) ++read_;
    write_ = read_;
  }
  [[nodiscard]] bool at_end() const { return read_ == end_; }

  // Reads one word, decoding it to where it stands.
  [[nodiscard]] bool word(Slice& out) {
    std::size_t start = write_;
    while (!at_end() && !is_blank(text_[read_])) {
      char c = text_[read_++];
      if (c != '"' && c != '\'') {
        put(c);
      } else if (!quoted(c)) {
        return false;
      }
    }
    out = {static_cast<std::uint32_t>(start), static_cast<std::uint32_t>(write_ - start)};
    return true;
  }

 private:
  void put(char c) { text_[write_++] = c; }

  [[nodiscard]] bool quoted(char quote) {
    while (!at_end()) {
      char c = text_[read_++];
      if (c == quote) return at_end() || is_blank(text_[read_]);
      if (c != '\\' || at_end()) {
        put(c);
      } else if (quote == '"') {
        double_quoted_escape();
      } else if (text_[read_] == '\'') {
        put(text_[read_++]);
      } else {
        put(c);
      }
    }
    return false;
  }

  void double_quoted_escape() {
    if (end_ - read_ >= 3 && text_[read_] == 'x') {
      int high = hex_value(text_[read_ + 1]);
      int low = hex_value(text_[read_ + 2]);
      if (high >= 0 && low >= 0) {
        put(static_cast<char>(high * 16 + low));
        read_ += 3;
        return;
      }
    }
    put(unescaped(text_[read_++]));
  }

  std::string& text_;
  std::size_t read_;
  std::size_t write_;
  std::size_t end_;
};

}  // namespace

bool split_inline(std::string& input, std::size_t begin, std::size_t end, std::vector<Slice>& out) {
  Line line(input, begin, end);
  for (line.skip_blanks(); !line.at_end(); line.skip_blanks()) {
    Slice word;
    if (!line.word(word)) return false;
    out.push_back(word);
  }
  return true;
}

}  // namespace kvd
