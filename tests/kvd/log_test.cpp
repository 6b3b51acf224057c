// log_test.cpp: what was written is read again, and damage is told from a write that was cut off.
//
// Method: logs in a directory of the test's own; every prefix of a segment, every flipped byte.
#include "examples/kvd/log.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <map>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "examples/kvd/crc32c.hpp"
#include "examples/kvd/log_index.hpp"
#include "examples/kvd/record.hpp"

namespace {

namespace fs = std::filesystem;
using kvd::Record;

class Log : public ::testing::Test {
 protected:
  Log() : directory_(fs::temp_directory_path() / ("kvd-log-test." + std::to_string(::getpid()))) {
    fs::remove_all(directory_);
  }
  ~Log() override { fs::remove_all(directory_); }

  static std::string set_record(const std::string& key, const std::string& value) {
    std::string bytes;
    kvd::append_record(bytes, {.key = key, .value = value});
    return bytes;
  }
  [[nodiscard]] kvd::LogIndex index() const {
    kvd::LogIndex log(open());
    while (log.index_some(1000)) continue;
    return log;
  }
  [[nodiscard]] kvd::Keyspace load() const {
    kvd::Keyspace keys;
    kvd::LogIndex log = index();
    while (log.apply_some(1000, keys)) continue;
    return keys;
  }
  [[nodiscard]] kvd::LogFiles open() const {
    return kvd::open_log(directory_, kvd::list_log(directory_));
  }
  // Of all segments but the last.
  void compact(std::int64_t expired_before_ms) const {
    kvd::LogFiles files = open();
    kvd::SegmentNumber last = kvd::list_log(directory_).segments.back();
    files.pop_back();
    kvd::Compaction compaction(directory_, files, last - 1, expired_before_ms);
    while (compaction.do_some(2)) continue;
    (void)compaction.finish();
  }
  [[nodiscard]] std::string value_of(const std::string& key) const {
    kvd::Keyspace keys = load();
    return value_of(key, keys);
  }
  static std::string value_of(const std::string& key, kvd::Keyspace& keys) {
    const kvd::Entry* entry = keys.find_even_expired(key, kvd::hash_of(key));
    return entry ? entry->value : "(none)";
  }
  [[nodiscard]] std::string read(kvd::SegmentNumber segment) const {
    std::ifstream in(kvd::segment_path(directory_, segment), std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }
  static std::map<std::string, std::pair<std::string, std::int64_t>> contents(
      const kvd::Keyspace& keys) {
    std::map<std::string, std::pair<std::string, std::int64_t>> all;
    keys.scan(0, keys.size() + 1, [&](const kvd::Entry& entry) {
      all[std::string(entry.key())] = {entry.value, entry.expire_at_ms};
    });
    return all;
  }
  void write(kvd::SegmentNumber segment, const std::string& bytes) const {
    std::ofstream(kvd::segment_path(directory_, segment), std::ios::binary) << bytes;
  }

  fs::path directory_;
};

TEST(Crc32c, the_check_value_of_the_standard) {
  EXPECT_EQ(kvd::crc32c("123456789"), 0xE3069283u);
  EXPECT_EQ(kvd::crc32c(""), 0u);
}

TEST(Crc32c, instruction_and_tables_agree_whatever_the_length) {
  std::string bytes;
  for (int n = 0; n < 200; ++n) {
    EXPECT_EQ(kvd::crc32c(bytes), kvd::crc32c_by_tables(bytes)) << n;
    bytes += static_cast<char>(n * 41);
  }
}

TEST(RecordFormat, every_kind_comes_back_as_it_was) {
  std::vector<Record> records{
      {Record::Kind::set, 0, "key", "value"},
      {Record::Kind::set, 1234567890123, "", std::string_view("\0\r\n", 3)},
      {Record::Kind::append, 0, "key", "more"},
      {Record::Kind::erase, 0, "key", ""},
      {Record::Kind::expiry, -5, "key", ""},
      {Record::Kind::flush, 0, "", ""},
  };
  std::string bytes;
  for (const Record& record : records) append_record(bytes, record);
  kvd::RecordReader reader(bytes);
  for (const Record& expected : records) {
    Record record;
    ASSERT_EQ(reader.next(record), kvd::RecordReader::Result::record);
    EXPECT_EQ(record, expected);
  }
  Record none;
  EXPECT_EQ(reader.next(none), kvd::RecordReader::Result::end);
}

TEST(RecordFormat, replay_does_what_the_commands_did) {
  kvd::Keyspace keys;
  apply(keys, {Record::Kind::set, 0, "a", "1"}, kvd::hash_of("a"));
  apply(keys, {Record::Kind::append, 0, "a", "2"}, kvd::hash_of("a"));
  apply(keys, {Record::Kind::expiry, 77, "a", ""}, kvd::hash_of("a"));
  apply(keys, {Record::Kind::set, 0, "b", "x"}, kvd::hash_of("b"));
  apply(keys, {Record::Kind::erase, 0, "b", ""}, kvd::hash_of("b"));
  const kvd::Entry* a = keys.find_even_expired("a", kvd::hash_of("a"));
  ASSERT_NE(a, nullptr);
  EXPECT_EQ(a->value, "12");
  EXPECT_EQ(a->expire_at_ms, 77);
  EXPECT_EQ(keys.size(), 1u);
  apply(keys, {Record::Kind::flush, 0, "", ""}, kvd::hash_of(""));
  EXPECT_EQ(keys.size(), 0u);
}

TEST_F(Log, what_was_written_is_read_again_over_several_segments) {
  kvd::Recovered log = kvd::recover_log(directory_);
  EXPECT_EQ(log.last, 1u);
  log.files.back()->write_all(set_record("a", "1") + set_record("b", "1"));
  std::shared_ptr<kvd::File> second = kvd::create_segment(directory_, 2);
  second->write_all(set_record("a", "2"));
  EXPECT_EQ(value_of("a"), "2");
  EXPECT_EQ(value_of("b"), "1");
  EXPECT_EQ(index().records(), 3u);
}

TEST_F(Log, an_index_made_in_small_steps_comes_to_the_same) {
  kvd::Recovered log = kvd::recover_log(directory_);
  log.files.back()->write_all(set_record("a", "1") + set_record("b", "1"));
  kvd::create_segment(directory_, 2)->write_all(set_record("a", "2") + set_record("c", "1"));
  kvd::LogIndex index(open());
  for (std::size_t records = 1; records <= 4; ++records) {
    EXPECT_TRUE(index.index_some(1));
    EXPECT_EQ(index.records(), records);
  }
  EXPECT_FALSE(index.index_some(1));
  kvd::Keyspace keys;
  int steps = 1;
  for (; index.apply_some(1, keys); ++steps) continue;
  EXPECT_GT(steps, 3);
  EXPECT_EQ(keys.size(), 3u);
  EXPECT_EQ(value_of("a", keys), "2");
}

TEST_F(Log, a_key_that_is_asked_for_comes_with_its_whole_history_and_once) {
  kvd::Recovered log = kvd::recover_log(directory_);
  std::string records = set_record("a", "old") + set_record("b", "1") + set_record("a", "1");
  kvd::append_record(records, {Record::Kind::append, 0, "a", "2"});
  kvd::append_record(records, {Record::Kind::expiry, 77, "a", ""});
  kvd::append_record(records, {Record::Kind::append, 0, "a", "3"});
  log.files.back()->write_all(records);
  kvd::LogIndex index = this->index();
  kvd::Keyspace keys;
  index.apply(kvd::hash_of("a"), keys);
  ASSERT_EQ(value_of("a", keys), "123");
  EXPECT_EQ(keys.find_even_expired("a", kvd::hash_of("a"))->expire_at_ms, 77);
  EXPECT_EQ(value_of("b", keys), "(none)") << "only what is asked for is read";

  keys.erase("a", kvd::hash_of("a"));
  index.apply(kvd::hash_of("a"), keys);
  while (index.apply_some(1, keys)) continue;
  EXPECT_EQ(value_of("a", keys), "(none)") << "what was read is not read again";
  EXPECT_EQ(value_of("b", keys), "1");
}

TEST_F(Log, nothing_is_read_from_before_the_last_flush) {
  kvd::Recovered log = kvd::recover_log(directory_);
  std::string records = set_record("a", "1") + set_record("b", "1");
  kvd::append_record(records, {.kind = Record::Kind::flush});
  log.files.back()->write_all(records + set_record("a", "2"));
  EXPECT_EQ(value_of("a"), "2");
  EXPECT_EQ(value_of("b"), "(none)");
  EXPECT_EQ(index().records(), 4u);
}

// Such a key has no record that settles what it is, but an old one.
TEST_F(Log, a_key_that_is_changed_over_and_over_is_read_in_one_go) {
  constexpr int changes = 300'000;
  kvd::LogFiles files = kvd::recover_log(directory_).files;
  std::string records = set_record("a", "") + set_record("b", "1");
  for (int n = 0; n < changes; ++n) {
    kvd::append_record(records, {Record::Kind::append, 0, "a", "x"});
    kvd::append_record(records, {Record::Kind::expiry, 1000 + n, "b", ""});
  }
  files.back()->write_all(records);
  (void)kvd::create_segment(directory_, 2);
  kvd::LogIndex index = this->index();
  kvd::Keyspace keys;
  EXPECT_EQ(index.apply(kvd::hash_of("a"), keys), std::size_t{changes} + 1);
  EXPECT_EQ(value_of("a", keys).size(), std::size_t{changes});
  compact(0);
  EXPECT_EQ(value_of("a").size(), std::size_t{changes});
  kvd::Keyspace compacted = load();
  EXPECT_EQ(compacted.find_even_expired("b", kvd::hash_of("b"))->expire_at_ms, 1000 + changes - 1);
}

TEST_F(Log, a_file_of_the_past_that_has_become_empty_is_damage) {
  kvd::Recovered log = kvd::recover_log(directory_);
  log.files.back()->write_all(set_record("a", "1"));
  (void)kvd::create_segment(directory_, 2);
  (void)kvd::create_segment(directory_, 3);
  compact(0);
  ASSERT_EQ(kvd::list_log(directory_).base, 2u);
  kvd::create_segment(directory_, 4)->write_all(set_record("b", "1"));
  EXPECT_EQ(value_of("a"), "1");
  for (const fs::path& past : {kvd::base_path(directory_, 2), kvd::segment_path(directory_, 3)}) {
    fs::path kept = past.string() + ".kept";
    fs::rename(past, kept);
    std::ofstream(past).flush();
    EXPECT_THROW((void)load(), kvd::LogDamage) << past;
    auto files = std::distance(fs::directory_iterator(directory_), {});
    EXPECT_THROW(compact(0), kvd::LogDamage) << past;
    EXPECT_EQ(std::distance(fs::directory_iterator(directory_), {}), files) << "nothing is left";
    fs::rename(kept, past);
  }
  EXPECT_EQ(value_of("a"), "1");
}

// What a log comes to is what its records do one after the other: read in any order of the keys,
// and compacted.
TEST_F(Log, any_history_comes_to_what_its_records_do_in_turn) {
  constexpr int key_count = 150;
  std::mt19937 random(1);
  auto below = [&](int limit) { return static_cast<int>(random() % static_cast<unsigned>(limit)); };
  for (int round = 0; round < 30; ++round) {
    fs::remove_all(directory_);
    kvd::LogFiles files = kvd::recover_log(directory_).files;
    kvd::Keyspace expected;
    for (kvd::SegmentNumber segment = 2; segment <= 4; ++segment) {
      std::string bytes;
      for (int n = 0; n < 400; ++n) {
        bool is_flush = below(300) == 0;
        auto kind = static_cast<Record::Kind>(is_flush ? 5 : 1 + below(4));
        bool has_expiry = kind == Record::Kind::expiry || below(4) == 0;
        std::string key = is_flush ? "" : "key " + std::to_string(below(key_count));
        std::string value = std::to_string(n);
        Record record{kind, has_expiry ? 100 + below(100) : kvd::never_expires, key, value};
        kvd::append_record(bytes, record);
        kvd::apply(expected, record, kvd::hash_of(key));
      }
      files.back()->write_all(bytes);
      files.push_back(kvd::create_segment(directory_, segment));
    }

    kvd::LogIndex log = index();
    kvd::Keyspace found;
    for (int n = 0; n < 10; ++n) {
      log.apply(kvd::hash_of("key " + std::to_string(below(key_count))), found);
      if (below(2) == 0) (void)log.apply_some(20, found);
    }
    while (log.apply_some(20, found)) continue;
    EXPECT_EQ(contents(found), contents(expected)) << "round " << round;

    compact(0);
    EXPECT_EQ(kvd::list_log(directory_).base, 3u);
    EXPECT_EQ(contents(load()), contents(expected)) << "round " << round;
  }
}

TEST_F(Log, every_cut_of_the_last_record_costs_that_record_only) {
  std::string sound;
  {
    kvd::Recovered log = kvd::recover_log(directory_);
    log.files.back()->write_all(set_record("a", "1"));
    sound = read(1);
  }
  std::string last = set_record("b", "2");
  for (std::size_t kept = 0; kept < last.size(); ++kept) {
    write(1, sound + last.substr(0, kept));
    kvd::Recovered log = kvd::recover_log(directory_);
    EXPECT_EQ(log.cut_bytes, kept);
    EXPECT_EQ(read(1), sound);
    log.files.back()->write_all(set_record("c", "3"));
    EXPECT_EQ(value_of("a"), "1");
    EXPECT_EQ(value_of("b"), "(none)");
    EXPECT_EQ(value_of("c"), "3");
  }
}

TEST_F(Log, a_program_killed_while_it_made_a_segment_leaves_no_damage) {
  for (std::size_t kept = 0; kept <= 8; ++kept) {
    fs::remove_all(directory_);
    fs::create_directories(directory_);
    write(1, std::string("kvdlog1\n").substr(0, kept));
    kvd::Recovered log = kvd::recover_log(directory_);
    log.files.back()->write_all(set_record("a", "1"));
    EXPECT_EQ(value_of("a"), "1") << kept;
  }
}

TEST_F(Log, a_flipped_byte_in_the_middle_is_reported_and_nothing_is_cut) {
  (void)kvd::recover_log(directory_);
  std::string head = read(1);
  std::string body = set_record("a", "1") + set_record("b", "2") + set_record("c", "3");
  std::size_t middle_end = body.size() - set_record("c", "3").size();
  for (std::size_t at = 0; at < middle_end; ++at) {
    std::string damaged = body;
    damaged[at] = static_cast<char>(damaged[at] ^ 0x40);
    write(1, head + damaged);
    EXPECT_THROW((void)kvd::recover_log(directory_), kvd::LogDamage) << "byte " << at;
    EXPECT_EQ(read(1), head + damaged);
  }
}

TEST_F(Log, damage_in_a_segment_that_is_not_the_last_is_never_a_cut_off_write) {
  (void)kvd::recover_log(directory_);
  std::string record = set_record("a", "1");
  write(1, read(1) + record.substr(0, record.size() - 1));
  kvd::create_segment(directory_, 2)->write_all(set_record("b", "2"));
  (void)kvd::recover_log(directory_);
  EXPECT_THROW((void)load(), kvd::LogDamage);
}

TEST_F(Log, a_missing_segment_is_noticed) {
  (void)kvd::recover_log(directory_);
  (void)kvd::create_segment(directory_, 2);
  (void)kvd::create_segment(directory_, 3);
  fs::remove(kvd::segment_path(directory_, 2));
  EXPECT_THROW((void)load(), kvd::FileError);
}

TEST_F(Log, compaction_keeps_the_keys_and_drops_the_history) {
  kvd::Recovered log = kvd::recover_log(directory_);
  for (int n = 0; n < 1000; ++n) log.files.back()->write_all(set_record("a", std::to_string(n)));
  std::string expired;
  kvd::append_record(expired, {Record::Kind::set, 50, "expired", "x"});
  kvd::append_record(expired, {Record::Kind::set, 100, "expires later", "x"});
  log.files.back()->write_all(expired);
  std::shared_ptr<kvd::File> second = kvd::create_segment(directory_, 2);
  second->write_all(set_record("b", "1"));

  compact(100);

  kvd::LogNames names = kvd::list_log(directory_);
  EXPECT_EQ(names.base, 1u);
  EXPECT_EQ(names.segments, std::vector<kvd::SegmentNumber>{2});
  EXPECT_EQ(index().records(), 3u);
  EXPECT_EQ(value_of("a"), "999");
  EXPECT_EQ(value_of("b"), "1");
  EXPECT_EQ(value_of("expired"), "(none)");
  EXPECT_EQ(value_of("expires later"), "x");

  kvd::Recovered again = kvd::recover_log(directory_);
  EXPECT_EQ(again.last, 2u);
  (void)kvd::create_segment(directory_, 3);
  compact(0);
  EXPECT_EQ(kvd::list_log(directory_).base, 2u);
  EXPECT_EQ(value_of("a"), "999");
  EXPECT_EQ(value_of("b"), "1");
}

TEST_F(Log, files_that_are_open_are_read_after_a_compaction_has_removed_their_names) {
  kvd::Recovered log = kvd::recover_log(directory_);
  log.files.back()->write_all(set_record("a", "1"));
  kvd::create_segment(directory_, 2)->write_all(set_record("b", "2"));
  kvd::LogFiles before = open();
  compact(0);
  EXPECT_FALSE(fs::exists(kvd::segment_path(directory_, 1)));
  kvd::LogIndex index(before);
  while (index.index_some(1)) continue;
  kvd::Keyspace keys;
  while (index.apply_some(1, keys)) continue;
  EXPECT_EQ(keys.size(), 2u);
}

TEST_F(Log, left_overs_of_a_compaction_that_was_cut_short_are_ignored) {
  kvd::Recovered log = kvd::recover_log(directory_);
  log.files.back()->write_all(set_record("a", "1"));
  std::string old_segment = read(1);
  (void)kvd::create_segment(directory_, 2);
  compact(0);
  write(1, old_segment + "this must not be looked at");
  std::ofstream(directory_ / "1.99.0.tmp") << "half a base";
  EXPECT_EQ(value_of("a"), "1");
  (void)kvd::recover_log(directory_);
  EXPECT_FALSE(fs::exists(directory_ / "1.99.0.tmp"));
}

TEST_F(Log, a_compaction_that_comes_to_nothing_leaves_nothing) {
  kvd::Recovered log = kvd::recover_log(directory_);
  log.files.back()->write_all(set_record("a", "1"));
  auto files = [&] { return std::distance(fs::directory_iterator(directory_), {}); };
  auto before = files();
  {
    kvd::Compaction compaction(directory_, log.files, 1, 0);
    while (compaction.do_some(1)) EXPECT_GT(files(), before);
  }
  EXPECT_EQ(files(), before);
}

TEST_F(Log, a_directory_serves_one_program_at_a_time) {
  kvd::DirectoryLock lock(directory_);
  EXPECT_THROW(kvd::DirectoryLock{directory_}, kvd::FileError);
  EXPECT_THROW(kvd::DirectoryLock{"/proc/kvd-test"}, kvd::FileError);
}

}  // namespace
