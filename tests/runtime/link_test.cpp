// link_test.cpp: links, monitors and aliases between processes that run, and their races (L, M, A).
//
// A race is run for many rounds; each ends with a question that the promise in its name answers.
#include <airssys/rt/link.hpp>

#include <airssys/rt.hpp>
#include <atomic>
#include <chrono>
#include <vector>

#include "tests/support/in_runtime.hpp"
#include "tests/support/stress.hpp"

namespace airssys::rt::link_test {
namespace {

using namespace std::chrono_literals;
using support::rounds;

class Links : public support::InRuntime {};
RT_WITH_SCHEDULERS(Links);

struct Ready {};
struct Go {};

Spawned waiting() {
  return spawn_monitor([] { receive<Go>(); });
}

// Ends it and waits for its Down.
void end(const Spawned& process) {
  send(process.pid, Go());
  receive(when([&](Down& down) { return down.ref == process.ref; }, [](Down&) {}));
}

// L1
TEST_P(Links, two_links_are_one_and_there_is_one_exit) {
  run([] {
    trap_exit(true);
    for ([[maybe_unused]] const std::size_t i : rounds()) {
      // Both ends link at once, and twice.
      const auto [process, ref] = spawn_monitor([other = self()] {
        link(other);
        link(other);
        receive<Go>();
      });
      link(process);
      link(process);
      send(process, Go());
      EXPECT_EQ(receive<Exit>().from, process);
      EXPECT_EQ(receive<Down>().ref, ref);
      EXPECT_FALSE(receive<Exit>(0ms));
    }
  });
}

TEST_P(Links, a_link_to_oneself_is_none) {
  run([] {
    link(self());
    EXPECT_TRUE(process_info(self())->links.empty());
    unlink(self());
  });
}

// L4
TEST_P(Links, a_link_to_the_dead_throws_or_is_heard_by_who_traps) {
  run([] {
    const Spawned process = waiting();
    end(process);
    EXPECT_THROW(link(process.pid), ProcessError);
    EXPECT_TRUE(process_info(self())->links.empty());
    trap_exit(true);
    link(process.pid);
    const Exit exit = receive<Exit>();
    EXPECT_EQ(exit.from, process.pid);
    EXPECT_EQ(exit.reason, ExitReason::noproc());
    unlink(process.pid);
  });
}

// L6
TEST_P(Links, after_an_unlink_no_exit_comes_and_nobody_dies) {
  run([] {
    for (const std::size_t i : rounds()) {
      const bool traps = i % 2;
      trap_exit(traps);
      const auto [process, ref] = spawn_monitor({.link = traps}, [] {
        if (!receive<Go>(0ms)) exit(ExitReason::of(1));
      });
      if (!traps) send(process, Go());
      unlink(process);
      receive<Exit>(0ms);
      EXPECT_EQ(receive<Down>().ref, ref);
      EXPECT_FALSE(receive<Exit>(0ms));
    }
    trap_exit(false);
  });
}

// L7
TEST_P(Links, an_unlink_by_either_end_ends_it_for_both) {
  run([] {
    const Spawned process = spawn_monitor({.link = true}, [other = self()] {
      unlink(other);
      send(other, Ready());
      receive<Go>();
    });
    receive<Ready>();
    EXPECT_TRUE(process_info(self())->links.empty());
    EXPECT_TRUE(process_info(process.pid)->links.empty());
    end(process);
  });
}

// The child's exit belongs to the first link; the second one was made when it was dead or dying.
// L8
TEST_P(Links, a_link_made_again_is_not_hit_by_the_exit_of_the_old_one) {
  run([] {
    trap_exit(true);
    for ([[maybe_unused]] const std::size_t i : rounds()) {
      const auto [process, ref] = spawn_monitor({.link = true}, [other = self()] {
        unlink(other);
        exit(ExitReason::of(1));
      });
      EXPECT_EQ(receive<Down>().ref, ref);
      link(process);
      EXPECT_EQ(receive<Exit>().reason, ExitReason::noproc());
      EXPECT_FALSE(receive<Exit>(0ms));
    }
  });
}

// Both link and unlink the other, over and over, while neither waits for the other. In the end both
// agree on whether there is a link.
// L8
TEST_P(Links, both_ends_agree_after_crossing_links_and_unlinks) {
  run([] {
    for ([[maybe_unused]] const std::size_t i : rounds()) {
      const auto [process, ref] = spawn_monitor([other = self()] {
        for (int n = 0; n < 20; ++n) {
          link(other);
          if (n % 3 == 0) yield();
          unlink(other);
        }
        receive<Go>();
      });
      for (int n = 0; n < 20; ++n) {
        link(process);
        unlink(process);
        if (n % 5 == 0) yield();
      }
      // Its answer stands behind all it has sent, and ours behind all that we have sent.
      while (process_info(process)->wait_reason != "receive") yield();
      const bool theirs = !process_info(process)->links.empty();
      EXPECT_EQ(!process_info(self())->links.empty(), theirs);
      unlink(process);
      send(process, Go());
      EXPECT_EQ(receive<Down>().reason, ExitReason::normal());
    }
  });
}

// L4
TEST_P(Links, both_crossing_links_hear_the_real_reason_or_that_nobody_was_there) {
  run([] {
    trap_exit(true);
    for (const std::size_t i : rounds()) {
      const auto [process, ref] = spawn_monitor([other = self()] {
        link(other);
        exit(ExitReason::of(1));
      });
      if (i % 2) link(process);
      const Exit exit = receive<Exit>();
      EXPECT_TRUE(exit.reason == ExitReason::of(1) || exit.reason == ExitReason::noproc());
      EXPECT_EQ(receive<Down>().ref, ref);
      // A noproc of a link that was asked for in vain, before the other end's was seen.
      const auto second = receive<Exit>(0ms);
      EXPECT_TRUE(!second || second->reason != exit.reason);
    }
  });
}

// --- Monitors.
// -------------------------------------------------------------------------------------

// P8, M1, M6
TEST_P(Links, each_monitor_fires_once_in_the_order_of_their_making_behind_the_exit) {
  run([] {
    trap_exit(true);
    const Pid process = spawn_link([] { receive<Go>(); });
    std::vector<MonitorRef> refs;
    for (int i = 0; i < 40; ++i) refs.push_back(monitor(process));
    send(process, Go());
    EXPECT_EQ(receive<Message>().take<Exit>().from, process);
    for (const MonitorRef& ref : refs) EXPECT_EQ(receive<Message>().take<Down>().ref, ref);
    EXPECT_FALSE(receive<Message>(0ms));
  });
}

TEST_P(Links, a_monitor_of_the_dead_or_of_no_name_says_noproc) {
  run([] {
    const Spawned process = waiting();
    end(process);
    const MonitorRef dead = monitor(process.pid);
    const Down down = receive<Down>();
    EXPECT_EQ(down.ref, dead);
    EXPECT_EQ(down.pid, process.pid);
    EXPECT_EQ(down.reason, ExitReason::noproc());
    monitor("nobody");
    const Down named = receive<Down>();
    EXPECT_EQ(named.name, "nobody");
    EXPECT_EQ(named.reason, ExitReason::noproc());
  });
}

TEST_P(Links, a_monitor_of_oneself_never_fires) {
  run([] {
    const MonitorRef ref = monitor(self());
    EXPECT_TRUE(ref);
    EXPECT_TRUE(process_info(self())->monitors.empty());
    EXPECT_FALSE(demonitor(ref));
  });
}

TEST_P(Links, a_monitor_by_name_stays_with_the_process_it_found) {
  run([] {
    const Spawned process = waiting();
    register_name("moving", process.pid);
    const MonitorRef ref = monitor("moving");
    unregister_name("moving");
    register_name("moving", self());
    end(process);
    const Down down = receive<Down>();
    EXPECT_EQ(down.ref, ref);
    EXPECT_EQ(down.name, "moving");
    EXPECT_EQ(down.reason, ExitReason::normal());
    unregister_name("moving");
  });
}

// Either there is no Down, now or later, or the answer says that one had come.
// M8, M9
TEST_P(Links, a_demonitor_that_races_with_the_end_tells_the_truth) {
  run([] {
    for (const std::size_t i : rounds()) {
      const auto [process, ref] = spawn_monitor([] {});
      const MonitorRef last = monitor(process);
      if (i % 3 == 0) yield();
      const bool was_active = demonitor(ref);
      receive(when([&](Down& down) { return down.ref == last; }, [](Down&) {}));
      const auto down = receive<Down>(0ms);
      EXPECT_EQ(was_active, !down);
      EXPECT_FALSE(demonitor(ref, Flush::yes));
    }
  });
}

// M15
TEST_P(Links, lists_of_monitors_and_links_empty_themselves) {
  run([] {
    const Spawned watched = waiting();
    const auto [watcher, ref] = spawn_monitor([pid = watched.pid, tester = self()] {
      const MonitorRef first = monitor(pid);
      monitor(pid);
      link(pid);
      demonitor(first);
      send(tester, Ready());
      receive<Go>();
    });
    receive<Ready>();
    EXPECT_EQ(process_info(watched.pid)->monitored_by.size(), 2U);
    EXPECT_EQ(process_info(watched.pid)->links.size(), 1U);
    send(watcher, Go());
    receive(when([&, &r = ref](Down& down) { return down.ref == r; }, [](Down&) {}));
    EXPECT_EQ(process_info(watched.pid)->monitored_by, std::vector{self()});
    EXPECT_TRUE(process_info(watched.pid)->links.empty());
    end(watched);
    EXPECT_TRUE(process_info(self())->monitors.empty());
  });
}

// --- Aliases.
// --------------------------------------------------------------------------------------

// A6
TEST_P(Links, of_four_messages_through_a_one_shot_alias_the_first_comes) {
  run([] {
    const Alias once = alias(AliasUse::once);
    for (int i = 0; i < 4; ++i) send(once, i);
    EXPECT_EQ(receive<int>(), 0);
    EXPECT_FALSE(receive<int>(0ms));
    EXPECT_FALSE(unalias(once));
  });
}

// A5
TEST_P(Links, after_an_unalias_nothing_more_enters) {
  run([] {
    for (const std::size_t i : rounds()) {
      const Alias address = alias();
      const auto [process, ref] = spawn_monitor([address] {
        for (int n = 0; n < 20; ++n) send(address, n);
      });
      if (i % 2) yield();
      EXPECT_TRUE(unalias(address));
      int expected = 0;
      while (const auto number = receive<int>(0ms)) EXPECT_EQ(*number, expected++);
      EXPECT_EQ(receive<Down>().ref, ref);
      EXPECT_FALSE(receive<int>(0ms));
    }
  });
}

TEST_P(Links, an_alias_is_its_makers_alone_and_drops_all_when_it_is_dead) {
  run([] {
    const auto [process, ref] = spawn_monitor([tester = self()] {
      send(tester, alias());
      receive<Go>();
    });
    const Alias theirs = receive<Alias>();
    EXPECT_FALSE(unalias(theirs));
    end({process, ref});
    send(theirs, 1);
  });
}

TEST_P(Links, the_modes_of_a_monitors_alias_end_it_as_they_say) {
  run([] {
    const Spawned process = waiting();

    const MonitorRef until_demonitor = monitor(process.pid, AliasMode::demonitor);
    send(until_demonitor, 1);
    EXPECT_EQ(receive<int>(), 1);
    EXPECT_TRUE(demonitor(until_demonitor));
    send(until_demonitor, 2);
    EXPECT_FALSE(receive<int>(0ms));

    const MonitorRef once = monitor(process.pid, AliasMode::reply_demonitor);
    send(once, 3);
    send(once, 4);
    EXPECT_EQ(receive<int>(), 3);
    EXPECT_FALSE(receive<int>(0ms));
    EXPECT_FALSE(demonitor(once));

    const MonitorRef stays = monitor(process.pid, AliasMode::explicit_unalias);
    end(process);
    EXPECT_EQ(receive<Down>().ref, stays);
    send(stays, 5);
    EXPECT_EQ(receive<int>(), 5);
    EXPECT_TRUE(unalias(stays));
    send(stays, 6);
    EXPECT_FALSE(receive<int>(0ms));
  });
}

}  // namespace
}  // namespace airssys::rt::link_test
