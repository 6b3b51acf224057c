// shard.cpp: read the log, then execute what comes.
//
// The log's files come open from the log writer. What they hold is applied here: first ahead of
// everybody else, because clients wait; when it takes long, in turns with the others.
#include "examples/kvd/shard.hpp"

#include <chrono>
#include <cstdio>
#include <utility>

#include "examples/kvd/log_replay.hpp"
#include "examples/kvd/log_writer.hpp"

namespace kvd {
namespace {

using namespace std::chrono_literals;

constexpr auto sweep_interval = 100ms;
// Entries that one sweep looks at: some tens of microseconds.
constexpr std::size_t sweep_budget = 2000;

// How long a shard that reads its log goes before everybody else.
constexpr auto replay_hurry = 20ms;
// Records after which others may have a turn: about a slice.
constexpr std::uint32_t replay_step = 4000;

constexpr auto old_keys_stay = 1s;

ShardLimits limits_of(const Settings& settings, ShardNumber number) {
  return {.shard = number,
          .shards = static_cast<ShardNumber>(settings.shards),
          .value_bytes_max = settings.value_bytes_max,
          .memory_bytes_max = settings.memory_bytes_max / settings.shards};
}

void report_replayed(ShardNumber shard, const LogReplay& log, std::chrono::nanoseconds took) {
  if (log.records() == 0) return;
  char line[160];
  std::snprintf(line,
                sizeof line,
                "kvd: shard %u has %zu keys again, from %zu records, in %.1f ms",
                unsigned{shard},
                log.keys().size(),
                log.records(),
                static_cast<double>(took.count()) / 1e6);
  rt::report(line);
}

void apply(LogReplay& log) {
  auto hurry_until = std::chrono::steady_clock::now() + replay_hurry;
  rt::set_priority(rt::Priority::high);
  while (log.apply_some(replay_step)) {
    if (std::chrono::steady_clock::now() >= hurry_until) rt::set_priority(rt::Priority::normal);
    rt::reductions(replay_step);
  }
  rt::set_priority(rt::Priority::normal);
}

}  // namespace

Shard::Shard(const Daemon& daemon, ShardNumber number)
    : daemon_(daemon), limits_(limits_of(daemon.settings, number)) {}

void Shard::init() {
  auto begin = std::chrono::steady_clock::now();
  log_ = rt::server_ref<LogWriter>(log_writer_name(limits_.shard));
  // What the shard before us has sent to the writer is in its mailbox, ahead of this call; when it
  // is answered all of that is in the log, and nobody writes until we do.
  LogWriter::Attached attached = rt::call(log_, LogWriter::Attach{}, rt::infinite);
  written_ = committed_ = attached.commits;
  LogReplay log(attached.files);
  apply(log);
  report_replayed(limits_.shard, log, std::chrono::steady_clock::now() - begin);
  keys_ = log.take_keys();
  sweep_later();
}

void Shard::handle(Work work) {
  executor_.execute(*work.burst, *work.part, now_ms());
  sweep_later();
  // The connection uses the burst again when it has all its parts, so we let go of it first.
  work.burst = nullptr;
  bool is_all_written = work.part->records.empty() && written_ == committed_;
  if (is_all_written) {
    rt::send(work.connection, Finished{std::move(work.part)});
    return;
  }
  ++committed_;
  rt::cast(log_,
           LogWriter::Commit{.connection = work.connection,
                             .shard = rt::ServerRef<Shard>(rt::self()),
                             .number = committed_,
                             .part = std::move(work.part)});
}

void Shard::handle_info(rt::Message& message) {
  if (!message.is<Sweep>()) return;
  is_sweep_due_ = false;
  executor_.sweep(now_ms(), sweep_budget);
  sweep_later();
}

void Shard::sweep_later() {
  if (is_sweep_due_ || keys_.expiring() == 0) return;
  rt::send_after(sweep_interval, rt::self(), Sweep{});
  is_sweep_due_ = true;
}

// After a crash the keys are freed when the successor has long been at work: a restart waits for
// nothing that can wait.
void Shard::terminate(const rt::ExitReason& reason) {
  if (reason.is_orderly()) return;
  rt::spawn({.priority = rt::Priority::low}, [old = std::move(keys_)] {
    rt::set_label("old keys");
    rt::sleep(old_keys_stay);
  });
}

}  // namespace kvd
