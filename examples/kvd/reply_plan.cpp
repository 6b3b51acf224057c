// reply_plan.cpp: the way out: each command becomes operations for shards, and a step.
//
// An operation is added to its shard's part in the order of the commands, and steps are carried out
// in that order too (reply_steps.cpp), so "the next reply" of a part is always the right one.
#include "examples/kvd/reply_plan.hpp"

#include <algorithm>
#include <optional>
#include <utility>

#include "examples/kvd/buffer.hpp"
#include "examples/kvd/integer.hpp"
#include "examples/kvd/reply.hpp"
#include "examples/kvd/scan_cursor.hpp"

namespace kvd {
namespace {

// The shard of a key takes the low bits of the hash; the keyspace goes by the high ones.
ShardNumber shard_of(std::uint64_t hash, std::size_t shards) noexcept {
  return static_cast<ShardNumber>((hash & 0xFFFFFFFF) % shards);
}

// A page may make its reader's browser send to us; as Redis we hang up before its commands come.
bool is_of_http(std::string_view name) noexcept {
  return is_word(name, "post") || is_word(name, "host:");
}

}  // namespace

void ReplyPlan::start(std::uint64_t number) {
  number_ = number;
  reuse(steps_);
  reuse(texts_);
  reuse(words_);
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

template <typename Write>
void ReplyPlan::add_text(Write&& write) {
  std::size_t offset = texts_.size();
  write(texts_);
  auto bytes = static_cast<std::uint32_t>(texts_.size() - offset);
  bool continues = !steps_.empty() && steps_.back().kind == StepKind::text;
  if (continues) {
    steps_.back().count += bytes;
  } else {
    steps_.push_back({StepKind::text, static_cast<std::uint32_t>(offset), bytes});
  }
}

void ReplyPlan::add_error(std::string_view text) {
  add_text([&](std::string& out) { append_error(out, text); });
}

void ReplyPlan::add_arity_error(const CommandInfo& info) {
  add_text([&](std::string& out) { append_arity_error(out, info.name); });
}

void ReplyPlan::add(Burst& burst, std::size_t first, Session& session) {
  std::span<const Slice> words = std::span(burst.arguments).subspan(first);
  std::string_view name = words[0].of(burst.bytes);
  const CommandInfo* info = find_command(name);
  if (info == nullptr && is_of_http(name)) {
    session.close();
    return add_text([](std::string&) {});
  }
  if (info == nullptr) return add_error(unknown_command_error(burst.bytes, words));
  if (!info->takes(words.size())) return add_arity_error(*info);
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
  add_text([&](std::string& out) { session.answer(info.command, words_, out); });
}

void ReplyPlan::plan_each_key(const CommandInfo& info, Burst& burst, std::size_t first) {
  auto step = static_cast<std::size_t>(info.key_step);
  std::size_t arguments = burst.arguments.size() - first - 1;
  if (arguments % step != 0) return add_arity_error(info);
  if (info.command == Command::mget)
    add_text([&](std::string& out) { append_array(out, arguments); });
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

}  // namespace kvd
