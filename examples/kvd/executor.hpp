// executor.hpp: does to a keyspace what an operation says.
//
// Each operation appends one reply, and a record for every change it made. Nothing here knows of
// processes, sockets or files: replies and records are strings, the time is an argument.
//
// A shard's part of a command that goes to every shard is answered in a form that the connection
// can join with the others (reply_plan.hpp).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>

#include "examples/kvd/burst.hpp"
#include "examples/kvd/keyspace.hpp"
#include "examples/kvd/limits.hpp"
#include "examples/kvd/record.hpp"

namespace kvd {

struct ShardLimits {
  ShardNumber shard = 0;
  ShardNumber shards = 1;
  std::size_t value_bytes_max = 0;
  std::size_t memory_bytes_max = 0;  // 0: no limit
  std::size_t replies_bytes_max = kvd::replies_bytes_max;
};

// Numbers of one shard, for the connection that asked for INFO.
struct ShardNumbers {
  std::int64_t keys = 0;
  std::int64_t expiring = 0;
  std::int64_t memory_bytes = 0;
  std::int64_t expired = 0;
  std::int64_t hits = 0;
  std::int64_t misses = 0;
};
// In the order in which they travel.
inline constexpr std::array shard_numbers_in_order{&ShardNumbers::keys,
                                                   &ShardNumbers::expiring,
                                                   &ShardNumbers::memory_bytes,
                                                   &ShardNumbers::expired,
                                                   &ShardNumbers::hits,
                                                   &ShardNumbers::misses};

// DEBUG CRASH reached its shard. The shard's process does not catch it.
class CrashRequested : public std::runtime_error {
 public:
  CrashRequested() : std::runtime_error("DEBUG CRASH") {}
};

class Executor {
 public:
  Executor(Keyspace& keys, const ShardLimits& limits) : keys_(keys), limits_(limits) {}

  // Does all operations of a part, filling its replies, reply_ends and records.
  void execute(const Burst& burst, Part& part, std::int64_t now_ms);

  // Removes expired keys that nobody asks for.
  void sweep(std::int64_t now_ms, std::size_t budget);

 private:
  void execute(const Operation& operation, const Arguments& arguments);

  // Strings: executor_strings.cpp.
  void do_get(const Arguments& arguments);
  void do_set(const Arguments& arguments);
  void do_getset(const Arguments& arguments);
  void do_append(const Arguments& arguments);
  void do_strlen(const Arguments& arguments);
  void do_increment(const Arguments& arguments, std::int64_t by);
  void do_increment_by(const Arguments& arguments, bool down);
  void reply_value(const Entry* entry);

  // Times and existence: executor_keys.cpp.
  void do_delete(const Arguments& arguments);
  void do_exists(const Arguments& arguments);
  void do_type(const Arguments& arguments);
  void do_expire(const Arguments& arguments, Command command);
  void do_ttl(const Arguments& arguments, Command command);
  void do_persist(const Arguments& arguments);

  // The whole shard: executor_shard.cpp.
  void do_keys(const Arguments& arguments);
  void do_scan(const Arguments& arguments);
  void do_flush();
  void do_numbers();

  Entry* find(std::string_view key);
  Entry* find_for_reading(std::string_view key);
  void erase(std::string_view key);
  // Changes the entry, or makes it, and logs the change.
  void store(Entry* entry, std::string_view key, std::string_view value, std::int64_t expire_at_ms);
  [[nodiscard]] bool is_out_of_memory() const noexcept;

  Keyspace& keys_;
  const ShardLimits& limits_;
  std::int64_t expired_ = 0;
  std::int64_t hits_ = 0;
  std::int64_t misses_ = 0;

  // Of the operation that is being executed.
  std::string* out_ = nullptr;
  std::string* records_ = nullptr;
  std::int64_t now_ms_ = 0;
  std::uint64_t hash_ = 0;
};

}  // namespace kvd
