// call_circles_test.cpp: calls that would wait in a circle (G7): seen always, and never where none
// is.
//
// Nearly all calls here have no time-out, so a circle that is not seen hangs and is printed by the
// watchdog. What must not look like a circle is run for many rounds, each of which can only end
// when every call in it is answered.
#include <airssys/rt.hpp>
#include <chrono>
#include <cstddef>
#include <expected>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "tests/semantics/targets.hpp"

namespace airssys::rt::semantics::call_circles_test {
namespace {

using namespace std::chrono_literals;

class CallCircles : public QuietRules {};
RT_WITH_SCHEDULERS(CallCircles);

using Answer = std::optional<CallError>;

// A server that calls whom it is told to call.
struct Caller : Server<Caller> {
  struct Ping {
    using Reply = int;
  };
  // Calls along the path, and pings its last; answers what went wrong there.
  struct Along {
    using Reply = Answer;
    std::vector<ServerRef<Caller>> path;
    Duration timeout = infinite;
  };
  struct StopThrough {
    using Reply = Answer;
    ServerRef<Caller> other;
    ServerRef<Caller> self;
  };
  struct Stop {
    using Reply = Answer;
    ServerRef<Caller> other;
  };
  struct LookThrough {
    using Reply = Answer;
    ServerRef<Caller> other;
    ServerRef<Caller> self;
  };
  struct Look {
    using Reply = Answer;
    ServerRef<Caller> other;
  };
  // Calls the other when it is told to, and tells the tester what came of it.
  struct Go {
    ServerRef<Caller> other;
    Pid tester;
  };

  int handle(Ping) { return 7; }
  Answer handle(const Along& along) {
    if (along.path.empty()) return std::nullopt;
    const ServerRef<Caller> next = along.path.front();
    if (along.path.size() == 1) return error_of(try_call(next, Ping{}, along.timeout));
    Along rest{{along.path.begin() + 1, along.path.end()}, along.timeout};
    auto answer = try_call(next, std::move(rest), along.timeout);
    return answer ? *answer : error_of(answer);
  }
  Answer handle(const StopThrough& through) {
    return call(through.other, Stop{through.self}, infinite);
  }
  Answer handle(const Stop& stop) { return error_of(try_stop(stop.other.pid())); }
  Answer handle(const LookThrough& through) {
    return call(through.other, Look{through.self}, infinite);
  }
  Answer handle(const Look& look) {
    try {
      sys::get_state(look.other, [](const Caller&) {}, infinite);
      return std::nullopt;
    } catch (const CallError& error) {
      return error;
    }
  }
  void handle(const Go& go) { send(go.tester, error_of(try_call(go.other, Ping{}, infinite))); }

  template <class T>
  static Answer error_of(const std::expected<T, CallError>& result) {
    if (result) return std::nullopt;
    return result.error();
  }
};

std::vector<ServerRef<Caller>> start_callers(std::size_t count) {
  std::vector<ServerRef<Caller>> callers;
  for (std::size_t i = 0; i < count; ++i) callers.push_back(start<Caller>());
  return callers;
}

void stop_all(const std::vector<ServerRef<Caller>>& callers) {
  for (const ServerRef<Caller> caller : callers) stop(caller);
}

// All of them, in any order, and the caller of the call that failed.
void expect_names(const Answer& answer, const std::vector<ServerRef<Caller>>& callers) {
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->kind(), CallError::circle) << answer->what();
  for (const ServerRef<Caller> caller : callers)
    EXPECT_NE(std::string(answer->what()).find(caller.pid().to_string()), std::string::npos)
        << answer->what();
}

// G7
TEST_P(CallCircles, a_call_that_closes_a_circle_fails_at_once_and_names_it) {
  run([] {
    for (const std::size_t count : {2UZ, 3UZ, 10UZ, 65UZ}) {
      const auto callers = start_callers(count);
      std::vector<ServerRef<Caller>> path(callers.begin() + 1, callers.end());
      path.push_back(callers.front());
      // With a time-out and without.
      for (const Duration timeout : {infinite, Duration(1h)})
        expect_names(call(callers.front(), Caller::Along{path, timeout}, infinite), callers);
      // None of them is hurt.
      for (const ServerRef<Caller> caller : callers) EXPECT_EQ(call(caller, Caller::Ping{}), 7);
      stop_all(callers);
    }
  });
}

// G7
TEST_P(CallCircles, a_circle_is_told_with_the_names_in_it) {
  run([] {
    const auto inner = start<Caller>(StartOptions{.name = "inner"});
    const auto outer = start<Caller>(StartOptions{.name = "outer"});
    const auto answer = call(outer, Caller::Along{{inner, outer}}, infinite);
    ASSERT_TRUE(answer);
    const std::string inner_pid = inner.pid().to_string();
    const std::string outer_pid = outer.pid().to_string();
    EXPECT_EQ(answer->what(),
              "call to " + outer_pid + " would wait in a circle: " + outer_pid +
                  " \"outer\" waits for " + inner_pid + " \"inner\"");
    stop_all({inner, outer});
  });
}

// G7
TEST_P(CallCircles, the_way_into_a_circle_is_no_part_of_it) {
  run([] {
    const auto callers = start_callers(4);
    // 0 calls 1, which calls 2, which calls 3, which calls 2.
    const auto answer =
        call(callers[0], Caller::Along{{callers[1], callers[2], callers[3], callers[2]}}, infinite);
    expect_names(answer, {callers[2], callers[3]});
    EXPECT_EQ(std::string(answer->what()).find(callers[1].pid().to_string()), std::string::npos);
    stop_all(callers);
  });
}

// G7, G17, C1
TEST_P(CallCircles, a_stop_and_a_system_request_wait_as_calls_do) {
  run([] {
    const auto callers = start_callers(2);
    expect_names(call(callers[0], Caller::StopThrough{callers[1], callers[0]}, infinite), callers);
    EXPECT_TRUE(is_alive(callers[0].pid())) << "what would wait in a circle is never asked for";
    expect_names(call(callers[0], Caller::LookThrough{callers[1], callers[0]}, infinite), callers);
    stop_all(callers);
  });
}

// Whoever comes first, a circle is broken, and only where it must be: the others get their answer.
// G7
TEST_P(CallCircles, those_who_call_one_another_at_once_never_all_wait) {
  run([] {
    for (const std::size_t count : {2UZ, 3UZ, 5UZ}) {
      const auto callers = start_callers(count);
      std::size_t circles = 0;
      for ([[maybe_unused]] const std::size_t round : rounds()) {
        for (std::size_t i = 0; i < count; ++i)
          cast(callers[i], Caller::Go{callers[(i + 1) % count], self()});
        std::size_t failed = 0;
        for (std::size_t i = 0; i < count; ++i) {
          const auto answer = receive<Answer>();
          if (!answer) continue;
          ++failed;
          expect_names(answer, callers);
        }
        ASSERT_LE(failed, 1U) << "broken in more places than one";
        circles += failed;
      }
      RecordProperty("circles_of_" + std::to_string(count), static_cast<int>(circles));
      stop_all(callers);
    }
  });
}

// A waits for B until B's answer reaches it. Meanwhile B, who has answered, calls A.
struct CallsBack : Server<CallsBack> {
  struct Ask {
    using Reply = int;
    ServerRef<CallsBack> caller;
    Pid tester;
  };
  struct CallBack {
    ServerRef<CallsBack> whom;
    Pid tester;
  };
  struct Begin {
    ServerRef<CallsBack> other;
    ServerRef<CallsBack> self;
    Pid tester;
  };
  struct Ping {
    using Reply = int;
  };
  int handle(const Ask& ask) {
    cast(ServerRef<CallsBack>(rt::self()), CallBack{ask.caller, ask.tester});
    return 1;
  }
  void handle(const CallBack& back) {
    send(back.tester, Caller::error_of(try_call(back.whom, Ping{}, infinite)));
  }
  void handle(const Begin& begin) {
    send(begin.tester,
         Caller::error_of(try_call(begin.other, Ask{begin.self, begin.tester}, infinite)));
  }
  int handle(Ping) { return 2; }
};

// G7
TEST_P(CallCircles, who_has_answered_may_call_its_caller) {
  run([] {
    const ServerRef<CallsBack> one = start<CallsBack>();
    const ServerRef<CallsBack> other = start<CallsBack>();
    for ([[maybe_unused]] const std::size_t round : rounds()) {
      cast(one, CallsBack::Begin{other, one, self()});
      for (int i = 0; i < 2; ++i) {
        const auto answer = receive<Answer>();
        ASSERT_FALSE(answer) << answer->what();
      }
    }
    stop(one);
    stop(other);
  });
}

// Is asked, and answers when the tester says so; then it calls back when it is told to.
struct AnswersLate : Server<AnswersLate> {
  struct Ask {
    using Reply = int;
    Pid tester;
  };
  struct Begin {
    ServerRef<AnswersLate> other;
    Pid tester;
  };
  struct Ping {
    using Reply = int;
  };
  struct CallBack {
    ServerRef<AnswersLate> whom;
    Pid tester;
  };
  int handle(const Ask& ask) {
    send(ask.tester, Ready());
    receive<rt::semantics::Go>();
    return 1;
  }
  int handle(Ping) { return 2; }
  void handle(const Begin& begin) {
    send(begin.tester, Caller::error_of(try_call(begin.other, Ask{begin.tester}, infinite)));
  }
  void handle(const CallBack& back) {
    send(back.tester, Caller::error_of(try_call(back.whom, Ping{}, infinite)));
  }
};

// Who is suspended rests with its answer unread.
// G7, P15
TEST_P(CallCircles, who_has_answered_one_that_is_suspended_may_call_it) {
  run([] {
    const ServerRef<AnswersLate> one = start<AnswersLate>();
    const ServerRef<AnswersLate> other = start<AnswersLate>();
    cast(one, AnswersLate::Begin{other, self()});
    receive<Ready>();
    suspend(one.pid());
    send(other.pid(), rt::semantics::Go());
    while (process_info(one.pid())->message_queue_len == 0) yield();
    cast(other, AnswersLate::CallBack{one, self()});
    while (process_info(other.pid())->waits_for != one.pid() &&
           process_info(self())->message_queue_len == 0)
      yield();
    resume(one.pid());
    for (int i = 0; i < 2; ++i) {
      const auto answer = receive<Answer>();
      EXPECT_FALSE(answer) << answer->what();
    }
    stop(one);
    stop(other);
  });
}

// B leaves the answer to a worker, and calls A before that one has answered.
struct Asks;
struct LeavesAnswers : Server<LeavesAnswers> {
  struct Ask {
    using Reply = int;
    ServerRef<Asks> caller;
    Pid tester;  // null: nobody is told what came of the call back
  };
  struct CallOut {
    ServerRef<Asks> whom;
    Pid tester;
  };
  explicit LeavesAnswers(Pid own_worker) : worker(own_worker) {}
  void handle(const Ask& ask, From<int> from);
  void handle(const CallOut& out);
  Pid worker;
};
struct Asks : Server<Asks> {
  struct Begin {
    ServerRef<LeavesAnswers> other;
    ServerRef<Asks> self;
    Pid tester;
    Pid other_tester;
    bool fetches = false;  // the reply, later
  };
  struct Ping {
    using Reply = int;
  };
  void handle(const Begin& begin) {
    const LeavesAnswers::Ask ask{begin.self, begin.other_tester};
    send(begin.tester,
         Caller::error_of(begin.fetches ? send_request(begin.other, ask).try_get(infinite)
                                        : try_call(begin.other, ask, infinite)));
  }
  int handle(Ping) { return 3; }
};
void LeavesAnswers::handle(const Ask& ask, From<int> from) {
  send(worker, std::move(from));
  send(ask.tester, Caller::error_of(try_call(ask.caller, Asks::Ping{}, infinite)));
}
void LeavesAnswers::handle(const CallOut& out) {
  send(out.tester, Caller::error_of(try_call(out.whom, Asks::Ping{}, infinite)));
}

// G7, G8, G9
TEST_P(CallCircles, who_leaves_the_answer_to_another_may_call_its_caller) {
  run([] {
    const Spawned worker = spawn_monitor([] {
      for (;;) {
        auto from = receive<From<int>>();
        yield();
        from.reply(1);
      }
    });
    const ServerRef<LeavesAnswers> other = start<LeavesAnswers>(worker.pid);
    const ServerRef<Asks> one = start<Asks>();
    for (const std::size_t round : rounds()) {
      cast(one, Asks::Begin{other, one, self(), self(), round % 2 == 1});
      for (int i = 0; i < 2; ++i) {
        const auto answer = receive<Answer>();
        ASSERT_FALSE(answer) << answer->what();
      }
    }
    stop(one);
    stop(other);
    send_exit(worker.pid, ExitReason::kill());
    reason_of(worker);
  });
}

// Who is not sure looks again, perhaps when its call has been left to another by then.
// G7, G8
TEST_P(CallCircles, whose_call_is_left_to_another_is_not_told_of_a_circle_that_was) {
  run([] {
    const Spawned worker = spawn_monitor([] {
      for (;;) {
        auto from = receive<From<int>>();
        rt::sleep(500us);  // so that it looks again meanwhile
        from.reply(1);
      }
    });
    const ServerRef<LeavesAnswers> other = start<LeavesAnswers>(worker.pid);
    const ServerRef<Asks> one = start<Asks>();
    for (const std::size_t round : rounds()) {
      if (round % 2 == 0) cast(one, Asks::Begin{other, one, self(), Pid()});
      cast(other, LeavesAnswers::CallOut{one, self()});
      if (round % 2 == 1) cast(one, Asks::Begin{other, one, self(), Pid()});
      std::size_t circles = 0;
      for (int i = 0; i < 2; ++i) circles += receive<Answer>() ? 1 : 0;
      ASSERT_LE(circles, 1U);
    }
    stop(one);
    stop(other);
    send_exit(worker.pid, ExitReason::kill());
    reason_of(worker);
  });
}

// Looks for a reply from time to time, answers calls in between, and may find it among other mail.
struct Polls : Server<Polls> {
  struct Begin {
    ServerRef<Polls> other;
    ServerRef<Polls> self;
    Pid tester;
  };
  struct Ask {
    using Reply = bool;
    ServerRef<Polls> caller;
  };
  struct Ping {
    using Reply = int;
  };
  struct Poll {};
  int handle(Ping) { return 1; }
  bool handle(const Ask& ask) { return try_call(ask.caller, Ping{}, infinite).has_value(); }
  void handle(const Begin& begin) {
    tester = begin.tester;
    reply.emplace(send_request(begin.other, Ask{begin.self}));
    cast(ServerRef<Polls>(rt::self()), Poll{});
  }
  void handle(Poll) {
    if (!reply) return;
    tell(reply->wait(200us));
    if (reply) cast(ServerRef<Polls>(rt::self()), Poll{});
  }
  void handle_info(Message& message) {
    if (reply) tell(reply->check(message));
  }
  void tell(const std::optional<std::expected<bool, CallError>>& answer) {
    if (!answer) return;
    send(tester, answer->value_or(false));
    reply.reset();
  }

  Pid tester;
  std::optional<PendingReply<bool>> reply;
};

// G7, G9
TEST_P(CallCircles, who_only_looks_for_a_reply_is_in_no_circle_and_loses_none) {
  run([] {
    const ServerRef<Polls> one = start<Polls>();
    const ServerRef<Polls> other = start<Polls>();
    for ([[maybe_unused]] const std::size_t round : rounds()) {
      cast(one, Polls::Begin{other, one, self()});
      ASSERT_TRUE(receive<bool>());
    }
    stop(one);
    stop(other);
  });
}

// G7
TEST_P(CallCircles, questions_that_are_answered_in_any_wait_close_no_circle) {
  struct Curious : Server<Curious> {
    struct Ask {
      using Reply = bool;
      Pid about;
    };
    bool handle(const Ask& ask) {
      return is_alive(ask.about) && process_info(ask.about)->waits_for == rt::self();
    }
  };
  run([] {
    const ServerRef<Curious> server = start<Curious>();
    for ([[maybe_unused]] const std::size_t round : rounds())
      ASSERT_TRUE(call(server, Curious::Ask{self()}, infinite));
    stop(server);
  });
}

}  // namespace
}  // namespace airssys::rt::semantics::call_circles_test
