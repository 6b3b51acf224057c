// scheduling_test.cpp: who gets how many turns (D).
//
// Method: turns and reductions are counted, never time. What one run queue promises is asked of one
// scheduler, whatever the environment says; of several, that nobody is left behind. A process of
// max priority sets each scene, so that all begin when it waits.
#include <airssys/rt.hpp>
#include <algorithm>
#include <atomic>
#include <chrono>
#include <map>
#include <mutex>
#include <set>
#include <vector>

#include "tests/support/ends.hpp"
#include "tests/support/in_runtime.hpp"

namespace airssys::rt::scheduling_test {
namespace {

using support::await_downs;
using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

constexpr int slice = 4000;

class OneQueue : public support::FixedSchedulers {};
INSTANTIATE_TEST_SUITE_P(With, OneQueue, testing::Values(1U), support::schedulers_name);

class Scheduling : public support::InRuntime {};
RT_WITH_SCHEDULERS(Scheduling);

class SeveralQueues : public OneQueue {};
INSTANTIATE_TEST_SUITE_P(With, SeveralQueues, testing::Values(2U, 4U), support::schedulers_name);

struct Go {};

// Who was seen, in order. Any process may write.
class Record {
 public:
  void add(int who) {
    const std::lock_guard lock(mutex_);
    seen_.push_back(who);
  }
  std::vector<int> seen() const {
    const std::lock_guard lock(mutex_);
    return seen_;
  }

 private:
  mutable std::mutex mutex_;
  std::vector<int> seen_;
};

// D2, D3
TEST_P(OneQueue, a_slice_is_four_thousand_reductions_at_every_priority) {
  run([] {
    set_priority(Priority::max);
    for (const auto priority : {Priority::low, Priority::normal, Priority::high, Priority::max}) {
      Record steps;  // of 100 reductions
      for (int who = 0; who < 2; ++who) {
        spawn_monitor({.priority = priority}, [&steps, who] {
          for (int i = 0; i < 400; ++i) {
            steps.add(who);
            reductions(100);
          }
        });
      }
      await_downs(2);
      std::vector<int> turns;
      int last = -1;
      for (const int who : steps.seen()) {
        if (who != last) turns.push_back(0);
        ++turns.back();
        last = who;
      }
      ASSERT_GE(turns.size(), 18U);
      // The first turns begin in somebody's slice, the last one has nobody to give way to.
      for (std::size_t i = 2; i + 2 < turns.size(); ++i) {
        EXPECT_GE(turns[i] * 100, slice - 500);
        EXPECT_LE(turns[i] * 100, slice + 500);
      }
    }
  });
}

// D5
TEST_P(Scheduling, work_that_calls_nothing_charges_what_it_says_up_to_a_slice) {
  run([] {
    const auto charged = [](auto work) {
      const std::uint64_t before = process_info(self())->reductions;
      work();
      return process_info(self())->reductions - before;
    };
    const std::uint64_t hundred_tens = charged([] {
      for (int i = 0; i < 100; ++i) reductions(10);
    });
    EXPECT_GE(hundred_tens, 1000U);
    EXPECT_LT(hundred_tens, 1500U);
    const std::uint64_t too_much = charged([] { reductions(4'000'000'000U); });
    EXPECT_GE(too_much, 4000U);
    EXPECT_LT(too_much, 5000U);
    EXPECT_LT(charged([] { reductions(0); }), 100U);
  });
}

// D4, D5
TEST_P(Scheduling, verbs_charge_in_proportion_to_their_work) {
  run([] {
    const auto before = [] { return process_info(self())->reductions; };
    constexpr std::uint64_t count = 1000;
    std::uint64_t begin = before();
    for (std::uint64_t i = 0; i < count; ++i) send(self(), 1);
    EXPECT_GE(before() - begin, count);
    begin = before();
    for (std::uint64_t i = 0; i < count; ++i) spawn([] {});
    EXPECT_GE(before() - begin, 4 * count);
    begin = before();
    for (std::uint64_t i = 0; i < count; ++i) yield();
    EXPECT_GE(before() - begin, 400 * count);
    for (std::uint64_t i = 0; i < count; ++i) receive<int>();
  });
}

// D6
TEST_P(OneQueue, a_higher_level_that_is_ready_runs_before_a_lower_one) {
  run([] {
    set_priority(Priority::max);
    Record order;
    const auto begin = [&order](Priority priority) {
      spawn_monitor({.priority = priority}, [&order, priority] {
        for (int i = 0; i < 3; ++i) {
          order.add(static_cast<int>(priority));
          yield();
        }
      });
    };
    for (int i = 0; i < 5; ++i) {
      for (const auto priority : {Priority::normal, Priority::high, Priority::low, Priority::max})
        begin(priority);
    }
    await_downs(20);
    const std::vector<int> seen = order.seen();
    ASSERT_EQ(seen.size(), 60U);
    for (std::size_t i = 0; i < 15; ++i) EXPECT_EQ(seen[i], static_cast<int>(Priority::max));
    for (std::size_t i = 15; i < 30; ++i) EXPECT_EQ(seen[i], static_cast<int>(Priority::high));
    for (std::size_t i = 30; i < 60; ++i) EXPECT_LT(seen[i], static_cast<int>(Priority::high));
  });
}

// D6
TEST_P(OneQueue, who_is_woken_does_not_pass_a_higher_level) {
  run([] {
    Record order;
    const Spawned woken = spawn_monitor([&order] {
      receive<Go>();
      order.add(3);
    });
    while (process_info(woken.pid)->wait_reason != "receive") yield();
    set_priority(Priority::max);
    spawn_monitor({.priority = Priority::high}, [&order, pid = woken.pid] {
      send(pid, Go());
      order.add(1);
    });
    spawn_monitor({.priority = Priority::high}, [&order] { order.add(2); });
    await_downs(3);
    EXPECT_EQ(order.seen(), (std::vector{1, 2, 3}));
  });
}

// D6
TEST_P(OneQueue, within_a_level_it_goes_round) {
  run([] {
    set_priority(Priority::max);
    constexpr std::size_t count = 5;
    for (const auto priority : {Priority::normal, Priority::high}) {
      Record order;
      for (std::size_t who = 0; who < count; ++who) {
        spawn_monitor({.priority = priority}, [&order, who] {
          for (int i = 0; i < 100; ++i) {
            order.add(static_cast<int>(who));
            yield();
          }
        });
      }
      await_downs(count);
      const std::vector<int> seen = order.seen();
      for (std::size_t i = 0; i + count <= seen.size(); i += count)
        EXPECT_EQ(std::set(&seen[i], &seen[i] + count).size(), count) << "round " << i / count;
    }
  });
}

// Takes turns until `is_over`; answers their number as a message.
struct Turns {
  Priority priority;
  int count;
};
void spawn_worker(Priority priority, std::atomic<int>& left) {
  spawn({.priority = priority}, [&left, priority, tester = self()] {
    int turns = 0;
    for (; left > 0; ++turns) {
      --left;
      reductions(slice);
    }
    send(tester, Turns{priority, turns});
  });
}

// D7
TEST_P(OneQueue, a_low_process_gets_about_an_eighth_of_a_normal_ones_turns) {
  run([] {
    set_priority(Priority::max);
    std::atomic<int> left = 17'000;
    spawn_worker(Priority::normal, left);
    spawn_worker(Priority::low, left);
    spawn_worker(Priority::normal, left);
    std::map<Priority, int> turns;
    for (int i = 0; i < 3; ++i) {
      const Turns of_one = receive<Turns>();
      turns[of_one.priority] += of_one.count;
    }
    const int of_a_normal_one = turns[Priority::normal] / 2;
    EXPECT_GE(turns[Priority::low], of_a_normal_one / 16);
    EXPECT_LE(turns[Priority::low], of_a_normal_one / 4);
  });
}

// Nobody else is there while the tester sleeps, so each time one of them at least has a turn.
// D7
TEST_P(OneQueue, low_processes_that_are_alone_get_everything) {
  run([] {
    set_priority(Priority::max);
    for (const int count : {1, 3}) {
      std::atomic<int> left = 300;
      for (int i = 0; i < count; ++i) spawn_worker(Priority::low, left);
      for (int i = 0; i < 1000 && left > 0; ++i) sleep(1ms);
      EXPECT_LE(left, 0);
      for (int i = 0; i < count; ++i) receive<Turns>();
    }
  });
}

// Whether they may be held by a signal or not: here it is asked whether, not how soon.
// D13, D15
TEST_P(Scheduling, beside_many_that_never_call_others_have_their_turns) {
  constexpr int hogs = 24;
  for (const auto signal : {HostHook::on, HostHook::off}) {
    options.hog_signal = signal;
    run([] {
      std::atomic<bool> is_over = false;
      std::atomic<int> stuck = 0;
      for (int i = 0; i < hogs; ++i) {
        spawn_monitor([&] {
          ++stuck;
          while (!is_over) {
          }
        });
      }
      const Pid echo = spawn([] {
        for (;;) receive([](Pid asker) { send(asker, 1); });
      });
      while (stuck != hogs) sleep(1ms);
      for (int i = 0; i < 50; ++i) {
        sleep(1ms);
        send(echo, self());
        receive<int>();
      }
      is_over = true;
      await_downs(hogs);
      send_exit(echo, ExitReason::kill());
    });
  }
}

// D10
TEST_P(Scheduling, what_is_no_priority_is_refused_and_changes_nothing) {
  run([] {
    constexpr auto none = static_cast<Priority>(9);
    EXPECT_THROW(set_priority(none), BadArgument);
    EXPECT_THROW(spawn({.priority = none}, [] {}), BadArgument);
    EXPECT_EQ(set_priority(Priority::normal), Priority::normal);
  });
}

// D8, D10
TEST_P(OneQueue, behind_a_busy_higher_level_lower_ones_get_nothing) {
  run([] {
    for (const auto& [upper, lower] : {std::pair(Priority::high, Priority::normal),
                                       std::pair(Priority::high, Priority::low),
                                       std::pair(Priority::max, Priority::high)}) {
      EXPECT_EQ(set_priority(upper), Priority::normal);
      std::atomic<int> turns = 0;
      std::atomic<bool> is_over = false;
      spawn_monitor({.priority = lower}, [&] {
        while (!is_over) {
          ++turns;
          yield();
        }
      });
      for (int i = 0; i < 2000; ++i) yield();
      EXPECT_EQ(turns, 0);
      // At the same level, at once, it has its turns again.
      EXPECT_EQ(set_priority(lower), upper);
      for (int i = 0; i < 20; ++i) yield();
      EXPECT_GE(turns, 10);
      is_over = true;
      await_downs(1);
      EXPECT_EQ(set_priority(Priority::normal), lower);
    }
  });
}

// All schedulers but one are kept busy at high level; the work that lies with them is taken over.
// D8, D14
TEST_P(SeveralQueues, what_starves_behind_a_high_process_is_taken_over_elsewhere) {
  run([schedulers = GetParam()] {
    std::atomic<bool> is_over = false;
    std::atomic<int> left = 2000;
    set_priority(Priority::high);
    for (int i = 0; i < 20; ++i) spawn_worker(Priority::normal, left);
    for (unsigned i = 0; i + 2 < schedulers; ++i) {
      spawn_monitor({.priority = Priority::high}, [&is_over] {
        while (!is_over) yield();
      });
    }
    while (left > 0) yield();
    is_over = true;
    for (int i = 0; i < 20; ++i) receive<Turns>();
    await_downs(static_cast<int>(schedulers) - 2);
  });
}

// D11
TEST_P(OneQueue, busy_processes_of_one_level_get_their_share) {
  run([] {
    set_priority(Priority::max);
    constexpr int each = 50;
    std::atomic<int> left = 20'000;
    std::atomic<bool> is_over = false;
    spawn_monitor({.priority = Priority::high}, [&is_over] {
      while (!is_over) {
        reductions(100);
        sleep(1ms);
      }
    });
    for (int i = 0; i < each; ++i) {
      spawn_worker(Priority::low, left);
      spawn_worker(Priority::normal, left);
    }
    std::map<Priority, std::vector<int>> turns;
    for (int i = 0; i < 2 * each; ++i) {
      const Turns of_one = receive<Turns>();
      turns[of_one.priority].push_back(of_one.count);
    }
    std::map<Priority, double> average;
    for (const auto& [priority, counts] : turns) {
      double sum = 0;
      for (const int count : counts) sum += count;
      average[priority] = sum / each;
      EXPECT_GE(*std::ranges::min_element(counts), average[priority] / 2);
    }
    EXPECT_GE(average[Priority::low], 0.05 * average[Priority::normal]);
    EXPECT_LE(average[Priority::low], 0.25 * average[Priority::normal]);
    is_over = true;
    await_downs(1);
  });
}

// A message to each other, and so on; at the end each says what it has been charged.
struct Ball {
  Pid from;
  int left;
};
Pid spawn_player() {
  return spawn([tester = self()] {
    int left = 0;
    do {
      const Ball ball = receive<Ball>();
      left = ball.left;
      if (left > 0) send(ball.from, Ball{self(), left - 1});
    } while (left > 1);
    send(tester, process_info(self())->reductions);
  });
}

// D11
TEST_P(OneQueue, two_that_wake_each_other_leave_the_others_their_share) {
  run([] {
    set_priority(Priority::max);
    std::atomic<bool> is_over = false;
    std::atomic<std::uint64_t> turns = 0;
    spawn_monitor([&] {
      for (; !is_over; ++turns) reductions(slice);
    });
    const Pid one = spawn_player();
    const Pid other = spawn_player();
    send(one, Ball{other, 50'000});
    const std::uint64_t of_both = (receive<std::uint64_t>() + receive<std::uint64_t>()) / slice;
    EXPECT_GE(of_both, 10U);
    EXPECT_GE(turns, (of_both + turns) / 3 / 2);
    is_over = true;
    await_downs(1);
  });
}

// D11
TEST_P(Scheduling, of_many_busy_processes_nobody_is_left_behind) {
  run([] {
    constexpr int each = 50;
    for (int i = 0; i < each; ++i) {
      for (const auto priority : {Priority::low, Priority::normal}) {
        spawn_monitor({.priority = priority}, [] {
          for (int turn = 0; turn < 50; ++turn) reductions(slice);
        });
      }
    }
    await_downs(2 * each);
  });
}

// D22
TEST_P(OneQueue, a_scheduler_says_what_waits_for_it_and_what_it_has_done) {
  run([] {
    const auto statistics = [] { return scheduler_statistics().at(0); };
    yield();
    const SchedulerStatistics before = statistics();
    EXPECT_EQ(before.scheduler, 1U);
    EXPECT_EQ(before.queued, 0U);
    constexpr int count = 10;
    for (int i = 0; i < count; ++i) spawn_monitor([] { reductions(slice / 2); });
    EXPECT_EQ(statistics().queued, count);
    await_downs(count);
    yield();
    const SchedulerStatistics after = statistics();
    EXPECT_EQ(after.queued, 0U);
    EXPECT_GE(after.turns - before.turns, count);
    EXPECT_GE(after.reductions - before.reductions, count * slice / 2);
    EXPECT_GE(after.busy, before.busy);
    EXPECT_GE(after.total - before.total, after.busy - before.busy);
  });
}

// D22
TEST_P(SeveralQueues, each_scheduler_is_listed_by_its_number_for_processes_and_guests) {
  with_runtime([](Runtime& runtime) {
    const auto check = [] {
      const auto all = scheduler_statistics();
      EXPECT_EQ(all.size(), GetParam());
      for (unsigned i = 0; i < all.size(); ++i) {
        EXPECT_EQ(all[i].scheduler, i + 1);
        EXPECT_LE(all[i].busy, all[i].total);
      }
    };
    runtime.run(check);
    EXPECT_THROW(check(), BadArgument);
    const Runtime::Guest guest(runtime);
    check();
  });
}

}  // namespace
}  // namespace airssys::rt::scheduling_test
