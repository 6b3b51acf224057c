// router_test.cpp: the places of a pool: who is chosen, what room is, what comes back.
// Method: a router by itself, whose members are numbers; seats are taken and given back on the
// test's thread, and then on several at once. What waits for room is in pool_test.
#include "supervision/router.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "tests/support/stress.hpp"

namespace airssys::rt::detail::router_test {
namespace {

Pid member(std::size_t index, std::uint32_t generation = 1) {
  return {static_cast<std::uint32_t>(index + 1), generation};
}

std::shared_ptr<Router> filled(const PoolOptions& options) {
  auto router = std::make_shared<Router>(options);
  for (std::size_t i = 0; i < options.size; ++i) router->fill(i, member(i));
  return router;
}

Pid next(Router& router) {
  const std::optional<Seat> seat = router.try_take(nullptr);
  return seat ? seat->member() : Pid();
}

std::size_t load(const Router& router) {
  std::size_t sum = 0;
  for (const PoolMember& each : router.info().members) sum += each.load;
  return sum;
}

TEST(Router, round_robin_takes_one_after_the_other) {
  const auto router = filled({.size = 3});
  const Pid first = next(*router);
  const Pid second = next(*router);
  const Pid third = next(*router);
  EXPECT_EQ((std::set{first, second, third}), (std::set{member(0), member(1), member(2)}));
  for (const Pid expected : {first, second, third, first}) EXPECT_EQ(next(*router), expected);
}

TEST(Router, an_empty_place_is_passed_by) {
  const auto router = filled({.size = 3});
  router->clear(member(1));
  for (int i = 0; i < 10; ++i) EXPECT_NE(next(*router), member(1));
  router->fill(1, member(1, 2));
  std::set<Pid> seen;
  for (int i = 0; i < 3; ++i) seen.insert(next(*router));
  EXPECT_TRUE(seen.contains(member(1, 2)));
}

TEST(Router, without_members_there_is_no_room) {
  const auto router = std::make_shared<Router>(PoolOptions{.size = 3});
  EXPECT_FALSE(router->try_take(nullptr));
  router->fill(2, member(2));
  EXPECT_EQ(next(*router), member(2));
  router->end(Pid());
  EXPECT_FALSE(router->try_take(nullptr));
}

TEST(Router, the_least_loaded_is_taken) {
  const auto router = filled({.size = 3, .routing = Routing::least_loaded});
  std::vector<Seat> seats;
  for (int round = 1; round <= 5; ++round) {
    for (int i = 0; i < 3; ++i) seats.push_back(*router->try_take(nullptr));
    for (const PoolMember& each : router->info().members) EXPECT_EQ(each.load, round);
  }
  const Pid lightest = seats[4].member();
  std::erase_if(seats, [&](const Seat& seat) { return seat.member() == lightest; });
  for (int i = 0; i < 5; ++i) {
    seats.push_back(*router->try_take(nullptr));
    EXPECT_EQ(seats.back().member(), lightest);
  }
}

TEST(Router, a_seat_counts_until_it_is_given_back) {
  const auto router = filled({.size = 1});
  {
    const std::optional<Seat> first = router->try_take(nullptr);
    const std::optional<Seat> second = router->try_take(nullptr);
    EXPECT_EQ(load(*router), 2U);
  }
  EXPECT_EQ(load(*router), 0U);
}

TEST(Router, at_the_limit_there_is_no_room) {
  const auto router = filled({.size = 2, .limit = 2});
  std::vector<Seat> seats;
  for (int i = 0; i < 4; ++i) seats.push_back(*router->try_take(nullptr));
  EXPECT_FALSE(router->try_take(nullptr));
  const Pid member = seats[2].member();
  seats.erase(seats.begin() + 2);
  EXPECT_EQ(next(*router), member);
}

TEST(Router, a_new_member_begins_without_load_and_old_seats_give_nothing_back) {
  for (const std::size_t limit : {0U, 3U}) {
    const auto router = filled({.size = 1, .limit = limit});
    std::vector<Seat> old;
    for (int i = 0; i < 3; ++i) old.push_back(*router->try_take(nullptr));
    router->clear(member(0));
    router->fill(0, member(0, 2));
    EXPECT_EQ(load(*router), 0U);
    const std::optional<Seat> seat = router->try_take(nullptr);
    EXPECT_EQ(seat->member(), member(0, 2));
    old.clear();
    EXPECT_EQ(load(*router), 1U);
  }
}

TEST(Router, seats_may_outlive_their_router) {
  for (const std::size_t limit : {0U, 3U}) {
    auto router = filled({.size = 1, .limit = limit});
    const std::optional<Seat> seat = router->try_take(nullptr);
    router.reset();
  }
}

TEST(Router, a_key_has_a_member_of_its_own) {
  const auto router = filled({.size = 7});
  std::set<Pid> used;
  for (std::uint64_t key = 0; key < 100; ++key) {
    const ByKey by(key);
    const Pid owner = router->try_take(&by)->member();
    EXPECT_EQ(router->try_take(&by)->member(), owner);
    used.insert(owner);
  }
  EXPECT_EQ(used.size(), 7U);
}

TEST(Router, a_key_whose_member_is_not_there_goes_to_no_other) {
  const auto router = filled({.size = 2});
  const ByKey key(42);
  const Pid owner = router->try_take(&key)->member();
  router->clear(owner);
  EXPECT_FALSE(router->try_take(&key));
  EXPECT_TRUE(router->try_take(nullptr));
}

TEST(Router, few_keys_move_when_the_number_changes_and_only_to_the_new_member) {
  constexpr std::uint64_t keys = 10'000;
  for (const std::size_t members : {1U, 2U, 3U, 10U, 100U}) {
    std::size_t moved = 0;
    for (std::uint64_t key = 0; key < keys; ++key) {
      const std::size_t before = member_of_key(ByKey(key), members);
      const std::size_t after = member_of_key(ByKey(key), members + 1);
      EXPECT_LT(before, members);
      if (before == after) continue;
      EXPECT_EQ(after, members);
      ++moved;
    }
    EXPECT_NEAR(static_cast<double>(moved), keys / static_cast<double>(members + 1), 300);
  }
}

TEST(Router, keys_of_texts_and_numbers_spread) {
  std::vector<std::size_t> texts(8);
  std::vector<std::size_t> numbers(8);
  for (int i = 0; i < 8000; ++i) {
    ++texts[member_of_key(by_key("user " + std::to_string(i)), 8)];
    ++numbers[member_of_key(by_key(i), 8)];
  }
  for (const std::size_t each : texts) EXPECT_NEAR(static_cast<double>(each), 1000, 200);
  for (const std::size_t each : numbers) EXPECT_NEAR(static_cast<double>(each), 1000, 200);
}

TEST(Router, places_can_be_added_and_left_out) {
  const auto router = filled({.size = 1});
  router->set_size(3);
  for (int i = 0; i < 5; ++i) EXPECT_EQ(next(*router), member(0));
  router->fill(2, member(2));
  router->set_size(1);
  for (int i = 0; i < 5; ++i) EXPECT_EQ(next(*router), member(0));
  EXPECT_EQ(router->info().members.size(), 1U);
  router->set_size(pool_size_max);
  EXPECT_EQ(router->size(), pool_size_max);
}

// Aim: no seat is lost or counted twice, and the limit holds, however they are taken.
TEST(Router, seats_come_out_even_when_many_threads_take_them) {
  for (const std::size_t limit : {0U, 2U}) {
    const auto router = filled({.size = 3, .routing = Routing::least_loaded, .limit = limit});
    const auto take = [&] {
      std::vector<Seat> held;
      for (std::size_t i = 0; i < support::stress_size(10'000); ++i) {
        if (auto seat = router->try_take(nullptr)) held.push_back(*std::move(seat));
        if (held.size() > i % 3) held.clear();
      }
    };
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; ++i) threads.emplace_back(take);
    for (std::size_t i = 0; i < 1000; ++i) {
      for (const PoolMember& each : router->info().members)
        EXPECT_LE(each.load, limit ? limit : 12);
      router->set_size(1 + i % 3);
    }
    for (std::thread& thread : threads) thread.join();
    router->set_size(3);
    EXPECT_EQ(load(*router), 0U);
  }
}

}  // namespace
}  // namespace airssys::rt::detail::router_test
