// state_machine_timers_test.cpp: the time-outs of a state machine (H7–H12).
//
// Method: stories of a scripted machine. What has to be in the mailbox before the machine goes on
// is put there while it waits in a handler, so no story depends on how long a step takes. Where a
// time-out races with what ends it, many rounds are run: it comes before that, or not at all.
#include <airssys/rt.hpp>
#include <chrono>
#include <cstddef>
#include <string>
#include <string_view>

#include "tests/semantics/machines.hpp"

namespace airssys::rt::semantics::state_machine_timers_test {
namespace {

using namespace std::chrono_literals;

class MachineTimers : public ServerRules {};
RT_WITH_SCHEDULERS(MachineTimers);

// H7
TEST_P(MachineTimers, the_enter_handlers_time_out_overrides_the_transitions) {
  run([] {
    ServerRef<Script> script = entered_script();
    cast(script, Do{"go", [](Script& s) {
                      s.enter_deed = [](Script& in) { in.state_timeout(0s, Note{"enter's"}); };
                      s.state_timeout(0s, Note{"first"});
                      s.state_timeout(1h, Note{"second"});
                      s.next_state(b);
                    }});
    EXPECT_EQ(story(script), "go@a, enter ab, enter's@b");
  });
}

// H8
TEST_P(MachineTimers, an_event_time_out_comes_when_nothing_else_does) {
  run([] {
    cast(entered_script(), Do{"go", [](Script& s) { s.event_timeout(1ms); }});
    EXPECT_EQ(said(2), "go@a, event timeout@a");
  });
}

// H8
TEST_P(MachineTimers, any_event_ends_an_event_time_out) {
  run([] {
    ServerRef<Script> script = entered_script();
    cast(script, Do{"go", [](Script& s) {
                      s.event_timeout(1ms);
                      s.next_event(Note{"internal"});
                    }});
    cast(script, Do{"wait", [](Script& s) { s.named_timeout("later", 20ms); }});
    EXPECT_EQ(said(4), "go@a, internal@a, wait@a, later@a");
  });
}

// H8
TEST_P(MachineTimers, an_event_time_out_of_zero_comes_only_if_nothing_is_queued) {
  run([] {
    ServerRef<Script> script = entered_script();
    hold(script);
    cast(script, Do{"alone", [](Script& s) { s.event_timeout(0s); }});
    cast(script, Do{"not alone", [](Script& s) {
                      s.event_timeout(0s);
                      s.next_event(Note{"n"});
                    }});
    let_go(script);
    EXPECT_EQ(story(script), "alone@a, event timeout@a, not alone@a, n@a");
  });
}

// Another time-out is an event as well.
// H8
TEST_P(MachineTimers, a_time_out_of_zero_ends_an_event_time_out_of_zero) {
  run([] {
    ServerRef<Script> script = entered_script();
    cast(script, Do{"go", [](Script& s) {
                      s.state_timeout(0s);
                      s.event_timeout(0s);
                    }});
    EXPECT_EQ(story(script), "go@a, state timeout@a");
  });
}

// H9
TEST_P(MachineTimers, a_state_time_out_ends_with_its_state) {
  run([] {
    ServerRef<Script> script = entered_script();
    hold(script);
    cast(script, Do{"set", [](Script& s) { s.state_timeout(1ms); }});
    cast(script, Do{"go", [](Script& s) { s.next_state(b); }});
    cast(script, Do{"wait", [](Script& s) { s.named_timeout("later", 20ms); }});
    let_go(script);
    EXPECT_EQ(said(5), "set@a, go@a, enter ab, wait@b, later@b");
  });
}

// H9, H4
TEST_P(MachineTimers, a_state_time_out_survives_the_same_state) {
  run([] {
    ServerRef<Script> script = entered_script();
    cast(script, Do{"set", [](Script& s) { s.state_timeout(1ms); }});
    cast(script, Do{"same", [](Script& s) { s.next_state(a); }});
    cast(script, Do{"repeat", [](Script& s) { s.repeat_state(); }});
    std::string told = said(5);
    EXPECT_NE(told.find("state timeout@a"), std::string::npos) << told;
  });
}

// H9
TEST_P(MachineTimers, a_state_time_out_of_zero_comes_before_any_message) {
  run([] {
    ServerRef<Script> script = entered_script();
    hold(script);
    cast(script, Do{"go", [](Script& s) {
                      s.next_state(b);
                      s.state_timeout(0s);
                    }});
    cast(script, Do{"external"});
    let_go(script);
    EXPECT_EQ(story(script), "go@a, enter ab, state timeout@b, external@b");
  });
}

// H9, H10, H7
TEST_P(MachineTimers, a_time_out_is_cancelled_by_verb_and_by_infinity) {
  run([] {
    ServerRef<Script> script = entered_script();
    cast(script, Do{"set", [](Script& s) {
                      s.state_timeout(0s);
                      s.cancel_state_timeout();
                    }});
    cast(script, Do{"set", [](Script& s) {
                      s.state_timeout(0s);
                      s.state_timeout(infinite);
                    }});
    cast(script, Do{"named", [](Script& s) {
                      s.named_timeout("1", 0s);
                      s.cancel_named_timeout("1");
                      s.named_timeout("2", 0s);
                      s.named_timeout("2", infinite);
                      s.cancel_named_timeout("none");
                    }});
    EXPECT_EQ(story(script), "set@a, set@a, named@a");
  });
}

// H10
TEST_P(MachineTimers, named_time_outs_run_side_by_side_and_survive_a_change) {
  run([] {
    ServerRef<Script> script = entered_script();
    cast(script, Do{"go", [](Script& s) {
                      s.named_timeout("slow", 30ms);
                      s.named_timeout("fast", 1ms);
                      s.named_timeout("again", 1h);
                      s.named_timeout("again", 1ms, Note{"again, later"});
                      s.next_state(b);
                    }});
    std::string told = said(5);
    EXPECT_TRUE(told.starts_with("go@a, enter ab, ")) << told;
    for (std::string_view part : {"fast@b", "again, later@b"}) {
      EXPECT_NE(told.find(part), std::string::npos) << told;
    }
    EXPECT_TRUE(told.ends_with("slow@b")) << told;
  });
}

// H10
TEST_P(MachineTimers, a_time_out_may_be_an_absolute_time) {
  run([] {
    ServerRef<Script> script = entered_script();
    cast(script, Do{"go", [](Script& s) {
                      s.named_timeout("past", Deadline::at_ns(1));
                      s.state_timeout(Deadline::after(1ms));
                    }});
    std::string told = said(3);
    EXPECT_NE(told.find("past@a"), std::string::npos) << told;
    EXPECT_NE(told.find("state timeout@a"), std::string::npos) << told;
  });
}

// H10
TEST_P(MachineTimers, a_negative_time_out_is_refused) {
  run([] {
    cast(entered_script(), Do{"go", [](Script& s) {
                                EXPECT_THROW(s.state_timeout(-1ns), BadArgument);
                                s.say("refused");
                              }});
    EXPECT_EQ(said(2), "go@a, refused");
  });
}

// H11
TEST_P(MachineTimers, an_update_changes_what_a_running_time_out_says) {
  run([] {
    ServerRef<Script> script = entered_script();
    cast(script, Do{"go", [](Script& s) { s.named_timeout("t", 1ms, Note{"old"}); }});
    cast(script, Do{"update", [](Script& s) { s.update_named_timeout("t", Note{"new"}); }});
    std::string told = said(3);
    // It may have fired before the update; then the update came at once.
    EXPECT_TRUE(told == "go@a, update@a, new@a" || told == "go@a, old@a, update@a") << told;
  });
}

// H11
TEST_P(MachineTimers, an_update_of_what_does_not_run_comes_at_once) {
  run([] {
    ServerRef<Script> script = entered_script();
    cast(script, Do{"go", [](Script& s) {
                      s.update_state_timeout(Note{"s"});
                      s.update_named_timeout("t", Note{"t"});
                    }});
    EXPECT_EQ(story(script), "go@a, s@a, t@a");
  });
}

// H12
TEST_P(MachineTimers, time_outs_of_zero_come_in_the_order_they_were_set) {
  run([] {
    ServerRef<Script> script = entered_script();
    cast(script, Do{"go", [](Script& s) {
                      s.named_timeout("1", 0s);
                      s.state_timeout(0s, Note{"2"});
                      s.named_timeout("3", 0s);
                      s.named_timeout("1", 0s, Note{"1 again"});
                    }});
    EXPECT_EQ(story(script), "go@a, 2@a, 3@a, 1 again@a");
  });
}

// H12
TEST_P(MachineTimers, a_cancelled_time_out_never_comes_even_if_it_has_expired) {
  run([] {
    ServerRef<Script> script = entered_script();
    cast(script, Do{"set", [](Script& s) {
                      s.named_timeout("t", 1ms);
                      s.named_timeout("u", 1ms, Note{"old u"});
                    }});
    cast(script, Do{"hold", [](Script& s) {
                      // Both wait in the mailbox by now, behind this event.
                      while (process_info(self())->message_queue_len < 2) sleep(1ms);
                      s.cancel_named_timeout("t");
                      s.named_timeout("u", 1h, Note{"new u"});
                    }});
    EXPECT_EQ(story(script), "set@a, hold@a");
    EXPECT_EQ(story(script), "");
  });
}

// --- races ---

// The verb that ends a time-out races with it: an old event comes before, or never.
void race(const Script::Deed& set, const Script::Deed& end, std::string_view old_event) {
  ServerRef<Script> script = entered_script();
  for (const std::size_t i : support::rounds()) {
    cast(script, Do{"set", set});
    for (std::size_t turns = i % 7; turns > 0; --turns) yield();
    support::stagger(i);
    cast(script, Do{"end", end});
    const std::string all = story(script);
    ASSERT_TRUE(all == "set@a, end@a" || all == "set@a, " + std::string(old_event) + "@a, end@a")
        << all;
  }
  EXPECT_EQ(rest_of_mail(), "");
}

// H12, H10
TEST_P(MachineTimers, a_named_time_out_never_comes_behind_its_cancellation) {
  run([] {
    race([](Script& s) { s.named_timeout("t", 20us); },
         [](Script& s) { s.cancel_named_timeout("t"); },
         "t");
  });
}

// H12, H9
TEST_P(MachineTimers, a_state_time_out_never_comes_behind_another_setting) {
  run([] {
    race([](Script& s) { s.state_timeout(20us, Note{"old"}); },
         [](Script& s) { s.state_timeout(infinite); },
         "old");
  });
}

// H8
TEST_P(MachineTimers, an_event_time_out_never_comes_behind_another_event) {
  run([] { race([](Script& s) { s.event_timeout(20us); }, {}, "event timeout"); });
}

// H9
TEST_P(MachineTimers, a_state_time_out_never_comes_in_another_state) {
  run([] {
    ServerRef<Script> script = entered_script();
    for (const std::size_t i : support::rounds()) {
      cast(script, Do{"set", [](Script& s) { s.state_timeout(20us); }});
      for (std::size_t turns = i % 7; turns > 0; --turns) yield();
      support::stagger(i);
      cast(script, Do{"go", [](Script& s) { s.next_state(b); }});
      cast(script, Do{"back", [](Script& s) { s.next_state(a); }});
      const std::string all = story(script);
      ASSERT_TRUE(all == "set@a, go@a, enter ab, back@b, enter ba" ||
                  all == "set@a, state timeout@a, go@a, enter ab, back@b, enter ba")
          << all;
    }
  });
}

// H11
TEST_P(MachineTimers, an_update_that_races_gives_the_new_content_once) {
  run([] {
    ServerRef<Script> script = entered_script();
    for (const std::size_t i : support::rounds()) {
      cast(script, Do{"set", [](Script& s) { s.named_timeout("t", 20us, Note{"old"}); }});
      for (std::size_t turns = i % 7; turns > 0; --turns) yield();
      support::stagger(i);
      cast(script, Do{"update", [](Script& s) { s.update_named_timeout("t", Note{"new"}); }});
      const std::string first = said(3);
      if (first == "set@a, old@a, update@a") {
        ASSERT_EQ(said(), "new@a");
      } else {
        ASSERT_EQ(first, "set@a, update@a, new@a");
      }
    }
    EXPECT_EQ(story(script), "");
  });
}

// H9, H10
TEST_P(MachineTimers, no_time_out_is_early) {
  run([] {
    ServerRef<Script> script = entered_script();
    for (const Duration time : {Duration(100us), Duration(1ms), Duration(20ms)}) {
      const std::int64_t begin = Deadline::now().ns();
      cast(script, Do{"set", [time](Script& s) {
                        s.named_timeout("named", time);
                        s.state_timeout(2 * time);
                      }});
      EXPECT_EQ(said(2), "set@a, named@a");
      EXPECT_GE(Deadline::now().ns() - begin, time.count());
      EXPECT_EQ(said(), "state timeout@a");
      EXPECT_GE(Deadline::now().ns() - begin, 2 * time.count());
    }
  });
}

}  // namespace
}  // namespace airssys::rt::semantics::state_machine_timers_test
