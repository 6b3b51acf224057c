// links_test.cpp: what a link does, and what it does no more (L).
//
// What races is run for many rounds; each ends with a question that has one right answer whoever
// was first. Two ends that are made to race start at a common word, and the rounds vary which of
// them is ahead.
#include <airssys/rt.hpp>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdlib>
#include <optional>
#include <thread>
#include <vector>

#include "tests/semantics/targets.hpp"

namespace airssys::rt::semantics::links_test {
namespace {

using namespace std::chrono_literals;

class LinkRules : public QuietRules {};
RT_WITH_SCHEDULERS(LinkRules);

// It links in a predicate, which is no safe point: what the other has sent is not in its mail yet.
// L4, S1
TEST_P(LinkRules, the_exit_of_who_is_dead_comes_behind_what_it_sent) {
  run([] {
    if (schedulers() == 1) return;
    trap_exit(true);
    set_scheduler(1);
    for (int i = 0; i < 20; ++i) {
      std::atomic<bool> has_sent = false;
      const Spawned other = spawn_monitor({.scheduler = 2}, [&has_sent, tester = self()] {
        register_name("the dead", self());
        send(tester, Go());
        receive<Go>();
        send(tester, 1);
        has_sent = true;
      });
      const auto links_to_the_dead = [&](Go) {
        send(other.pid, Go());
        while (!has_sent || whereis("the dead")) std::this_thread::yield();
        link(other.pid);
        return true;
      };
      receive(when(links_to_the_dead, [](Go) {}));
      reason_of(other);
      EXPECT_TRUE(receive([](int) { return true; }, [](Exit) { return false; }));
      while (receive<Exit>(0ms) || receive<int>(0ms)) continue;
    }
  });
}

// L1
TEST_P(LinkRules, links_from_both_ends_at_once_are_one) {
  run([] {
    trap_exit(true);
    for (const std::size_t i : rounds()) {
      const Spawned other = spawn_monitor([tester = self()] {
        link(tester);
        link(tester);
        send(tester, Ready());
        receive<Go>();
      });
      if (i % 2) yield();
      stagger(i);
      link(other.pid);
      link(other.pid);
      receive<Ready>();
      EXPECT_EQ(process_info(self())->links, std::vector{other.pid});
      EXPECT_EQ(process_info(other.pid)->links, std::vector{self()});
      end(other);
      EXPECT_EQ(receive<Exit>().from, other.pid);
      expect_no_exit(other.pid);
    }
  });
}

// L2
TEST_P(LinkRules, nobody_is_linked_to_oneself) {
  run([] {
    trap_exit(true);
    const Spawned process = spawn_monitor([] {
      link(self());
      EXPECT_TRUE(process_info(self())->links.empty());
      unlink(self());
      exit(ExitReason::of(1));
    });
    EXPECT_EQ(reason_of(process), ExitReason::of(1));
    link(self());
    EXPECT_FALSE(receive<Exit>(0ms));
  });
}

// The caller is never made to wait: with one scheduler the other has not even begun.
// L3
TEST_P(LinkRules, a_link_returns_before_the_other_has_acted_on_it) {
  run([] {
    set_priority(Priority::high);
    bool has_begun = false;
    const Spawned other = spawn_monitor({.priority = Priority::low}, [&has_begun] {
      has_begun = true;
      receive<Go>();
    });
    link(other.pid);
    if (schedulers() == 1) {
      EXPECT_FALSE(has_begun);
    }
    EXPECT_EQ(process_info(other.pid)->links, std::vector{self()});
    unlink(other.pid);
    end(other);
  });
}

// L4
TEST_P(LinkRules, a_link_to_the_dead_throws_unless_the_caller_traps) {
  run([] {
    const Pid dead = spawn_dead();
    for (const Pid nobody : {dead, Pid()}) {
      trap_exit(false);
      try {
        link(nobody);
        ADD_FAILURE() << "linked to nobody";
      } catch (const ProcessError& error) {
        EXPECT_EQ(error.reason(), ExitReason::noproc());
      }
      EXPECT_EQ(try_link(nobody).error().reason(), ExitReason::noproc());
      trap_exit(true);
      link(nobody);
      EXPECT_TRUE(try_link(nobody));
      for (int i = 0; i < 2; ++i) {
        const Exit exit = receive<Exit>();
        EXPECT_EQ(exit.from, nobody);
        EXPECT_EQ(exit.reason, ExitReason::noproc());
      }
      EXPECT_TRUE(process_info(self())->links.empty());
    }
  });
}

// L4
TEST_P(LinkRules, who_links_to_a_dying_process_hears_its_reason_or_that_nobody_was_there) {
  run([] {
    const auto is_right = [](const ExitReason& reason) {
      return reason == ExitReason::of(1) || reason == ExitReason::noproc();
    };
    for (const std::size_t i : rounds()) {
      const Spawned dying = spawn_monitor([] {
        receive<Go>();
        exit(ExitReason::of(1));
      });
      const Spawned linking = spawn_monitor([pid = dying.pid, i] {
        trap_exit(i % 3 == 0);
        link(pid);
        exit(receive<Exit>().reason);
      });
      if (i % 2) yield();
      stagger(i);
      send(dying.pid, Go());
      // Uncaught, link's own error is noproc as well.
      EXPECT_TRUE(is_right(reason_of(linking)));
      EXPECT_EQ(reason_of(dying), ExitReason::of(1));
    }
  });
}

// L5
TEST_P(LinkRules, an_unlink_of_the_dead_or_of_strangers_succeeds) {
  run([] {
    unlink(Pid());
    unlink(spawn_dead());
    const Spawned stranger = spawn_target();
    unlink(stranger.pid);
    link(stranger.pid);
    unlink(stranger.pid);
    unlink(stranger.pid);
    EXPECT_EQ(end(stranger), ExitReason::normal());
  });
}

// L6
TEST_P(LinkRules, behind_an_unlink_and_a_look_no_exit_comes) {
  run([] {
    trap_exit(true);
    for (const std::size_t i : rounds()) {
      const Spawned other = spawn_monitor([] {
        receive<Go>(0ms);
        exit(ExitReason::of(1));
      });
      if (i % 3 == 0) yield();
      link(other.pid);
      if (i % 2) send(other.pid, Go());
      stagger(i);
      unlink(other.pid);
      receive(when([&](Exit& exit) { return exit.from == other.pid; }, [](Exit&) {}),
              after(0ms, [] {}));
      reason_of(other);
      expect_no_exit(other.pid);
    }
  });
}

// L6
TEST_P(LinkRules, who_has_unlinked_in_time_survives) {
  run([] {
    for (const std::size_t i : rounds()) {
      const Spawned other = spawn_monitor({.link = true}, [] {
        receive<Go>();
        exit(ExitReason::of(1));
      });
      // Go follows the unlink, so the link is gone before the end begins; on our side at once.
      stagger(i);
      unlink(other.pid);
      send(other.pid, Go());
      EXPECT_EQ(reason_of(other), ExitReason::of(1));
    }
  });
}

// L6
TEST_P(LinkRules, an_exit_in_the_mailbox_outlives_an_unlink) {
  run([] {
    trap_exit(true);
    const Spawned other = spawn_monitor({.link = true}, [] {});
    reason_of(other);
    unlink(other.pid);
    EXPECT_EQ(receive<Exit>(0ms).value().from, other.pid);
  });
}

// L7
TEST_P(LinkRules, an_unlink_by_the_other_end_saves_both) {
  run([] {
    for (const std::size_t i : rounds()) {
      const bool dies_first = i % 2;
      const Spawned unlinks = spawn_monitor({.link = true}, [tester = self()] {
        unlink(tester);
        send(tester, Ready());
        receive<Go>();
        exit(ExitReason::of(1));
      });
      receive<Ready>();
      if (dies_first) end(unlinks);
      EXPECT_TRUE(process_info(self())->links.empty());
      if (!dies_first) end(unlinks);
    }
    // The other way: who has unlinked lives on when the one that had linked ends.
    const Spawned survives = spawn_monitor([tester = self()] {
      unlink(receive<Pid>());
      send(tester, Ready());
      receive<Go>();
    });
    const Spawned dies = spawn_monitor([other = survives.pid] {
      link(other);
      send(other, self());
      receive<Go>();
      exit(ExitReason::of(2));
    });
    receive<Ready>();
    end(dies);
    EXPECT_EQ(end(survives), ExitReason::normal());
  });
}

// The child's end may fall anywhere between the first link and the second.
// L8
TEST_P(LinkRules, a_link_made_again_leads_to_one_exit_of_its_own) {
  run([] {
    trap_exit(true);
    for (const std::size_t i : rounds()) {
      const Spawned other = spawn_monitor({.link = true}, [i] {
        for (std::size_t n = 0; n < i % 7; ++n) yield();
        exit(ExitReason::of(1));
      });
      if (i % 2) yield();
      stagger(i);
      unlink(other.pid);
      const auto of_old = receive<Exit>(0ms);
      if (of_old) {
        EXPECT_EQ(of_old->reason, ExitReason::of(1));
      }
      link(other.pid);
      const ExitReason reason = receive<Exit>().reason;
      if (of_old) {
        EXPECT_EQ(reason, ExitReason::noproc());
      } else {
        EXPECT_TRUE(reason == ExitReason::of(1) || reason == ExitReason::noproc());
      }
      expect_no_exit(other.pid);
      EXPECT_EQ(reason_of(other), ExitReason::of(1));
    }
  });
}

// L8
TEST_P(LinkRules, the_end_of_one_who_had_unlinked_does_not_hit_a_later_link) {
  run([] {
    trap_exit(true);
    for ([[maybe_unused]] const std::size_t i : rounds()) {
      const Spawned other = spawn_monitor({.link = true}, [tester = self()] {
        unlink(tester);
        exit(ExitReason::of(1));
      });
      reason_of(other);
      link(other.pid);
      EXPECT_EQ(receive<Exit>().reason, ExitReason::noproc());
      expect_no_exit(other.pid);
    }
  });
}

// L9
TEST_P(LinkRules, an_exit_that_was_delivered_ends_the_link_on_both_sides) {
  run([] {
    trap_exit(true);
    const Spawned trapping = spawn_trapping_target();
    const Spawned other = spawn_monitor([pid = trapping.pid] {
      link(pid);
      exit(ExitReason::of(1));
    });
    EXPECT_EQ(receive<Exit>().from, other.pid);
    EXPECT_TRUE(process_info(trapping.pid)->links.empty());
    reason_of(other);
    end(trapping);

    // It kills: the one it kills takes no link into its own end.
    const Spawned hit = spawn_target({.link = true});
    const Spawned hits = spawn_monitor([pid = hit.pid] {
      link(pid);
      exit(ExitReason::of(2));
    });
    EXPECT_EQ(reason_of(hit), ExitReason::of(2));
    reason_of(hits);
    EXPECT_EQ(receive<Exit>().from, hit.pid);
    EXPECT_TRUE(process_info(self())->links.empty());
  });
}

// L10
TEST_P(LinkRules, a_normal_end_leaves_the_other_alive_and_unlinked) {
  run([] {
    const Spawned survives = spawn_target();
    for ([[maybe_unused]] const std::size_t i : rounds()) {
      const Spawned other = spawn_monitor([pid = survives.pid] { link(pid); });
      EXPECT_EQ(reason_of(other), ExitReason::normal());
      // Asked by who has heard of the end; the news to the target is one of another stream.
      while (!process_info(survives.pid)->links.empty()) yield();
    }
    EXPECT_EQ(end(survives), ExitReason::normal());
  });
}

// Of one scheduler: nobody else could let the ticker run meanwhile.
class LinkRulesOfOne : public QuietRules {
 protected:
  LinkRulesOfOne() { ::unsetenv("AIRSSYS_RT_SCHEDULERS"); }
};
INSTANTIATE_TEST_SUITE_P(With, LinkRulesOfOne, testing::Values(1U), support::schedulers_name);

// L11
TEST_P(LinkRulesOfOne, the_end_of_one_with_very_many_links_lets_others_run) {
  run([] {
    constexpr int links = 12'000;  // three slices' work
    for (const bool they_wait : {true, false}) {
      std::atomic<bool> is_over = false;
      std::atomic<int> ticks = 0;
      const Spawned ticker = spawn_monitor([&] {
        for (; !is_over; yield()) ++ticks;
      });
      std::atomic<int> ticks_before = 0;
      const Spawned hub = spawn_monitor([&] {
        for (int i = 0; i < links; ++i) spawn_link([] { hibernate([] {}); });  // without a stack
        if (they_wait) {
          for (int before = ticks; ticks - before < 3;) yield();
        }
        ticks_before = ticks.load(std::memory_order_relaxed);  // relaxed: a figure
        exit(ExitReason::of(1));
      });
      EXPECT_EQ(reason_of(hub), ExitReason::of(1));
      EXPECT_GE(ticks - ticks_before, 2) << (they_wait ? "waiting" : "ready");
      is_over = true;
      reason_of(ticker);
    }
  });
}

}  // namespace
}  // namespace airssys::rt::semantics::links_test
