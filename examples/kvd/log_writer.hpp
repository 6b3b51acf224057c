// log_writer.hpp: the process that writes one shard's log, many changes at a time.
//
// Group commit: the first commit of a group lets everybody who is ready to run have a turn, and
// what they commit joins the group; then one write takes all of it and the connections are
// answered. With --fsync always one sync covers the group too, and the next group gathers while it
// lasts.
//
// write(2) is called here, on the scheduler: it copies into the page cache. What really waits for
// the disk runs on the blocking pool, in short-lived processes of its own where the answer need not
// wait for it.
//
// When a segment is full the next one is begun, and the closed ones are compacted (log.hpp), so
// that reading the log again takes about as long as reading the live keys. Compaction is work for
// the CPU in the main: a process of low priority, which has every eighth of its turns even when the
// CPU is never free, and none at all while a shard looks through its log.
//
// All files of the log stay open here, from the base on. A shard that starts gets them with the
// answer to its Attach, so it need not wait for the disk, nor look for files that a compaction is
// just replacing.
//
// A write that fails ends this process, and with it its shard: what is in memory must not run ahead
// of what is on disk. Both start again from the log. A sync that fails ends the daemon: what it has
// lost would not be missed before the machine ends.
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
  struct Attached {
    std::uint64_t commits;  // the last one's number
    LogFiles files;         // nobody writes to them until the shard commits
  };
  struct Attach {
    using Reply = Attached;
  };

  LogWriter(const Daemon& daemon, ShardNumber number);

  void init();
  void handle(Commit commit);
  Attached handle(Attach);
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
    std::shared_ptr<File> file;
  };

  void write_group();
  void answer_group();
  void sync_group();
  void sync_later();
  void start_sync();
  void sync_all();
  void begin_next_segment();
  void start_compaction();
  void take_over(const Compacted& compacted);
  void task_ended(const rt::Down& down);

  const Settings& settings_;
  ShardNumber number_;
  std::filesystem::path directory_;

  LogFiles files_;  // the newest base that we know of, and all segments since

  // The segment that is written: the last of the files.
  SegmentNumber segment_number_ = 0;
  std::size_t segment_bytes_ = 0;

  std::int64_t closed_ms_ = 0;  // when the segment before it was

  SegmentNumber base_ = 0;
  std::size_t base_bytes_ = 0;

  std::vector<Commit> group_;
  std::vector<iovec> pieces_;
  std::uint64_t written_ = 0;  // the number of the last commit that is in the log

  // Files with bytes that no sync has begun to cover, oldest first; none where nobody syncs.
  LogFiles unsynced_;
  bool is_sync_due_ = false;

  // Processes that work for us, one of each kind at a time.
  std::optional<rt::MonitorRef> sync_;
  std::optional<rt::MonitorRef> compaction_;
};

}  // namespace kvd
