// keyspace_test.cpp: does the table keep every key, its books, and its order?
//
// Method: compare with a std::map over many steps; scan while the table grows and shrinks.
#include "examples/kvd/keyspace.hpp"

#include <gtest/gtest.h>

#include <map>
#include <set>
#include <string>

namespace {

using kvd::hash_of;
using kvd::Keyspace;

void put(Keyspace& keys, const std::string& key, const std::string& value) {
  kvd::Entry* entry = keys.find_even_expired(key, hash_of(key));
  if (entry == nullptr) entry = &keys.insert(key, hash_of(key));
  keys.set_value(*entry, value);
}

std::string get(Keyspace& keys, const std::string& key, std::int64_t now_ms = 0) {
  const kvd::Entry* entry = keys.find(key, hash_of(key), now_ms);
  return entry ? entry->value : "(none)";
}

TEST(Keyspace, it_agrees_with_a_map_over_a_hundred_thousand_steps) {
  Keyspace keys;
  std::map<std::string, std::string> model;
  std::uint32_t seed = 7;
  auto random = [&](std::uint32_t bound) {
    seed = seed * 1664525 + 1013904223;
    return (seed >> 8) % bound;
  };
  for (int step = 0; step < 100'000; ++step) {
    std::string key = "key:" + std::to_string(random(5000));
    if (random(3) != 0) {
      std::string value(random(60), 'v');
      put(keys, key, value);
      model[key] = value;
    } else {
      EXPECT_EQ(keys.erase(key, hash_of(key)), model.erase(key) == 1);
    }
  }
  EXPECT_EQ(keys.size(), model.size());
  for (const auto& [key, value] : model) EXPECT_EQ(get(keys, key), value);
}

TEST(Keyspace, memory_is_counted_up_and_down_to_nothing) {
  Keyspace keys;
  put(keys, "k", "small");
  std::size_t small = keys.used_bytes();
  EXPECT_GT(small, 0u);
  put(keys, "k", std::string(100'000, 'x'));
  EXPECT_GT(keys.used_bytes(), small + 99'000);
  put(keys, "k", "small");
  EXPECT_LT(keys.used_bytes(), small + 1000);
  keys.append_value(*keys.find("k", hash_of("k"), 0), std::string(5000, 'y'));
  EXPECT_GT(keys.used_bytes(), 5000u);
  for (int n = 0; n < 1000; ++n) put(keys, std::to_string(n), "v");
  for (int n = 0; n < 1000; ++n) keys.erase(std::to_string(n), hash_of(std::to_string(n)));
  keys.erase("k", hash_of("k"));
  EXPECT_EQ(keys.used_bytes(), 0u);
  EXPECT_EQ(keys.size(), 0u);
}

TEST(Keyspace, an_expired_key_is_gone_when_it_is_asked_for) {
  Keyspace keys;
  put(keys, "k", "v");
  keys.set_expiry(*keys.find("k", hash_of("k"), 0), 1000);
  EXPECT_EQ(keys.expiring(), 1u);
  EXPECT_EQ(get(keys, "k", 999), "v");
  EXPECT_NE(keys.find_even_expired("k", hash_of("k")), nullptr);
  EXPECT_EQ(get(keys, "k", 1000), "(none)");
  EXPECT_EQ(keys.expiring(), 0u);
  EXPECT_EQ(keys.size(), 0u);
}

TEST(Keyspace, a_sweep_removes_what_nobody_asks_for_in_small_steps) {
  Keyspace keys;
  for (int n = 0; n < 10'000; ++n) {
    std::string key = std::to_string(n);
    put(keys, key, "v");
    if (n % 2 == 0) keys.set_expiry(*keys.find(key, hash_of(key), 0), 1000);
  }
  EXPECT_EQ(keys.sweep(999, 100'000), 0u);
  std::size_t first = keys.sweep(1000, 500);
  EXPECT_GT(first, 0u);
  EXPECT_LT(first, 1000u);
  std::size_t removed = first;
  for (int round = 0; round < 100; ++round) removed += keys.sweep(1000, 500);
  EXPECT_EQ(removed, 5000u);
  EXPECT_EQ(keys.size(), 5000u);
  EXPECT_EQ(keys.expiring(), 0u);
}

TEST(Keyspace, a_scan_sees_each_key_once_although_the_table_grows_and_shrinks) {
  Keyspace keys;
  std::set<std::string> stays;
  for (int n = 0; n < 2000; ++n) {
    stays.insert("stays:" + std::to_string(n));
    put(keys, "stays:" + std::to_string(n), "v");
  }
  std::map<std::string, int> seen;
  std::optional<Keyspace::Position> position = 0;
  for (int step = 0; position; ++step) {
    position = keys.scan(
        *position, 10, [&](const kvd::Entry& entry) { ++seen[std::string(entry.key())]; });
    // Grows to thirty times its size in the first half, and shrinks again.
    for (int n = 0; n < 600; ++n) {
      std::string key = "other:" + std::to_string(step % 100 * 600 + n);
      if (step < 100) put(keys, key, "v");
      if (step >= 100 && step < 200) keys.erase(key, hash_of(key));
    }
    ASSERT_LT(step, 100'000);
  }
  for (const std::string& key : stays) EXPECT_EQ(seen[key], 1) << key;
}

TEST(Keyspace, a_scan_of_a_shrunk_table_does_not_show_a_key_twice) {
  Keyspace keys;
  for (int n = 0; n < 50'000; ++n) put(keys, std::to_string(n), "v");
  std::set<std::string> seen;
  std::optional<Keyspace::Position> position =
      keys.scan(0, 25'000, [&](const kvd::Entry& entry) { seen.emplace(entry.key()); });
  for (int n = 100; n < 50'000; ++n) keys.erase(std::to_string(n), hash_of(std::to_string(n)));
  ASSERT_TRUE(position);
  keys.scan(*position, 1'000'000, [&](const kvd::Entry& entry) {
    EXPECT_TRUE(seen.emplace(entry.key()).second) << entry.key();
  });
  for (int n = 0; n < 100; ++n) EXPECT_EQ(seen.count(std::to_string(n)), 1u);
}

}  // namespace
