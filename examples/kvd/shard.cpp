// shard.cpp: read the log, then execute what comes.
//
// The log is read on the blocking pool: it is file work, and a scheduler has other processes to
// run.
#include "examples/kvd/shard.hpp"

#include <chrono>
#include <cstdio>
#include <utility>

#include "examples/kvd/log.hpp"
#include "examples/kvd/log_writer.hpp"

namespace kvd {
namespace {

using namespace std::chrono_literals;

constexpr auto sweep_interval = 100ms;
// Entries that one sweep looks at: some tens of microseconds.
constexpr std::size_t sweep_budget = 2000;

ShardLimits limits_of(const Settings& settings, ShardNumber number) {
  return {.shard = number,
          .shards = static_cast<ShardNumber>(settings.shards),
          .value_bytes_max = settings.value_bytes_max,
          .memory_bytes_max = settings.memory_bytes_max / settings.shards};
}

void report_loaded(ShardNumber shard, const Loaded& loaded, std::chrono::nanoseconds took) {
  if (loaded.records == 0) return;
  char line[160];
  std::snprintf(line,
                sizeof line,
                "kvd: shard %u has %zu keys again, from %zu records, in %.1f ms",
                unsigned{shard},
                loaded.keys.size(),
                loaded.records,
                static_cast<double>(took.count()) / 1e6);
  rt::report(line);
}

}  // namespace

Shard::Shard(const Daemon& daemon, ShardNumber number)
    : daemon_(daemon), limits_(limits_of(daemon.settings, number)) {}

void Shard::init() {
  auto begin = std::chrono::steady_clock::now();
  log_ = rt::server_ref<LogWriter>(log_writer_name(limits_.shard));
  // What the shard before us has sent to the writer is in its mailbox, ahead of this call; when it
  // is answered all of that is in the log, and nobody writes until we do.
  written_ = committed_ = rt::call(log_, LogWriter::Attach{}, rt::infinite);
  Loaded loaded = rt::blocking([directory = shard_directory(daemon_.settings, limits_.shard)] {
    return load_log(directory);
  });
  report_loaded(limits_.shard, loaded, std::chrono::steady_clock::now() - begin);
  keys_ = std::move(loaded.keys);
  rt::send_after(sweep_interval, rt::self(), Sweep{});
}

void Shard::handle(Work work) {
  executor_.execute(*work.burst, *work.part, now_ms());
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
  executor_.sweep(now_ms(), sweep_budget);
  rt::send_after(sweep_interval, rt::self(), Sweep{});
}

// After a crash the keys are freed beside the restart, which need not wait for it.
void Shard::terminate(const rt::ExitReason& reason) {
  if (reason.is_orderly()) return;
  rt::spawn({.priority = rt::Priority::low}, [old = std::move(keys_)] {});
}

}  // namespace kvd
