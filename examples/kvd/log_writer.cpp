// log_writer.cpp: gather, write, answer; now and then a new segment, a sync, a compaction.
#include "examples/kvd/log_writer.hpp"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <utility>

namespace kvd {
namespace {

using namespace std::chrono_literals;

constexpr auto sync_interval = 1s;

// More commits than this are not gathered.
constexpr std::size_t group_max = 1024;

// Records that a compaction reads or writes in one turn: some hundred microseconds.
constexpr std::size_t compaction_step = 2000;

// Keys that expired before a segment was closed can be left out of its compaction, for no later
// record can mean them. Commits wait a little in this process's mailbox, and wall clocks are set
// back now and then: hence a margin.
constexpr std::int64_t expiry_margin_ms = 60'000;

// Does what acknowledged changes need to be durable, or ends the daemon: a supervisor would start
// another writer, whose sync succeeds and hides what the kernel has dropped. All else that was
// acknowledged is in the kernel's hands, as at a kill -9: there is nothing to put in order. A
// writer that is ended ends behind it, for its successor works on the same files.
template <typename F>
auto durably(F&& f) {
  return rt::blocking_ref([&f] {
    try {
      return f();
    } catch (const SyncError& error) {
      std::fprintf(stderr, "kvd: %s: acknowledged changes may be lost\n", error.what());
      std::_Exit(gave_up);
    }
  });
}

void sync_files(const LogFiles& files) {
  for (const std::shared_ptr<File>& file : files) file->sync();
}

}  // namespace

LogWriter::LogWriter(const Daemon& daemon, ShardNumber number)
    : settings_(daemon.settings),
      number_(number),
      directory_(shard_directory(daemon.settings, number)) {}

void LogWriter::init() {
  rt::trap_exit(true);  // so that terminate runs when we are asked to stop
  Recovered log = durably([directory = directory_] { return recover_log(directory); });
  files_ = std::move(log.files);
  segment_number_ = log.last;
  segment_bytes_ = files_.back()->size();
  base_ = log.base;
  if (base_ != 0) base_bytes_ = files_.front()->size();
  if (log.cut_bytes > 0) {
    rt::report("kvd: the log of shard " + std::to_string(number_) + " ended with " +
               std::to_string(log.cut_bytes) +
               " bytes of a change that was never finished, nor acknowledged: cut off");
  }
  // The writer before us may not have come to sync what it has written.
  if (settings_.fsync == Fsync::always) sync_all();
  if (settings_.fsync == Fsync::everysec) {
    unsynced_ = files_;
    sync_later();
  }
}

void LogWriter::handle(Commit commit) {
  group_.push_back(std::move(commit));
  if (group_.size() == 1) {
    rt::cast(rt::ServerRef<LogWriter>(rt::self()), Flush{.others_had_a_turn = false});
  } else if (group_.size() >= group_max) {
    write_group();
  }
}

void LogWriter::handle(Flush flush) {
  if (flush.others_had_a_turn) return write_group();
  rt::yield();
  rt::cast(rt::ServerRef<LogWriter>(rt::self()), Flush{.others_had_a_turn = true});
}

LogWriter::Attached LogWriter::handle(Attach) {
  write_group();
  return {written_, files_};
}

void LogWriter::handle_info(rt::Message& message) {
  if (message.is<SyncTick>()) {
    is_sync_due_ = false;
    start_sync();
    if (!unsynced_.empty()) sync_later();  // the one before it is not done yet
  } else if (const auto* compacted = message.get_if<Compacted>()) {
    take_over(*compacted);
  } else if (const auto* down = message.get_if<rt::Down>()) {
    task_ended(*down);
  }
}

void LogWriter::terminate(const rt::ExitReason& reason) {
  if (!reason.is_orderly()) return;  // what was not written was not acknowledged
  write_group();
  if (settings_.fsync != Fsync::no) sync_all();
}

void LogWriter::write_group() {
  if (group_.empty()) return;
  pieces_.clear();
  std::size_t bytes = 0;
  for (const Commit& commit : group_) {
    std::string& records = commit.part->records;
    pieces_.push_back({.iov_base = records.data(), .iov_len = records.size()});
    bytes += records.size();
  }
  if (bytes > 0) {
    files_.back()->write_all(pieces_);
    segment_bytes_ += bytes;
    sync_group();
  }
  answer_group();
  if (segment_bytes_ >= std::max(settings_.segment_bytes, base_bytes_)) begin_next_segment();
}

void LogWriter::sync_group() {
  if (settings_.fsync == Fsync::always) {
    durably([file = files_.back()] { file->sync(); });
  } else if (settings_.fsync == Fsync::everysec &&
             (unsynced_.empty() || unsynced_.back() != files_.back())) {
    unsynced_.push_back(files_.back());
    sync_later();
  }
}

void LogWriter::answer_group() {
  written_ = group_.back().number;
  rt::cast(group_.back().shard, Shard::Written{written_});
  for (Commit& commit : group_) rt::send(commit.connection, Finished{std::move(commit.part)});
  group_.clear();
}

void LogWriter::sync_later() {
  if (is_sync_due_) return;
  rt::send_after(sync_interval, rt::self(), SyncTick{});
  is_sync_due_ = true;
}

void LogWriter::start_sync() {
  if (unsynced_.empty() || sync_) return;
  auto sync = [files = std::exchange(unsynced_, {})] { durably([files] { sync_files(files); }); };
  sync_ = rt::spawn_monitor(std::move(sync)).ref;
}

void LogWriter::sync_all() {
  durably([files = files_] { sync_files(files); });
}

void LogWriter::begin_next_segment() {
  closed_ms_ = now_ms();  // before anybody waits: what comes meanwhile belongs to the next
  files_.push_back(durably([directory = directory_, next = segment_number_ + 1] {
    return create_segment(directory, next);
  }));
  ++segment_number_;
  segment_bytes_ = 0;
  start_compaction();
}

void LogWriter::start_compaction() {
  SegmentNumber last_closed = segment_number_ - 1;
  if (compaction_ || last_closed <= base_) return;
  auto compact = [writer = rt::self(),
                  directory = directory_,
                  closed = LogFiles(files_.begin(), files_.end() - 1),
                  last_closed,
                  expired_before = closed_ms_ - expiry_margin_ms] {
    Compaction compaction =
        rt::blocking([=] { return Compaction(directory, closed, last_closed, expired_before); });
    while (compaction.do_some(compaction_step)) rt::yield();
    std::shared_ptr<File> base = rt::blocking_ref([&] { return compaction.finish(); });
    rt::send(writer, Compacted{last_closed, std::move(base)});
  };
  compaction_ = rt::spawn_monitor({.priority = rt::Priority::low}, std::move(compact)).ref;
}

void LogWriter::take_over(const Compacted& compacted) {
  auto segments_since = static_cast<std::ptrdiff_t>(segment_number_ - compacted.base);
  files_.erase(files_.begin(), files_.end() - segments_since);
  files_.insert(files_.begin(), compacted.file);
  base_ = compacted.base;
  base_bytes_ = compacted.file->size();
}

void LogWriter::task_ended(const rt::Down& down) {
  bool failed = down.reason != rt::ExitReason::normal();
  if (sync_ == down.ref) {
    sync_.reset();
    // Killed, and nobody knows what it has synced: the writer after us begins with everything.
    if (failed) rt::exit(down.reason);
  } else if (compaction_ == down.ref) {
    compaction_.reset();
    if (failed) {
      rt::report("kvd: shard " + std::to_string(number_) +
                 " could not compact its log, and will try again: " + down.reason.to_string());
    } else {
      start_compaction();  // of segments that were closed meanwhile
    }
  }
}

}  // namespace kvd
