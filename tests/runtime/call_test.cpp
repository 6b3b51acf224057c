// call_test.cpp: the doors: verbs in a verb, verbs for plain threads in a process, and what a stack
// that is cut off leaves behind.
//
// Code of the user's runs in the middle of a verb as a message's destructor or as a predicate. What
// it may do there, and what happens when it fails there, is tried with a process that has something
// to lose: a pending kill, an armed time-out, a mark in its mail.
#include "runtime/call.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <airssys/rt.hpp>
#include <airssys/rt/call.hpp>
#include <airssys/rt/io.hpp>
#include <atomic>
#include <chrono>
#include <exception>
#include <optional>
#include <string_view>
#include <thread>
#include <utility>

#include "system/runtime_impl.hpp"
#include "tests/support/failing_messages.hpp"
#include "tests/support/in_runtime.hpp"
#include "tests/support/stress.hpp"

namespace airssys::rt::call_test {
namespace {

using namespace std::chrono_literals;
using support::Deep;
using support::Explosive;
using support::violate;

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
      EXPECT_TRUE(answer->is<detail::Refusal>());
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

TEST_P(Calls, a_process_is_inside_its_own_runtime_while_it_visits_another) {
  with_runtime([this](Runtime& host) {
    Runtime other(options);
    host.run([&other] {
      const auto is_inside = [] { return scheduler::Thread::current()->is_inside(); };
      EXPECT_FALSE(is_inside());
      {
        const runtime::Visit visit(other.impl().system());
        EXPECT_TRUE(is_inside());
      }
      EXPECT_FALSE(is_inside());
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
      process_info(self());  // both are in the mail
      const detail::PendingCall pending(tester);
      violate();
    });
    receive<Gone>();
    receive<Gone>();
    EXPECT_EQ(receive<Down>().reason.kind(), ExitReason::Kind::error);
  });
}

// One that waits by `wait` and meanwhile drops a message that fails ends as it should, and what its
// stack owned is destroyed.
template <class Failing = Explosive, class Wait>
void expect_an_end_in(Wait wait, const char* why = "noexcept_violation") {
  for (int i = 0; i < 20; ++i) {
    const auto [process, ref] = spawn_monitor([wait, tester = self()] {
      const Notifier on_its_stack(tester);
      const Alias closed = alias();
      unalias(closed);
      send(tester, closed);
      wait();
    });
    const Alias closed = receive<Alias>();
    const auto waits = [pid = process] {
      const ProcessState state = process_info(pid)->state;
      return state == ProcessState::waiting || state == ProcessState::blocking;
    };
    while (!waits()) yield();
    send(closed, Failing());
    EXPECT_EQ(receive<Down>().reason, ExitReason::error(why));
    EXPECT_TRUE(receive<Gone>(0ms));
  }
}

TEST_P(CutOff, a_dropped_message_that_fails_ends_one_that_sleeps) {
  run([] { expect_an_end_in([] { sleep(1h); }); });
}

TEST_P(CutOff, a_dropped_message_that_fails_ends_one_that_waits_for_a_job) {
  run([] {
    expect_an_end_in([] {
      blocking([] {
        while (!blocking_is_cancelled()) std::this_thread::yield();
      });
    });
  });
}

TEST_P(CutOff, a_dropped_message_that_fails_ends_one_that_waits_for_a_descriptor) {
  run([] {
    int ends[2];
    ASSERT_EQ(::pipe2(ends, O_NONBLOCK | O_CLOEXEC), 0);
    {
      io::Handle other_end(ends[1]);
      expect_an_end_in([fd = ends[0]] {
        io::Handle handle(::dup(fd));
        static_cast<void>(handle.wait(io::Direction::read, Deadline::after(1h)));
      });
    }
    ::close(ends[0]);
  });
}

TEST_P(CutOff, a_dropped_message_that_fails_ends_one_that_waits_for_room) {
  run([] {
    const auto full = spawn_monitor({.mailbox = {.capacity = 1}}, [] { receive<Gone>(); });
    send(full.pid, 1);
    expect_an_end_in([to = full.pid] { send(to, 2); });
    send_exit(full.pid, ExitReason::kill());
    EXPECT_EQ(receive<Down>().reason, ExitReason::killed());
  });
}

TEST_P(CutOff, a_dropped_message_that_overflows_the_stack_ends_one_that_sleeps) {
  run([] { expect_an_end_in<Deep>([] { sleep(1h); }, "stack_overflow"); });
}

// A server that has told of an alias which it has closed.
struct Rests : rt::Server<Rests> {
  Alias closed;
  explicit Rests(Pid tester) : closed(alias()) {
    unalias(closed);
    send(tester, closed);
  }
  static void handle(Ready) {}
};

TEST_P(CutOff, a_dropped_message_that_fails_ends_one_that_rests_without_a_stack) {
  run([] {
    const auto expect_the_end_of = [](const Spawned& process) {
      const Alias closed = receive<Alias>();
      while (process_info(process.pid)->state != ProcessState::waiting) yield();
      send(closed, Explosive());
      EXPECT_EQ(receive<Down>().reason, ExitReason::error("noexcept_violation"));
    };
    const auto close_one = [](Pid tester) {
      const Alias closed = alias();
      unalias(closed);
      send(tester, closed);
    };
    for (int i = 0; i < 20; ++i) {
      expect_the_end_of(spawn_monitor([=, tester = self()] {
        close_one(tester);
        hibernate();
      }));
      expect_the_end_of(spawn_monitor([=, tester = self()] {
        close_one(tester);
        hibernate([] { ADD_FAILURE() << "it has begun"; });
      }));
      const auto [server, ref] = start_monitor<Rests>(self());
      expect_the_end_of({server.pid(), ref});
    }
  });
}

// Says so when it is destroyed, and stays until it has been looked at.
class Lingerer {
 public:
  Lingerer(Pid watcher, const std::atomic<bool>& is_seen) : watcher_(watcher), is_seen_(is_seen) {}
  Lingerer(Lingerer&& other) noexcept
      : watcher_(std::exchange(other.watcher_, Pid())), is_seen_(other.is_seen_) {}
  Lingerer& operator=(Lingerer&&) = delete;
  ~Lingerer() {
    if (!watcher_) return;
    send(watcher_, Gone());
    // relaxed: it is only waited for.
    while (!is_seen_.load(std::memory_order_relaxed)) std::this_thread::yield();
  }

 private:
  Pid watcher_;
  const std::atomic<bool>& is_seen_;
};

// One that waits by `wait` and is cut off there, as it is seen while its destructors still run.
template <class Wait, class Before>
void expect_nothing_of_the_wait_is_seen(Wait wait, Before before_the_cut) {
  std::atomic<bool> is_seen = false;
  const auto [process, ref] =
      spawn_monitor([wait, late = Lingerer(self(), is_seen), tester = self()] {
        const Alias closed = alias();
        unalias(closed);
        send(tester, closed);
        wait();
      });
  const Alias closed = receive<Alias>();
  before_the_cut(process);
  send(closed, Explosive());
  receive<Gone>();
  const auto info = process_info(process, {.timeout = 0s});
  is_seen.store(true, std::memory_order_relaxed);  // relaxed: as above
  ASSERT_TRUE(info);
  EXPECT_EQ(info->state, ProcessState::runnable);
  EXPECT_EQ(info->wait_reason, "");
  EXPECT_FALSE(info->waits_for);
  EXPECT_EQ(receive<Down>().reason, ExitReason::error("noexcept_violation"));
}

TEST_P(CutOff, who_was_cut_off_in_a_call_is_seen_to_wait_for_nobody) {
  run([] {
    const auto callee = spawn_monitor([] { receive<Gone>(); });
    expect_nothing_of_the_wait_is_seen(
        [to = callee.pid] {
          detail::PendingCall pending(to, detail::CallUse::call);
          static_cast<void>(pending.wait(Deadline::never()));
        },
        [to = callee.pid](Pid caller) {
          while (process_info(caller)->waits_for != to) yield();
        });
    send(callee.pid, Gone());
    EXPECT_EQ(receive<Down>().pid, callee.pid);
  });
}

TEST_P(CutOff, who_was_cut_off_while_it_was_suspended_is_seen_to_run) {
  run([] {
    const auto hold = [](Pid waiting) {
      while (process_info(waiting)->state != ProcessState::waiting) yield();
      suspend(waiting);
    };
    expect_nothing_of_the_wait_is_seen([] { receive<Ready>(); }, hold);
    expect_nothing_of_the_wait_is_seen([] { sleep(1h); }, hold);
  });
}

// Receives from a mark that its process made, after the stack has been cut.
struct LateMark {
  Pid reader;
  std::optional<MailMark> mark;
  explicit LateMark(Pid whose) : reader(whose) {}
  LateMark(LateMark&& other) noexcept : reader(std::exchange(other.reader, Pid())) {}
  LateMark& operator=(LateMark&&) = delete;
  ~LateMark() {
    if (!mark) return;
    receive<int>(0ms);
    receive<int>(0ms);  // behind which the mark was
    for (int i = 0; i < 2; ++i)
      receive(*mark, [this](long) { send(reader, Gone()); }, after(0ms, [] {}));
  }
};

// Its unwind meets the noexcept of a destructor that runs in the middle of a wait.
struct ChangesBody {
  bool is_armed = true;
  ChangesBody() = default;
  ChangesBody(ChangesBody&& other) noexcept : is_armed(std::exchange(other.is_armed, false)) {}
  ChangesBody& operator=(ChangesBody&&) = delete;
  ~ChangesBody() {
    if (is_armed) hibernate([] { ADD_FAILURE() << "goes on after it was cut off"; });
  }
};

TEST_P(CutOff, a_dropped_message_that_gives_the_stack_up_ends_one_that_sleeps) {
  run([] { expect_an_end_in<ChangesBody>([] { sleep(1h); }); });
}

// Receives what has gone ahead, and from behind what has not, when the stack has been cut.
struct LatePriorityReader {
  Pid reader;
  explicit LatePriorityReader(Pid whose) : reader(whose) {}
  LatePriorityReader(LatePriorityReader&& other) noexcept
      : reader(std::exchange(other.reader, Pid())) {}
  LatePriorityReader& operator=(LatePriorityReader&&) = delete;
  ~LatePriorityReader() {
    if (!reader) return;
    while (receive<int>(0ms)) send(reader, Gone());
    while (receive<long>(0ms)) send(reader, Gone());
  }
};

TEST_P(CutOff, priority_mail_is_found_again_when_the_stack_was_cut) {
  constexpr int count = 5000;  // more than a slice looks at
  run([] {
    spawn_monitor([late = LatePriorityReader(self())] {
      const Alias ahead = alias({.priority = true});
      send(self(), 1L);
      for (int i = 0; i < count; ++i) send(self(), 'x');
      send(self(), 2L);
      for (int i = 0; i < 3; ++i) send(ahead, i, {.priority = true});
      yield();
      violate();
    });
    for (int i = 0; i < 5; ++i) receive<Gone>();
    EXPECT_EQ(receive<Down>().reason.kind(), ExitReason::Kind::error);
  });
}

TEST_P(CutOff, a_mark_that_is_not_on_the_stack_can_be_used_when_that_was_cut) {
  run([] {
    spawn_monitor([late = LateMark(self())]() mutable {
      send(self(), 1);
      send(self(), 2);
      late.mark.emplace();
      send(self(), 3L);
      send(self(), 4L);
      yield();
      violate();
    });
    receive<Gone>();
    receive<Gone>();
    EXPECT_EQ(receive<Down>().reason.kind(), ExitReason::Kind::error);
  });
}

}  // namespace
}  // namespace airssys::rt::call_test
