// safepoints_test.cpp: code that is compiled with polls gives way in the middle of itself.
//
// Aim: a loop without a call shares its scheduler, does not where it must not (locks, statics that
// are made, signal handlers, sections that say so), and finds its own thread-locals afterwards.
// Method: this file is compiled with polls. Progress of others is counted. But for the first test
// the processes ask themselves to give way (asking.hpp), so that each loop is preempted for sure.
// The monitor asks as well, whenever the machine is busy: who may give way does it at least once.
#include <gtest/gtest.h>
#include <airssys/rt.hpp>
#include <array>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <exception>
#include <mutex>
#include <shared_mutex>
#include <stdexcept>
#include <thread>
#include <utility>

#include "scheduler/thread.hpp"
#include "tests/preemption/asking.hpp"
#include "tests/support/ends.hpp"
#include "tests/support/in_runtime.hpp"

namespace airssys::rt::preemption {
namespace {

using support::await_downs;

class Safepoints : public support::InRuntime {};
RT_WITH_SCHEDULERS(Safepoints);

class OnOneScheduler : public support::InRuntime {};
INSTANTIATE_TEST_SUITE_P(With, OnOneScheduler, testing::Values(1U), support::schedulers_name);

std::uint64_t preempted(Runtime& runtime) {
  std::uint64_t sum = 0;
  for (unsigned id = 0; id < runtime.impl().system().count(); ++id)
    sum += runtime.impl().system().scheduler(id).counters.preempted.read();
  return sum;
}

// Processes beside each other, who are 1 to count.
template <class Body>
void as_processes(int count, Body body) {
  for (int who = 1; who <= count; ++who) spawn_monitor([body, who] { body(who); });
  await_downs(count);
}

// Passes some polls and calls nothing.
void pass_polls() {
  int left = 4;
  asm volatile("" : "+r"(left));  // so that it stays a loop
  for (; left > 0; --left) asm volatile("");
}

// Asks and polls: gives way here, or not.
void be_asked() {
  ask();
  pass_polls();
}

// One that counts its turns beside the test's process, until it is told to end.
class Other {
 public:
  Other() {
    spawn_monitor([this] {
      const NoPreemption here;  // so that each turn is counted
      while (!is_over_) {
        ++turns_;
        yield();
      }
    });
    yield();
  }
  Other(const Other&) = delete;
  Other& operator=(const Other&) = delete;
  ~Other() { EXPECT_TRUE(is_over_); }

  int turns() const { return turns_; }
  void end() {
    is_over_ = true;
    await_downs(1);
  }

 private:
  std::atomic<int> turns_ = 0;
  std::atomic<bool> is_over_ = false;
};

// Something that asks and polls where the process may give way.
template <class Asked>
void expect_given_way(const Other& other, Asked asked) {
  yield();  // begins a turn, so that the monitor has no reason to take the scheduler away
  const int before = other.turns();
  asked();
  EXPECT_GT(other.turns(), before);
}

void expect_kept(const Other& other) {
  const int before = other.turns();
  be_asked();
  EXPECT_EQ(other.turns(), before);
}

// What is asked of a section that must not be preempted: it is not, and right behind it it is.
template <class Section>
void expect_whole(const Other& other, Section section) {
  expect_given_way(other, [&] { section([&] { expect_kept(other); }); });
}

// The monitor asks here. The voluntary yield, once in long, brings one back that has lost its
// scheduler on a machine so busy that the monitor came too late.
TEST_P(Safepoints, endless_loops_share_their_schedulers) {
  std::atomic<bool> is_over = false;
  std::array<std::atomic<std::uint64_t>, 8> rounds{};
  with_runtime([&](Runtime& runtime) {
    for (auto& own : rounds) {
      runtime.spawn([&own, &is_over] {
        for (std::uint64_t i = 1; !is_over.load(std::memory_order_relaxed); ++i) {
          own.store(i, std::memory_order_relaxed);
          if (i % (1 << 24) == 0) yield();
        }
      });
    }
    while (preempted(runtime) < 50) std::this_thread::yield();
    const auto all_have_run = [&] {
      for (const auto& own : rounds) {
        if (own == 0) return false;
      }
      return true;
    };
    while (!all_have_run()) std::this_thread::yield();
    is_over = true;
  });
}

TEST_P(OnOneScheduler, a_loop_that_is_asked_gives_way_at_its_next_round) {
  run([] {
    Other other;
    for (int i = 0; i < 1000; ++i) expect_given_way(other, be_asked);
    other.end();
  });
}

int depth_reached = 0;
[[gnu::noinline]] void recurse(int depth) {  // NOLINT: it is what is tested
  depth_reached = depth;
  if (depth != 0) recurse(depth - 1);
  asm volatile("" ::: "memory");  // so that the call is none in the tail
}

TEST_P(OnOneScheduler, a_recursion_gives_way) {
  run([] {
    Other other;
    expect_given_way(other, [] {
      ask();
      recurse(3);
    });
    other.end();
  });
}

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wpedantic"
[[gnu::noinline]] void jump_back(const int* codes) {
  static void* const labels[] = {&&again, &&done};
again:
  asm volatile("");  // so that it stays a loop
  goto* labels[*codes++];
done:
  return;
}
#pragma GCC diagnostic pop

TEST_P(OnOneScheduler, a_loop_of_computed_jumps_gives_way) {
  run([] {
    Other other;
    expect_given_way(other, [] {
      ask();
      jump_back(std::array{0, 0, 0, 1}.data());
    });
    other.end();
  });
}

void give_way_without_exceptions() noexcept {
  be_asked();
}

struct Destroyed {
  ~Destroyed() { be_asked(); }
};

TEST_P(OnOneScheduler, noexcept_functions_and_destructors_give_way) {
  run([] {
    Other other;
    expect_given_way(other, give_way_without_exceptions);
    expect_given_way(other, [] { const Destroyed destroyed; });
    expect_given_way(other, [] {
      try {
        const Destroyed destroyed;
        throw std::runtime_error("on its way past a destructor that gives way");
      } catch (const std::runtime_error&) {
      }
    });
    other.end();
  });
}

TEST_P(OnOneScheduler, who_holds_a_lock_is_not_preempted_until_it_gives_back_the_last) {
  run([] {
    Other other;
    std::mutex mutex, another;
    std::shared_mutex shared;
    std::timed_mutex timed;
    expect_whole(other, [&](auto work) {
      const std::lock_guard lock(mutex);
      work();
    });
    expect_whole(other, [&](auto work) {
      const std::lock_guard lock(mutex);
      {
        const std::lock_guard inner(another);
      }
      work();
    });
    expect_whole(other, [&](auto work) {
      const std::lock_guard lock(shared);
      work();
    });
    expect_whole(other, [&](auto work) {
      const std::shared_lock lock(shared);
      work();
    });
    expect_whole(other, [&](auto work) {
      const std::unique_lock lock(timed, std::chrono::seconds(1));
      work();
    });
    expect_whole(other, [&](auto work) {
      const std::unique_lock lock(mutex, std::try_to_lock);
      EXPECT_TRUE(lock);
      const std::unique_lock in_vain(another, std::try_to_lock);
      work();
    });
    other.end();
  });
}

TEST_P(OnOneScheduler, who_has_tried_a_lock_in_vain_is_preempted) {
  std::mutex mutex;
  const std::lock_guard lock(mutex);  // of this plain thread
  run([&] {
    Other other;
    const std::unique_lock in_vain(mutex, std::try_to_lock);
    EXPECT_FALSE(in_vain);
    expect_given_way(other, be_asked);
    other.end();
  });
}

// The processes fill their sections with polls, and the monitor asks, too.
TEST_P(Safepoints, two_are_never_in_one_critical_section) {
  run([] {
    std::mutex mutex;
    int inside = 0;
    as_processes(8, [&](int) {
      for (int i = 0; i < 500; ++i) {
        const std::lock_guard lock(mutex);
        EXPECT_EQ(++inside, 1);
        be_asked();
        --inside;
      }
    });
  });
}

int slow_to_make(const Other& other) {
  expect_kept(other);
  return 1;
}

TEST_P(OnOneScheduler, the_initialization_of_a_static_is_not_preempted) {
  static bool has_run = false;
  if (std::exchange(has_run, true)) return;  // once in a program
  run([] {
    Other other;
    expect_whole(other, [&](auto work) {
      static const int made = (work(), slow_to_make(other));
      EXPECT_EQ(made, 1);
    });
    expect_whole(other, [&](auto work) {
      try {
        static const int never_made = (work(), throw std::runtime_error("not made"), 1);
        static_cast<void>(never_made);
      } catch (const std::runtime_error&) {  // the guard is given back
      }
    });
    std::once_flag once;
    expect_whole(other, [&](auto work) { std::call_once(once, work); });
    other.end();
  });
}

TEST_P(OnOneScheduler, a_section_that_says_so_is_not_preempted) {
  run([] {
    Other other;
    expect_whole(other, [](auto work) {
      const NoPreemption outer;
      {
        const NoPreemption inner;
      }
      work();
    });
    other.end();
  });
}

// A predicate runs inside the runtime.
TEST_P(OnOneScheduler, what_runs_inside_the_runtime_is_not_preempted) {
  run([] {
    Other other;
    send(self(), 1);
    const auto asked_in_the_middle = [&](int) {
      expect_kept(other);
      return true;
    };
    receive(when(asked_in_the_middle, [](int) {}));
    other.end();
  });
}

Other* beside_handler = nullptr;
void handler(int) {
  expect_kept(*beside_handler);
}

TEST_P(OnOneScheduler, a_signal_handler_on_its_own_stack_is_not_preempted) {
  struct sigaction action{}, old{};
  action.sa_handler = &handler;
  action.sa_flags = SA_ONSTACK;
  ASSERT_EQ(sigaction(SIGUSR2, &action, &old), 0);
  run([] {
    Other other;
    beside_handler = &other;
    yield();
    raise(SIGUSR2);
    expect_given_way(other, be_asked);
    other.end();
  });
  sigaction(SIGUSR2, &old, nullptr);
}

thread_local int own = 0;
[[gnu::noinline]] int* address_of_own() {
  asm volatile("");  // so that two calls are not made one
  return &own;
}

// The address is kept over the polls, as a compiler may.
TEST_P(Safepoints, thread_locals_are_those_of_the_same_thread_after_a_preemption) {
  run([] {
    as_processes(16, [](int who) {
      for (int i = 0; i < 200; ++i) {
        int* const before = address_of_own();
        const std::thread::id thread = std::this_thread::get_id();
        be_asked();
        EXPECT_EQ(address_of_own(), before);
        EXPECT_EQ(std::this_thread::get_id(), thread);
        if (i % 8 == who % 8) yield();  // from here on it may be another one
      }
    });
  });
}

TEST_P(Safepoints, errno_survives) {
  run([] {
    as_processes(8, [](int who) {
      for (int i = 0; i < 200; ++i) {
        errno = who;
        be_asked();
        EXPECT_EQ(errno, who);
      }
    });
  });
}

// Each is in the middle of a handler while others throw and catch on the same thread.
TEST_P(Safepoints, the_exception_in_flight_survives) {
  run([] {
    as_processes(8, [](int who) {
      for (int i = 0; i < 100; ++i) {
        try {
          try {
            throw who * 1000 + i;
          } catch (int) {
            be_asked();
            throw;
          }
        } catch (int caught) {
          be_asked();
          EXPECT_EQ(caught, who * 1000 + i);
        }
        EXPECT_EQ(std::uncaught_exceptions(), 0);
      }
    });
  });
}

// The stacks of such processes are used again, by whom nothing forbids.
TEST_P(OnOneScheduler, a_section_that_is_never_left_forbids_nothing_to_later_processes) {
  run([] {
    Other other;
    as_processes(16, [](int) { detail::forbid_preemption(); });
    for (int i = 0; i < 16; ++i) {
      spawn_monitor([&other] { expect_given_way(other, be_asked); });
      await_downs(1);
    }
    other.end();
  });
}

// A pin of the process's own is as before.
TEST_P(Safepoints, a_pinned_process_stays_pinned_and_a_free_one_free) {
  run([] {
    for (unsigned on = 0; on <= schedulers(); ++on) {
      set_scheduler(on);
      be_asked();
      EXPECT_EQ(set_scheduler(on), on);
    }
    set_scheduler(0);
  });
}

// What the stop has been told is over may be preempted in its last steps.
TEST_P(OnOneScheduler, a_runtime_whose_processes_give_way_at_each_poll_leaves_nobody_behind) {
  for (int round = 0; round < 20; ++round) {
    Runtime runtime(options);
    scheduler::Thread* thread = nullptr;
    runtime.run([&thread] { thread = scheduler::Thread::current(); });
    const std::jthread asker([thread](const std::stop_token& is_over) {
      while (!is_over.stop_requested()) thread->ask_to_give_way();
    });
    runtime.stop(std::chrono::seconds(60));
    ASSERT_EQ(runtime.impl().system().table.alive(), 0U);
  }
}

// Between polls it is a process like any other.
TEST_P(Safepoints, a_kill_waits_for_the_next_call) {
  run([] {
    std::atomic<int> phase = 0;
    const Spawned victim = spawn_monitor([&] {
      phase = 1;
      while (phase == 1) be_asked();
      phase = 3;
      yield();
      phase = 4;
    });
    while (phase != 1) yield();
    send_exit(victim.pid, ExitReason::kill());
    for (int i = 0; i < 100; ++i) yield();
    EXPECT_EQ(phase, 1);
    phase = 2;
    EXPECT_EQ(receive<Down>().reason, ExitReason::killed());
    EXPECT_EQ(phase, 3);
  });
}

void overflow(int depth, int of) {  // NOLINT: it is what is tested
  std::array<char, 256> frame;
  asm volatile("" : : "r"(frame.data()) : "memory");  // so that there is a frame
  be_asked();
  if (depth != of) overflow(depth + 1, of);
  asm volatile("" : : "r"(frame.data()) : "memory");
}

TEST_P(Safepoints, a_stack_overflow_between_polls_ends_the_process_alone) {
  if (fiber::sanitizer::address) return;  // it ends the program
  options.containment = HostHook::on;
  run([] {
    spawn_monitor([] { overflow(0, 1 << 30); });
    EXPECT_EQ(receive<Down>().reason.to_string(), ExitReason::error("stack_overflow").to_string());
  });
}

TEST(OutsideOfProcesses, polls_of_a_plain_thread_do_nothing) {
  be_asked();
  EXPECT_FALSE(is_asked());
  std::mutex mutex;
  const std::lock_guard lock(mutex);
  be_asked();
  EXPECT_FALSE(is_asked());
}

}  // namespace
}  // namespace airssys::rt::preemption
