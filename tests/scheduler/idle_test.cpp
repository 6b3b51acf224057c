// idle_test.cpp: who is picked, who searches, and that work is found by real sleepers.
//
// Aim: what each call answers; then that threads which go to bed as idle.hpp says find all work
// that others make visible: a lost wake leaves everybody asleep, and the test does not end. Every
// interleaving of few steps is explored in tests/model/idle_model.cpp.
#include "scheduler/idle.hpp"

#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <cstddef>
#include <optional>
#include <thread>
#include <vector>

#include "base/parker.hpp"
#include "tests/support/stress.hpp"

namespace airssys::rt::scheduler::idle_test {
namespace {

TEST(IdleSetTest, nobody_is_woken_while_nobody_sleeps) {
  IdleSet idle(4);
  EXPECT_EQ(idle.pick_to_wake(), std::nullopt);
  EXPECT_TRUE(idle.try_search()) << "a wake of nobody leaves no searcher behind";
}

TEST(IdleSetTest, somebody_is_to_be_woken_while_one_sleeps_and_nobody_searches) {
  IdleSet idle(4);
  EXPECT_FALSE(idle.has_somebody_to_wake());
  ASSERT_TRUE(idle.sleep(1, false));
  EXPECT_TRUE(idle.has_somebody_to_wake());
  ASSERT_TRUE(idle.try_search());
  EXPECT_FALSE(idle.has_somebody_to_wake());
}

TEST(IdleSetTest, one_searches_at_a_time) {
  IdleSet idle(4);
  EXPECT_TRUE(idle.try_search());
  EXPECT_FALSE(idle.try_search());
  idle.stop_searching();
  EXPECT_TRUE(idle.try_search());
}

TEST(IdleSetTest, who_is_woken_is_the_searcher) {
  IdleSet idle(4);
  EXPECT_TRUE(idle.sleep(2, false));
  EXPECT_EQ(idle.asleep(), 1U);
  EXPECT_EQ(idle.pick_to_wake(), 2U);
  EXPECT_EQ(idle.asleep(), 0U);
  EXPECT_FALSE(idle.try_search());
  EXPECT_FALSE(idle.cancel_sleep(2)) << "it has been picked";
  idle.stop_searching();
}

TEST(IdleSetTest, nobody_is_woken_while_somebody_searches) {
  IdleSet idle(4);
  EXPECT_TRUE(idle.sleep(0, false));
  EXPECT_TRUE(idle.try_search());
  EXPECT_EQ(idle.pick_to_wake(), std::nullopt);
  idle.stop_searching();
  EXPECT_EQ(idle.pick_to_wake(), 0U);
}

TEST(IdleSetTest, only_who_leaves_no_searcher_behind_looks_once_more) {
  IdleSet idle(4);
  EXPECT_TRUE(idle.try_search());
  EXPECT_FALSE(idle.sleep(0, false)) << "another one searches";
  EXPECT_TRUE(idle.sleep(1, true)) << "it was the searcher";
  EXPECT_TRUE(idle.sleep(2, false)) << "nobody searches";
}

TEST(IdleSetTest, who_wakes_by_itself_is_not_picked) {
  IdleSet idle(4);
  EXPECT_TRUE(idle.sleep(1, false));
  EXPECT_TRUE(idle.cancel_sleep(1));
  EXPECT_EQ(idle.pick_to_wake(), std::nullopt);
}

TEST(IdleSetTest, the_lowest_is_picked_first_up_to_the_last) {
  IdleSet idle(IdleSet::schedulers_max);
  for (const unsigned id : {127U, 64U, 3U, 63U}) EXPECT_TRUE(idle.sleep(id, false));
  for (const unsigned id : {3U, 63U, 64U, 127U}) {
    EXPECT_EQ(idle.pick_to_wake(), id);
    idle.stop_searching();
  }
}

TEST(IdleSetDeathTest, sleeping_twice_is_noticed) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  IdleSet idle(4);
  EXPECT_TRUE(idle.sleep(1, false));
  EXPECT_DEATH((void)idle.sleep(1, false), "D2");
}

// Work that two wakers put into piles by plain stores, and schedulers that clear them.
class Piles {
 public:
  static constexpr unsigned wakers = 2;
  static constexpr unsigned schedulers = 3;

  explicit Piles(std::size_t rounds) : rounds_(rounds) {}

  void offer(unsigned pile) {
    for (std::size_t round = 0; round < rounds_; ++round) {
      piles_[pile].has_work.store(true, std::memory_order_release);
      wake_for_work();
      // The next piece comes when this one is done: each may be the one for which all must wake.
      while (piles_[pile].has_work.load(std::memory_order_acquire)) std::this_thread::yield();
    }
  }

  void run_scheduler(unsigned id) {
    bool searching = idle_.try_search();
    while (!is_over_.load()) {
      if (searching && clear_one()) {
        idle_.stop_searching();
        wake_for_work();
        searching = false;
      } else {
        if (!idle_.sleep(id, searching) || !is_anything_there()) parkers_[id].park();
        searching = !idle_.cancel_sleep(id);
      }
      if (!searching) searching = idle_.try_search();
    }
  }

  void end() {
    is_over_.store(true);
    for (base::Parker& parker : parkers_) parker.unpark();
  }

 private:
  struct alignas(64) Pile {
    std::atomic<bool> has_work{false};
  };

  void wake_for_work() {
    if (const std::optional<unsigned> id = idle_.pick_to_wake()) parkers_[*id].unpark();
  }
  bool is_anything_there() const {
    for (const Pile& pile : piles_) {
      if (pile.has_work.load(std::memory_order_acquire)) return true;
    }
    return is_over_.load();
  }
  bool clear_one() {
    for (Pile& pile : piles_) {
      if (pile.has_work.exchange(false, std::memory_order_acq_rel)) return true;
    }
    return false;
  }

  const std::size_t rounds_;
  IdleSet idle_{schedulers};
  std::array<Pile, wakers> piles_;
  std::array<base::Parker, schedulers> parkers_;
  std::atomic<bool> is_over_{false};
};

void find_all_work(std::size_t rounds) {
  Piles piles(rounds);
  std::vector<std::thread> schedulers;
  for (unsigned id = 0; id < Piles::schedulers; ++id)
    schedulers.emplace_back([&, id] { piles.run_scheduler(id); });
  std::vector<std::thread> wakers;
  for (unsigned w = 0; w < Piles::wakers; ++w) wakers.emplace_back([&, w] { piles.offer(w); });
  for (std::thread& waker : wakers) waker.join();
  piles.end();
  for (std::thread& scheduler : schedulers) scheduler.join();
}

// D13, D14
TEST(IdleSetStressTest, work_is_found_though_everybody_goes_to_sleep) {
  find_all_work(support::stress_size(3'000));
}

TEST(IdleSetStressTest, work_is_found_though_wakers_run_no_fence) {
  base::enable_asymmetric_fences();
  find_all_work(support::stress_size(3'000));
}

}  // namespace
}  // namespace airssys::rt::scheduler::idle_test
