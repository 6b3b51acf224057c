// crossing_links_test.cpp: links and unlinks that meet on their way (L1, L4, L6–L8).
//
// One end acts in a predicate, which is no safe point, so it has not heard of what the other has
// sent meanwhile.
#include <airssys/rt.hpp>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <memory>
#include <thread>
#include <vector>

#include "base/random.hpp"
#include "tests/semantics/targets.hpp"

namespace airssys::rt::semantics::crossing_links_test {
namespace {

using namespace std::chrono_literals;

class CrossingLinks : public QuietRules {};
RT_WITH_SCHEDULERS(CrossingLinks);

// Links to a process on another scheduler which then calls `act`, and has not heard of the link: it
// is in a predicate, and that is no safe point.
template <class Act>
Spawned link_to_one_who_acts_unaware(Act act) {
  struct Meeting {
    std::atomic<bool> is_unaware = false;
    std::atomic<bool> is_linked = false;
  };
  const auto meeting = std::make_shared<Meeting>();
  set_scheduler(1);
  const Spawned other = spawn_monitor({.scheduler = 2}, [=] {
    const auto acts = [&](Go) {
      meeting->is_unaware = true;
      while (!meeting->is_linked) std::this_thread::yield();
      act();
      return true;
    };
    receive(when(acts, [](Go) {}));
    receive<Go>();
  });
  send(other.pid, Go());
  while (!meeting->is_unaware) yield();
  link(other.pid);
  meeting->is_linked = true;
  return other;
}

// L1
TEST_P(CrossingLinks, links_that_cross_are_one) {
  run([] {
    if (schedulers() == 1) return;
    trap_exit(true);
    const Spawned other = link_to_one_who_acts_unaware([tester = self()] { link(tester); });
    while (process_info(other.pid)->wait_reason != "receive") yield();
    EXPECT_EQ(process_info(other.pid)->links, std::vector{self()});
    EXPECT_EQ(process_info(self())->links, std::vector{other.pid});
    end(other);
    EXPECT_EQ(receive<Exit>().from, other.pid);
    expect_no_exit(other.pid);
  });
}

// It has linked as well, so it is not as if nobody had been there.
// L4
TEST_P(CrossingLinks, who_links_to_one_who_links_and_dies_hears_its_reason) {
  run([] {
    if (schedulers() == 1) return;
    trap_exit(true);
    const Spawned dying = link_to_one_who_acts_unaware([tester = self()] {
      link(tester);
      exit(ExitReason::of(1));
    });
    EXPECT_EQ(receive<Exit>().reason, ExitReason::of(1));
    EXPECT_EQ(reason_of(dying), ExitReason::of(1));
    expect_no_exit(dying.pid);
  });
}

// There is one link, whoever has made it, and whoever unlinks ends it: neither end hits the other.
// L1, L6, L7
TEST_P(CrossingLinks, an_unlink_ends_a_link_that_its_sender_has_not_heard_of) {
  run([] {
    if (schedulers() == 1) return;
    trap_exit(true);
    for (const bool ends_first : {true, false}) {
      const Spawned other = link_to_one_who_acts_unaware([tester = self()] {
        trap_exit(true);
        link(tester);
        unlink(tester);
      });
      while (process_info(other.pid)->wait_reason != "receive") yield();
      EXPECT_TRUE(process_info(other.pid)->links.empty());
      EXPECT_TRUE(process_info(self())->links.empty());
      if (ends_first) end(other);
      expect_no_exit(other.pid);
      if (!ends_first) end(other);
    }
  });
}

// L6
TEST_P(CrossingLinks,
       the_end_of_one_whose_link_was_undone_unheard_of_does_not_hit_who_has_undone_it) {
  run([] {
    if (schedulers() == 1) return;
    std::atomic<bool> is_unaware = false;
    std::atomic<bool> is_linked = false;
    std::atomic<bool> has_unlinked = false;
    std::atomic<bool> is_over = false;
    const auto acts = [&](Pid linking) {
      is_unaware = true;
      while (!is_linked) std::this_thread::yield();
      link(linking);
      unlink(linking);
      has_unlinked = true;
      while (!is_over) std::this_thread::yield();
      return true;
    };
    set_scheduler(1);
    const Spawned unlinks = spawn_monitor({.scheduler = 2}, [&] {
      trap_exit(true);
      receive(when(acts, [](Pid) {}));
      receive<Go>();
      EXPECT_FALSE(receive<Exit>(0ms));
    });
    const Spawned dies = spawn_monitor([&, other = unlinks.pid] {
      send(other, self());
      while (!is_unaware) yield();
      link(other);
      is_linked = true;
      while (!has_unlinked) std::this_thread::yield();
      exit(ExitReason::of(1));  // before it has heard of that
    });
    EXPECT_EQ(reason_of(dies), ExitReason::of(1));
    is_over = true;
    EXPECT_EQ(end(unlinks), ExitReason::normal());
  });
}

// Each has unlinked and linked again before it hears that the other has done the same.
// L1, L3, L8
TEST_P(CrossingLinks, ends_that_both_unlink_and_link_again_hear_of_each_other) {
  run([] {
    if (schedulers() == 1) return;
    trap_exit(true);
    set_scheduler(1);
    std::atomic<bool> is_unaware = false;
    std::atomic<bool> is_linked = false;
    const auto acts = [&, tester = self()](Go) {
      is_unaware = true;
      while (!is_linked) std::this_thread::yield();
      unlink(tester);
      link(tester);
      return true;
    };
    const Spawned other = spawn_monitor({.scheduler = 2}, [&, tester = self()] {
      link(tester);
      send(tester, Ready());
      receive(when(acts, [](Go) {}));
      receive<Go>();
    });
    receive<Ready>();
    send(other.pid, Go());
    while (!is_unaware) yield();
    unlink(other.pid);
    link(other.pid);
    is_linked = true;
    while (process_info(other.pid)->wait_reason != "receive") yield();
    EXPECT_EQ(process_info(other.pid)->links, std::vector{self()});
    EXPECT_EQ(process_info(self())->links, std::vector{other.pid});
    end(other);
    const auto exit = receive<Exit>(10s);
    ASSERT_TRUE(exit);
    EXPECT_EQ(exit->from, other.pid);
  });
}

// Each links and unlinks as it likes, and neither waits for the other.
// L1, L7, L8
TEST_P(CrossingLinks, however_links_and_unlinks_cross_both_ends_agree_on_what_is_left) {
  run([] {
    trap_exit(true);
    const auto act = [](Pid other, std::size_t round) {
      base::Random random(round);
      for (int n = 0; n < 12; ++n) {
        random.below(2) == 0 ? link(other) : unlink(other);
        if (random.below(4) == 0) yield();
      }
    };
    for (const std::size_t i : rounds()) {
      const Spawned other = spawn_monitor([=, tester = self()] {
        act(tester, 2 * i);
        send(tester, Ready());
        receive<Go>();
      });
      act(other.pid, 2 * i + 1);
      receive<Ready>();
      const bool is_linked = !process_info(self())->links.empty();
      ASSERT_EQ(!process_info(other.pid)->links.empty(), is_linked) << i;
      ASSERT_EQ(!process_info(self())->links.empty(), is_linked) << i;
      EXPECT_EQ(end(other), ExitReason::normal());
      ASSERT_EQ(receive<Exit>(0ms).has_value(), is_linked) << i;
    }
  });
}

}  // namespace
}  // namespace airssys::rt::semantics::crossing_links_test
