// executor_test.cpp: commands over several shards, without processes, sockets or files.
//
// Method: plan a burst, execute each part on its shard's keyspace, join the replies; afterwards the
// records that were logged are replayed and must make the same keyspaces.
#include "examples/kvd/executor.hpp"

#include <gtest/gtest.h>

#include <deque>
#include <map>
#include <string>
#include <vector>

#include "examples/kvd/limits.hpp"
#include "examples/kvd/reply_plan.hpp"
#include "examples/kvd/resp_parser.hpp"

namespace {

class Shards {
 public:
  explicit Shards(kvd::ShardNumber count, std::size_t memory_bytes_max = 0)
      : limits_(count), keys_(count), logs_(count), plan_(count) {
    settings_.shards = count;
    for (kvd::ShardNumber n = 0; n < count; ++n) {
      limits_[n] = {n, count, 1024, memory_bytes_max};
      executors_.emplace_back(keys_[n], limits_[n]);
    }
  }

  // Sends inline commands as one burst and answers all replies.
  std::string operator()(const std::string& lines) {
    kvd::RespParser parser(1024);
    kvd::Session session(1, settings_);
    kvd::Burst burst;
    burst.bytes = lines + "\r\n";
    plan_.start(++number_);
    while (parser.next(burst.bytes) == kvd::RespParser::Result::command) {
      std::size_t first = burst.arguments.size();
      auto words = parser.arguments();
      burst.arguments.insert(burst.arguments.end(), words.begin(), words.end());
      plan_.add(burst, first, session);
    }
    for (kvd::ShardNumber n = 0; n < executors_.size(); ++n) {
      if (!plan_.needs(n)) continue;
      if (n == dead_) {
        plan_.lose(n);
        continue;
      }
      executors_[n].execute(burst, *plan_.part(n), now_ms);
      logs_[n] += plan_.part(n)->records;
    }
    std::string out;
    plan_.finish(burst, out, [](const auto&, const auto& numbers, std::string& text) {
      std::int64_t keys = 0;
      for (const auto& each : numbers) keys += each.keys;
      text += "keys=" + std::to_string(keys);
    });
    return out;
  }

  // Keys, values and times, as they are, or as the log makes them.
  using Contents = std::map<std::string, std::pair<std::string, std::int64_t>>;
  Contents contents() {
    Contents all;
    for (kvd::Keyspace& keys : keys_) collect(keys, all);
    return all;
  }
  Contents replayed() {
    Contents all;
    for (const std::string& log : logs_) {
      kvd::Keyspace keys;
      kvd::RecordReader reader(log);
      kvd::Record record;
      while (reader.next(record) == kvd::RecordReader::Result::record)
        apply(keys, record, kvd::hash_of(record.key));
      collect(keys, all);
    }
    return all;
  }

  void kill(int shard) { dead_ = shard; }
  void limit_replies(std::size_t bytes) {
    for (kvd::ShardLimits& limits : limits_) limits.replies_bytes_max = bytes;
  }

  std::int64_t now_ms = 1'000'000;

 private:
  void collect(kvd::Keyspace& keys, Contents& all) const {
    keys.scan(0, 1'000'000, [&](const kvd::Entry& entry) {
      bool is_expired = entry.expire_at_ms != 0 && entry.expire_at_ms <= now_ms;
      if (!is_expired) all[std::string(entry.key())] = {entry.value, entry.expire_at_ms};
    });
  }

  std::vector<kvd::ShardLimits> limits_;
  std::vector<kvd::Keyspace> keys_;
  std::deque<kvd::Executor> executors_;
  std::vector<std::string> logs_;
  kvd::ReplyPlan plan_;
  kvd::Settings settings_;
  std::uint64_t number_ = 0;
  int dead_ = -1;
};

TEST(Executor, a_burst_over_many_shards_is_answered_in_order) {
  Shards kvd(4);
  EXPECT_EQ(
      kvd("SET a 1\nSET b 2\nSET c 3\nMGET a nope c b\nDEL a b x\nEXISTS c c a\nDBSIZE\nPING"),
      "+OK\r\n+OK\r\n+OK\r\n*4\r\n$1\r\n1\r\n$-1\r\n$1\r\n3\r\n$1\r\n2\r\n:2\r\n:2\r\n:1\r\n"
      "+PONG\r\n");
  EXPECT_EQ(kvd("MSET a 1 b 2 c 3 d 4\nINFO\nFLUSHALL\nKEYS *\nMSET a 1 b"),
            "+OK\r\nkeys=4+OK\r\n*0\r\n-ERR wrong number of arguments for 'mset' command\r\n");
}

TEST(Executor, a_lost_shard_answers_for_its_own_commands_only) {
  Shards kvd(2);
  kvd("MSET a 1 b 2 c 3 d 4 e 5 f 6");
  kvd.kill(0);
  std::string replies =
      kvd("GET a\nGET b\nGET c\nGET d\nGET e\nGET f\nPING\nDBSIZE\nMSET a 1 b 2 c 3 d 4");
  EXPECT_NE(replies.find("-ERR the shard"), std::string::npos);
  EXPECT_NE(replies.find("$1\r\n"), std::string::npos);
  EXPECT_NE(replies.find("+PONG\r\n-ERR the shard"), std::string::npos);
  EXPECT_EQ(kvd("DEBUG CRASH 0"), "+OK\r\n");
  kvd.kill(-1);
  EXPECT_EQ(kvd("DBSIZE"), ":6\r\n");
}

TEST(Executor, a_crash_leaves_by_an_exception) {
  Shards kvd(2);
  EXPECT_THROW(kvd("DEBUG CRASH 1"), kvd::CrashRequested);
  EXPECT_EQ(kvd("DEBUG CRASH 2\nDEBUG CRASH x\nDEBUG SLEEP 0"),
            "-ERR no such shard\r\n-ERR value is not an integer or out of range\r\n"
            "-ERR DEBUG knows CRASH <shard> only\r\n");
}

TEST(Executor, replaying_the_log_makes_the_same_keys) {
  Shards kvd(3);
  kvd("SET a 1 EX 100\nAPPEND a 23\nINCR a\nSET b x PX 5\nGETSET c 1\nINCRBY n 5\nDECRBY n 7\n"
      "EXPIRE c 50\nPERSIST a\nSET d 1\nDEL d\nSET e 1 KEEPTTL\nAPPEND f start\nSET g 1 EX 10");
  kvd.now_ms += 5;
  // b has expired: an append to it starts a new value, without a time.
  kvd("APPEND b new\nEXPIRE g -1\nSET h 1 EX 1\nSET a 9 KEEPTTL");
  EXPECT_EQ(kvd.replayed(), kvd.contents());
  EXPECT_EQ(kvd("GET b\nTTL b\nGET g"), "$3\r\nnew\r\n:-1\r\n$-1\r\n");
  kvd("FLUSHALL\nSET z 1");
  EXPECT_EQ(kvd.replayed(), kvd.contents());
  EXPECT_EQ(kvd.contents().size(), 1u);
}

TEST(Executor, commands_that_change_nothing_log_nothing) {
  Shards kvd(1);
  kvd("SET a 1\nSET e 1 EX 10");
  auto before = kvd.replayed();
  kvd("GET a\nSET a 2 NX\nSET x 1 XX\nDEL nope\nEXPIRE nope 10\nPERSIST a\nEXPIRE e 5 GT\nTTL e\n"
      "INCR nope2x y\nSCAN 0\nKEYS *");
  EXPECT_EQ(kvd.replayed(), before);
}

TEST(Executor, beyond_the_memory_limit_only_what_grows_is_refused) {
  Shards kvd(1, 600);
  kvd("SET a " + std::string(1000, 'x'));
  const char* oom = "-OOM command not allowed when used memory > 'maxmemory'.\r\n";
  EXPECT_EQ(kvd("SET b 1"), oom);
  EXPECT_EQ(kvd("MSET b 1 c 2"), oom);
  EXPECT_EQ(kvd("STRLEN a\nDEL a\nSET b 1"), ":1000\r\n:1\r\n+OK\r\n");
}

TEST(Executor, answers_have_a_limit_beyond_which_nothing_is_done) {
  Shards kvd(1);
  kvd.limit_replies(1000);
  kvd("SET a " + std::string(600, 'x'));
  std::string value = kvd("GET a");
  std::string error = "-ERR too much was asked for at once, wait for the answers before it\r\n";
  EXPECT_EQ(kvd("GET a\nGET a\nGET a\nSET a 1\nDBSIZE\nPING"),
            value + value + error + error + error + "+PONG\r\n");
  EXPECT_EQ(kvd("MGET a a a"), "*3\r\n" + value + value + error);
  EXPECT_EQ(kvd("STRLEN a"), ":600\r\n");
}

TEST(Executor, a_value_may_not_grow_beyond_its_limit) {
  Shards kvd(1);
  std::string half(600, 'x');
  EXPECT_EQ(kvd("APPEND a " + half), ":600\r\n");
  EXPECT_EQ(kvd("APPEND a " + half),
            "-ERR string exceeds maximum allowed size (proto-max-bulk-len)\r\n");
  EXPECT_EQ(kvd("STRLEN a"), ":600\r\n");
}

TEST(Executor, a_part_gives_back_what_one_large_burst_took_and_keeps_the_usual) {
  kvd::Part part;
  part.replies.assign(100, 'x');
  const char* usual = part.replies.data();
  part.reply_ends.resize(kvd::kept_bytes_max / sizeof(std::size_t) + 1);
  part.records.assign(kvd::kept_bytes_max + 1, 'x');
  part.clear();
  EXPECT_EQ(part.replies.data(), usual);
  EXPECT_EQ(part.reply_ends.capacity(), 0u);
  EXPECT_LE(part.records.capacity(), kvd::kept_bytes_max);
}

TEST(Executor, a_scan_over_shards_sees_every_key) {
  Shards kvd(3);
  for (int n = 0; n < 200; ++n) kvd("SET key:" + std::to_string(n) + " v");
  std::string cursor = "0";
  std::size_t keys = 0;
  for (int step = 0; step < 1000; ++step) {
    std::string reply = kvd("SCAN " + cursor + " MATCH key:* COUNT 7");
    std::size_t line = reply.find("\r\n", 4);
    cursor = reply.substr(line + 2, reply.find("\r\n", line + 2) - line - 2);
    for (std::size_t at = reply.find("key:"); at != std::string::npos;
         at = reply.find("key:", at + 1))
      ++keys;
    if (cursor == "0") break;
  }
  EXPECT_EQ(cursor, "0");
  EXPECT_EQ(keys, 200u);
  EXPECT_EQ(kvd("SCAN x"), "-ERR invalid cursor\r\n");
}

}  // namespace
