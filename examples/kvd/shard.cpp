// shard.cpp: look through the log, then execute what comes.
//
// The log's files come open from the log writer. What they hold is looked through here: first ahead
// of everybody else, because clients wait; when it takes long, in turns with the others. Entries
// are made of it when a key is asked for, and of the rest between the clients' work.
#include "examples/kvd/shard.hpp"

#include <chrono>
#include <cstdio>
#include <utility>

#include "examples/kvd/command.hpp"
#include "examples/kvd/log_writer.hpp"

namespace kvd {
namespace {

using namespace std::chrono_literals;

constexpr auto sweep_interval = 100ms;
// Entries that one sweep looks at: some tens of microseconds.
constexpr std::size_t sweep_budget = 2000;

// How long a shard that looks through its log goes before everybody else.
constexpr auto index_hurry = 20ms;
// Records after which others may have a turn: about a slice.
constexpr std::uint32_t index_step = 10'000;

// Records that are read before everybody else has a turn: some tens of microseconds.
constexpr std::uint32_t read_step = 200;

constexpr auto old_keys_stay = 1s;

ShardLimits limits_of(const Settings& settings, ShardNumber number) {
  return {.shard = number,
          .shards = static_cast<ShardNumber>(settings.shards),
          .value_bytes_max = settings.value_bytes_max,
          .memory_bytes_max = settings.memory_bytes_max / settings.shards};
}

double milliseconds(std::chrono::nanoseconds time) {
  return static_cast<double>(time.count()) / 1e6;
}

void index(LogIndex& log) {
  auto hurry_until = std::chrono::steady_clock::now() + index_hurry;
  rt::set_priority(rt::Priority::high);
  while (log.index_some(index_step)) {
    if (std::chrono::steady_clock::now() >= hurry_until) rt::set_priority(rt::Priority::normal);
    rt::reductions(index_step);
  }
  rt::set_priority(rt::Priority::normal);
}

}  // namespace

Shard::Shard(const Daemon& daemon, ShardNumber number)
    : daemon_(daemon), limits_(limits_of(daemon.settings, number)) {}

void Shard::init() {
  auto began = std::chrono::steady_clock::now();
  log_ = rt::server_ref<LogWriter>(log_writer_name(limits_.shard));
  // What the shard before us has sent to the writer is in its mailbox, ahead of this call; when it
  // is answered all of that is in the log, and nobody writes until we do.
  LogWriter::Attached attached = rt::call(log_, LogWriter::Attach{}, rt::infinite);
  written_ = committed_ = attached.commits;
  reading_.emplace(LogIndex(attached.files), began, began);
  index(reading_->log);
  keys_.reserve(reading_->log.keys_expected());
  reading_->answering = std::chrono::steady_clock::now();
  // Only entries are counted, so a limit of memory needs all of them.
  if (limits_.memory_bytes_max != 0) return read_all();
  rt::send(rt::self(), ReadOn{});
}

void Shard::handle(Work work) {
  if (reading_) read_first(*work.burst, *work.part);
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
  if (message.is<Sweep>()) {
    is_sweep_due_ = false;
    executor_.sweep(now_ms(), sweep_budget);
    sweep_later();
  } else if (message.is<ReadOn>()) {
    read_on();
  }
}

void Shard::read_first(const Burst& burst, const Part& part) {
  std::size_t records = 0;
  for (std::uint32_t number : part.operations) {
    const Operation& operation = burst.operations[number];
    Route route = info_of(operation.command).route;
    if (route == Route::every_shard || route == Route::cursor) return read_all();
    records += reading_->log.apply(operation.hash, keys_);
  }
  rt::reductions(static_cast<std::uint32_t>(records));
}

void Shard::read_on() {
  if (!reading_) return;
  if (!reading_->log.apply_some(read_step, keys_)) return end_reading();
  rt::yield();
  rt::send(rt::self(), ReadOn{});
}

void Shard::read_all() {
  while (reading_->log.apply_some(read_step, keys_)) rt::reductions(read_step);
  end_reading();
}

void Shard::end_reading() {
  if (reading_->log.records() > 0) {
    char line[160];
    std::snprintf(line,
                  sizeof line,
                  "kvd: shard %u has %zu keys again, from %zu records: answered after %.1f ms, "
                  "read all in %.1f ms",
                  unsigned{limits_.shard},
                  keys_.size(),
                  reading_->log.records(),
                  milliseconds(reading_->answering - reading_->began),
                  milliseconds(std::chrono::steady_clock::now() - reading_->began));
    rt::report(line);
  }
  reading_.reset();
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
