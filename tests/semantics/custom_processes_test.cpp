// custom_processes_test.cpp: hand-written processes that start in step, and become servers (G22,
// G24), or answer system requests from a loop of their own (C7).
#include <airssys/rt.hpp>
#include <chrono>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "tests/semantics/servers.hpp"

namespace airssys::rt::semantics::custom_processes_test {
namespace {

using namespace std::chrono_literals;

class CustomProcesses : public ServerRules {};
RT_WITH_SCHEDULERS(CustomProcesses);

template <class T>
StartError error_of(const std::expected<T, StartError>& started) {
  EXPECT_FALSE(started);
  return started ? StartError(StartError::bad_spec, {}, "it has started") : started.error();
}

// A message that takes long to destroy.
std::shared_ptr<void> lingering() {
  return {nullptr, [](void*) {
            const auto over = std::chrono::steady_clock::now() + 30ms;
            while (std::chrono::steady_clock::now() < over) {
            }
          }};
}

// --- started in step ---

// G24
TEST_P(CustomProcesses, a_start_returns_when_the_body_acknowledges) {
  run([] {
    for (const bool is_linked : {true, false}) {
      const auto body = [tester = self()](Starter starter) {
        send(tester, Said{"before"});
        starter.acknowledge();
        starter.acknowledge();  // only the first answer counts
        receive<Go>();
      };
      const Pid pid = is_linked ? start_body_link(body) : start_body(body);
      EXPECT_TRUE(receive<Said>(0ms));
      EXPECT_EQ(process_info(pid)->parent, self());
      EXPECT_EQ(rest_of_mail(), "");
      const MonitorRef end = monitor(pid);
      send(pid, Go());
      EXPECT_EQ(reason_in_down(end), ExitReason::normal());
      EXPECT_EQ(receive<Exit>(0ms).has_value(), is_linked);
    }
  });
}

// G24
TEST_P(CustomProcesses, an_acknowledgement_may_bring_a_value) {
  run([] {
    const auto body = [](StarterOf<std::unique_ptr<int>> starter) {
      starter.acknowledge(std::make_unique<int>(4711));
      receive<Go>();
    };
    const StartedWith<std::unique_ptr<int>> linked = start_body_link<std::unique_ptr<int>>(body);
    EXPECT_EQ(*linked.value, 4711);
    EXPECT_TRUE(is_alive(linked.pid));
    const auto failing = [](StarterOf<int> starter) { starter.fail(ExitReason::of(9)); };
    EXPECT_EQ(error_of(try_start_body<int>(failing)).reason(), ExitReason::of(9));
    const auto ignoring = [](StarterOf<int> starter) { starter.ignore(); };
    EXPECT_EQ(error_of(try_start_body_link<int>(ignoring)).kind(), StartError::ignore);
    EXPECT_EQ(rest_of_mail(), "");
  });
}

// G24
TEST_P(CustomProcesses, a_start_that_is_failed_says_so_when_the_process_has_gone_its_own_way) {
  run([] {
    for (const bool is_linked : {true, false}) {
      const auto body = [](Starter starter) {
        register_name("custom", self());
        try {
          starter.fail(ExitReason::of(std::string("told")));
        } catch (const ExitException&) {
          starter.acknowledge();
          yield();
          throw std::runtime_error("a reason of its own");
        }
      };
      const auto started = is_linked ? try_start_body_link(body) : try_start_body(body);
      EXPECT_EQ(error_of(started).kind(), StartError::error);
      EXPECT_EQ(error_of(started).reason(), ExitReason::of(std::string("told")));
      EXPECT_FALSE(whereis("custom")) << "it has gone before its starter is told";
      EXPECT_EQ(rest_of_mail(), "");
    }
  });
}

// G24
TEST_P(CustomProcesses, a_body_does_not_outlive_its_refusal_to_start) {
  run([] {
    const auto ignores = [](Starter starter) {
      starter.ignore();
      sleep(infinite);
    };
    EXPECT_EQ(error_of(try_start_body_link(ignores)).kind(), StartError::ignore);
    const auto fails = [](Starter starter) {
      starter.fail(ExitReason::of(1));
      sleep(infinite);
    };
    EXPECT_EQ(error_of(try_start_body_link(fails)).reason(), ExitReason::of(1));
    EXPECT_EQ(rest_of_mail(), "");
  });
}

// G24
TEST_P(CustomProcesses, a_start_that_is_failed_may_end_with_another_reason_than_it_tells) {
  run([] {
    const Spawned parent = spawn_monitor([] {
      try_start_body_link([](Starter starter) {
        starter.fail(ExitReason::of(1), ExitReason::of(2));
      }).value();
    });
    EXPECT_EQ(reason_of(parent), ExitReason::of(2)) << "by the link";
  });
}

// Its mail takes its time, and so it is long gone when its links hear of its end.
// G24, G3
TEST_P(CustomProcesses, a_failed_start_is_followed_until_its_link_has_told) {
  run([] {
    const Spawned parent = spawn_monitor([] {
      try_start_body_link([](Starter starter) {
        send(self(), lingering());
        starter.fail(ExitReason::of(1), ExitReason::of(2));
      }).value();
    });
    EXPECT_EQ(reason_of(parent), ExitReason::of(2)) << "by the link";
  });
}

// A refusal is an exit, which can be caught.
// G4, G24
TEST_P(CustomProcesses, who_lives_on_after_it_has_refused_is_killed_when_its_time_is_up) {
  run([] {
    const auto body = [](Starter starter) {
      try {
        starter.ignore();
      } catch (const ExitException&) {
        sleep(infinite);
      }
    };
    EXPECT_EQ(error_of(try_start_body_link(body, {.timeout = 1ms})).kind(), StartError::timeout);
    EXPECT_EQ(rest_of_mail(), "");
  });
}

// G24
TEST_P(CustomProcesses, an_end_before_the_acknowledgement_is_why_the_start_failed) {
  run([] {
    const auto throws = [](Starter) { throw std::runtime_error("early"); };
    EXPECT_EQ(error_of(try_start_body_link(throws)).reason(),
              ExitReason::error("std::runtime_error", "early"));
    const auto exits = [](Starter) { exit(ExitReason::of(1)); };
    EXPECT_EQ(error_of(try_start_body_link(exits)).reason(), ExitReason::of(1));
    const auto returns = [](Starter) {};
    EXPECT_EQ(error_of(try_start_body_link(returns)).reason(), ExitReason::normal());
    const auto waits = [](Starter) { sleep(infinite); };
    EXPECT_EQ(error_of(try_start_body_link(waits, {.timeout = 1ms})).kind(), StartError::timeout);
    EXPECT_EQ(rest_of_mail(), "");
  });
}

// --- turned into servers ---

// Says what it was made of, and then serves as Told does.
struct Loop : Server<Loop> {
  struct Get {
    using Reply = std::string;
  };
  Loop(Pid owner, std::string text) : owner_(owner), text_(std::move(text)) {
    if (text_ == "bad") throw std::runtime_error("bad text");
  }
  void init() { send(owner_, Said{"init"}); }
  void handle_continue() { send(owner_, Said{"continue"}); }
  std::string handle(Get) const { return text_; }
  void terminate(const ExitReason& reason) { send(owner_, Said{"end " + reason.to_string()}); }

 private:
  Pid owner_;
  std::string text_;
};

// G22
TEST_P(CustomProcesses, a_body_that_returns_a_loop_goes_on_as_a_server) {
  run([] {
    struct Note {
      Pid tester;
      explicit Note(Pid pid) : tester(pid) {}
      Note(const Note&) = delete;
      Note& operator=(const Note&) = delete;
      ~Note() { send(tester, Said{"body is over"}); }
    };
    const Pid pid = start_body_link([tester = self()](Starter starter) {
      const Note note(tester);
      const std::string text = receive<std::string>(0ms).value_or("made by hand");
      return enter_loop<Loop>(starter, tester, text);
    });
    EXPECT_EQ(said(3), "body is over, init, continue");
    const ServerRef<Loop> loop = server_ref<Loop>(pid);
    EXPECT_EQ(call(loop, Loop::Get{}), "made by hand");
    EXPECT_EQ(sys::get_status(pid).parent, self());
    EXPECT_EQ(process_info(pid)->links, std::vector{self()});
    stop(loop, ExitReason::shutdown());
    EXPECT_EQ(said(), "end shutdown");
    EXPECT_EQ(exit_of(pid), ExitReason::shutdown());
  });
}

// G22
TEST_P(CustomProcesses, requests_that_come_before_the_loop_wait_for_it) {
  run([] {
    for (const std::size_t i : support::rounds()) {
      const Pid pid = start_body_link([tester = self(), i](Starter starter) {
        starter.acknowledge();
        for (std::size_t turns = i % 4; turns > 0; --turns) yield();
        return enter_loop<Loop>(starter, tester, "text");
      });
      ASSERT_EQ(call(server_ref<Loop>(pid), Loop::Get{}), "text");
      stop(pid);
      ASSERT_EQ(said(3), "init, continue, end normal");
      ASSERT_EQ(exit_of(pid), ExitReason::normal());
    }
    EXPECT_EQ(rest_of_mail(), "");
  });
}

// G22
TEST_P(CustomProcesses, a_loop_with_a_name_needs_that_name) {
  run([] {
    const auto body = [tester = self()](Starter starter) {
      return enter_loop<Loop>(starter, {.name = "loop"}, tester, "text");
    };
    EXPECT_EQ(error_of(try_start_body_link(body)).reason().type(), "airssys::rt::NameError");
    register_name("loop", self());
    const StartError of_another = error_of(try_start_body_link(body));
    EXPECT_TRUE(of_another.reason().what().contains(self().to_string())) << of_another.what();
    unregister_name("loop");
    EXPECT_TRUE(try_start_body_link(body, {.name = "loop"}));
    EXPECT_EQ(call(server_ref<Loop>("loop"), Loop::Get{}), "text");
  });
}

// G22, G24
TEST_P(CustomProcesses, a_loop_that_cannot_begin_fails_the_start) {
  run([] {
    const auto bad = [tester = self()](Starter starter) {
      return enter_loop<Loop>(starter, tester, "bad");
    };
    EXPECT_EQ(error_of(try_start_body_link(bad)).reason(),
              ExitReason::error("std::runtime_error", "bad text"));
    const auto none = [](Starter starter) {
      starter.ignore();
      return EnterLoop<Loop>();
    };
    EXPECT_EQ(error_of(try_start_body_link(none)).kind(), StartError::ignore);
    EXPECT_EQ(rest_of_mail(), "");
  });
}

// G22
TEST_P(CustomProcesses, a_supervised_body_may_become_a_state_machine) {
  struct Door : StateMachine<Door> {
    enum class State { locked, open };
    struct Push {
      using Reply = bool;
    };
    explicit Door(State first) : first_(first) {}
    State init() const { return first_; }
    bool handle(In<State::locked>, Push) { return false; }
    bool handle(In<State::open>, Push) { return true; }

   private:
    State first_;
  };
  run([] {
    const SupervisorRef top =
        start_supervisor_link({.children = {child("door", [](Starter starter) {
                                 return enter_loop<Door>(starter, Door::State::open);
                               })}});
    const ServerRef<Door> door(which_children(top).at(0).pid);
    EXPECT_TRUE(call(door, Door::Push{}));
    const MonitorRef end = monitor(door.pid());
    send_exit(door.pid(), ExitReason::kill());
    EXPECT_EQ(reason_in_down(end), ExitReason::killed());
    const ServerRef<Door> again(which_children(top).at(0).pid);
    EXPECT_TRUE(call(again, Door::Push{}));
  });
}

// --- special processes ---

struct Reading {
  long value;
};
struct Meter {
  long sum = 0;
  std::string format_state() const { return "sum " + std::to_string(sum); }
};

// Adds readings up, with a loop of its own.
Pid start_meter(bool traps_exits = false) {
  return start_body_link([traps_exits](Starter starter) {
    trap_exit(traps_exits);
    Meter meter;
    sys::Responder<Meter> system(meter);
    starter.acknowledge();
    for (;;) {
      Message message = receive<Message>();
      if (system.takes(message)) continue;
      if (const auto* reading = message.get_if<Reading>()) meter.sum += reading->value;
    }
  });
}

long sum_of(Pid meter) {
  return sys::get_state(server_ref<Meter>(meter), [](const Meter& m) { return m.sum; });
}

// C7
TEST_P(CustomProcesses, a_special_process_shows_and_changes_its_state_in_the_order_of_its_mail) {
  run([] {
    const Pid meter = start_meter();
    send(meter, Reading{1});
    EXPECT_EQ(sum_of(meter), 1);
    sys::replace_state(server_ref<Meter>(meter), [](Meter& m) { m.sum *= 100; });
    send(meter, Reading{2});
    EXPECT_EQ(sum_of(meter), 102);
    const sys::Status status = sys::get_status(meter);
    EXPECT_EQ(status.pid, meter);
    EXPECT_EQ(status.parent, self());
    EXPECT_EQ(status.state, "sum 102");
    EXPECT_TRUE(status.type.ends_with("Meter")) << status.type;
  });
}

// C7, C2
TEST_P(CustomProcesses, a_special_process_is_suspended_and_resumed) {
  run([] {
    const Pid meter = start_meter();
    sys::suspend(meter);
    for (int i = 0; i < 10; ++i) send(meter, Reading{1});
    EXPECT_EQ(sum_of(meter), 0);
    EXPECT_TRUE(sys::get_status(meter).is_suspended);
    sys::resume(meter);
    EXPECT_EQ(sum_of(meter), 10);
  });
}

// C7, C5
TEST_P(CustomProcesses, a_special_process_can_be_watched) {
  run([] {
    const Pid meter = start_meter();
    sys::log(meter);
    sys::statistics(meter, true);
    send(meter, Reading{1});
    send(meter, Reading{2});
    EXPECT_EQ(sys::get_statistics(meter)->messages_in, 2U);
    EXPECT_EQ(sys::get_log(meter).size(), 2U);
  });
}

// C7, G14, G17
TEST_P(CustomProcesses, a_special_process_is_stopped_and_ends_with_its_parent) {
  run([] {
    const Pid stopped = start_meter();
    stop(stopped, ExitReason::of(5));
    EXPECT_EQ(exit_of(stopped), ExitReason::of(5));
    for (const bool is_suspended : {false, true}) {
      const Spawned parent = spawn_monitor([tester = self(), is_suspended] {
        const Pid meter = start_meter(true);
        if (is_suspended) sys::suspend(meter);
        send(tester, meter);
        receive<Go>();
        exit(ExitReason::of(6));
      });
      const MonitorRef meter = monitor(receive<Pid>());
      send(parent.pid, Go());
      EXPECT_EQ(reason_in_down(meter), ExitReason::of(6));
    }
  });
}

// C7, C6
TEST_P(CustomProcesses, who_does_not_answer_system_requests_refuses_them_at_once) {
  run([] {
    const auto kind_of = [](Pid pid) {
      try {
        sys::suspend(pid, infinite);
      } catch (const CallError& error) {
        return error.kind();
      }
      return CallError::unwinding;
    };
    const Pid plain = start_body_link([](Starter starter) {
      {
        Meter meter;
        const sys::Responder<Meter> system(meter);
      }
      starter.acknowledge();
      receive<Go>();
    });
    EXPECT_EQ(kind_of(plain), CallError::wrong_type);
    const Pid meter = start_meter();
    EXPECT_EQ(failure_of(try_call(server_ref<Loop>(meter), Loop::Get{}, infinite)),
              CallError::wrong_type);
    EXPECT_EQ(sum_of(meter), 0);
  });
}

}  // namespace
}  // namespace airssys::rt::semantics::custom_processes_test
