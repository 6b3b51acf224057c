// servers_calls_test.cpp: what a call promises: one reply, or why there is none, and nothing later
// (G5–G8, G23).
//
// Method: replies are made to race with time-outs, ends and each other for many rounds; after each
// the mailbox must be empty, whoever was first.
#include <airssys/rt.hpp>
#include <chrono>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>

#include "tests/semantics/servers.hpp"

namespace airssys::rt::semantics::servers_calls_test {
namespace {

using namespace std::chrono_literals;

class CallRules : public ServerRules {};
RT_WITH_SCHEDULERS(CallRules);

struct Other : Server<Other> {
  struct Ask {
    using Reply = int;
  };
  struct Poke {};
  int handle(Ask) { return 1; }
  void handle(Poke) {}
};

// Asks the server for something that it has handled behind all that came before.
void await_turn(ServerRef<Told> told) {
  call(told, Told::Get{}, infinite);
}

// G5
TEST_P(CallRules, a_call_answers_with_the_reply_and_leaves_nothing_behind) {
  run([] {
    const ServerRef<Told> told = start_told();
    EXPECT_EQ(call(told, Told::Get{}), 7);
    EXPECT_EQ(try_call(told, Told::Get{[](Told&) { return 8; }}), 8);
    EXPECT_EQ(said(2), "get, get");
    EXPECT_EQ(rest_of_mail(), "");
    EXPECT_TRUE(process_info(self())->monitors.empty());
    EXPECT_TRUE(process_info(told.pid())->monitored_by.empty());
  });
}

// G5
TEST_P(CallRules, a_call_to_nobody_fails_with_noproc) {
  run([] {
    const Pid dead = spawn_dead();
    for (const ServerRef<Told> nobody : {server_ref<Told>(dead), server_ref<Told>("nobody")}) {
      const auto result = try_call(nobody, Told::Get{}, infinite);
      EXPECT_EQ(failure_of(result), CallError::noproc);
      EXPECT_EQ(reason_of(result), ExitReason::noproc());
    }
    EXPECT_EQ(rest_of_mail(), "");
  });
}

// G5
TEST_P(CallRules, a_server_that_ends_before_it_answers_gives_its_reason) {
  run([] {
    const std::pair<Told::Deed, ExitReason> ends[] = {
        {[](Told&) { exit(ExitReason::normal()); }, ExitReason::normal()},
        {[](Told&) { exit(ExitReason::of(1)); }, ExitReason::of(1)},
        {[](Told&) { throw std::runtime_error("oh"); },
         ExitReason::error("std::runtime_error", "oh")},
        {[](Told&) { send_exit(self(), ExitReason::kill()); }, ExitReason::killed()},
    };
    for (const auto& [deed, reason] : ends) {
      const ServerRef<Told> told = start_told();
      const auto result = try_call(told,
                                   Told::Get{[&deed](Told& t) {
                                     deed(t);
                                     return 0;
                                   }},
                                   infinite);
      EXPECT_EQ(failure_of(result), CallError::exited);
      EXPECT_EQ(reason_of(result), reason);
      EXPECT_EQ(exit_of(told.pid()), reason);
      forget_said();
    }
  });
}

// G5
TEST_P(CallRules, a_call_that_fails_ends_its_caller_with_that_reason_unless_it_is_caught) {
  run([] {
    const ServerRef<Told> told = start_told();
    const auto caller = [told](Duration timeout, bool catches) {
      return spawn_monitor([=] {
        try {
          call(told, Told::Later{}, timeout);
        } catch (const CallError&) {
          if (!catches) throw;
        }
      });
    };
    EXPECT_EQ(reason_of(caller(1ms, true)), ExitReason::normal());
    EXPECT_EQ(reason_of(caller(1ms, false)), ExitReason::timeout());
    const Spawned waiting = caller(infinite, false);
    EXPECT_EQ(said(3), "later, later, later");
    stop(told, ExitReason::of(4));
    EXPECT_EQ(reason_of(waiting), ExitReason::of(4));
  });
}

// G5
TEST_P(CallRules, a_call_to_what_is_no_such_server_fails_at_once_and_a_cast_is_dropped) {
  run([this] {
    const ServerRef<Told> told = start_told();
    const Spawned plain = spawn_monitor([] { receive<Go>(); });
    for (const Pid pid : {told.pid(), plain.pid}) {
      EXPECT_EQ(failure_of(try_call(server_ref<Other>(pid), Other::Ask{}, infinite)),
                CallError::wrong_type);
      cast(server_ref<Other>(pid), Other::Poke{});
    }
    await_turn(told);
    EXPECT_EQ(said(), "get") << "no handler has seen a foreign object";
    EXPECT_EQ(process_info(plain.pid)->message_queue_len, 0U);
    EXPECT_EQ(logged("refused a request to another class"), 2) << log_text();
    end(plain);
  });
}

// G5, M10
TEST_P(CallRules, a_caller_that_ends_meanwhile_leaves_nothing_at_the_server) {
  run([] {
    const ServerRef<Told> told = start_told();
    const Spawned caller = spawn_monitor([told] { call(told, Told::Later{}, infinite); });
    EXPECT_EQ(said(), "later");
    send_exit(caller.pid, ExitReason::kill());
    EXPECT_EQ(reason_of(caller), ExitReason::killed());
    cast(told, Told::Do{"reply", [](Told& t) { t.reply_to_all(1); }});
    EXPECT_EQ(said(), "reply");
    EXPECT_TRUE(process_info(told.pid())->monitored_by.empty());
  });
}

// G6
TEST_P(CallRules, a_reply_that_comes_after_the_time_out_never_appears) {
  run([] {
    const ServerRef<Told> told = start_told();
    for (const Duration timeout : {Duration(0ms), Duration(1ms)}) {
      EXPECT_EQ(failure_of(try_call(told, Told::Later{}, timeout)), CallError::timeout);
      EXPECT_EQ(said(), "later") << "the server is not told, and goes on";
      cast(told, Told::Do{"reply", [](Told& t) { t.reply_to_all(1); }});
      await_turn(told);
      EXPECT_EQ(said(2), "reply, get");
      EXPECT_EQ(rest_of_mail(), "");
    }
    EXPECT_TRUE(process_info(self())->monitors.empty());
  });
}

// G6
TEST_P(CallRules, replies_and_time_outs_that_race_give_one_of_both) {
  run([] {
    struct Slow : Server<Slow> {
      struct Ask {
        using Reply = std::size_t;
        std::size_t number;
      };
      std::size_t handle(Ask ask) {
        sleep(std::chrono::microseconds(10 * (ask.number % 13)));
        return ask.number;
      }
    };
    const ServerRef<Slow> slow = start_link<Slow>();
    for (const std::size_t i : support::rounds()) {
      const auto timeout = std::chrono::microseconds(10 * (i % 11));
      const auto reply = try_call(slow, Slow::Ask{i}, timeout);
      if (reply) {
        ASSERT_EQ(*reply, i) << "a reply to another call";
      } else {
        ASSERT_EQ(reply.error().kind(), CallError::timeout);
      }
    }
    EXPECT_EQ(call(slow, Slow::Ask{0}, infinite), 0U);  // all others have been answered
    EXPECT_EQ(rest_of_mail(), "");
  });
}

// G6
TEST_P(CallRules, time_outs_are_of_any_length_but_not_negative) {
  run([] {
    const ServerRef<Told> told = start_told();
    EXPECT_THROW(call(told, Told::Get{}, -1ms), BadArgument);
    EXPECT_THROW(call(told, Told::Get{}, -infinite), BadArgument);
    EXPECT_EQ(rest_of_mail(), "") << "nothing was sent";
    EXPECT_EQ(call(told, Told::Get{}, infinite), 7);
    EXPECT_EQ(call(told, Told::Get{}, 10'000h), 7);
  });
}

// All of it at once, for it takes as long as it says. With more schedulers it is the same.
// G5, H2, C1
TEST_P(CallRules, a_call_to_a_server_waits_five_seconds_and_one_to_a_machine_for_ever) {
  if (GetParam() != 1) return;
  struct Machine : StateMachine<Machine> {
    enum class State { only };
    struct Ask {
      using Reply = int;
    };
    struct Answer {};
    void handle(State, const Ask&, From<int> from) { caller = std::move(from); }
    void handle(State, Answer) { caller.reply(1); }
    From<int> caller;
  };
  run([] {
    const ServerRef<Told> told = start_told();
    const ServerRef<Machine> machine = start_link<Machine>();
    const ServerRef<Told> busy = start_told();
    cast(busy, Told::Do{"busy", [](Told&) { receive<Gate>(); }});
    EXPECT_EQ(said(), "busy");
    const std::int64_t begin = Deadline::now().ns();
    const Spawned asks_machine =
        spawn_monitor([machine] { EXPECT_EQ(call(machine, Machine::Ask{}), 1); });
    const auto expect_five_seconds = [begin](auto ask) {
      return spawn_monitor([begin, ask] {
        try {
          ask();
          ADD_FAILURE() << "answered";
        } catch (const CallError& error) {
          EXPECT_EQ(error.kind(), CallError::timeout);
        }
        EXPECT_GE(Deadline::now().ns() - begin, Duration(5s).count());
      });
    };
    const Spawned asks_server = expect_five_seconds([told] { call(told, Told::Later{}); });
    const Spawned looks_in = expect_five_seconds([busy] { sys::get_status(busy.pid()); });
    EXPECT_EQ(reason_of(asks_server), ExitReason::normal());
    EXPECT_EQ(reason_of(looks_in), ExitReason::normal());
    cast(machine, Machine::Answer{});
    EXPECT_EQ(reason_of(asks_machine), ExitReason::normal());
    send(busy.pid(), Gate());
  });
}

// G7
TEST_P(CallRules, a_server_that_calls_itself_is_told_so_at_once) {
  run([] {
    const ServerRef<Told> told = start_told();
    const auto kind = [](Told&) {
      const auto call_itself = [](Duration timeout) {
        return failure_of(try_call(ServerRef<Told>(self()), Told::Get{}, timeout));
      };
      EXPECT_EQ(call_itself(infinite), CallError::calling_self);
      EXPECT_EQ(call_itself(0ms), CallError::calling_self);
      return 0;
    };
    call(told, Told::Get{kind}, infinite);
    EXPECT_EQ(failure_of(try_call(ServerRef<Told>(self()), Told::Get{})), CallError::calling_self);
    EXPECT_EQ(said(), "get") << "nothing was sent";
  });
}

// G8
TEST_P(CallRules, anybody_may_reply_later_and_the_first_reply_counts) {
  run([] {
    const ServerRef<Told> told = start_told();
    for ([[maybe_unused]] const std::size_t i : support::rounds()) {
      // Three processes race to reply; each owns a From of the same call.
      const auto delegate = [tester = self()](Told&, From<int> from) {
        const Alias caller = from.release();
        for (int value : {1, 2, 3}) {
          spawn([tester, caller, value] {
            From<int>(caller).reply(value);
            send(tester, Ready());
          });
        }
      };
      const int value = call(told, Told::Later{delegate}, infinite);
      ASSERT_TRUE(value >= 1 && value <= 3);
      ASSERT_EQ(call(told, Told::Get{}, infinite), 7) << "the reply to another call";
      for (int replier = 0; replier < 3; ++replier) receive<Ready>();
      forget_said();
      ASSERT_EQ(rest_of_mail(), "");
    }
  });
}

// A call watches its server until it is over, and both sides know when that is, whoever replies.
// G5, G8, M10
TEST_P(CallRules, a_call_is_a_monitor_until_its_reply_whoever_sends_it) {
  run([] {
    const ServerRef<Told> told = start_told();
    const auto watchers = [&] { return process_info(told.pid())->monitored_by; };
    const auto reply = [](Told& t) { t.reply_to_all(1); };
    const auto let_reply = [](Told& t) {
      spawn([caller = std::move(t.callers.back())]() mutable { caller.reply(2); });
      t.callers.clear();
    };
    const auto ask = [told] { exit(ExitReason::of(call(told, Told::Later{}, infinite))); };
    int expected = 0;
    for (const Told::Deed& deed : {Told::Deed(reply), Told::Deed(let_reply)}) {
      const Spawned caller = spawn_monitor(ask);
      EXPECT_EQ(said(), "later");
      EXPECT_EQ(watchers(), std::vector{caller.pid});
      cast(told, Told::Do{"reply", deed});
      EXPECT_EQ(reason_of(caller), ExitReason::of(++expected));
      EXPECT_EQ(said(), "reply");
      EXPECT_TRUE(watchers().empty());
    }
    EXPECT_EQ(failure_of(try_call(told, Told::Later{}, 0ms)), CallError::timeout);
    EXPECT_EQ(said(), "later");
    EXPECT_TRUE(watchers().empty()) << "given up";
    EXPECT_TRUE(process_info(self())->monitors.empty());
  });
}

// A plain monitor that is an address, too, outlives what comes through it.
// G8, A1
TEST_P(CallRules, what_a_server_sends_to_its_watchers_ends_no_monitor) {
  run([] {
    const ServerRef<Told> told = start_told();
    const MonitorRef ref = monitor(told.pid(), AliasMode::explicit_unalias);
    const auto send_to_watcher = [ref](Told&) { send(ref, 1); };
    cast(told, Told::Do{"send", send_to_watcher});
    EXPECT_EQ(receive<int>(), 1);
    send_exit(told.pid(), ExitReason::kill());
    EXPECT_EQ(receive<Down>().ref, ref);
  });
}

// What an ending server has not come to is refused with its monitor; its mailbox may be bounded.
// G5, M3
TEST_P(CallRules, a_call_behind_the_end_of_its_server_fails_with_noproc) {
  run([] {
    for ([[maybe_unused]] const std::size_t i : support::rounds()) {
      for (const std::size_t capacity : {std::size_t{0}, std::size_t{100}}) {
        const auto told = start<Told>({.mailbox = {.capacity = capacity}}, self());
        ASSERT_EQ(said(2), "init, continue");
        send_exit(told.pid(), ExitReason::kill());
        const auto one = try_call(told, Told::Get{}, infinite);
        ASSERT_EQ(failure_of(one), CallError::noproc);
        ASSERT_EQ(said(), "destroyed");
        ASSERT_EQ(rest_of_mail(), "");
        ASSERT_TRUE(process_info(self())->monitors.empty());
      }
    }
  });
}

// G8
TEST_P(CallRules, a_from_replies_once_and_is_nobodys_then) {
  run([] {
    const ServerRef<Told> told = start_told();
    const auto twice = [](Told&, From<int> from) {
      EXPECT_EQ(from.caller(), parent());
      from.reply(1);
      EXPECT_EQ(from.caller(), Pid());
      from.reply(2);
    };
    EXPECT_EQ(call(told, Told::Later{twice}), 1);
    EXPECT_EQ(call(told, Told::Get{}), 7);
    EXPECT_EQ(said(2), "later, get");
    EXPECT_EQ(rest_of_mail(), "");
    From<int>().reply(1);  // nobody's
  });
}

// G8, G5
TEST_P(CallRules, a_reply_and_an_end_that_race_give_one_of_both) {
  run([] {
    for (const std::size_t i : support::rounds()) {
      const ServerRef<Told> told = start<Told>(self());
      const auto race = [i, tester = self()](Told&, From<int> from) {
        spawn([tester, from = std::move(from), i]() mutable {
          if (i % 2) yield();
          from.reply(5);
          send(tester, Ready());
        });
        if (i % 3) yield();
        exit(ExitReason::of(6));
      };
      const auto reply = try_call(told, Told::Later{race}, infinite);
      if (reply) {
        ASSERT_EQ(*reply, 5);
      } else {
        ASSERT_EQ(reply.error().reason(), ExitReason::of(6));
      }
      ASSERT_EQ(
          said(5),
          "init, continue, later, terminate " + ExitReason::of(6).to_string() + ", destroyed");
      receive<Ready>();
      ASSERT_EQ(rest_of_mail(), "");
    }
  });
}

// --- moved ---

// Says when it is copied.
struct Counted {
  Counted() = default;
  Counted(const Counted& other) : copies(other.copies + 1) {}
  Counted& operator=(const Counted& other) {
    copies = other.copies + 1;
    return *this;
  }
  Counted(Counted&&) = default;
  Counted& operator=(Counted&&) = default;
  ~Counted() = default;

  int copies = 0;
};

struct Carrier : Server<Carrier> {
  struct Now {
    using Reply = Counted;
    Counted value;
  };
  struct Later {
    using Reply = std::unique_ptr<Counted>;
    std::unique_ptr<Counted> value;
  };
  struct Put {
    Counted value;
  };
  Counted handle(Now now) { return std::move(now.value); }
  void handle(Later later, From<std::unique_ptr<Counted>> from) {
    spawn([value = std::move(later.value), from = std::move(from)]() mutable {
      from.reply(std::move(value));
    });
  }
  void handle(Put put) { last = std::move(put.value); }

  Counted last;
};

// G23
TEST_P(CallRules, requests_and_replies_are_moved_however_late_they_come) {
  run([] {
    const ServerRef<Carrier> carrier = start_link<Carrier>();
    EXPECT_EQ(call(carrier, Carrier::Now{}).copies, 0);
    EXPECT_EQ(try_call(carrier, Carrier::Now{})->copies, 0);
    EXPECT_EQ(call(carrier, Carrier::Later{std::make_unique<Counted>()})->copies, 0);
    EXPECT_EQ(send_request(carrier, Carrier::Now{}).get().copies, 0);
    cast(carrier, Carrier::Put{});
    EXPECT_EQ(sys::get_state(carrier, [](const Carrier& c) { return c.last.copies; }), 0);
    const auto shared = std::make_shared<const std::string>("read by all");
    struct Reader : Server<Reader> {
      struct Read {
        using Reply = std::shared_ptr<const std::string>;
        std::shared_ptr<const std::string> text;
      };
      std::shared_ptr<const std::string> handle(Read read) { return read.text; }
    };
    EXPECT_EQ(call(start_link<Reader>(), Reader::Read{shared}), shared);
  });
}

}  // namespace
}  // namespace airssys::rt::semantics::servers_calls_test
