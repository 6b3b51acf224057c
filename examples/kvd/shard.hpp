// shard.hpp: the process that owns one part of the keys.
//
// All operations on a key go through its shard, one after the other: no lock, and no operation sees
// half of another. A part of a burst is executed without a pause, so what one client sent together
// for one shard is one step for everybody else.
//
// A reply never runs ahead of the log. Whatever changed something goes to the log writer, which
// sends the replies on when the change is written; and as long as any change is not written yet,
// replies that may have seen it take the same way. So nobody is ever told what a crash can undo.
//
// When the process crashes its supervisor starts another, which looks through the log and goes on:
// keys that are asked for are read first, all others in turns with the work (log_index.hpp). Work
// that is sent meanwhile waits in its mailbox: it has its name before it begins to read.
#pragma once

#include <airssys/rt.hpp>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>

#include "examples/kvd/burst.hpp"
#include "examples/kvd/daemon.hpp"
#include "examples/kvd/executor.hpp"
#include "examples/kvd/keyspace.hpp"
#include "examples/kvd/log_index.hpp"

namespace kvd {

namespace rt = airssys::rt;

class LogWriter;

// A part that comes back to its connection, from the shard or from its log writer.
struct Finished {
  std::unique_ptr<Part> part;
};

class Shard : public rt::Server<Shard> {
 public:
  // From a connection: execute the operations of `part`.
  struct Work {
    rt::Pid connection;
    std::shared_ptr<const Burst> burst;
    std::unique_ptr<Part> part;
  };
  // From the log writer: so many commits are in the log, counted as `Commit::number` is.
  struct Written {
    std::uint64_t commits;
  };

  Shard(const Daemon& daemon, ShardNumber number);

  void init();
  void handle(Work work);
  void handle(Written written) { written_ = written.commits; }
  void handle_info(rt::Message& message);
  void terminate(const rt::ExitReason& reason);

 private:
  struct Sweep {};
  struct ReadOn {};
  // The log of the shard before us, until all of it is in memory.
  struct Reading {
    LogIndex log;
    std::chrono::steady_clock::time_point began;
    std::chrono::steady_clock::time_point answering;  // since then
  };

  // The keys that these operations are about.
  void read_first(const Burst& burst, const Part& part);
  void read_on();
  void read_all();
  void end_reading();

  // While there are keys that expire; otherwise a shard that has no work wakes nobody.
  void sweep_later();

  const Daemon& daemon_;
  ShardLimits limits_;
  Keyspace keys_;
  Executor executor_{keys_, limits_};
  std::optional<Reading> reading_;
  rt::ServerRef<LogWriter> log_;
  std::uint64_t committed_ = 0;  // sent to the log writer
  std::uint64_t written_ = 0;    // of them, known to be in the log
  bool is_sweep_due_ = false;
};

}  // namespace kvd
