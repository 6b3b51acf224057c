// command.hpp: the commands there are, and how each finds its shard.
//
// One table says everything about a command but what it does: its arity as Redis counts it (with
// the name; negative: at least), what it may do, where its keys stand, and its way:
//
//   local        the connection answers by itself
//   one_key      goes to the shard of its first key, whole
//   each_key     falls apart into one operation per key, each for its own shard
//   every_shard  goes to all shards; their answers are joined
//   cursor       SCAN: the cursor says which shard
//   by_number    DEBUG CRASH: the argument says which shard
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "examples/kvd/slice.hpp"

namespace kvd {

enum class Command : std::uint8_t {
  append,
  client,
  command,
  config,
  dbsize,
  debug,
  decr,
  decrby,
  del,
  echo,
  exists,
  expire,
  flushall,
  flushdb,
  get,
  getset,
  incr,
  incrby,
  info,
  keys,
  mget,
  mset,
  persist,
  pexpire,
  ping,
  pttl,
  quit,
  scan,
  select,
  set,
  strlen,
  ttl,
  type,
  unlink,
};

enum class Route : std::uint8_t { local, one_key, each_key, every_shard, cursor, by_number };

// What a command may do; the bits are added.
enum Effect : std::uint8_t {
  reads = 1,
  writes = 2,
  grows = 4,  // may need memory: refused when there is none left
};

struct CommandInfo {
  std::string_view name;
  Command command;
  std::int8_t arity;
  Route route;
  std::uint8_t effects = 0;
  std::int8_t first_key = 0;
  std::int8_t last_key = 0;  // negative: counted from the end
  std::int8_t key_step = 0;

  [[nodiscard]] bool takes(std::size_t arguments) const noexcept {
    auto count = static_cast<std::ptrdiff_t>(arguments);
    return arity >= 0 ? count == arity : count >= -arity;
  }
};

// The command of that name, in any case; null when there is none.
[[nodiscard]] const CommandInfo* find_command(std::string_view name) noexcept;
[[nodiscard]] const CommandInfo& info_of(Command command) noexcept;
[[nodiscard]] std::span<const CommandInfo> all_commands() noexcept;

// The text that answers a name nobody knows; it quotes the beginning of the arguments.
[[nodiscard]] std::string unknown_command_error(std::string_view input,
                                                std::span<const Slice> arguments);

// Whether `a` is `lower`, which is written in lower case, in any case.
[[nodiscard]] bool is_word(std::string_view a, std::string_view lower) noexcept;

}  // namespace kvd
