// command.cpp: the table, in the order of the enumeration.
//
// Every name fits into eight bytes, so a name is looked up as one number: five comparisons of
// integers find it among the sorted ones.
#include "examples/kvd/command.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "examples/kvd/reply.hpp"

namespace kvd {
namespace {

using enum Command;

constexpr auto command_table = std::to_array<CommandInfo>({
    {"append", append, 3, Route::one_key, writes | grows, 1, 1, 1},
    {"client", client, -2, Route::local},
    {"command", command, -1, Route::local},
    {"config", config, -2, Route::local},
    {"dbsize", dbsize, 1, Route::every_shard, reads},
    {"debug", debug, -2, Route::by_number},
    {"decr", decr, 2, Route::one_key, writes | grows, 1, 1, 1},
    {"decrby", decrby, 3, Route::one_key, writes | grows, 1, 1, 1},
    {"del", del, -2, Route::each_key, writes, 1, -1, 1},
    {"echo", echo, 2, Route::local},
    {"exists", exists, -2, Route::each_key, reads, 1, -1, 1},
    {"expire", expire, -3, Route::one_key, writes, 1, 1, 1},
    {"flushall", flushall, -1, Route::every_shard, writes},
    {"flushdb", flushdb, -1, Route::every_shard, writes},
    {"get", get, 2, Route::one_key, reads, 1, 1, 1},
    {"getset", getset, 3, Route::one_key, writes | grows, 1, 1, 1},
    {"incr", incr, 2, Route::one_key, writes | grows, 1, 1, 1},
    {"incrby", incrby, 3, Route::one_key, writes | grows, 1, 1, 1},
    {"info", info, -1, Route::every_shard},
    {"keys", keys, 2, Route::every_shard, reads},
    {"mget", mget, -2, Route::each_key, reads, 1, -1, 1},
    {"mset", mset, -3, Route::each_key, writes | grows, 1, -1, 2},
    {"persist", persist, 2, Route::one_key, writes, 1, 1, 1},
    {"pexpire", pexpire, -3, Route::one_key, writes, 1, 1, 1},
    {"ping", ping, -1, Route::local},
    {"pttl", pttl, 2, Route::one_key, reads, 1, 1, 1},
    {"quit", quit, -1, Route::local},
    {"scan", scan, -2, Route::cursor, reads},
    {"select", select, 2, Route::local},
    {"set", set, -3, Route::one_key, writes | grows, 1, 1, 1},
    {"strlen", strlen, 2, Route::one_key, reads, 1, 1, 1},
    {"ttl", ttl, 2, Route::one_key, reads, 1, 1, 1},
    {"type", type, 2, Route::one_key, reads, 1, 1, 1},
    {"unlink", unlink, -2, Route::each_key, writes, 1, -1, 1},
});

constexpr bool is_in_order() {
  for (std::size_t n = 0; n < command_table.size(); ++n)
    if (std::to_underlying(command_table[n].command) != n) return false;
  return true;
}
static_assert(is_in_order(), "a command's number is its place in the table");

constexpr char lower(char c) noexcept {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

// The name as a number; zero for what is too long to be a name.
constexpr std::uint64_t number_of(std::string_view name) noexcept {
  if (name.size() > 8) return 0;
  std::uint64_t number = 0;
  for (char c : name) number = number << 8 | static_cast<unsigned char>(lower(c));
  return number;
}

struct NumberedName {
  std::uint64_t number;
  Command command;
};

constexpr auto by_number = [] {
  std::array<NumberedName, command_table.size()> names{};
  for (std::size_t n = 0; n < command_table.size(); ++n)
    names[n] = {number_of(command_table[n].name), command_table[n].command};
  std::ranges::sort(names, {}, &NumberedName::number);
  return names;
}();
static_assert(by_number[0].number != 0, "every name fits into eight bytes");

}  // namespace

const CommandInfo* find_command(std::string_view name) noexcept {
  std::uint64_t number = number_of(name);
  const auto* found = std::ranges::lower_bound(by_number, number, {}, &NumberedName::number);
  if (found == by_number.end() || found->number != number) return nullptr;
  return &info_of(found->command);
}

const CommandInfo& info_of(Command command) noexcept {
  return command_table[std::to_underlying(command)];
}

std::span<const CommandInfo> all_commands() noexcept {
  return command_table;
}

std::string unknown_command_error(std::string_view input, std::span<const Slice> arguments) {
  constexpr std::size_t quoted_max = 128;
  std::string text = "ERR unknown command '";
  text += quotable(arguments[0].of(input), quoted_max);
  text += "', with args beginning with: ";
  std::size_t quoted_end = text.size() + quoted_max;
  for (const Slice& argument : arguments.subspan(1)) {
    if (text.size() >= quoted_end) break;
    std::string_view quoted = quotable(argument.of(input), quoted_end - text.size());
    text += '\'';
    text += quoted;
    text += "' ";
  }
  return text;
}

bool is_word(std::string_view a, std::string_view lower_case) noexcept {
  return std::ranges::equal(a, lower_case, {}, lower);
}

}  // namespace kvd
