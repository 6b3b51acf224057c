// call_test.cpp: the doors: verbs in a verb, verbs for plain threads in a process, and what a stack
// that is cut off leaves behind.
//
// Code of the user's runs in the middle of a verb as a message's destructor or as a predicate. What
// it may do there, and what happens when it fails there, is tried with a process that has something
// to lose: a pending kill, an armed time-out, a mark in its mail.
#include "runtime/call.hpp"

#include <airssys/rt.hpp>
#include <airssys/rt/call.hpp>
#include <chrono>
#include <exception>
#include <string_view>
#include <utility>

#include "tests/support/in_runtime.hpp"
#include "tests/support/stress.hpp"

namespace airssys::rt {
namespace {

using namespace std::chrono_literals;

class Calls : public support::InRuntime {};
RT_WITH_SCHEDULERS(Calls);

struct Ready {};
struct Gone {};

// Sends when it is destroyed.
class Notifier {
 public:
  explicit Notifier(Pid to) : to_(to) {}
  Notifier(Notifier&& other) noexcept : to_(std::exchange(other.to_, Pid())) {}
  Notifier& operator=(Notifier&&) = delete;
  ~Notifier() {
    if (to_) send(to_, Gone());
  }

 private:
  Pid to_;
};

TEST_P(Calls, a_destructor_that_sends_in_the_middle_of_a_verb_is_no_safe_point) {
  run([] {
    for ([[maybe_unused]] const std::size_t i : support::rounds()) {
      const auto [process, ref] = spawn_monitor([tester = self()] {
        const Alias closed = alias();
        send(tester, closed);
        unalias(closed);
        send(tester, Ready());
        receive<Gone>();
      });
      const Alias closed = receive<Alias>();
      receive<Ready>();
      // The message is dropped as it is obeyed, and a kill stands right behind it.
      send(closed, Notifier(self()));
      send_exit(process, ExitReason::kill());
      EXPECT_EQ(receive<Down>().reason, ExitReason::killed());
      EXPECT_TRUE(receive<Gone>(0ms));
    }
  });
}

struct Ask {
  using Reply = int;
};
struct Server {
  int handle(Ask) { return 0; }
};

TEST_P(Calls, a_body_that_never_ran_refuses_a_request_and_dies_of_the_kill_behind_it) {
  run([] {
    for ([[maybe_unused]] const std::size_t i : support::rounds()) {
      const auto [process, ref] = spawn_monitor([] { receive<Gone>(); });
      detail::PendingCall pending(process);
      send(process,
           Message(detail::make_payload_as<detail::CallMessage<Ask>>(
               detail::call_type<Server, Ask>, pending.alias(), Ask())));
      send_exit(process, ExitReason::kill());
      const auto answer = pending.wait(Deadline::never());
      ASSERT_TRUE(answer);
      EXPECT_TRUE(answer->is<detail::WrongServer>());
      EXPECT_EQ(receive<Down>().reason, ExitReason::killed());
    }
  });
}

TEST_P(Calls, a_refused_request_frees_its_room) {
  run([] {
    const auto [process, ref] = spawn_monitor({.mailbox = {.capacity = 1}}, [] {
      for (int i = 0; i < 3; ++i) EXPECT_EQ(receive<int>(), i);
    });
    for (int i = 0; i < 3; ++i) {
      detail::PendingCall pending(process);
      send(process,
           Message(detail::make_payload_as<detail::CallMessage<Ask>>(
               detail::call_type<Server, Ask>, pending.alias(), Ask())));
      EXPECT_TRUE(pending.wait(Deadline::never()));
      send(process, i);
    }
    EXPECT_EQ(receive<Down>().reason, ExitReason::normal());
  });
}

TEST_P(Calls, a_process_may_use_the_verbs_for_plain_threads) {
  with_runtime([](Runtime& runtime) {
    runtime.run([&runtime] {
      const int count = static_cast<int>(support::stress_size(2000));
      for (int i = 0; i < count; ++i)
        runtime.spawn([&runtime, tester = self(), i] { runtime.send(tester, i); });
      for (int i = 0; i < count; ++i) receive<int>();
      EXPECT_THROW(runtime.run([] {}), BadArgument);
      EXPECT_THROW(runtime.stop(0s), BadArgument);
    });
  });
}

TEST_P(Calls, a_verb_for_processes_is_refused_on_a_plain_thread) {
  EXPECT_THROW(self(), BadArgument);
  EXPECT_THROW(yield(), BadArgument);
  EXPECT_THROW(spawn([] {}), BadArgument);
}

// --- Stacks that are cut off. --------------------------------------------------------------------

class CutOff : public support::InRuntime {
 protected:
  CutOff() {
    options.containment = HostHook::on;
    options.log = [](std::string_view) {};
  }
};
RT_WITH_SCHEDULERS(CutOff);

// Where an exception that meets noexcept ends up, without the exception: that would leak.
void violate() noexcept {
  std::terminate();
}

TEST_P(CutOff, a_predicate_that_is_cut_off_leaves_no_timer_behind) {
  run([] {
    for (int i = 0; i < 20; ++i) {
      const auto [process, ref] = spawn_monitor([tester = self()] {
        send(tester, Ready());
        receive(when([](int) -> bool { return violate(), true; }, [](int) {}), after(1h, [] {}));
      });
      receive<Ready>();
      sleep(1ms);  // so that most of them rest, with the time-out armed
      send(process, 1);
      EXPECT_EQ(receive<Down>().reason.what(), "noexcept_violation");
      EXPECT_FALSE(is_alive(process));
    }
  });
}

// Receives when it is destroyed, after the stack with a mark of a pending call on it has been cut.
struct LateReader {
  Pid reader;
  explicit LateReader(Pid whose) : reader(whose) {}
  LateReader(LateReader&& other) noexcept : reader(std::exchange(other.reader, Pid())) {}
  LateReader& operator=(LateReader&&) = delete;
  ~LateReader() {
    if (reader)
      while (receive<int>(0ms)) send(reader, Gone());
  }
};

TEST_P(CutOff, marks_in_the_mail_are_forgotten_with_the_stack) {
  run([] {
    spawn_monitor([late = LateReader(self()), tester = self()] {
      send(self(), 1);
      send(self(), 2);
      const detail::PendingCall pending(tester);
      violate();
    });
    receive<Gone>();
    receive<Gone>();
    EXPECT_EQ(receive<Down>().reason.kind(), ExitReason::Kind::error);
  });
}

}  // namespace
}  // namespace airssys::rt
