// reply_plan.cpp: the routes on the way out, the steps on the way back.
//
// An operation is added to its shard's part in the order of the commands, and steps are carried out
// in that order too, so "the next reply" of a part is always the right one.
#include "examples/kvd/reply_plan.hpp"

#include <algorithm>
#include <charconv>
#include <optional>
#include <utility>

#include "examples/kvd/integer.hpp"
#include "examples/kvd/reply.hpp"
#include "examples/kvd/scan_cursor.hpp"

namespace kvd {
namespace {

constexpr std::string_view lost_error =
    "-ERR the shard of this command crashed and restarts; the command may or may not have been "
    "done\r\n";

bool is_error(std::string_view reply) noexcept {
  return reply.starts_with('-');
}

// The number behind the type byte; `reply` begins with it and is shortened past the line.
std::int64_t take_number(std::string_view& reply) noexcept {
  std::size_t end = reply.find('\r');
  std::int64_t number = 0;
  std::from_chars(reply.data() + 1, reply.data() + end, number);
  reply.remove_prefix(end + 2);
  return number;
}

// The shard of a key takes the low bits of the hash; the keyspace goes by the high ones.
ShardNumber shard_of(std::uint64_t hash, std::size_t shards) noexcept {
  return static_cast<ShardNumber>((hash & 0xFFFFFFFF) % shards);
}

}  // namespace

void ReplyPlan::start(std::uint64_t number) {
  number_ = number;
  steps_.clear();
  texts_.clear();
  for (ShardPart& shard : parts_) {
    if (shard.part) shard.part->clear();
    shard.is_needed = false;
    shard.is_lost = false;
    shard.taken = 0;
  }
}

void ReplyPlan::lose(ShardNumber shard) {
  parts_[shard].part = nullptr;
  parts_[shard].is_lost = true;
}

void ReplyPlan::add_error(std::string_view text) {
  std::size_t offset = texts_.size();
  append_error(texts_, text);
  add_text_since(offset);
}

void ReplyPlan::add(Burst& burst, std::size_t first, Session& session) {
  std::span<const Slice> words = std::span(burst.arguments).subspan(first);
  const CommandInfo* info = find_command(words[0].of(burst.bytes));
  if (info == nullptr) return add_error(unknown_command_error(burst.bytes, words));
  if (!info->takes(words.size())) {
    std::size_t offset = texts_.size();
    append_arity_error(texts_, info->name);
    return add_text_since(offset);
  }
  plan(*info, burst, first, session);
}

void ReplyPlan::plan(const CommandInfo& info, Burst& burst, std::size_t first, Session& session) {
  switch (info.route) {
    case Route::local:
      return plan_local(info, burst, first, session);
    case Route::one_key: {
      std::size_t operation = burst.operations.size();
      add_keyed(burst, info.command, first + 1, burst.arguments.size() - first - 1);
      return add_step(StepKind::copy, burst, operation);
    }
    case Route::each_key:
      return plan_each_key(info, burst, first);
    case Route::every_shard:
      return plan_every_shard(info, burst, first);
    case Route::cursor:
      return plan_scan(burst, first);
    case Route::by_number:
      return plan_debug(burst, first);
  }
}

void ReplyPlan::plan_local(const CommandInfo& info,
                           Burst& burst,
                           std::size_t first,
                           Session& session) {
  words_.clear();
  for (std::size_t n = first; n < burst.arguments.size(); ++n)
    words_.push_back(burst.arguments[n].of(burst.bytes));
  std::size_t offset = texts_.size();
  session.answer(info.command, words_, texts_);
  add_text_since(offset);
}

void ReplyPlan::plan_each_key(const CommandInfo& info, Burst& burst, std::size_t first) {
  auto step = static_cast<std::size_t>(info.key_step);
  std::size_t arguments = burst.arguments.size() - first - 1;
  if (arguments % step != 0) {
    std::size_t offset = texts_.size();
    append_arity_error(texts_, info.name);
    return add_text_since(offset);
  }
  if (info.command == Command::mget) {
    std::size_t offset = texts_.size();
    append_array(texts_, arguments);
    add_text_since(offset);
  }
  std::size_t operation = burst.operations.size();
  for (std::size_t n = 0; n < arguments; n += step)
    add_keyed(burst, info.command, first + 1 + n, step);
  switch (info.command) {
    case Command::mget:
      return add_step(StepKind::copy, burst, operation);
    case Command::mset:
      return add_step(StepKind::all_ok, burst, operation);
    default:
      return add_step(StepKind::sum, burst, operation);
  }
}

void ReplyPlan::plan_every_shard(const CommandInfo& info, Burst& burst, std::size_t first) {
  std::size_t arguments = burst.arguments.size() - first - 1;
  bool is_flush = info.command == Command::flushall || info.command == Command::flushdb;
  if (is_flush && arguments > 0) {
    std::string_view how = burst.arguments[first + 1].of(burst.bytes);
    if (arguments > 1 || !(is_word(how, "sync") || is_word(how, "async")))
      return add_error(syntax_error);
  }
  std::size_t operation = burst.operations.size();
  for (ShardNumber shard = 0; shard < shards(); ++shard)
    add_operation(burst, info.command, shard, first + 1, arguments);
  switch (info.command) {
    case Command::dbsize:
      return add_step(StepKind::sum, burst, operation);
    case Command::keys:
      return add_step(StepKind::join, burst, operation);
    case Command::info:
      return add_step(StepKind::numbers, burst, operation);
    default:
      return add_step(StepKind::all_ok, burst, operation);
  }
}

void ReplyPlan::plan_scan(Burst& burst, std::size_t first) {
  std::optional<ScanCursor> cursor = parse_cursor(burst.arguments[first + 1].of(burst.bytes));
  if (!cursor) return add_error("ERR invalid cursor");
  // A cursor that was never given out may name no shard: the last one then says that it has ended.
  auto last = static_cast<ShardNumber>(shards() - 1);
  std::size_t operation = burst.operations.size();
  add_operation(burst,
                Command::scan,
                std::min(cursor->shard, last),
                first + 1,
                burst.arguments.size() - first - 1);
  add_step(StepKind::copy, burst, operation);
}

void ReplyPlan::plan_debug(Burst& burst, std::size_t first) {
  std::span<const Slice> words = std::span(burst.arguments).subspan(first);
  if (words.size() != 3 || !is_word(words[1].of(burst.bytes), "crash"))
    return add_error("ERR DEBUG knows CRASH <shard> only");
  std::optional<std::int64_t> shard = parse_integer(words[2].of(burst.bytes));
  if (!shard) return add_error(not_an_integer);
  if (*shard < 0 || *shard >= shards()) return add_error("ERR no such shard");
  std::size_t operation = burst.operations.size();
  add_operation(burst, Command::debug, static_cast<ShardNumber>(*shard), first, 0);
  add_step(StepKind::crash, burst, operation);
}

void ReplyPlan::add_keyed(Burst& burst, Command command, std::size_t first, std::size_t arguments) {
  std::uint64_t hash = hash_of(burst.arguments[first].of(burst.bytes));
  add_operation(burst, command, shard_of(hash, parts_.size()), first, arguments, hash);
}

void ReplyPlan::add_operation(Burst& burst,
                              Command command,
                              ShardNumber shard,
                              std::size_t first_argument,
                              std::size_t arguments,
                              std::uint64_t hash) {
  ShardPart& target = parts_[shard];
  if (!target.part) target.part = std::make_unique<Part>();
  target.is_needed = true;
  target.part->number = number_;
  target.part->shard = shard;
  target.part->operations.push_back(static_cast<std::uint32_t>(burst.operations.size()));
  burst.operations.push_back({command,
                              shard,
                              static_cast<std::uint32_t>(first_argument),
                              static_cast<std::uint32_t>(arguments),
                              hash});
}

void ReplyPlan::add_step(StepKind kind, Burst& burst, std::size_t first_operation) {
  steps_.push_back({kind,
                    static_cast<std::uint32_t>(first_operation),
                    static_cast<std::uint32_t>(burst.operations.size() - first_operation)});
}

void ReplyPlan::add_text_since(std::size_t offset) {
  auto bytes = static_cast<std::uint32_t>(texts_.size() - offset);
  bool continues = !steps_.empty() && steps_.back().kind == StepKind::text;
  if (continues) {
    steps_.back().count += bytes;
  } else {
    steps_.push_back({StepKind::text, static_cast<std::uint32_t>(offset), bytes});
  }
}

std::string_view ReplyPlan::take(const Operation& operation) {
  ShardPart& shard = parts_[operation.shard];
  if (shard.is_lost) return lost_error;
  const Part& part = *shard.part;
  std::size_t begin = shard.taken == 0 ? 0 : part.reply_ends[shard.taken - 1];
  std::size_t end = part.reply_ends[shard.taken++];
  return std::string_view(part.replies).substr(begin, end - begin);
}

void ReplyPlan::carry_out(const Step& step, const Burst& burst, std::string& out) {
  if (step.kind == StepKind::text) {
    out += std::string_view(texts_).substr(step.first, step.count);
    return;
  }
  auto operations = std::span(burst.operations).subspan(step.first, step.count);
  switch (step.kind) {
    case StepKind::copy:
      for (const Operation& operation : operations) out += take(operation);
      return;
    case StepKind::sum:
      return append_sum(operations, out);
    case StepKind::all_ok:
      return append_all_ok(operations, out);
    case StepKind::join:
      return append_joined(operations, out);
    case StepKind::crash:
      static_cast<void>(take(operations[0]));
      return append_simple(out, "OK");
    case StepKind::text:
    case StepKind::numbers:
      return;  // not here
  }
}

void ReplyPlan::append_sum(std::span<const Operation> operations, std::string& out) {
  std::int64_t sum = 0;
  std::string_view error;
  for (const Operation& operation : operations) {
    std::string_view reply = take(operation);
    if (is_error(reply)) {
      error = reply;
    } else {
      sum += take_number(reply);
    }
  }
  if (error.empty()) {
    append_integer(out, sum);
  } else {
    out += error;
  }
}

void ReplyPlan::append_all_ok(std::span<const Operation> operations, std::string& out) {
  std::string_view error;
  for (const Operation& operation : operations) {
    std::string_view reply = take(operation);
    if (is_error(reply) && error.empty()) error = reply;
  }
  if (error.empty()) {
    append_simple(out, "OK");
  } else {
    out += error;
  }
}

void ReplyPlan::append_joined(std::span<const Operation> operations, std::string& out) {
  std::vector<std::string_view> arrays;
  std::size_t elements = 0;
  std::string_view error;
  for (const Operation& operation : operations) {
    std::string_view reply = take(operation);
    if (is_error(reply)) {
      error = reply;
      continue;
    }
    elements += static_cast<std::size_t>(take_number(reply));
    arrays.push_back(reply);
  }
  if (!error.empty()) {
    out += error;
    return;
  }
  append_array(out, elements);
  for (std::string_view array : arrays) out += array;
}

std::vector<ShardNumbers> ReplyPlan::take_numbers(std::span<const Operation> operations) {
  std::vector<ShardNumbers> all;
  for (const Operation& operation : operations) {
    std::string_view reply = take(operation);
    ShardNumbers numbers;
    if (!is_error(reply)) {
      for (std::int64_t* number : {&numbers.keys,
                                   &numbers.expiring,
                                   &numbers.memory_bytes,
                                   &numbers.expired,
                                   &numbers.hits,
                                   &numbers.misses})
        *number = take_number(reply);
    }
    all.push_back(numbers);
  }
  return all;
}

}  // namespace kvd
