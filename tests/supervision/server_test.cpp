// server_test.cpp: servers: requests, replies and their failures (G5–G10), callbacks in order
// (G12–G18), what a server costs.
// Method: whole processes on real schedulers; every order that is asserted follows from messages.
#include <airssys/rt/server.hpp>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "tests/supervision/support.hpp"

namespace airssys::rt::test {
namespace {

WITH_SCHEDULERS(ServerTest);

struct Counter : Server<Counter> {
  struct Add {
    long by;
  };
  struct Value {
    using Reply = long;
  };
  struct Clear {
    using Reply = void;
  };
  struct Fail {
    using Reply = long;
  };
  struct Later {
    using Reply = long;
  };
  struct Never {
    using Reply = int;
  };
  struct Swap {
    using Reply = std::unique_ptr<long>;
    std::unique_ptr<long> value;
  };

  explicit Counter(long start = 0) : value(start) {}

  void handle(Add add) {
    value += add.by;
    if (waiting.caller()) waiting.reply(value);
  }
  long handle(Value) const { return value; }
  void handle(Clear) { value = 0; }
  long handle(Fail) { throw std::runtime_error("no"); }
  void handle(Later, From<long> from) { waiting = std::move(from); }
  void handle(Never, From<int>) {}
  std::unique_ptr<long> handle(Swap swap) {
    std::swap(*swap.value, value);
    return std::move(swap.value);
  }

  long value;
  From<long> waiting;
};

struct Other : Server<Other> {
  struct Ask {
    using Reply = int;
  };
  struct Poke {};
  int handle(Ask) { return 1; }
  void handle(Poke) {}
};

TEST_P(ServerTest, a_call_answers_and_casts_before_it_have_been_handled) {
  run([] {
    ServerRef<Counter> counter = start_link<Counter>(40L);
    for (int i = 0; i < 100; ++i) cast(counter, Counter::Add{2});
    EXPECT_EQ(call(counter, Counter::Value{}), 240);
    call(counter, Counter::Clear{});
    EXPECT_EQ(call(counter, Counter::Value{}), 0);
  });
}

TEST_P(ServerTest, requests_and_replies_may_own_what_cannot_be_copied) {
  run([] {
    ServerRef<Counter> counter = start_link<Counter>(1L);
    std::unique_ptr<long> old = call(counter, Counter::Swap{std::make_unique<long>(2)});
    EXPECT_EQ(*old, 1);
    EXPECT_EQ(call(counter, Counter::Value{}), 2);
  });
}

TEST_P(ServerTest, a_deferred_reply_comes_when_it_is_sent) {
  run([] {
    ServerRef<Counter> counter = start_link<Counter>();
    send_after(1ms, self(), Other::Poke{});
    spawn([counter, owner = self()] { send(owner, call(counter, Counter::Later{}, infinite)); });
    next<Other::Poke>();
    EXPECT_TRUE(nothing_came<long>());
    while (call(counter, Counter::Value{}) < 1 || nothing_came<long>()) {
      cast(counter, Counter::Add{1});
    }
  });
}

// G8: a From is a value; whoever has it may reply, once.
TEST_P(ServerTest, another_process_may_reply_and_a_second_reply_is_dropped) {
  struct Giver : Server<Giver> {
    struct Ask {
      using Reply = int;
    };
    void handle(Ask, From<int> from) {
      spawn([from = std::move(from)]() mutable {
        from.reply(7);
        from.reply(8);
      });
    }
  };
  run([] {
    ServerRef<Giver> giver = start_link<Giver>();
    for (int i = 0; i < 100; ++i) EXPECT_EQ(call(giver, Giver::Ask{}), 7);
    EXPECT_TRUE(nothing_came<int>());
  });
}

TEST_P(ServerTest, a_call_to_nobody_fails_with_noproc_and_a_cast_to_nobody_does_not_fail) {
  run([] {
    Pid dead = spawn([] {});
    end_of(dead);
    EXPECT_EQ(try_call(server_ref<Counter>(dead), Counter::Value{}).error().kind(),
              CallError::noproc);
    EXPECT_EQ(try_call(server_ref<Counter>("nobody"), Counter::Value{}).error().kind(),
              CallError::noproc);
    EXPECT_THROW(call(server_ref<Counter>(dead), Counter::Value{}), CallError);
    cast(server_ref<Counter>(dead), Counter::Add{1});
    cast(server_ref<Counter>("nobody"), Counter::Add{1});
  });
}

TEST_P(ServerTest, a_caller_learns_why_its_server_ended) {
  run([] {
    ServerRef<Counter> counter = start<Counter>();
    std::expected<long, CallError> reply = try_call(counter, Counter::Fail{});
    ASSERT_FALSE(reply);
    EXPECT_EQ(reply.error().kind(), CallError::exited);
    EXPECT_EQ(reply.error().reason(), ExitReason::error("std::runtime_error", "no"));
  });
}

// Z15
TEST_P(ServerTest, an_uncaught_call_error_ends_the_caller_with_its_reason) {
  run([] {
    ServerRef<Counter> counter = start<Counter>();
    Pid caller = spawn_link([counter] { call(counter, Counter::Fail{}); });
    EXPECT_EQ(exit_of(caller), ExitReason::error("std::runtime_error", "no"));
  });
}

TEST_P(ServerTest, a_late_reply_never_appears) {
  run([] {
    ServerRef<Counter> counter = start_link<Counter>();
    EXPECT_EQ(try_call(counter, Counter::Later{}, 0ms).error().kind(), CallError::timeout);
    cast(counter, Counter::Add{1});  // the late reply
    EXPECT_EQ(call(counter, Counter::Value{}), 1);
    EXPECT_TRUE(nothing_came<Message>());
  });
}

TEST_P(ServerTest, a_negative_time_out_is_refused) {
  run([] {
    ServerRef<Counter> counter = start_link<Counter>();
    EXPECT_THROW(call(counter, Counter::Value{}, -1ms), BadArgument);
  });
}

TEST_P(ServerTest, a_server_that_calls_itself_is_told_so) {
  struct Selfish : Server<Selfish> {
    struct Ask {
      using Reply = CallError::Kind;
    };
    CallError::Kind handle(Ask) {
      return try_call(ServerRef<Selfish>(self()), Ask{}).error().kind();
    }
  };
  run([] {
    EXPECT_EQ(call(start_link<Selfish>(), typename Selfish::Ask{}), CallError::calling_self);
  });
}

TEST_P(ServerTest, a_request_to_another_class_of_server_fails_and_leaves_it_untouched) {
  run([] {
    ServerRef<Counter> counter = start_link<Counter>(5L);
    ServerRef<Other> mistaken(counter.pid());
    EXPECT_EQ(try_call(mistaken, Other::Ask{}).error().kind(), CallError::wrong_type);
    cast(mistaken, Other::Poke{});
    EXPECT_EQ(call(counter, Counter::Value{}), 5);
    Pid supervisor = start_supervisor_link({});
    EXPECT_EQ(try_call(ServerRef<Other>(supervisor), Other::Ask{}).error().kind(),
              CallError::wrong_type);
    EXPECT_EQ(try_which_children(counter.pid()).error().kind(), ChildError::no_supervisor);
  });
}

TEST_P(ServerTest, a_call_to_a_plain_process_fails_with_wrong_type) {
  run([] {
    Pid plain = start_body_link(obedient("plain"));
    up("plain");
    EXPECT_EQ(try_call(ServerRef<Other>(plain), Other::Ask{}, patience).error().kind(),
              CallError::wrong_type);
    cast(ServerRef<Other>(plain), Other::Poke{});
    end_child(plain, ExitReason::normal());
  });
}

// --- callbacks ---

struct Seen {
  std::string what;
};

// Tells its owner of every callback.
struct Witness : Server<Witness> {
  struct Do {
    std::function<void(Witness&)> what;
  };
  struct Ask {
    using Reply = int;
    From<int>* keep = nullptr;
  };

  explicit Witness(Pid to, bool traps = false, bool is_slow = false)
      : owner(to), traps_exits(traps), waits_in_continue(is_slow) {}
  ~Witness() { say("destroyed"); }

  void init() {
    trap_exit(traps_exits);
    say("init");
  }
  void handle_continue() {
    say("continue");
    if (waits_in_continue && receive<Open>().fails) throw std::runtime_error("late");
  }
  void handle(Do job) { job.what(*this); }
  void handle(Ask, From<int> from) {
    caller = std::move(from);
    exit(ExitReason::shutdown("answered on the way out"));
  }
  void handle_info(Message& message) {
    if (message.is<Exit>()) say("exit " + message.get_if<Exit>()->reason.to_string());
    if (message.is<Seen>()) say("info " + message.get_if<Seen>()->what);
  }
  void handle_idle() { say("idle"); }
  void terminate(const ExitReason& reason) {
    say("terminate " + reason.to_string());
    caller.reply(7);
    if (fails_in_terminate) throw std::runtime_error("worse");
  }
  void say(std::string what) { send(owner, Seen{std::move(what)}); }

  Pid owner;
  bool traps_exits;
  bool waits_in_continue;
  bool fails_in_terminate = false;
  From<int> caller;
};

std::string seen(int count = 1) {
  std::string text;
  for (int i = 0; i < count; ++i) {
    std::optional<Seen> seen = next<Seen>();
    if (!text.empty()) text += ',';
    if (seen) text += seen->what;
  }
  return text;
}

TEST_P(ServerTest, init_runs_before_start_returns_and_continue_before_any_message) {
  run([] {
    ServerRef<Witness> witness = start_link<Witness>(self(), false, true);
    EXPECT_EQ(seen(), "init");
    send(witness.pid(), Seen{"early"});
    EXPECT_EQ(seen(), "continue");
    send(witness.pid(), Open{});
    EXPECT_EQ(seen(), "info early");
  });
}

TEST_P(ServerTest, what_is_neither_call_nor_cast_goes_to_handle_info_in_order) {
  run([] {
    ServerRef<Witness> witness = start<Witness>(self(), true);
    Pid stranger = spawn([pid = witness.pid()] {
      send(pid, Seen{"a"});
      send_exit(pid, ExitReason::error("b"));
      send(pid, Seen{"c"});
    });
    end_of(stranger);
    EXPECT_EQ(seen(2), "init,continue");
    EXPECT_EQ(seen(), "info a");
    EXPECT_EQ(seen(), "exit error: b");
    EXPECT_EQ(seen(), "info c");
    stop(witness);
  });
}

TEST_P(ServerTest, idle_comes_only_when_nothing_came) {
  run([] {
    ServerRef<Witness> witness = start_link<Witness>(self());
    EXPECT_EQ(seen(2), "init,continue");
    cast(witness, Witness::Do{[](Witness& w) {
           idle_after(infinite);
           w.say("waiting");
         }});
    EXPECT_EQ(seen(), "waiting");
    cast(witness, Witness::Do{[](Witness&) { idle_after(1ms); }});
    EXPECT_EQ(seen(), "idle");
    // A queued message wins over a time-out of zero (G13).
    cast(witness, Witness::Do{[](Witness& w) {
           send(self(), Seen{"queued"});
           idle_after(0ms);
           w.say("handled");
         }});
    EXPECT_EQ(seen(), "handled");
    EXPECT_EQ(seen(), "info queued");
    EXPECT_EQ(call(start_link<Counter>(3L), Counter::Value{}), 3);
    EXPECT_TRUE(nothing_came<Seen>()) << "the time-out held for one wait only";
  });
}

TEST_P(ServerTest, a_failed_callback_runs_terminate_then_the_destructor_then_links_hear) {
  run([] {
    ServerRef<Witness> witness = start_link<Witness>(self());
    cast(witness, Witness::Do{[](Witness&) { throw std::runtime_error("bad"); }});
    std::optional<Exit> end = next<Exit>();
    EXPECT_EQ(end->reason, ExitReason::error("std::runtime_error", "bad"));
    EXPECT_EQ(seen(2), "init,continue");
    EXPECT_EQ(seen(), "terminate error: std::runtime_error: bad");
    EXPECT_EQ(seen(), "destroyed");
  });
  EXPECT_TRUE(was_logged("std::runtime_error: bad"));
}

TEST_P(ServerTest, a_failure_in_handle_continue_runs_terminate) {
  run([] {
    ServerRef<Witness> witness = start_link<Witness>(self(), false, true);
    send(witness.pid(), Open{.fails = true});
    EXPECT_EQ(exit_of(witness.pid()), ExitReason::error("std::runtime_error", "late"));
    EXPECT_EQ(seen(2), "init,continue");
    EXPECT_EQ(seen(), "terminate error: std::runtime_error: late");
    EXPECT_EQ(seen(), "destroyed");
  });
}

TEST_P(ServerTest, a_failure_in_terminate_becomes_the_reason) {
  run([] {
    ServerRef<Witness> witness = start_link<Witness>(self());
    cast(witness, Witness::Do{[](Witness& w) {
           w.fails_in_terminate = true;
           throw std::runtime_error("bad");
         }});
    EXPECT_EQ(exit_of(witness.pid()), ExitReason::error("std::runtime_error", "worse"));
  });
}

TEST_P(ServerTest, a_signal_that_kills_runs_the_destructor_but_not_terminate) {
  run([] {
    ServerRef<Witness> witness = start_link<Witness>(self(), true);
    send_exit(witness.pid(), ExitReason::kill());
    EXPECT_EQ(exit_of(witness.pid()), ExitReason::killed());
    EXPECT_EQ(seen(2), "init,continue");
    EXPECT_EQ(seen(), "destroyed");
  });
}

TEST_P(ServerTest, the_parents_exit_ends_a_server_that_traps_exits_also_a_normal_one) {
  run([] {
    for (const ExitReason& reason : {ExitReason::normal(), ExitReason::error("gone")}) {
      Pid parent = spawn([owner = self(), reason] {
        ServerRef<Witness> witness = start_link<Witness>(owner, true);
        send(owner, witness);
        receive<End>();
        exit(reason);
      });
      Pid witness = next<ServerRef<Witness>>()->pid();
      MonitorRef ref = monitor(witness);
      send(parent, End{});
      std::optional<Down> down = next<Down>();
      EXPECT_EQ(down->ref, ref);
      EXPECT_EQ(down->reason, reason);
      EXPECT_EQ(seen(2), "init,continue");
      EXPECT_EQ(seen(), "terminate " + reason.to_string());
      EXPECT_EQ(seen(), "destroyed");
    }
  });
}

TEST_P(ServerTest, stop_waits_until_the_server_is_gone) {
  run([] {
    ServerRef<Witness> witness = start_link<Witness>({.name = "witness"}, self());
    stop(witness);
    EXPECT_FALSE(whereis("witness"));
    EXPECT_EQ(next<Exit>()->reason, ExitReason::normal());
    EXPECT_EQ(seen(2), "init,continue");
    EXPECT_EQ(seen(), "terminate normal");
  });
}

TEST_P(ServerTest, stop_tells_when_the_server_ended_otherwise) {
  run([] {
    ServerRef<Witness> witness = start<Witness>(self());
    cast(witness, Witness::Do{[](Witness& w) { w.fails_in_terminate = true; }});
    std::expected<void, CallError> stopped = try_stop(witness, ExitReason::shutdown());
    ASSERT_FALSE(stopped);
    EXPECT_EQ(stopped.error().kind(), CallError::exited);
    EXPECT_EQ(stopped.error().reason(), ExitReason::error("std::runtime_error", "worse"));
    EXPECT_EQ(try_stop(witness).error().kind(), CallError::noproc);
    EXPECT_EQ(try_stop(self()).error().kind(), CallError::calling_self);
  });
}

TEST_P(ServerTest, a_reply_from_terminate_reaches_the_caller_before_the_end) {
  run([] {
    ServerRef<Witness> witness = start_link<Witness>(self());
    EXPECT_EQ(call(witness, Witness::Ask{}), 7);
    EXPECT_EQ(exit_of(witness.pid()), ExitReason::shutdown("answered on the way out"));
  });
}

TEST_P(ServerTest, callers_in_the_queue_of_a_server_that_stops_get_its_reason) {
  run([] {
    ServerRef<Witness> witness = start<Witness>(self(), false, true);
    EXPECT_EQ(seen(2), "init,continue");
    send(witness.pid(), detail::StopRequest{ExitReason::shutdown("closing")});
    spawn([witness, owner = self()] {
      send(owner, try_call(witness, Witness::Ask{}).error().reason());
    });
    while (process_info(witness.pid())->message_queue_len < 2) yield();
    send(witness.pid(), Open{});
    EXPECT_EQ(*next<ExitReason>(), ExitReason::shutdown("closing"));
  });
}

TEST_P(ServerTest, a_message_without_handle_info_is_reported_and_dropped) {
  run([] {
    ServerRef<Counter> counter = start_link<Counter>(1L);
    send(counter.pid(), std::string("lost"));
    EXPECT_EQ(call(counter, Counter::Value{}), 1);
  });
  EXPECT_TRUE(was_logged("dropped a message that it has no handle_info for"));
}

TEST(ServerMemory, a_server_costs_its_object_and_two_words) {
  struct Small : Server<Small> {
    void* state[4];
  };
  EXPECT_LE(sizeof(detail::ServerProcess<Small>), sizeof(Small) + 2 * sizeof(void*));
}

TEST_P(ServerTest, a_foreign_thread_may_cast) {
  Runtime runtime({.schedulers = GetParam()});
  ServerRef<Counter> counter;
  runtime.run([&] { counter = start<Counter>(); });
  cast(runtime, counter, Counter::Add{3});
  runtime.run([&] { EXPECT_EQ(call(counter, Counter::Value{}), 3); });
  runtime.stop(patience);
}

}  // namespace
}  // namespace airssys::rt::test
