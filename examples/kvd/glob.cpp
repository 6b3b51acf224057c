// glob.cpp: one pass over the text, with one place to return to.
//
// `star` remembers the pattern behind the last star and how much of the text that star has eaten;
// on a mismatch it eats one byte more and the match goes on from there.
#include "examples/kvd/glob.hpp"

#include <algorithm>
#include <cstddef>

namespace kvd {
namespace {

// The set that begins behind `[` at `at`: does it hold `byte`, and where does the pattern go on?
// A set that is never closed ends with the pattern, as in Redis.
bool set_matches(std::string_view pattern, std::size_t& at, unsigned char byte) noexcept {
  auto next = [&] { return static_cast<unsigned char>(pattern[at]); };
  bool negated = at < pattern.size() && next() == '^';
  if (negated) ++at;
  bool found = false;
  for (; at < pattern.size() && next() != ']'; ++at) {
    if (next() == '\\' && at + 1 < pattern.size()) {
      ++at;
      found |= next() == byte;
    } else if (at + 2 < pattern.size() && pattern[at + 1] == '-') {
      unsigned char low = next();
      at += 2;
      unsigned char high = next();
      found |= std::min(low, high) <= byte && byte <= std::max(low, high);
    } else {
      found |= next() == byte;
    }
  }
  if (at < pattern.size()) ++at;  // the closing bracket
  return found != negated;
}

// Matches one byte against the pattern's element at `at` (not a star) and steps over the element.
bool element_matches(std::string_view pattern, std::size_t& at, char byte) noexcept {
  char element = pattern[at++];
  if (element == '?') return true;
  if (element == '[') return set_matches(pattern, at, static_cast<unsigned char>(byte));
  if (element == '\\' && at < pattern.size()) element = pattern[at++];
  return element == byte;
}

}  // namespace

bool glob_matches(std::string_view pattern, std::string_view text) noexcept {
  constexpr std::size_t none = std::string_view::npos;
  std::size_t at = 0;
  std::size_t position = 0;
  std::size_t star = none;
  std::size_t eaten = 0;
  while (position < text.size()) {
    if (at < pattern.size() && pattern[at] == '*') {
      star = ++at;
      eaten = position;
      continue;
    }
    if (at < pattern.size() && element_matches(pattern, at, text[position])) {
      ++position;
      continue;
    }
    if (star == none) return false;
    at = star;
    position = ++eaten;
  }
  while (at < pattern.size() && pattern[at] == '*') ++at;
  return at == pattern.size();
}

}  // namespace kvd
