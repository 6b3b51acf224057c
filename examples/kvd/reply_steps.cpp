// reply_steps.cpp: the way back: each step makes one answer of the shards' replies.
#include <charconv>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "examples/kvd/reply.hpp"
#include "examples/kvd/reply_plan.hpp"

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

}  // namespace

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

// Calls visit(reply) for what is no error; answers the first error, or nothing.
template <typename Visit>
std::string_view ReplyPlan::take_all(std::span<const Operation> operations, Visit&& visit) {
  std::string_view error;
  for (const Operation& operation : operations) {
    std::string_view reply = take(operation);
    if (!is_error(reply)) {
      visit(reply);
    } else if (error.empty()) {
      error = reply;
    }
  }
  return error;
}

void ReplyPlan::append_sum(std::span<const Operation> operations, std::string& out) {
  std::int64_t sum = 0;
  std::string_view error =
      take_all(operations, [&](std::string_view reply) { sum += take_number(reply); });
  if (error.empty()) {
    append_integer(out, sum);
  } else {
    out += error;
  }
}

void ReplyPlan::append_all_ok(std::span<const Operation> operations, std::string& out) {
  std::string_view error = take_all(operations, [](std::string_view) {});
  if (error.empty()) {
    append_simple(out, "OK");
  } else {
    out += error;
  }
}

void ReplyPlan::append_joined(std::span<const Operation> operations, std::string& out) {
  std::vector<std::string_view> arrays;
  std::size_t elements = 0;
  std::string_view error = take_all(operations, [&](std::string_view reply) {
    elements += static_cast<std::size_t>(take_number(reply));
    arrays.push_back(reply);
  });
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
    ShardNumbers& numbers = all.emplace_back();
    if (is_error(reply)) continue;
    for (auto number : shard_numbers_in_order) numbers.*number = take_number(reply);
  }
  return all;
}

}  // namespace kvd
