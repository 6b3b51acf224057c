// reply_plan.hpp: turns commands into operations, and the shards' replies into the client's.
//
// While a burst is read, every command becomes operations for shards and one *step* that says how
// its answer is made of theirs:
//
//   text         bytes that are known already (a local answer, an error)
//   copy         the reply of one operation
//   sum          the sum of integers: DEL, EXISTS, DBSIZE
//   all_ok       OK, or the first error: MSET, FLUSHALL
//   join         one array of several: KEYS
//   numbers      INFO, written from the shards' numbers
//   crash        OK when the operation failed: DEBUG CRASH
//
// When all parts have come back, the steps are carried out in order; each takes its replies from
// where its shard's part was left by the step before. A shard that has died answers for its
// operations with an error: each may have been done, or not.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "examples/kvd/burst.hpp"
#include "examples/kvd/executor.hpp"
#include "examples/kvd/session.hpp"

namespace kvd {

class ReplyPlan {
 public:
  explicit ReplyPlan(ShardNumber shards) : parts_(shards) {}

  // Forgets the burst before; buffers of a usual size are kept.
  void start(std::uint64_t number);

  // Plans one command, whose arguments stand at the end of burst.arguments from `first` on.
  void add(Burst& burst, std::size_t first, Session& session);
  // Plans an answer that no command has asked for: a protocol error.
  void add_error(std::string_view text);

  [[nodiscard]] bool is_empty() const noexcept { return steps_.empty(); }

  // The part for a shard while it is here: null when it is away, lost, or not needed.
  [[nodiscard]] std::unique_ptr<Part>& part(ShardNumber shard) { return parts_[shard].part; }
  [[nodiscard]] bool needs(ShardNumber shard) const { return parts_[shard].is_needed; }
  // The shard has died with the part: its operations are answered with an error.
  void lose(ShardNumber shard);

  // All parts are back or lost: appends the answers to `out`. `write_info` is called for INFO,
  // with its arguments and the shards' numbers.
  template <typename WriteInfo>
  void finish(const Burst& burst, std::string& out, WriteInfo&& write_info);

 private:
  enum class StepKind : std::uint8_t { text, copy, sum, all_ok, join, numbers, crash };
  struct Step {
    StepKind kind;
    std::uint32_t first;  // operation; for text: offset in texts_
    std::uint32_t count;  // operations; for text: bytes
  };
  struct ShardPart {
    std::unique_ptr<Part> part;
    bool is_needed = false;
    bool is_lost = false;
    std::size_t taken = 0;  // replies, by the steps so far
  };

  // Adds what write(out) appends: bytes that need no shard.
  template <typename Write>
  void add_text(Write&& write);
  void add_arity_error(const CommandInfo& info);
  void add_step(StepKind kind, Burst& burst, std::size_t first_operation);
  void add_operation(Burst& burst,
                     Command command,
                     ShardNumber shard,
                     std::size_t first_argument,
                     std::size_t arguments,
                     std::uint64_t hash = 0);
  void add_keyed(Burst& burst, Command command, std::size_t first, std::size_t arguments);
  void plan(const CommandInfo& info, Burst& burst, std::size_t first, Session& session);
  void plan_local(const CommandInfo& info, Burst& burst, std::size_t first, Session& session);
  void plan_each_key(const CommandInfo& info, Burst& burst, std::size_t first);
  void plan_every_shard(const CommandInfo& info, Burst& burst, std::size_t first);
  void plan_scan(Burst& burst, std::size_t first);
  void plan_debug(Burst& burst, std::size_t first);

  [[nodiscard]] ShardNumber shards() const noexcept {
    return static_cast<ShardNumber>(parts_.size());
  }
  // The next reply of the shard that the operation went to; an error when the shard was lost.
  std::string_view take(const Operation& operation);
  template <typename Visit>
  std::string_view take_all(std::span<const Operation> operations, Visit&& visit);
  void carry_out(const Step& step, const Burst& burst, std::string& out);
  void append_sum(std::span<const Operation> operations, std::string& out);
  void append_all_ok(std::span<const Operation> operations, std::string& out);
  void append_joined(std::span<const Operation> operations, std::string& out);
  std::vector<ShardNumbers> take_numbers(std::span<const Operation> operations);

  std::vector<ShardPart> parts_;
  std::vector<Step> steps_;
  std::string texts_;
  std::vector<std::string_view> words_;
  std::uint64_t number_ = 0;
};

template <typename WriteInfo>
void ReplyPlan::finish(const Burst& burst, std::string& out, WriteInfo&& write_info) {
  for (const Step& step : steps_) {
    if (step.kind == StepKind::numbers) {
      auto operations = std::span(burst.operations).subspan(step.first, step.count);
      write_info(Arguments(burst, operations[0]), take_numbers(operations), out);
    } else {
      carry_out(step, burst, out);
    }
  }
}

}  // namespace kvd
