// set_options.cpp: a word at a time; one expiry of one kind may be given.
//
// As in Redis the same kind of expiry may be repeated (the last one counts), two kinds may not.
#include "examples/kvd/set_options.hpp"

#include <array>
#include <cstddef>

namespace kvd {
namespace {

struct ExpiryWord {
  std::string_view word;
  TimeUnit unit;
  TimeFrom from;
};

constexpr std::array<ExpiryWord, 4> expiry_words{{
    {"ex", TimeUnit::seconds, TimeFrom::now},
    {"px", TimeUnit::milliseconds, TimeFrom::now},
    {"exat", TimeUnit::seconds, TimeFrom::epoch},
    {"pxat", TimeUnit::milliseconds, TimeFrom::epoch},
}};

const ExpiryWord* find_expiry_word(std::string_view word) noexcept {
  for (const ExpiryWord& candidate : expiry_words)
    if (is_word(word, candidate.word)) return &candidate;
  return nullptr;
}

// Sets the flag that `word` names, if it is one and agrees with the others.
bool set_flag(SetOptions& options, bool has_expiry, std::string_view word) noexcept {
  if (is_word(word, "nx") && !options.only_if_there) return options.only_if_missing = true;
  if (is_word(word, "xx") && !options.only_if_missing) return options.only_if_there = true;
  if (is_word(word, "get")) return options.get = true;
  if (is_word(word, "keepttl") && !has_expiry) return options.keep_expiry = true;
  return false;
}

}  // namespace

std::optional<SetOptions> parse_set_options(const Arguments& arguments) {
  SetOptions options;
  const ExpiryWord* expiry = nullptr;
  for (std::size_t n = 2; n < arguments.size(); ++n) {
    if (set_flag(options, expiry != nullptr, arguments[n])) continue;
    const ExpiryWord* word = find_expiry_word(arguments[n]);
    bool agrees = word && !options.keep_expiry && (expiry == nullptr || expiry == word);
    if (!agrees || n + 1 == arguments.size()) return std::nullopt;
    expiry = word;
    options.expire = arguments[++n];
    options.unit = word->unit;
    options.from = word->from;
  }
  return options;
}

}  // namespace kvd
