// monitors_test.cpp: what a monitor tells, and what it tells no more (M).
//
// What races is run for many rounds; the question at the end of each has one right answer. To know
// that no down will come, a test waits for that of a later monitor of the same process: the downs
// of one watcher come in the order of its monitors (P8).
#include <airssys/rt.hpp>
#include <chrono>
#include <cstddef>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "tests/semantics/targets.hpp"

namespace airssys::rt::semantics::monitors_test {
namespace {

using namespace std::chrono_literals;

class MonitorRules : public QuietRules {};
RT_WITH_SCHEDULERS(MonitorRules);

// M1
TEST_P(MonitorRules, monitors_of_one_process_are_independent) {
  run([] {
    const Spawned target = spawn_target();
    const MonitorRef first = monitor(target.pid);
    const MonitorRef second = monitor(target.pid);
    const MonitorRef third = monitor(target.pid);
    EXPECT_NE(first, second);
    EXPECT_NE(second, third);
    EXPECT_TRUE(demonitor(second));
    end(target);
    EXPECT_EQ(receive<Down>().ref, first);
    EXPECT_EQ(receive<Down>().ref, third);
    EXPECT_FALSE(receive<Down>(0ms));
  });
}

// M1
TEST_P(MonitorRules, neither_side_of_a_monitor_is_hurt_by_the_others_end) {
  run([] {
    const Spawned target = spawn_target();
    const Spawned watcher = spawn_monitor([pid = target.pid] {
      monitor(pid);
      exit(ExitReason::of(1));
    });
    EXPECT_EQ(reason_of(watcher), ExitReason::of(1));
    EXPECT_TRUE(is_alive(target.pid));
    const MonitorRef ref = monitor(target.pid);
    send_exit(target.pid, ExitReason::of(2));
    EXPECT_EQ(reason_in_down(ref), ExitReason::of(2));
    EXPECT_TRUE(process_info(self())->links.empty());
  });
}

// M2
TEST_P(MonitorRules, a_down_says_which_monitor_whom_and_why) {
  run([] {
    const Spawned target = spawn_target({.name = "watched"});
    const MonitorRef by_pid = monitor(target.pid);
    const MonitorRef by_name = monitor("watched");
    EXPECT_EQ(by_pid.owner, self());
    send_exit(target.pid, ExitReason::of(std::string("why")));
    reason_of(target);
    const Down one = receive<Down>();
    EXPECT_EQ(one.ref, by_pid);
    EXPECT_EQ(one.pid, target.pid);
    EXPECT_EQ(one.name, "");
    EXPECT_EQ(one.reason, ExitReason::of(std::string("why")));
    const Down two = receive<Down>();
    EXPECT_EQ(two.ref, by_name);
    EXPECT_EQ(two.name, "watched");
    EXPECT_EQ(two.reason, one.reason);
  });
}

// M3
TEST_P(MonitorRules, a_monitor_of_nobody_leads_to_a_down_with_noproc) {
  run([] {
    for (const Pid nobody : {spawn_dead(), Pid()}) {
      const MonitorRef ref = monitor(nobody);
      const Down down = receive<Down>();
      EXPECT_EQ(down.ref, ref);
      EXPECT_EQ(down.pid, nobody);
      EXPECT_EQ(down.reason, ExitReason::noproc());
    }
    const MonitorRef ref = monitor("nobody has this name");
    const Down down = receive<Down>();
    EXPECT_EQ(down.ref, ref);
    EXPECT_EQ(down.name, "nobody has this name");
    EXPECT_EQ(down.reason, ExitReason::noproc());
    EXPECT_TRUE(process_info(self())->monitors.empty());
  });
}

// M4
TEST_P(MonitorRules, a_monitor_of_oneself_by_pid_or_name_never_fires) {
  run([] {
    const Spawned process = spawn_monitor({.name = "self"}, [tester = self()] {
      const MonitorRef by_pid = monitor(self());
      const MonitorRef by_name = monitor("self");
      EXPECT_TRUE(by_pid);
      EXPECT_NE(by_pid, by_name);
      EXPECT_TRUE(process_info(self())->monitors.empty());
      EXPECT_EQ(process_info(self())->monitored_by, std::vector{tester});
      EXPECT_FALSE(receive<Down>(0ms));
    });
    EXPECT_EQ(reason_of(process), ExitReason::normal());
  });
}

// M5
TEST_P(MonitorRules, a_monitor_by_name_stays_with_its_process_when_the_name_moves) {
  run([] {
    const Spawned first = spawn_target({.name = "moving"});
    const MonitorRef ref = monitor("moving");
    unregister_name("moving");
    const Spawned second = spawn_target({.name = "moving"});
    end(second);
    EXPECT_FALSE(receive<Down>(0ms));
    send_exit(first.pid, ExitReason::of(1));
    reason_of(first);
    const Down down = receive<Down>();
    EXPECT_EQ(down.ref, ref);
    EXPECT_EQ(down.name, "moving");
    EXPECT_EQ(down.reason, ExitReason::of(1));
  });
}

// M6
TEST_P(MonitorRules, after_its_down_a_monitor_is_inert) {
  run([] {
    for (const std::size_t i : rounds()) {
      const Spawned target = spawn_monitor([] {});
      if (i % 2) send_exit(target.pid, ExitReason::kill());
      reason_of(target);
      EXPECT_FALSE(demonitor(target.ref));
      EXPECT_FALSE(demonitor(target.ref, Flush::yes));
      reason_in_down(monitor(target.pid));
      EXPECT_FALSE(receive<Down>(0ms));
    }
  });
}

// M7
TEST_P(MonitorRules, a_demonitor_of_whatever_is_no_monitor_of_ours_answers_no) {
  run([] {
    const Spawned watcher = spawn_monitor([tester = self()] {
      const MonitorRef theirs = monitor(tester);
      send(tester, theirs);
      receive<Go>();
      EXPECT_TRUE(demonitor(theirs)) << "somebody else has ended it";
    });
    const auto theirs = receive<MonitorRef>();
    for (const Flush flush : {Flush::no, Flush::yes}) {
      EXPECT_FALSE(demonitor(theirs, flush));
      EXPECT_FALSE(demonitor(MonitorRef(), flush));
      EXPECT_FALSE(demonitor(MonitorRef{{self(), 123'456'789}}, flush));
    }
    const MonitorRef ours = monitor(watcher.pid);
    EXPECT_TRUE(demonitor(ours));
    EXPECT_FALSE(demonitor(ours));
    end(watcher);
  });
}

// M8
TEST_P(MonitorRules, after_a_demonitor_no_down_enters) {
  run([] {
    for (const std::size_t i : rounds()) {
      const Spawned target = spawn_target();
      const MonitorRef last = monitor(target.pid);
      send_exit(target.pid, ExitReason::of(1));
      for (std::size_t n = 0; n < i % 4; ++n) yield();
      stagger(i);
      const Flush flush = i % 2 ? Flush::yes : Flush::no;
      const bool was_active = demonitor(target.ref, flush);
      const bool is_here = receive(
          when([&](Down& down) { return down.ref == target.ref; }, [](Down&) { return true; }),
          after(0ms, [] { return false; }));
      EXPECT_EQ(is_here, !was_active && flush == Flush::no);
      reason_in_down(last);
      EXPECT_FALSE(receive<Down>(0ms));
    }
  });
}

// M9
TEST_P(MonitorRules, a_demonitor_tells_whether_a_down_was_or_will_be_seen) {
  run([] {
    const Spawned target = spawn_target();
    const MonitorRef active = monitor(target.pid);
    EXPECT_TRUE(demonitor(active, Flush::yes));
    const MonitorRef kept = monitor(target.pid);
    const MonitorRef flushed = monitor(target.pid);
    const MonitorRef last = monitor(target.pid);
    end(target);
    reason_in_down(last);
    EXPECT_FALSE(demonitor(kept));
    EXPECT_FALSE(demonitor(flushed, Flush::yes));
    EXPECT_EQ(receive<Down>(0ms).value().ref, kept);
    EXPECT_FALSE(receive<Down>(0ms));
  });
}

// M10, M15
TEST_P(MonitorRules, the_end_of_a_watcher_is_silent_and_leaves_nothing) {
  run([] {
    const Spawned target = spawn_target();
    for (const std::size_t i : rounds()) {
      const Spawned watcher = spawn_monitor([pid = target.pid, tester = self(), i] {
        for (int n = 0; n < 3; ++n) monitor(pid);
        send(tester, Ready());
        if (i % 2) receive<Go>();
      });
      receive<Ready>();
      stagger(i);
      if (i % 2) send_exit(watcher.pid, ExitReason::kill());
      reason_of(watcher);
      // The watcher's last words are a stream of their own.
      while (process_info(target.pid)->monitored_by.size() != 1) yield();
    }
    EXPECT_EQ(process_info(target.pid)->message_queue_len, 0U);
    EXPECT_EQ(end(target), ExitReason::normal());
  });
}

// M11
TEST_P(MonitorRules, the_reason_in_a_down_is_the_real_one) {
  run([] {
    const auto reason_of_exit = [](const ExitReason& reason) {
      return reason_of(spawn_monitor([reason] { exit(reason); }));
    };
    for (const ExitReason& reason : {ExitReason::normal(),
                                     ExitReason::shutdown(),
                                     ExitReason::shutdown("x"),
                                     ExitReason::kill(),
                                     ExitReason::killed(),
                                     ExitReason::noproc(),
                                     ExitReason::timeout(),
                                     ExitReason::error("e"),
                                     ExitReason::of(std::vector{1, 2, 3})})
      EXPECT_EQ(reason_of_exit(reason), reason) << reason.to_string();
    EXPECT_EQ(reason_of(spawn_monitor([] { throw std::runtime_error("boom"); })).what(), "boom");
    const Spawned target = spawn_target();
    send_exit(target.pid, ExitReason::kill());
    EXPECT_EQ(reason_of(target), ExitReason::killed());
  });
}

// Noproc and the real reason are told apart by what was acted on first.
// M11
TEST_P(MonitorRules, a_monitor_that_was_there_in_time_never_says_noproc) {
  run([] {
    for (const std::size_t i : rounds()) {
      const Pid target = spawn([] { receive<Go>(); });
      if (i % 2) yield();
      stagger(i);
      const MonitorRef ref = monitor(target);
      if (i % 3 == 0) {
        send(target, Go());
      } else {
        send_exit(target, ExitReason::of(1));
      }
      EXPECT_EQ(reason_in_down(ref), i % 3 == 0 ? ExitReason::normal() : ExitReason::of(1));
    }
  });
}

struct Worker {
  int number;
  std::shared_ptr<int> held = {};
};

// M12
TEST_P(MonitorRules, a_tagged_monitor_leads_to_its_tag_in_place_of_a_down) {
  run([] {
    const Spawned target = spawn_target({.name = "tagged"});
    const MonitorRef by_pid = monitor_tagged(target.pid, Worker{1});
    const MonitorRef by_name = monitor_tagged("tagged", Worker{2});
    send_exit(target.pid, ExitReason::of(1));
    EXPECT_EQ(reason_of(target), ExitReason::of(1));
    const auto one = receive<TaggedDown<Worker>>();
    EXPECT_EQ(one.tag.number, 1);
    EXPECT_EQ(one.ref, by_pid);
    EXPECT_EQ(one.pid, target.pid);
    EXPECT_EQ(one.name, "");
    EXPECT_EQ(one.reason, ExitReason::of(1));
    const auto two = receive<TaggedDown<Worker>>();
    EXPECT_EQ(two.tag.number, 2);
    EXPECT_EQ(two.ref, by_name);
    EXPECT_EQ(two.name, "tagged");
    // Nobody was there: the tag all the same.
    monitor_tagged(target.pid, Worker{3});
    EXPECT_EQ(receive<TaggedDown<Worker>>().reason, ExitReason::noproc());
    monitor_tagged("tagged", Worker{4}, {.priority = true});
    EXPECT_EQ(receive<TaggedDown<Worker>>().tag.number, 4);
    EXPECT_FALSE(receive<Message>(0ms));
  });
}

// M12
TEST_P(MonitorRules, the_tag_of_a_monitor_that_never_fires_is_destroyed) {
  run([] {
    const auto held = std::make_shared<int>();
    const Spawned target = spawn_target();
    demonitor(monitor_tagged(target.pid, Worker{1, held}));
    EXPECT_EQ(held.use_count(), 1);
    monitor_tagged(self(), Worker{2, held});
    EXPECT_EQ(held.use_count(), 1);
    reason_of(spawn_monitor([&held, pid = target.pid] { monitor_tagged(pid, Worker{3, held}); }));
    EXPECT_EQ(held.use_count(), 1);
    // One that has fired is flushed like any other.
    const MonitorRef fired = monitor_tagged(target.pid, Worker{4, held});
    const MonitorRef other = monitor_tagged(target.pid, Worker{5, held});
    end(target);
    EXPECT_FALSE(demonitor(fired, Flush::yes));
    EXPECT_EQ(held.use_count(), 2);
    EXPECT_EQ(receive<TaggedDown<Worker>>().ref, other);
    EXPECT_FALSE(receive<Message>(0ms));
  });
}

// M13
TEST_P(MonitorRules, a_monitor_may_be_an_alias_as_well) {
  run([] {
    const Spawned target = spawn_monitor([] {
      const auto address = receive<Alias>();
      send(address, 1);
    });
    const MonitorRef both = monitor(target.pid, AliasMode::demonitor);
    send(target.pid, Alias(both));
    EXPECT_EQ(receive<int>(), 1);
    EXPECT_EQ(reason_in_down(both), ExitReason::normal());
    send(both, 2);
    EXPECT_FALSE(receive<int>(0ms));
  });
}

// M14
TEST_P(MonitorRules, who_has_the_down_can_take_the_name) {
  run([] {
    for (const std::size_t i : rounds()) {
      const Spawned target = spawn_target({.name = "inherited"});
      if (i % 2) {
        send_exit(target.pid, ExitReason::kill());
      } else {
        send(target.pid, Go());
      }
      reason_of(target);
      register_name("inherited", self());
      unregister_name("inherited");
    }
  });
}

// M15
TEST_P(MonitorRules, lists_of_monitors_are_empty_when_all_is_over) {
  run([] {
    const Spawned target = spawn_target();
    demonitor(target.ref);
    std::vector<MonitorRef> refs;
    for (int i = 0; i < 100; ++i) refs.push_back(monitor(target.pid));
    EXPECT_EQ(process_info(target.pid)->monitored_by.size(), 100U);
    EXPECT_EQ(process_info(self())->monitors.size(), 100U);
    for (std::size_t i = 0; i < 100; i += 2) demonitor(refs[i]);
    EXPECT_EQ(process_info(target.pid)->monitored_by.size(), 50U);
    EXPECT_EQ(process_info(self())->monitors.size(), 50U);
    send(target.pid, Go());
    for (std::size_t i = 1; i < 100; i += 2) reason_in_down(refs[i]);
    EXPECT_TRUE(process_info(self())->monitors.empty());
  });
}

}  // namespace
}  // namespace airssys::rt::semantics::monitors_test
