// servers_loop_test.cpp: how a server takes its messages, one after the other (G10–G13, G25).
//
// Method: servers that say which callback runs. What stands in the mailbox is put there while a
// callback waits at a gate, so that its order is known.
#include <airssys/rt.hpp>
#include <chrono>
#include <functional>
#include <stdexcept>
#include <string>

#include "tests/semantics/servers.hpp"

namespace airssys::rt::semantics::servers_loop_test {
namespace {

using namespace std::chrono_literals;

class LoopRules : public ServerRules {};
RT_WITH_SCHEDULERS(LoopRules);

void wait_at_gate(Told&) {
  receive<Gate>();
}
void open_gate(ServerRef<Told> told) {
  send(told.pid(), Gate());
}

// Has only a handler for one request.
struct Plain : Server<Plain> {
  struct Get {
    using Reply = int;
  };
  int handle(Get) { return 1; }
};

// G10
TEST_P(LoopRules, messages_of_every_kind_are_handled_in_the_order_of_their_coming) {
  run([] {
    const ServerRef<Told> told = start_told({.traps_exits = true});
    cast(told, Told::Do{"wait", &wait_at_gate});
    EXPECT_EQ(said(), "wait");
    const Spawned sender = spawn_monitor([told] {
      cast(told, Told::Do{"cast"});
      send(told.pid(), Said{"plain"});
      PendingReply<int> reply = send_request(told, Told::Get{});
      send_exit(told.pid(), ExitReason::of(1));
      cast(told, Told::Do{"monitor", [](Told&) { monitor(Pid()); }});
      PendingReply<int> late = send_request(told, Told::Later{});
      cast(told, Told::Do{"reply", [](Told& t) { t.reply_to_all(1); }});
      reply.get(infinite);
      late.get(infinite);
    });
    while (process_info(told.pid())->message_queue_len < 7) yield();
    open_gate(told);
    EXPECT_EQ(reason_of(sender), ExitReason::normal());
    EXPECT_EQ(said(8),
              "cast, info plain, get, exit " + ExitReason::of(1).to_string() +
                  ", monitor, later, reply, down noproc");
  });
}

// G10
TEST_P(LoopRules, what_has_no_handler_is_reported_and_dropped) {
  run([this] {
    const ServerRef<Plain> plain = start_link<Plain>();
    send(plain.pid(), std::string("stray"));
    send_after(0ms, plain.pid(), 5);
    while (logged("dropped a message") < 2) yield();
    EXPECT_EQ(logged("dropped a message that it has no handle_info for: std::"), 1) << log_text();
    EXPECT_EQ(call(plain, Plain::Get{}), 1);
    EXPECT_EQ(process_info(plain.pid())->message_queue_len, 0U);
  });
}

// G11
TEST_P(LoopRules, a_handler_answers_or_does_not_and_the_server_goes_on) {
  run([] {
    const ServerRef<Told> told = start_told();
    EXPECT_EQ(call(told, Told::Get{}), 7);
    cast(told, Told::Do{"cast"});
    EXPECT_EQ(failure_of(try_call(told, Told::Later{}, 0ms)), CallError::timeout);
    EXPECT_EQ(call(told, Told::Get{}), 7);
    EXPECT_EQ(said(4), "get, cast, later, get");
  });
}

// G11, G15
TEST_P(LoopRules, every_callback_may_stop_the_server_with_a_reason) {
  run([] {
    const Told::Deed stops = [](Told&) { exit(ExitReason::of(3)); };
    const auto expect_end = [](ServerRef<Told> told, const std::string& story) {
      EXPECT_EQ(exit_of(told.pid()), ExitReason::of(3));
      EXPECT_EQ(said(3), story + ", terminate " + ExitReason::of(3).to_string() + ", destroyed");
      EXPECT_EQ(rest_of_mail(), "");
    };
    ServerRef<Told> told = start_told();
    cast(told, Told::Do{"cast", stops});
    expect_end(told, "cast");
    told = start_told();
    const auto get = [&](Told& t) {
      stops(t);
      return 0;
    };
    EXPECT_EQ(failure_of(try_call(told, Told::Get{get})), CallError::exited);
    expect_end(told, "get");
    told = start_told({.at_info = stops});
    send(told.pid(), Said{"x"});
    expect_end(told, "info x");
    told = start_told({.at_idle = stops});
    cast(told, Told::Do{"idle soon", [](Told&) { idle_after(0ms); }});
    EXPECT_EQ(said(), "idle soon");
    expect_end(told, "idle");
    told = start_link<Told>(self(), Told::Plan{.at_continue = stops});
    EXPECT_EQ(said(), "init");
    expect_end(told, "continue");
  });
}

// A server's handlers say by their types what they return, so the compiler refuses what Erlang
// calls a bad return value; what is left is a value that is thrown.
// G11
TEST_P(LoopRules, a_value_that_is_thrown_ends_the_server_as_an_error) {
  run([this] {
    const ServerRef<Told> told = start_told();
    cast(told, Told::Do{"throw", [](Told&) { throw 42; }});
    EXPECT_EQ(exit_of(told.pid()), ExitReason::error("nocatch", "int"));
    EXPECT_EQ(said(3), "throw, terminate error: nocatch: int, destroyed");
    EXPECT_EQ(logged("crashed in handle on "), 1) << log_text();
  });
}

// G12
TEST_P(LoopRules, handle_continue_comes_before_messages_that_were_there_before_init_was_through) {
  run([] {
    const auto init = [](Told&) {
      send(self(), Said{"of its own"});
      receive<Gate>();
    };
    const Spawned starter = spawn_monitor([tester = self(), init] {
      start_link<Told>({.name = "told"}, tester, Told::Plan{.at_init = init});
    });
    EXPECT_EQ(said(), "init");
    const Pid told = whereis("told").value();
    cast(server_ref<Told>(told), Told::Do{"early"});
    send(told, Gate());
    EXPECT_EQ(reason_of(starter), ExitReason::normal());
    EXPECT_EQ(said(3), "continue, info of its own, early");
    stop(told);
  });
}

// What a handler does behind its reply, it does before any other message.
// G12
TEST_P(LoopRules, who_has_replied_may_go_on_before_the_next_message) {
  run([] {
    const ServerRef<Told> told = start_told();
    const auto reply_and_go_on = [](Told& t, From<int> from) {
      from.reply(1);
      receive<Gate>();
      t.say("went on");
    };
    EXPECT_EQ(call(told, Told::Later{reply_and_go_on}), 1);
    cast(told, Told::Do{"next"});
    open_gate(told);
    EXPECT_EQ(said(3), "later, went on, next");
  });
}

// G13
TEST_P(LoopRules, an_idle_time_passes_only_when_nothing_comes_and_never_early) {
  run([] {
    const ServerRef<Told> told = start_told();
    for (const Duration time : {Duration(0ms), Duration(1ms), Duration(20ms)}) {
      const std::int64_t begin = Deadline::now().ns();
      cast(told, Told::Do{"set", [time](Told&) { idle_after(time); }});
      EXPECT_EQ(said(2), "set, idle");
      EXPECT_GE(Deadline::now().ns() - begin, time.count());
      const std::int64_t at = begin + 2 * time.count();
      cast(told, Told::Do{"set", [at](Told&) { idle_after(Deadline::at_ns(at)); }});
      EXPECT_EQ(said(2), "set, idle");
      EXPECT_GE(Deadline::now().ns(), at);
    }
    cast(told, Told::Do{"negative", [](Told&) { EXPECT_THROW(idle_after(-1ms), BadArgument); }});
    EXPECT_EQ(said(), "negative");
    EXPECT_THROW(idle_after(1ms), BadArgument) << "this process is no behaviour";
  });
}

struct NeverIdle : Server<NeverIdle> {
  struct Ask {
    using Reply = bool;
  };
  static bool is_refused() {
    try {
      idle_after(1ms);
      return false;
    } catch (const BadArgument&) {
      return true;
    }
  }
  static bool handle(Ask) { return is_refused(); }
};

struct Machine : StateMachine<Machine> {
  enum class State { only };
  using Ask = NeverIdle::Ask;
  static bool handle(State, Ask) { return NeverIdle::is_refused(); }
};

// G13
TEST_P(LoopRules, an_idle_time_that_nobody_would_be_told_of_is_refused) {
  run([] {
    EXPECT_TRUE(call(start_link<NeverIdle>(), NeverIdle::Ask()));
    EXPECT_TRUE(call(start_link<Machine>(), NeverIdle::Ask()));
  });
}

// G13
TEST_P(LoopRules, any_message_ends_the_idle_time_and_one_that_is_there_wins) {
  run([] {
    const ServerRef<Told> told = start_told();
    for (const std::size_t i : support::rounds()) {
      const auto time = std::chrono::microseconds(10 * (i % 10));
      cast(told, Told::Do{"set", [time](Told&) {
                            send(self(), Said{"there"});
                            idle_after(time);
                          }});
      ASSERT_EQ(said(2), "set, info there");
      // Another message races with the time-out: idle comes before it, or not at all.
      cast(told, Told::Do{"set", [time](Told&) { idle_after(time); }});
      for (std::size_t turns = i % 5; turns > 0; --turns) yield();
      support::stagger(i);
      cast(told, Told::Do{"other"});
      const std::string first = said(2);
      if (first != "set, other") {
        ASSERT_EQ(first + ", " + said(), "set, idle, other");
      }
    }
    call(told, Told::Get{});
    EXPECT_EQ(said(), "get") << "nothing comes later";
  });
}

// G13
TEST_P(LoopRules, an_idle_time_holds_for_one_wait_and_the_last_setting_counts) {
  run([] {
    const ServerRef<Told> told = start_told();
    cast(told, Told::Do{"set", [](Told&) { idle_after(1ms); }});
    cast(told, Told::Do{"not set"});
    cast(told, Told::Do{"set twice", [](Told&) {
                          idle_after(0ms);
                          idle_after(infinite);
                        }});
    EXPECT_EQ(said(3), "set, not set, set twice");
    const ServerRef<Told> other = start_told();
    cast(other, Told::Do{"set", [](Told&) { idle_after(20ms); }});
    EXPECT_EQ(said(2), "set, idle") << "so much later, the first has not been idle";
    EXPECT_EQ(rest_of_mail(), "");
  });
}

// G13
TEST_P(LoopRules, a_system_request_does_not_end_the_idle_time) {
  run([] {
    const ServerRef<Told> told = start_told();
    cast(told, Told::Do{"set", [](Told&) { idle_after(5ms); }});
    EXPECT_EQ(said(), "set");
    std::optional<Said> idle;
    while (!idle) {
      sys::get_status(told.pid());
      idle = receive<Said>(0ms);
    }
    EXPECT_EQ(idle->what, "idle");
  });
}

// G25
TEST_P(LoopRules, a_callback_may_block_and_the_next_message_waits) {
  run([] {
    const ServerRef<Told> told = start_told();
    const ServerRef<Told> other = start_told();
    cast(told, Told::Do{"block", [other](Told& t) {
                          sleep(1ms);
                          t.say("called " + std::to_string(call(other, Told::Get{})));
                          t.say("received " + std::to_string(receive<int>()));
                          blocking([] {});
                        }});
    cast(told, Told::Do{"next"});
    EXPECT_EQ(said(3), "block, get, called 7");
    send(told.pid(), 5);
    EXPECT_EQ(said(2), "received 5, next");
  });
}

// G25, G15
TEST_P(LoopRules, an_exception_is_a_failure_and_a_kill_in_a_callback_is_none) {
  run([this] {
    const ServerRef<Told> failing = start_told();
    cast(failing, Told::Do{"throw", [](Told&) { throw std::runtime_error("oh"); }});
    EXPECT_EQ(exit_of(failing.pid()), ExitReason::error("std::runtime_error", "oh"));
    EXPECT_EQ(said(3), "throw, terminate error: std::runtime_error: oh, destroyed");
    EXPECT_EQ(logged("crashed in"), 1) << log_text();

    for (const ExitReason& reason : {ExitReason::kill(), ExitReason::of(1)}) {
      const ServerRef<Told> killed = start_told();
      cast(killed, Told::Do{"wait", [](Told& t) {
                              try {
                                receive<Gate>();
                              } catch (...) {
                                t.say("unwound");
                              }
                              t.say("still there");
                            }});
      EXPECT_EQ(said(), "wait");
      send_exit(killed.pid(), reason);
      EXPECT_EQ(exit_of(killed.pid()),
                reason == ExitReason::kill() ? ExitReason::killed() : reason);
      EXPECT_EQ(said(2), "unwound, destroyed") << "no terminate";
    }
    EXPECT_EQ(logged("crashed in"), 1) << log_text();
  });
}

}  // namespace
}  // namespace airssys::rt::semantics::servers_loop_test
