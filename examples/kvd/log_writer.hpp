// log_writer.hpp: the process that writes one shard's log, many changes at a time.
//
// Group commit: the first commit of a group lets everybody who is ready to run have a turn, and
// what they commit joins the group; then one write takes all of it and the connections are
// answered. With --fsync always one sync covers the group too, and the next group gathers while it
// lasts.
//
// write(2) is called here, on the scheduler: it copies into the page cache. What really waits for
// the disk, syncs and compactions, runs on the blocking pool, in short-lived processes of its own
// where the answer need not wait for it.
//
// When a segment is full the next one is begun, and the closed ones are compacted (log.hpp), so
// that reading the log again takes about as long as reading the live keys.
//
// A write or a sync that fails ends this process, and with it its shard: what is in memory must not
// run ahead of what is on disk. Both start again from the log.
#pragma once

#include <sys/uio.h>

#include <airssys/rt.hpp>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <vector>

#include "examples/kvd/burst.hpp"
#include "examples/kvd/daemon.hpp"
#include "examples/kvd/log.hpp"
#include "examples/kvd/shard.hpp"

namespace kvd {

class LogWriter : public rt::Server<LogWriter> {
 public:
  // From the shard: write the records of `part`, then send the part to the connection.
  struct Commit {
    rt::Pid connection;
    rt::ServerRef<Shard> shard;
    std::uint64_t number;  // counted by the shard, from what Attach has answered
    std::unique_ptr<Part> part;
  };
  // From a shard that starts: when this is answered, all that its predecessor committed is written.
  // Answers the last commit's number.
  struct Attach {
    using Reply = std::uint64_t;
  };

  LogWriter(const Daemon& daemon, ShardNumber number);

  void init();
  void handle(Commit commit);
  std::uint64_t handle(Attach);
  void handle_info(rt::Message& message);
  void terminate(const rt::ExitReason& reason);

  // To itself: what is in front of it in the mailbox is in the group.
  struct Flush {
    bool others_had_a_turn;
  };
  void handle(Flush flush);

 private:
  struct SyncTick {};
  struct Compacted {
    SegmentNumber base;
    std::size_t base_bytes;
  };

  void write_group();
  void answer_group();
  void sync_group();
  void start_sync();
  void begin_next_segment();
  void start_compaction();
  void task_ended(const rt::Down& down);

  const Settings& settings_;
  ShardNumber number_;
  std::filesystem::path directory_;

  // The segment that is written.
  std::shared_ptr<File> segment_;
  SegmentNumber segment_number_ = 0;
  std::size_t segment_bytes_ = 0;

  // The newest base that we know of.
  SegmentNumber base_ = 0;
  std::size_t base_bytes_ = 0;

  std::vector<Commit> group_;
  std::vector<iovec> pieces_;
  std::uint64_t written_ = 0;  // the number of the last commit that is in the log

  // Files with bytes that no sync has begun to cover, oldest first.
  std::vector<std::shared_ptr<File>> unsynced_;

  // Processes that work for us, one of each kind at a time.
  std::optional<rt::MonitorRef> sync_;
  std::optional<rt::MonitorRef> compaction_;
};

}  // namespace kvd
