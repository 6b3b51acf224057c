// process_test.cpp: how a process begins and ends, and what is seen of it meanwhile (P, Z4–Z6).
//
// Races are run for many rounds; each asks only for what must hold whichever side is first.
#include "runtime/process.hpp"

#include <airssys/rt.hpp>
#include <algorithm>
#include <atomic>
#include <chrono>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "tests/support/ends.hpp"
#include "tests/support/in_runtime.hpp"
#include "tests/support/stress.hpp"

namespace airssys::rt::process_test {

using support::reason_of;

namespace {

using namespace std::chrono_literals;
using support::rounds;
using support::stagger;

class Processes : public support::InRuntime {
 protected:
  Processes() {
    options.log = [](std::string_view) {};
  }
};
RT_WITH_SCHEDULERS(Processes);

struct Go {};

// P2, P8
TEST_P(Processes, a_child_that_dies_instantly_shows_its_real_reason) {
  run([] {
    trap_exit(true);
    for ([[maybe_unused]] const std::size_t i : rounds()) {
      const auto [pid, ref] = spawn_monitor({.link = true}, [] { exit(ExitReason::of(3)); });
      const Exit exit = receive<Message>().take<Exit>();  // the exit comes first (P8)
      EXPECT_EQ(exit.from, pid);
      EXPECT_EQ(exit.reason, ExitReason::of(3));
      EXPECT_EQ(receive<Down>().reason, ExitReason::of(3));
    }
  });
}

// P4, Z6
TEST_P(Processes, the_reason_says_how_the_body_ended) {
  run([] {
    EXPECT_EQ(reason_of(spawn_monitor([] {})), ExitReason::normal());
    EXPECT_EQ(reason_of(spawn_monitor([] { exit(ExitReason::kill()); })), ExitReason::kill());
    EXPECT_EQ(reason_of(spawn_monitor([] { throw std::runtime_error("boom"); })).to_string(),
              "error: std::runtime_error: boom");
    EXPECT_EQ(reason_of(spawn_monitor([] { throw 7; })).kind(), ExitReason::Kind::error);
    EXPECT_EQ(reason_of(spawn_monitor([] {
                try {
                  exit(ExitReason::of(1));
                } catch (const ExitException&) {
                }
              })),
              ExitReason::normal());
  });
}

// P3
TEST_P(Processes, a_new_process_inherits_nothing) {
  run([] {
    trap_exit(true);
    set_priority(Priority::high);
    register_name("parent", self());
    const Spawned child = spawn_monitor([the_parent = self()] {
      const ProcessInfo info = *process_info(self());
      EXPECT_EQ(info.parent, the_parent);
      EXPECT_EQ(info.priority, Priority::normal);
      EXPECT_FALSE(info.traps_exits);
      EXPECT_EQ(info.name, "");
      EXPECT_EQ(info.message_queue_len, 0U);
      EXPECT_TRUE(info.links.empty());
    });
    EXPECT_EQ(reason_of(child), ExitReason::normal());
    unregister_name("parent");
  });
}

// P6, Z5
TEST_P(Processes, what_its_stack_owns_is_gone_before_anybody_hears_of_its_end) {
  run([] {
    for (const std::size_t i : rounds()) {
      auto owned = std::make_shared<int>(1);
      const Spawned process = spawn_monitor([copy = owned] {
        const auto on_stack = copy;
        send(self(), copy);
        if (*on_stack == 1) receive<Go>();
      });
      if (i % 2) yield();
      send_exit(process.pid, ExitReason::shutdown());
      EXPECT_EQ(reason_of(process), ExitReason::shutdown());
      EXPECT_EQ(owned.use_count(), 1);
    }
  });
}

// Z3
TEST_P(Processes, sends_of_destructors_come_before_the_down_and_their_waits_do_not_wait) {
  struct Late {
    Pid tester;
    ~Late() {
      EXPECT_FALSE(receive<int>(1h));
      EXPECT_THROW(receive<int>(), Unwinding);
      sleep(1h);
      yield();
      send(tester, 5);
    }
  };
  run([] {
    for ([[maybe_unused]] const std::size_t i : rounds()) {
      const Spawned process = spawn_monitor([tester = self()] {
        const Late late{tester};
        send(tester, Go());
        receive<Go>();
      });
      receive<Go>();
      send_exit(process.pid, ExitReason::kill());
      EXPECT_EQ(receive<Message>().take<int>(), 5);
      EXPECT_EQ(reason_of(process), ExitReason::killed());
    }
  });
}

TEST_P(Processes, a_list_shows_all_that_live_and_none_that_is_known_to_be_dead) {
  run([] {
    const Spawned lives = spawn_monitor([] { receive<Go>(); });
    for ([[maybe_unused]] const std::size_t i : rounds()) {
      const Spawned dies = spawn_monitor([] {});
      reason_of(dies);
      const std::vector<Pid> all = processes();
      EXPECT_TRUE(std::ranges::find(all, lives.pid) != all.end());
      EXPECT_TRUE(std::ranges::find(all, dies.pid) == all.end());
      EXPECT_FALSE(process_info(dies.pid));
    }
    send(lives.pid, Go());
    reason_of(lives);
  });
}

TEST_P(Processes, a_pid_of_the_dead_never_names_another) {
  run([] {
    const Spawned dead = spawn_monitor([] {});
    reason_of(dead);
    for ([[maybe_unused]] const std::size_t i : rounds()) {
      const Spawned next = spawn_monitor([] { EXPECT_FALSE(receive<int>(0ms)); });
      EXPECT_NE(next.pid, dead.pid);
      send(dead.pid, 1);
      reason_of(next);
    }
    EXPECT_FALSE(is_alive(dead.pid));
  });
}

// --- Names.
// ----------------------------------------------------------------------------------------

TEST_P(Processes, a_name_is_free_when_its_holders_end_is_heard) {
  run([] {
    for (const std::size_t i : rounds()) {
      const Spawned holder = spawn_monitor({.name = "only"}, [] { receive<Go>(); });
      EXPECT_EQ(whereis("only"), holder.pid);
      send_exit(holder.pid, ExitReason::kill());
      if (i % 2) {
        EXPECT_FALSE(is_alive(holder.pid));
        EXPECT_FALSE(whereis("only"));
      }
      reason_of(holder);
      EXPECT_FALSE(whereis("only"));
    }
  });
}

// Many want one name; who has it dies at once. Nobody ever finds it stuck with the dead.
// N9
TEST_P(Processes, a_name_that_many_want_is_never_stale_or_stolen) {
  run([] {
    std::atomic<int> holders = 0;
    std::atomic<int> held = 0;
    std::vector<Spawned> rivals;
    for (std::size_t r = 0; r < 8; ++r) {
      rivals.push_back(spawn_monitor([&, r] {
        for (const std::size_t i : rounds()) {
          spawn_monitor([&] {
            if (!try_register_name("wanted", self())) return;
            EXPECT_EQ(++holders, 1);
            EXPECT_EQ(whereis("wanted"), self());
            --holders;
            ++held;
            exit(ExitReason::of(1));
          });
          receive<Down>();
          stagger(i * 8 + r);
        }
      }));
    }
    for (const Spawned& rival : rivals) EXPECT_EQ(reason_of(rival), ExitReason::normal());
    EXPECT_FALSE(whereis("wanted"));
    EXPECT_GT(held, 0);
  });
}

TEST_P(Processes, names_are_refused_for_a_reason_that_is_told) {
  run([] {
    const auto kind_of = [](auto&& refused) { return refused.error().kind(); };
    register_name("mine", self());
    EXPECT_EQ(kind_of(try_register_name("other", self())), NameError::already_named);
    const Spawned process = spawn_monitor([] { receive<Go>(); });
    EXPECT_EQ(kind_of(try_register_name("mine", process.pid)), NameError::taken);
    EXPECT_EQ(kind_of(try_register_name("", process.pid)), NameError::bad_name);
    send(process.pid, Go());
    reason_of(process);
    EXPECT_EQ(kind_of(try_register_name("late", process.pid)), NameError::no_process);
    EXPECT_EQ(kind_of(try_unregister_name("nobody")), NameError::not_registered);
    EXPECT_THROW(send("nobody", 1), NameError);
    EXPECT_EQ(try_send("nobody", 1), SendResult::no_process);
    EXPECT_EQ(try_send("mine", 2), SendResult::sent);
    EXPECT_EQ(receive<int>(), 2);
    unregister_name("mine");
  });
}

}  // namespace
}  // namespace airssys::rt::process_test
