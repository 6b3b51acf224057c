// relations_test.cpp: one process's links, monitors and aliases are found, at every size. Method:
// the same steps on a plain std::map beside it, chosen by a seeded generator.
#include "runtime/relations.hpp"

#include <gtest/gtest.h>
#include <map>
#include <utility>

#include "base/random.hpp"

namespace airssys::rt::runtime::relations_test {
namespace {

Pid peer(std::uint32_t number) {
  return {number, 1};
}

TEST(Relations, a_link_is_found_by_its_peer_and_a_monitor_by_its_id) {
  Relations relations;
  relations.add({.kind = RelationKind::link, .peer = peer(1), .mine = 7});
  relations.add({.kind = RelationKind::monitor, .peer = peer(1), .mine = 8});
  relations.add({.kind = RelationKind::alias, .mine = 9});
  ASSERT_NE(relations.find_link(peer(1)), nullptr);
  EXPECT_EQ(relations.find_link(peer(1))->mine, 7U);
  ASSERT_NE(relations.find_monitor(8), nullptr);
  EXPECT_EQ(relations.find_monitor(7), nullptr);
  EXPECT_EQ(relations.find_monitor(9), nullptr);
  EXPECT_NE(relations.find_alias(9), nullptr);
}

TEST(Relations, several_monitors_of_one_watcher_are_told_apart) {
  Relations relations;
  for (std::uint64_t id = 1; id <= 3; ++id)
    relations.add({.kind = RelationKind::monitored_by, .peer = peer(5), .theirs = id});
  relations.remove(*relations.find_watcher(peer(5), 2));
  EXPECT_NE(relations.find_watcher(peer(5), 1), nullptr);
  EXPECT_EQ(relations.find_watcher(peer(5), 2), nullptr);
  EXPECT_NE(relations.find_watcher(peer(5), 3), nullptr);
}

TEST(Relations, an_empty_one_owns_no_memory) {
  Relations relations;
  EXPECT_EQ(relations.heap_bytes(), 0U);
  relations.add({.kind = RelationKind::link, .peer = peer(1), .mine = 1});
  EXPECT_GT(relations.heap_bytes(), 0U);
  relations.remove(*relations.find_link(peer(1)));
  EXPECT_EQ(relations.heap_bytes(), 0U);
}

// Grows through the index's threshold and back, in random order.
TEST(Relations, any_order_of_steps_agrees_with_a_map) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    base::Random random(seed);
    Relations relations;
    std::map<std::uint32_t, std::uint64_t> expected;
    for (int step = 0; step < 4'000; ++step) {
      const std::uint32_t number = random.below(300);
      Relation* link = relations.find_link(peer(number));
      const auto known = expected.find(number);
      ASSERT_EQ(link != nullptr, known != expected.end()) << "seed " << seed;
      if (!link) {
        const std::uint64_t id = random.next();
        relations.add({.kind = RelationKind::link, .peer = peer(number), .mine = id});
        expected.emplace(number, id);
      } else {
        ASSERT_EQ(link->mine, known->second) << "seed " << seed;
        if (random.below(2) == 0) continue;
        relations.remove(*link);
        expected.erase(known);
      }
      ASSERT_EQ(relations.all().size(), expected.size()) << "seed " << seed;
    }
  }
}

}  // namespace
}  // namespace airssys::rt::runtime::relations_test
