// names_test.cpp: what a name promises about its holder, also while holders come and go (N).
//
// Method: races for many rounds, each with a question at its end to which only one answer is right.
#include <airssys/rt.hpp>
#include <atomic>
#include <chrono>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "tests/support/ends.hpp"
#include "tests/support/in_runtime.hpp"
#include "tests/support/stress.hpp"

namespace airssys::rt::names_test {

using support::reason_in_down;

namespace {

using namespace std::chrono_literals;
using support::rounds;
using support::stagger;

class NameRules : public support::InRuntime {
 protected:
  NameRules() {
    options.log = [](std::string_view) {};
  }
};
RT_WITH_SCHEDULERS(NameRules);

struct Go {};

Spawned spawn_waiting() {
  return spawn_monitor([] { receive<Go>(); });
}

void end(const Spawned& process) {
  send(process.pid, Go());
  reason_in_down(process.ref);
}

template <class Verb>
std::optional<NameError::Kind> refused(Verb verb) {
  try {
    verb();
  } catch (const NameError& error) {
    return error.kind();
  }
  return {};
}

// N1
TEST_P(NameRules, a_name_is_refused_with_the_reason_and_nothing_changes) {
  run([] {
    const Spawned holder = spawn_waiting();
    const Spawned other = spawn_waiting();
    const Spawned dead = spawn_waiting();
    end(dead);
    register_name("held", holder.pid);
    EXPECT_EQ(refused([&] { register_name("held", other.pid); }), NameError::taken);
    EXPECT_EQ(refused([&] { register_name("held", holder.pid); }), NameError::taken);
    EXPECT_EQ(refused([&] { register_name("second", holder.pid); }), NameError::already_named);
    EXPECT_EQ(refused([&] { register_name("late", dead.pid); }), NameError::no_process);
    EXPECT_EQ(refused([&] { register_name("late", Pid()); }), NameError::no_process);
    EXPECT_EQ(refused([&] { register_name("", other.pid); }), NameError::bad_name);
    EXPECT_EQ(try_register_name("held", other.pid).error().holder(), holder.pid);
    EXPECT_EQ(whereis("held"), holder.pid);
    EXPECT_FALSE(whereis("second"));
    EXPECT_FALSE(whereis("late"));
    EXPECT_EQ(process_info(other.pid)->name, "");
    register_name("other", other.pid);
    end(holder);
    end(other);
  });
}

// N2
TEST_P(NameRules, any_process_may_give_and_take_anybodys_name) {
  run([] {
    const Spawned holder = spawn_waiting();
    reason_in_down(spawn_monitor([&] { register_name("given", holder.pid); }).ref);
    EXPECT_EQ(whereis("given"), holder.pid);
    EXPECT_EQ(process_info(holder.pid)->name, "given");
    reason_in_down(spawn_monitor([] { unregister_name("given"); }).ref);
    EXPECT_FALSE(whereis("given"));
    EXPECT_EQ(process_info(holder.pid)->name, "");
    register_name("again", holder.pid);
    end(holder);
  });
}

// N3
TEST_P(NameRules, a_name_that_nobody_has_cannot_be_taken_back) {
  run([] {
    EXPECT_EQ(refused([] { unregister_name("nobody"); }), NameError::not_registered);
    register_name("mine", self());
    EXPECT_TRUE(try_unregister_name("mine"));
    EXPECT_EQ(refused([] { unregister_name("mine"); }), NameError::not_registered);
  });
}

// Holders are killed while others look; who knows of the end does not find the dead any more.
// N4
TEST_P(NameRules, nobody_finds_a_process_of_whose_end_he_has_heard) {
  run([] {
    trap_exit(true);
    for (const std::size_t i : rounds()) {
      const Spawned holder = spawn_monitor({.name = "holder", .link = true}, [] { receive<Go>(); });
      send_exit(holder.pid, ExitReason::kill());
      stagger(i);
      if (const auto found = whereis("holder")) {
        EXPECT_EQ(found, holder.pid);
      }
      if (i % 3 == 0) {
        EXPECT_FALSE(is_alive(holder.pid));
      } else if (i % 3 == 1) {
        receive<Exit>();
      } else {
        reason_in_down(holder.ref);
      }
      ASSERT_FALSE(whereis("holder"));
      if (i % 3 != 1) receive<Exit>();
      if (i % 3 != 2) reason_in_down(holder.ref);
    }
  });
}

// All want the name at the same moment; one gets it, and from then on everybody sees that one.
// N5
TEST_P(NameRules, of_all_who_want_a_name_one_gets_it_and_all_see_that_one) {
  run([] {
    constexpr std::size_t rivals = 6;
    for (const std::size_t round : rounds()) {
      std::atomic<std::size_t> ready = 0;
      std::atomic<int> winners = 0;
      std::vector<Spawned> all;
      for (std::size_t i = 0; i < rivals; ++i) {
        all.push_back(spawn_monitor([&, i] {
          for (++ready; ready < rivals;) yield();
          stagger(round * rivals + i);
          const auto given = try_register_name("wanted", self());
          const auto seen = whereis("wanted");
          if (given) {
            ++winners;
            EXPECT_EQ(seen, self());
          } else {
            EXPECT_EQ(given.error().kind(), NameError::taken);
            EXPECT_EQ(seen, given.error().holder());
          }
          receive<Go>();
        }));
      }
      for (const Spawned& rival : all)
        while (process_info(rival.pid)->wait_reason != "receive") yield();
      EXPECT_EQ(winners, 1);
      for (const Spawned& rival : all) end(rival);
      EXPECT_FALSE(whereis("wanted"));
    }
  });
}

// N6
TEST_P(NameRules, a_send_to_a_name_finds_its_holder_in_order_or_throws) {
  run([] {
    EXPECT_EQ(refused([] { send("nobody", 1); }), NameError::not_registered);
    EXPECT_EQ(refused([] { send("", 1); }), NameError::not_registered);
    register_name("target", self());
    const Spawned sender = spawn_monitor([pid = self()] {
      for (int i = 0; i < 1000; ++i) {
        if (i % 2) {
          send(pid, i);
        } else {
          send("target", i);
        }
        if (i % 100 == 0) yield();
      }
    });
    for (int i = 0; i < 1000; ++i) ASSERT_EQ(receive<int>(), i);
    reason_in_down(sender.ref);
    unregister_name("target");
  });
}

// N7, N8, P6
TEST_P(NameRules, a_successor_never_collides_with_its_dying_predecessor) {
  run([] {
    trap_exit(true);
    Pid before;
    for (const std::size_t i : rounds()) {
      // However it ends: by itself, killed, or of an error in the middle.
      const Pid holder = spawn_link({.name = "service"}, [i] {
        if (i % 3 == 0) return;
        if (i % 3 == 1) exit(ExitReason::of(1));
        receive<Go>();
      });
      EXPECT_NE(holder, before);
      stagger(i);
      if (i % 3 == 2) send_exit(holder, ExitReason::kill());
      EXPECT_EQ(receive<Exit>().from, holder);
      before = holder;
    }
    EXPECT_FALSE(whereis("service"));
  });
}

// Givers race with the end of who is given the name.
// N7, N9
TEST_P(NameRules, no_name_stays_with_the_dead_who_was_given_it_while_dying) {
  run([] {
    for (const std::size_t i : rounds()) {
      const Spawned dying = spawn_monitor([i] {
        for (std::size_t n = i % 4; n > 0; --n) yield();
        stagger(i);
      });
      const Spawned giver = spawn_monitor([&] {
        const auto given = try_register_name("doomed", dying.pid);
        EXPECT_TRUE(given || given.error().kind() == NameError::no_process);
      });
      reason_in_down(dying.ref);
      reason_in_down(giver.ref);
      ASSERT_FALSE(whereis("doomed"));
    }
  });
}

struct Named : Server<Named> {
  explicit Named(std::atomic<int>& made) { ++made; }
};

// N11
TEST_P(NameRules, a_server_is_not_started_under_a_taken_name) {
  run([] {
    std::atomic<int> made = 0;
    const auto first = start_link<Named>({.name = "server"}, std::ref(made));
    const auto second = try_start_link<Named>({.name = "server"}, std::ref(made));
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error().kind(), StartError::already_started);
    EXPECT_EQ(second.error().pid(), first.pid());
    EXPECT_EQ(made, 1);
    EXPECT_EQ(whereis("server"), first.pid());
    EXPECT_TRUE(is_alive(first.pid()));
    stop(first);
  });
}

}  // namespace
}  // namespace airssys::rt::names_test
