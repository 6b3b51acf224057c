// pinning_test.cpp: processes that run on one scheduler alone (D16).
//
// Method: a pinned process asks where it is after whatever may move one: waits for every kind of
// wake, slices that end, thefts of idle schedulers, and the loss of its scheduler as a hog.
#include <gtest/gtest.h>
#include <airssys/rt.hpp>
#include <atomic>
#include <chrono>
#include <ctime>
#include <thread>
#include <vector>

#include "tests/support/ends.hpp"
#include "tests/support/in_runtime.hpp"
#include "tests/support/stress.hpp"

namespace airssys::rt::semantics::pinning_test {
namespace {

using support::await_downs;
using namespace std::chrono_literals;
using support::stress_size;

class Pinning : public support::FixedSchedulers {};
RT_WITH_SCHEDULERS(Pinning);

class PinningAmongSeveral : public Pinning {};
INSTANTIATE_TEST_SUITE_P(With,
                         PinningAmongSeveral,
                         testing::Values(2U, 4U),
                         support::schedulers_name);

struct Ping {
  Pid from;
};
struct Pong {};

// Uses the CPU without a call.
void compute(std::chrono::nanoseconds for_so_long) {
  const auto now = [] {
    timespec time{};
    ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec);
  };
  const auto until = now() + for_so_long;
  while (now() < until) {
  }
}

// Each may bring its caller to another scheduler.
const std::vector<void (*)(Pid echo)> steps = {
    [](Pid) { yield(); },
    [](Pid) { reductions(4000); },
    [](Pid) { sleep(1us); },
    [](Pid echo) { send(echo, Ping{self()}), receive<Pong>(); },
    [](Pid) { EXPECT_FALSE(receive<Pong>(1us)); },
    [](Pid) { blocking([] {}); },
    [](Pid) { spawn_monitor([] {}), await_downs(1); },
};

// D16
TEST_P(Pinning, a_pinned_process_runs_on_its_scheduler_alone) {
  run([] {
    const Pid echo = spawn([] {
      while (receive([](Ping ping) { return send(ping.from, Pong()), true; },
                     [](int) { return false; })) {
      }
    });
    const std::vector<Priority> priorities = {Priority::low, Priority::normal, Priority::high};
    std::size_t count = 0;
    for (unsigned on = 1; on <= schedulers(); ++on) {
      for (const auto step : steps) {
        const SpawnOptions where = {.priority = priorities[count % 3], .scheduler = on};
        spawn_monitor(where, [=] {
          for (std::size_t i = 0; i < stress_size(100); ++i) {
            EXPECT_EQ(current_scheduler(), on);
            step(echo);
          }
        });
        ++count;
      }
    }
    await_downs(count);
    send(echo, 0);
  });
}

// D16
TEST_P(Pinning, two_of_one_scheduler_never_run_at_a_time) {
  run([] {
    std::vector<std::atomic<bool>> is_taken(schedulers());
    const std::size_t count = 4 * schedulers();
    for (unsigned i = 0; i < count; ++i) {
      const unsigned on = i % schedulers();
      spawn_monitor({.scheduler = on + 1}, [&taken = is_taken[on]] {
        for (std::size_t n = 0; n < stress_size(2000); ++n) {
          // relaxed: the exchange alone tells whether two run at a time.
          EXPECT_FALSE(taken.exchange(true, std::memory_order_relaxed));
          taken = false;
          yield();
        }
      });
    }
    await_downs(count);
  });
}

// The others sleep between two questions, and so does who is asked.
// D16, D13
TEST_P(Pinning, a_sleeping_scheduler_wakes_for_its_own) {
  run([] {
    for (unsigned on = 1; on <= schedulers(); ++on) {
      const Spawned pinned = spawn_monitor({.scheduler = on}, [on] {
        while (receive([](Ping ping) { return send(ping.from, Pong()), true; },
                       [](int) { return false; }))
          EXPECT_EQ(current_scheduler(), on);
      });
      for (std::size_t i = 0; i < stress_size(100); ++i) {
        if (i % 4 == 0) sleep(200us);
        send(pinned.pid, Ping{self()});
        receive<Pong>();
      }
      send(pinned.pid, 0);
      await_downs(1);
    }
  });
}

// D16
TEST_P(Pinning, set_scheduler_returns_where_it_says) {
  run([] {
    EXPECT_EQ(set_scheduler(0), 0U);
    unsigned before = 0;
    for (unsigned i = 0; i < stress_size(500); ++i) {
      const unsigned on = 1 + i * 7 % schedulers();
      EXPECT_EQ(set_scheduler(on), before);
      EXPECT_EQ(current_scheduler(), on);
      before = on;
      if (i % 3 == 0) yield();
    }
    EXPECT_EQ(set_scheduler(0), before);
  });
}

// Those that stay pinned are a queue that idle schedulers come for.
// D16, D14
TEST_P(PinningAmongSeveral, who_is_freed_runs_elsewhere_and_those_beside_it_stay) {
  run([] {
    std::atomic<bool> is_over = false;
    constexpr std::size_t beside = 6;
    for (std::size_t i = 0; i < beside; ++i) {
      spawn_monitor({.scheduler = 1}, [&] {
        while (!is_over) {
          compute(100us);
          yield();
          EXPECT_EQ(current_scheduler(), 1U);
        }
      });
    }
    spawn_monitor({.scheduler = 1}, [&] {
      set_scheduler(0);
      while (current_scheduler() == 1) {
        compute(100us);
        yield();
      }
      is_over = true;
    });
    await_downs(beside + 1);
  });
}

// While it computes without a call it keeps nobody from its scheduler; then it comes back there.
// D16
TEST_P(Pinning, a_hog_comes_back_to_its_scheduler) {
  run([] {
    for (unsigned on = 1; on <= schedulers(); ++on) {
      std::atomic<bool> is_over = false;
      spawn_monitor({.scheduler = on}, [&, on] {
        while (!is_over) {
        }
        EXPECT_EQ(current_scheduler(), on);
      });
      spawn_monitor({.scheduler = on}, [&, on] {
        EXPECT_EQ(current_scheduler(), on);
        is_over = true;
      });
      await_downs(2);
    }
  });
}

struct Where : Server<Where> {
  struct Ask {
    using Reply = unsigned;
  };
  static unsigned handle(Ask) { return current_scheduler(); }
};

// D16
TEST_P(Pinning, a_server_is_pinned_by_its_start_options) {
  run([] {
    for (unsigned on = 1; on <= schedulers(); ++on) {
      const ServerRef<Where> server = start<Where>({.scheduler = on});
      for (std::size_t i = 0; i < stress_size(100); ++i) EXPECT_EQ(call(server, Where::Ask{}), on);
      stop(server);
    }
  });
}

// D16
TEST_P(Pinning, one_that_a_plain_thread_spawns_is_pinned_from_its_first_turn_on) {
  with_runtime([](Runtime& runtime) {
    std::atomic<unsigned> ended = 0;
    constexpr unsigned count = 100;
    for (unsigned i = 0; i < count; ++i) {
      const unsigned on = 1 + i % GetParam();
      runtime.spawn({.scheduler = on}, [&ended, on] {
        EXPECT_EQ(current_scheduler(), on);
        ++ended;
      });
    }
    while (ended != count) std::this_thread::yield();
  });
}

// D16
TEST_P(Pinning, a_scheduler_that_is_not_there_is_refused) {
  run([] {
    EXPECT_EQ(schedulers(), GetParam());
    EXPECT_THROW(spawn({.scheduler = schedulers() + 1}, [] {}), BadArgument);
    EXPECT_THROW(set_scheduler(schedulers() + 1), BadArgument);
    EXPECT_EQ(set_scheduler(0), 0U);
  });
  EXPECT_THROW(set_scheduler(0), BadArgument) << "on a plain thread";
}

}  // namespace
}  // namespace airssys::rt::semantics::pinning_test
