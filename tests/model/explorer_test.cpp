// explorer_test.cpp: known mistakes are found, and programs that are right are left alone.
//
// Aim: that the explorer finds what it is there to find, and nothing in programs that are right.
// Method: programs of two or three lines a thread whose failures are known from the literature,
// each next to its repaired form.
#include "tests/model/explorer.hpp"

#include <gtest/gtest.h>

#include <memory>

#include "base/assert.hpp"
#include "base/asymmetric_fence.hpp"
#include "base/atomic.hpp"
#include "tests/model/blocking.hpp"
#include "tests/model/cell.hpp"

namespace airssys::rt::model::explorer_test {
namespace {

constexpr auto relaxed = std::memory_order_relaxed;
constexpr auto acquire = std::memory_order_acquire;
constexpr auto release = std::memory_order_release;
constexpr auto acq_rel = std::memory_order_acq_rel;
constexpr auto seq_cst = std::memory_order_seq_cst;

TEST(Explorer, tries_every_interleaving_once) {
  // One run to learn who uses the word, then two steps a thread: (2+2)! / (2! 2!) orders.
  const Outcome outcome = explore(
      [](Program& program) {
        auto word = std::make_shared<Atomic<int>>(0);
        for (int i = 0; i < 2; ++i) {
          program.thread([word] {
            word->fetch_add(1, relaxed);
            word->fetch_add(1, relaxed);
          });
        }
      },
      {.preemptions = 100});
  EXPECT_TRUE(outcome) << outcome.report;
  EXPECT_EQ(outcome.runs, 7U);
}

TEST(Explorer, finds_a_lost_update) {
  const auto count_to_two = [](bool atomically) {
    return [=](Program& program) {
      auto count = std::make_shared<Atomic<int>>(0);
      for (int i = 0; i < 2; ++i) {
        program.thread([=] {
          if (atomically)
            count->fetch_add(1, relaxed);
          else
            count->store(count->load(relaxed) + 1, relaxed);
        });
      }
      program.finally([count] { check(count->load(relaxed) == 2, "an update is lost"); });
    };
  };
  EXPECT_TRUE(explore(count_to_two(true)));
  EXPECT_FALSE(explore(count_to_two(false)).passed);
}

enum class Fences : std::uint8_t { none, full, asymmetric, release_acquire };

// Each stores its own word and then reads the other's; they must not both read nothing.
auto dekker(Fences fences) {
  return [=](Program& program) {
    struct State {
      Atomic<int> x{0}, y{0};
      int saw_x = 0, saw_y = 0;
    };
    auto state = std::make_shared<State>();
    const bool full = fences == Fences::full;
    const auto store_order = fences == Fences::release_acquire ? release : relaxed;
    const auto load_order = fences == Fences::release_acquire ? acquire : relaxed;
    program.thread([=] {
      state->x.store(1, store_order);
      if (full) base::atomic_fence(seq_cst);
      if (fences == Fences::asymmetric) base::light_fence();
      state->saw_y = state->y.load(load_order);
    });
    program.thread([=] {
      state->y.store(1, store_order);
      if (full) base::atomic_fence(seq_cst);
      if (fences == Fences::asymmetric) base::heavy_fence();
      state->saw_x = state->x.load(load_order);
    });
    program.finally([=] { check(state->saw_x + state->saw_y > 0, "neither saw the other"); });
  };
}

TEST(Explorer, finds_a_missing_fence_of_dekkers_kind) {
  EXPECT_FALSE(explore(dekker(Fences::none)).passed);
  EXPECT_FALSE(explore(dekker(Fences::release_acquire)).passed);
  EXPECT_TRUE(explore(dekker(Fences::full)));
}

TEST(Explorer, knows_what_a_membarrier_does) {
  EXPECT_TRUE(explore(dekker(Fences::asymmetric)));
  EXPECT_FALSE(explore(dekker(Fences::asymmetric), {.weakness = Weakness::no_membarrier}).passed);
}

// One writes a cell and then raises a flag; the other reads the cell when it sees the flag.
auto message_passing(std::memory_order store_order, std::memory_order load_order) {
  return [=](Program& program) {
    struct State {
      Atomic<bool> flag{false};
      Cell<int> cell{0};
    };
    auto state = std::make_shared<State>();
    program.thread([=] {
      state->cell = 42;
      state->flag.store(true, store_order);
    });
    program.thread([=] {
      if (state->flag.load(load_order)) check(state->cell == 42, "the cell is not written yet");
    });
  };
}

TEST(Explorer, finds_orders_that_hand_nothing_over) {
  EXPECT_TRUE(explore(message_passing(release, acquire)));
  EXPECT_FALSE(explore(message_passing(relaxed, acquire)).passed);
  EXPECT_FALSE(explore(message_passing(release, relaxed)).passed);
}

TEST(Explorer, weakens_the_accesses_of_a_program_that_is_right) {
  const auto right = message_passing(release, acquire);
  EXPECT_FALSE(explore(right, {.weakness = Weakness::stores_do_not_release}).passed);
  EXPECT_FALSE(explore(right, {.weakness = Weakness::loads_do_not_acquire}).passed);
  EXPECT_TRUE(explore(right, {.weakness = Weakness::updates_do_not_release}));
}

TEST(Explorer, follows_release_sequences_and_fences) {
  EXPECT_TRUE(explore([](Program& program) {
    struct State {
      Atomic<int> word{0};
      Cell<int> cell{0};
    };
    auto state = std::make_shared<State>();
    program.thread([=] {
      state->cell = 42;
      state->word.store(1, release);
    });
    program.thread([=] { state->word.fetch_add(1, relaxed); });  // carries the release on
    program.thread([=] {
      if (state->word.load(relaxed) != 2) return;
      base::atomic_fence(acquire);
      check(state->cell == 42 || state->word.load(relaxed) != 2, "seen through the sequence");
    });
    // The word may also be 2 because the store came last and then the addition: both are ordered.
  }));
}

TEST(Explorer, reports_who_waits_for_ever) {
  const auto wake = [](bool sends_wake) {
    return [=](Program& program) {
      auto parker = std::make_shared<Parker>();
      program.thread([=] { parker->park(); });
      program.thread([=] {
        if (sends_wake) parker->unpark();
      });
    };
  };
  EXPECT_TRUE(explore(wake(true)));
  const Outcome outcome = explore(wake(false));
  EXPECT_FALSE(outcome.passed);
  EXPECT_NE(outcome.report.find("somebody waits"), std::string::npos) << outcome.report;
}

TEST(Explorer, reports_who_turns_in_a_circle) {
  EXPECT_FALSE(explore([](Program& program) {
                 auto word = std::make_shared<Atomic<bool>>(false);
                 program.thread([=] {
                   while (!word->load(relaxed)) base::spin_pause();
                 });
               }).passed);
}

TEST(Explorer, lets_others_go_on_while_one_turns_in_a_circle) {
  EXPECT_TRUE(explore([](Program& program) {
    auto word = std::make_shared<Atomic<bool>>(false);
    program.thread([=] {
      while (!word->load(relaxed)) base::spin_pause();
    });
    program.thread([=] { word->store(true, relaxed); });
  }));
}

TEST(Explorer, keeps_mutexed_sections_apart) {
  EXPECT_TRUE(explore([](Program& program) {
    struct State {
      Mutex mutex;
      Cell<int> count{0};
    };
    auto state = std::make_shared<State>();
    for (int i = 0; i < 3; ++i) {
      program.thread([=] {
        state->mutex.lock();
        state->count = state->count + 1;
        state->mutex.unlock();
      });
    }
    program.finally([=] { check(state->count == 3, "a section was cut in two"); });
  }));
}

TEST(Explorer, prints_the_schedule_of_a_run_that_fails) {
  const Outcome outcome = explore([](Program& program) {
    auto word = std::make_shared<Atomic<int>>(7);
    program.thread(
        [=] { RT_CHECK(word->exchange(8, acq_rel) == 0, "the word begins at nothing"); });
  });
  EXPECT_FALSE(outcome.passed);
  EXPECT_NE(outcome.report.find("the word begins at nothing"), std::string::npos);
  EXPECT_NE(outcome.report.find("T1 update  #0 = 0x7 -> 0x8 acq_rel"), std::string::npos)
      << outcome.report;
}

TEST(Explorer, says_when_it_gave_up) {
  const Outcome outcome = explore(dekker(Fences::full), {.runs = 3});
  EXPECT_TRUE(outcome.passed);
  EXPECT_FALSE(outcome.complete);
}

}  // namespace
}  // namespace airssys::rt::model::explorer_test
