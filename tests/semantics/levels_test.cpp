// levels_test.cpp: what lower levels get beside higher ones, however many they are and wherever
// they come from (D6 to D8, D11). The rest of D: scheduling_test.cpp.
#include <airssys/rt.hpp>
#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <mutex>
#include <thread>
#include <vector>

#include "tests/support/ends.hpp"
#include "tests/support/in_runtime.hpp"

namespace airssys::rt::levels_test {
namespace {

using support::await_downs;
using namespace std::chrono_literals;

constexpr int slice = 4000;

class OneLevelQueue : public support::FixedSchedulers {};
INSTANTIATE_TEST_SUITE_P(With, OneLevelQueue, testing::Values(1U), support::schedulers_name);

class SeveralLevelQueues : public OneLevelQueue {};
INSTANTIATE_TEST_SUITE_P(With,
                         SeveralLevelQueues,
                         testing::Values(2U, 4U),
                         support::schedulers_name);

class Levels : public support::InRuntime {};
RT_WITH_SCHEDULERS(Levels);

// Who has run, in order. Under a mutex: who is handed over runs beside the others.
class Order {
 public:
  void add(Priority priority) {
    const std::lock_guard lock(mutex_);
    order_.push_back(priority);
  }
  std::vector<Priority> get() {
    const std::lock_guard lock(mutex_);
    return order_;
  }

 private:
  std::mutex mutex_;
  std::vector<Priority> order_;
};

std::uint64_t hand_overs() {
  return scheduler_statistics().at(0).hand_overs;
}

// Another thread makes them while the only scheduler is held. On a machine so slow that it is
// handed over meanwhile: once more.
// D6, D8, P11
TEST_P(OneLevelQueue, what_comes_from_outside_has_its_level_at_once) {
  with_runtime([](Runtime& runtime) {
    runtime.run([&runtime] {
      for (bool was_held = false; !was_held;) {
        const std::uint64_t hand_overs_before = hand_overs();
        set_priority(Priority::high);
        Order order;
        const auto spawn_outside = [&](Priority priority) {
          std::jthread([&] {
            runtime.spawn({.priority = priority}, [&order, priority] { order.add(priority); });
          });
        };
        for (int i = 0; i < 3; ++i) spawn([&order] { order.add(Priority::normal); });
        spawn_outside(Priority::normal);
        for (int i = 0; i < 200; ++i) yield();
        const bool is_nobody_first = order.get().empty();
        spawn_outside(Priority::high);
        spawn_outside(Priority::max);
        for (int i = 0; i < 2; ++i) yield();  // of its own level it is the first
        const std::vector<Priority> first = order.get();
        was_held = hand_overs() == hand_overs_before;
        if (was_held) {
          EXPECT_TRUE(is_nobody_first);
          EXPECT_EQ(first, (std::vector{Priority::max, Priority::high}));
        }
        set_priority(Priority::normal);
        while (order.get().size() < 6) yield();
      }
    });
  });
}

// More than a ring holds, and they have no turn where they lie.
// D8, D13, D14
TEST_P(SeveralLevelQueues, all_of_very_many_are_taken_over_from_behind_a_higher_one) {
  run([] {
    constexpr int many = 1000;
    std::atomic<int> turns = 0;
    for (int i = 0; i < many; ++i) spawn([&turns] { ++turns; });
    set_priority(Priority::high);
    while (turns < many) yield();
  });
}

// More than a ring holds.
// D6, D8
TEST_P(OneLevelQueue, of_very_many_lower_ones_none_runs_beside_a_higher_one) {
  run([] {
    set_priority(Priority::high);
    int turns = 0;
    constexpr int many = 600;
    for (int i = 0; i < many; ++i) spawn_monitor([&turns] { ++turns; });
    for (int i = 0; i < 1000; ++i) yield();
    EXPECT_EQ(turns, 0);
    set_priority(Priority::normal);
    await_downs(many);
    EXPECT_EQ(turns, many);
  });
}

// One that yields over and over at high level keeps its scheduler; what lay with it when all others
// were busy, too, has its turns elsewhere.
// D8, D14
TEST_P(SeveralLevelQueues,
       beside_a_high_process_all_normal_ones_go_on_though_all_schedulers_are_busy) {
  run([schedulers = GetParam()] {
    set_priority(Priority::max);
    std::atomic<bool> is_over = false;
    std::array<std::atomic<int>, 24> turns{};
    for (std::atomic<int>& of_one : turns) {
      spawn_monitor([&is_over, &of_one] {
        for (; !is_over; ++of_one) reductions(slice);
      });
    }
    const auto all_have_had = [&turns](int least) {
      return std::ranges::all_of(turns, [least](const auto& of_one) { return of_one >= least; });
    };
    while (!all_have_had(10)) sleep(1ms);
    for (unsigned i = 0; i + 1 < schedulers; ++i) {
      spawn_monitor({.priority = Priority::high}, [&is_over] {
        while (!is_over) yield();
      });
    }
    sleep(20ms);
    for (std::atomic<int>& of_one : turns) of_one = 0;
    while (!all_have_had(100)) sleep(1ms);
    is_over = true;
    await_downs(static_cast<int>(turns.size() + schedulers) - 1);
  });
}

// More than a ring of one scheduler holds; who comes when, and from where, makes no difference.
// D7, D11
TEST_P(Levels, of_a_thousand_busy_processes_each_gets_its_levels_share) {
  // With several, a thread may get less of a processor than others for long, and those with it.
  run([part = GetParam() == 1 ? 2 : 8] {
    set_priority(Priority::max);
    constexpr std::size_t each = 500;
    std::atomic<bool> is_over = false;
    std::vector<std::atomic<int>> low(each);
    std::vector<std::atomic<int>> normal(each);
    const auto spawn_all = [&is_over](Priority priority, std::vector<std::atomic<int>>& turns) {
      for (std::atomic<int>& of_one : turns) {
        spawn_monitor({.priority = priority}, [&is_over, &of_one] {
          for (; !is_over; ++of_one) reductions(slice);
        });
      }
    };
    const auto sum = [](const std::vector<std::atomic<int>>& turns) {
      int sum_of_all = 0;
      for (const std::atomic<int>& of_one : turns) sum_of_all += of_one;
      return sum_of_all;
    };
    const auto least = [](const std::vector<std::atomic<int>>& turns) {
      return std::ranges::min_element(turns)->load();
    };
    spawn_all(Priority::low, low);
    spawn_all(Priority::normal, normal);
    double of_low = 0;
    double of_normal = 0;
    const auto have_their_share = [&] {
      of_low = sum(low) / static_cast<double>(each);
      of_normal = sum(normal) / static_cast<double>(each);
      return least(low) >= of_low / part && least(normal) >= of_normal / part &&
             of_low >= 0.05 * of_normal && of_low <= 0.25 * of_normal;
    };
    constexpr int turns_in_all = 20'000'000;
    while (sum(normal) < static_cast<int>(each) * 100) sleep(1ms);
    bool is_fair = have_their_share();
    for (; !is_fair && sum(normal) < turns_in_all; is_fair = have_their_share()) sleep(1ms);
    EXPECT_TRUE(is_fair) << of_low << " to " << of_normal << ", at least " << least(low) << " and "
                         << least(normal);
    is_over = true;
    await_downs(2 * static_cast<int>(each));
  });
}

}  // namespace
}  // namespace airssys::rt::levels_test
