// wait_test.cpp: wakes that nobody can take back any more are waited for, wherever they lie (Z3).
//
// A wait of the test's own whose source always says "too late" stands for a timer, a descriptor or
// a job that fires while its process is ended. The process pushes its exit and the wake itself, so
// that what lies in one batch is no matter of chance.
#include "runtime/wait.hpp"

#include <airssys/rt.hpp>

#include "runtime/call.hpp"
#include "runtime/control_signal.hpp"
#include "tests/support/in_runtime.hpp"

namespace airssys::rt {
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

ExitReason end_of(const Spawned& process) {
  return receive(when([&](Down& down) { return down.ref == process.ref; },
                      [](Down& down) { return std::move(down.reason); }));
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
    EXPECT_EQ(end_of(process), ExitReason::shutdown());
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
    EXPECT_EQ(end_of(process), ExitReason::shutdown());
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
    EXPECT_EQ(end_of(process), ExitReason::shutdown());
  });
}

}  // namespace
}  // namespace airssys::rt
