// burst.hpp: what one client sent at once, as it travels.
//
//   connection ──Part──▶ shard ──Part──▶ log writer ──Part──▶ connection
//
// A connection takes all commands that have arrived, turns them into *operations*, each for one
// shard, and gives every shard that has some of them one *part*. The burst itself, the bytes and
// what they mean, is shared and never changed while a part is away. The part is moved: whoever has
// it owns it. It collects what the shard answers and what is to be logged, and comes back to be
// used again, so that a connection that has warmed up allocates nothing.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "examples/kvd/buffer.hpp"
#include "examples/kvd/command.hpp"
#include "examples/kvd/slice.hpp"

namespace kvd {

using ShardNumber = std::uint16_t;

// One thing for one shard to do.
struct Operation {
  Command command;
  ShardNumber shard;
  std::uint32_t first_argument;  // in Burst::arguments; the command's name is not among them
  std::uint32_t arguments;
  std::uint64_t hash;  // of the key, for operations that have one
};

struct Burst {
  std::string bytes;
  std::vector<Slice> arguments;
  std::vector<Operation> operations;
};

// The arguments of one operation.
class Arguments {
 public:
  Arguments(const Burst& burst, const Operation& operation) noexcept
      : bytes_(burst.bytes),
        slices_(std::span(burst.arguments).subspan(operation.first_argument, operation.arguments)) {
  }

  [[nodiscard]] std::size_t size() const noexcept { return slices_.size(); }
  std::string_view operator[](std::size_t n) const noexcept { return slices_[n].of(bytes_); }

 private:
  std::string_view bytes_;
  std::span<const Slice> slices_;
};

struct Part {
  std::uint64_t number = 0;  // of the burst, among its connection's
  ShardNumber shard = 0;
  std::vector<std::uint32_t> operations;  // of the burst, ascending
  std::string replies;                    // one for each operation, in that order
  std::vector<std::size_t> reply_ends;    // where each of them ends
  std::string records;                    // what is to be logged

  void clear() noexcept {
    reuse(operations);
    reuse(replies);
    reuse(reply_ends);
    reuse(records);
  }
};

}  // namespace kvd
