// tenure_test.cpp: a monitor takes from process code only, and never what is being used.
//
// Aim: what each call answers; then that a thread and a monitor with real memory never own the same
// scheduler at once: it is a plain counter, which the sanitizer watches. Every interleaving of few
// steps is explored in tests/model/tenure_model.cpp.
#include "scheduler/tenure.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <cstddef>
#include <thread>

#include "tests/support/stress.hpp"

namespace airssys::rt::scheduler::tenure_test {
namespace {

struct TenureTest : testing::Test {
  base::Quiescence quiescence;
  Tenure tenure;
};

TEST_F(TenureTest, who_is_inside_is_not_robbed) {
  EXPECT_EQ(tenure.enter(quiescence), Held::kept);
  EXPECT_FALSE(tenure.try_take());
  tenure.leave();
}

TEST_F(TenureTest, who_is_in_process_code_learns_of_its_loss_at_the_next_entry) {
  EXPECT_TRUE(tenure.try_take());
  EXPECT_EQ(tenure.enter(quiescence), Held::taken);
  tenure.leave();
  EXPECT_EQ(tenure.enter(quiescence), Held::taken) << "until it rejoins";
}

TEST_F(TenureTest, a_thread_is_robbed_once) {
  EXPECT_TRUE(tenure.try_take());
  EXPECT_FALSE(tenure.try_take());
}

TEST_F(TenureTest, a_thread_that_rejoins_owns_again_and_can_be_robbed_again) {
  EXPECT_TRUE(tenure.try_take());
  EXPECT_EQ(tenure.enter(quiescence), Held::taken);
  tenure.rejoin();
  EXPECT_FALSE(tenure.try_take()) << "it is inside";
  tenure.leave();
  EXPECT_TRUE(tenure.try_take());
}

TEST_F(TenureTest, who_is_bound_is_not_robbed_until_the_last_bond_is_undone) {
  EXPECT_EQ(tenure.enter(quiescence), Held::kept);
  tenure.bind();
  tenure.bind();
  tenure.leave();
  EXPECT_FALSE(tenure.try_take());
  EXPECT_EQ(tenure.enter(quiescence), Held::kept);
  tenure.unbind();
  tenure.leave();
  EXPECT_FALSE(tenure.try_take());
  EXPECT_EQ(tenure.enter(quiescence), Held::kept);
  tenure.unbind();
  tenure.leave();
  EXPECT_TRUE(tenure.try_take());
}

TEST_F(TenureTest, the_same_word_holds_up_grace_periods) {
  quiescence.add(tenure.place());
  EXPECT_EQ(tenure.enter(quiescence), Held::kept);
  const base::Quiescence::Stamp stamp = quiescence.retire();
  EXPECT_FALSE(quiescence.has_passed(stamp));
  tenure.leave();
  EXPECT_TRUE(quiescence.has_passed(stamp));
  quiescence.remove(tenure.place());
}

using TenureDeathTest = TenureTest;

TEST_F(TenureDeathTest, rejoining_without_a_loss_is_noticed) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_EQ(tenure.enter(quiescence), Held::kept);
  EXPECT_DEATH(tenure.rejoin(), "T1");
}

// The monitor takes whenever it can, uses the scheduler and gives it back.
void fight_over_a_scheduler(Tenure& tenure, base::Quiescence& quiescence) {
  const std::size_t turns = support::stress_size(100'000);
  const std::size_t losses_wanted = support::stress_size(200);
  std::size_t scheduler = 0;  // plain: whoever owns it
  std::size_t uses_by_monitor = 0;
  std::atomic<std::size_t> looks{0};
  std::atomic<bool> is_given_back{false};
  std::atomic<bool> is_over{false};

  std::thread monitor([&] {
    while (!is_over.load()) {
      const bool has_taken = tenure.try_take();
      ++looks;
      if (!has_taken) continue;
      ++scheduler;
      ++uses_by_monitor;
      is_given_back.store(true);
      while (is_given_back.load() && !is_over.load()) std::this_thread::yield();
    }
  });
  std::size_t losses = 0;
  std::size_t uses_by_thread = 0;
  for (std::size_t turn = 0; turn < turns || losses < losses_wanted; ++turn) {
    if (tenure.enter(quiescence) == Held::taken) {
      while (!is_given_back.load()) std::this_thread::yield();
      tenure.rejoin();
      is_given_back.store(false);
      ++losses;
    }
    ++scheduler;
    ++uses_by_thread;
    tenure.leave();
    // In process code, until the monitor has had its chance.
    for (const std::size_t before = looks; turn % 64 == 0 && looks < before + 2 && !is_given_back;)
      std::this_thread::yield();
  }
  is_over.store(true);
  monitor.join();
  EXPECT_EQ(scheduler, uses_by_thread + uses_by_monitor);
  EXPECT_GE(uses_by_monitor, losses);
  EXPECT_LE(uses_by_monitor, losses + 1);
}

TEST_F(TenureTest, an_orphan_owns_nothing_even_while_somebody_seems_to_ask) {
  tenure.orphan();
  EXPECT_EQ(tenure.enter(quiescence), Held::taken);
  tenure.leave();
  EXPECT_EQ(tenure.enter(quiescence), Held::taken);
  tenure.leave();
}

TEST_F(TenureTest, thread_and_monitor_never_own_the_scheduler_at_once) {
  fight_over_a_scheduler(tenure, quiescence);
}

TEST_F(TenureTest, nor_when_the_thread_runs_no_fence) {
  base::enable_asymmetric_fences();
  fight_over_a_scheduler(tenure, quiescence);
}

}  // namespace
}  // namespace airssys::rt::scheduler::tenure_test
