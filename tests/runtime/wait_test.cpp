// wait_test.cpp: wakes that nobody can take back any more are waited for, wherever they lie (Z3).
//
// A wait of the test's own whose source always says "too late" stands for a timer, a descriptor or
// a job that fires while its process is ended. The process pushes its exit and the wake itself, so
// that what lies in one batch is no matter of chance. Whether a wait fits into what is left of its
// stack is tried with every room from less than too little to more than enough.
#include "runtime/wait.hpp"

#include <airssys/rt.hpp>
#include <cstddef>
#include <memory>
#include <string_view>

#include "runtime/call.hpp"
#include "runtime/control_signal.hpp"
#include "tests/support/ends.hpp"
#include "tests/support/failing_messages.hpp"
#include "tests/support/in_runtime.hpp"

namespace airssys::rt::wait_test {

using support::reason_of;

namespace {

using runtime::Call;
using runtime::Process;

class Waits : public support::InRuntime {};
RT_WITH_SCHEDULERS(Waits);

struct Go {};

// What it waits for is on its way, and cannot be called off.
class WaitTooLate final : public runtime::Wait {
 public:
  explicit WaitTooLate(Process& process) noexcept : Wait(process) { is_armed_ = true; }
  ~WaitTooLate() { finish(); }

 private:
  bool disarm() noexcept override { return false; }
};

void push_own_exit(const Call& call) {
  Process& process = call.process();
  ASSERT_TRUE(call.system().deliver(
      process,
      *runtime::make_signal(
          mailbox::SignalKind::exit, process.pid(), 0, 0, ExitReason::shutdown())));
}

// S9 leaves what stands behind a terminating exit unobeyed; the wake is found there all the same.
TEST_P(Waits, a_wake_behind_the_exit_that_ends_the_process_is_found) {
  run([] {
    const Spawned process = spawn_monitor([] {
      const Call call(Call::Kind::plain);
      WaitTooLate wait(call.process());
      push_own_exit(call);
      wait.waker.wake();
      wait_for(call.process(), wait.waker, runtime::WaitReason::readable);
      ADD_FAILURE() << "outlived its exit";
    });
    EXPECT_EQ(reason_of(process), ExitReason::shutdown());
  });
}

TEST_P(Waits, a_wake_between_other_signals_behind_the_exit_is_found) {
  run([] {
    const Spawned process = spawn_monitor([] {
      const Call call(Call::Kind::plain);
      WaitTooLate first(call.process());
      WaitTooLate second(call.process());
      push_own_exit(call);
      send(self(), Go());
      second.waker.wake();
      push_own_exit(call);
      first.waker.wake();
      send(self(), Go());
      wait_for(call.process(), first.waker, runtime::WaitReason::readable);
      ADD_FAILURE() << "outlived its exit";
    });
    EXPECT_EQ(reason_of(process), ExitReason::shutdown());
  });
}

TEST_P(Waits, a_wake_that_comes_after_the_exit_is_waited_for) {
  run([] {
    runtime::Waker* waker = nullptr;
    const Spawned process = spawn_monitor([&waker, tester = self()] {
      const Call call(Call::Kind::plain);
      WaitTooLate wait(call.process());
      waker = &wait.waker;
      send(tester, Go());
      wait_for(call.process(), wait.waker, runtime::WaitReason::readable);
      ADD_FAILURE() << "outlived its exit";
    });
    receive<Go>();
    send_exit(process.pid, ExitReason::shutdown());
    EXPECT_FALSE(receive<Down>(std::chrono::milliseconds(5)));  // it cannot end yet
    {
      const Call call(Call::Kind::plain);
      waker->wake();
    }
    EXPECT_EQ(reason_of(process), ExitReason::shutdown());
  });
}

// One whose source says where it was called off: that may take a mutex.
class WaitToDisarm final : public runtime::Wait {
 public:
  WaitToDisarm(Process& process, bool& was_inside) noexcept
      : Wait(process), was_inside_(was_inside) {
    is_armed_ = true;
  }
  ~WaitToDisarm() { finish(); }

 private:
  bool disarm() noexcept override {
    was_inside_ = scheduler::Thread::current()->is_inside();
    return true;
  }

  bool& was_inside_;
};

// A hog may be held in process code, which an unwind is.
TEST_P(Waits, what_an_unwind_calls_off_it_calls_off_inside_the_runtime) {
  run([] {
    bool was_inside = false;
    const Spawned process = spawn_monitor([&was_inside] {
      const Call call(Call::Kind::plain);
      WaitToDisarm wait(call.process(), was_inside);
      push_own_exit(call);
      wait_for(call.process(), wait.waker, runtime::WaitReason::readable);
      ADD_FAILURE() << "outlived its exit";
    });
    EXPECT_EQ(reason_of(process), ExitReason::shutdown());
    EXPECT_TRUE(was_inside);
  });
}

// --- Where the stack is short. -------------------------------------------------------------------

class ShortStack : public support::InRuntime {
 protected:
  ShortStack() {
    options.containment = HostHook::on;
    options.log = [](std::string_view) {};
  }
};
RT_WITH_SCHEDULERS(ShortStack);

// Calls code where so many bytes of the stack are left.
template <class Code>
[[gnu::noinline]] void call_with_room(std::ptrdiff_t room, Code code) {
  const auto* here = static_cast<const std::byte*>(__builtin_frame_address(0));
  const std::ptrdiff_t hole = here - scheduler::Thread::current()->fiber().low - room;
  volatile auto* frames = static_cast<std::byte*>(__builtin_alloca(static_cast<std::size_t>(hole)));
  frames[0] = std::byte();
  code();
}

// It waits with a wake behind what `push` pushes into its own inbox.
template <class Push>
void wait_behind(Push push) {
  const Call call(Call::Kind::plain);
  WaitTooLate wait(call.process());
  push(call);
  wait.waker.wake();
  wait_for(call.process(), wait.waker, runtime::WaitReason::readable);
  ADD_FAILURE() << "outlived its exit";
}

template <class Failing>
void drop(const Call& /*call*/) {
  const Alias closed = alias();
  unalias(closed);
  send(closed, Failing());
}

const ExitReason overflow = ExitReason::error("stack_overflow");

// Whether there is room or not, the process ends alone, and each is the case for some of them.
template <class Push>
void expect_an_end_with_any_room(Push push, const ExitReason& with_room) {
  constexpr std::ptrdiff_t most = fiber::sanitizer::address ? 24 << 10 : 12 << 10;
  int with = 0;
  int without = 0;
  for (std::ptrdiff_t room = 1 << 10; room < most; room += 48) {
    const auto waits = [room, push] { call_with_room(room, [push] { wait_behind(push); }); };
    const ExitReason ends[] = {
        reason_of(spawn_monitor(waits)),
        reason_of(spawn_monitor([waits] {  // within a verb, where no door is opened any more
          send(self(), Go());
          receive(when([waits](Go&) { return waits(), true; }, [](Go) {}));
        }))};
    for (const ExitReason& reason : ends) {
      EXPECT_TRUE(reason == with_room || reason == overflow) << reason.to_string();
      ++(reason == with_room ? with : without);
    }
  }
  EXPECT_GT(with, 0);
  EXPECT_GT(without, with_room == overflow ? -1 : 0);
}

TEST_P(ShortStack, a_process_is_ended_in_a_wait_with_all_that_its_wait_needs) {
  run([] { expect_an_end_with_any_room(push_own_exit, ExitReason::shutdown()); });
}

TEST_P(ShortStack, a_dropped_message_that_fails_is_cut_off_alone) {
  run([] {
    expect_an_end_with_any_room(drop<support::Explosive>, ExitReason::error("noexcept_violation"));
  });
}

TEST_P(ShortStack, a_dropped_message_that_overflows_is_cut_off_alone) {
  run([] {
    const auto push = [](const Call& call) {
      drop<support::Deep>(call);
      push_own_exit(call);
    };
    expect_an_end_with_any_room(push, overflow);
  });
}

}  // namespace
}  // namespace airssys::rt::wait_test
