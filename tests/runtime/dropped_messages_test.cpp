// dropped_messages_test.cpp: where and when the destructors of dropped messages run (B5).
//
// Mailboxes of one message, which drop the oldest. What drops in them is waited for.
#include <airssys/rt.hpp>
#include <algorithm>
#include <atomic>
#include <chrono>
#include <thread>
#include <utility>

#include "base/quiescence.hpp"
#include "runtime/call.hpp"
#include "tests/support/in_runtime.hpp"

namespace airssys::rt::dropped_messages_test {
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

class DroppedMessages : public support::InRuntime {
 protected:
  const MailboxOptions of_one{.capacity = 1, .overflow = Overflow::drop_oldest};
};
RT_WITH_SCHEDULERS(DroppedMessages);

struct Go {};

// Waits in its destructor for the end of a grace period, which who is inside holds up.
class Patient {
 public:
  Patient(base::Quiescence& quiescence, bool& has_passed)
      : quiescence_(&quiescence), has_passed_(has_passed) {}
  Patient(Patient&& other) noexcept
      : quiescence_(std::exchange(other.quiescence_, nullptr)), has_passed_(other.has_passed_) {}
  Patient& operator=(Patient&&) = delete;
  ~Patient() {
    if (!quiescence_) return;
    const auto stamp = quiescence_->retire();
    const auto latest = Clock::now() + 10s;
    while (!has_passed_ && Clock::now() < latest) {
      has_passed_ = quiescence_->has_passed(stamp);
      std::this_thread::yield();
    }
  }

 private:
  base::Quiescence* quiescence_;
  bool& has_passed_;
};

// B5, P11
TEST_P(DroppedMessages, of_a_plain_thread_are_destroyed_outside) {
  with_runtime([this](Runtime& runtime) {
    std::atomic<bool> is_busy = false;
    std::atomic<bool> may_end = false;
    const Pid busy = runtime.spawn({.mailbox = of_one}, [&] {
      is_busy = true;
      while (!may_end) std::this_thread::yield();  // no safe point in here
    });
    while (!is_busy) std::this_thread::yield();
    bool has_passed = false;
    runtime.send(busy, Patient(runtime.impl().system().quiescence, has_passed));
    for (int i = 0; i < 2; ++i) runtime.send(busy, i);
    EXPECT_TRUE(has_passed);
    may_end = true;
    runtime.run([busy] {
      monitor(busy);
      receive<Down>();
    });
  });
}

// Its destructor waits, in a process, until it is told not to.
class Waiting {
 public:
  static inline std::atomic<int> destroyed = 0;
  static inline std::atomic<int> depth = 0;  // how many are in it
  static inline std::atomic<int> deepest = 0;
  static inline std::atomic<bool> may_end = false;

  Waiting() = default;
  Waiting(Waiting&& other) noexcept : is_here_(std::exchange(other.is_here_, false)) {}
  Waiting& operator=(Waiting&&) = delete;
  ~Waiting() {
    if (!is_here_) return;
    ++destroyed;
    if (!runtime::calling_process()) return;
    deepest = std::max(deepest.load(), ++depth);
    while (!may_end) sleep(1ms);
    --depth;
  }

 private:
  bool is_here_ = true;
};

// B5
TEST_P(DroppedMessages, while_the_owner_waits_in_a_destructor_are_not_destroyed_in_it) {
  run([this] {
    Waiting::destroyed = Waiting::deepest = 0;
    Waiting::may_end = false;
    const Spawned owner = spawn_monitor({.mailbox = of_one}, [] {
      receive<Go>();
      receive<Waiting>();
    });
    for (int i = 0; i < 2; ++i) send(owner.pid, Waiting());
    while (Waiting::destroyed == 0) yield();
    send(owner.pid, Waiting());
    while (Waiting::destroyed == 1) yield();
    Waiting::may_end = true;
    while (Waiting::depth != 0) yield();
    send_exit(owner.pid, ExitReason::shutdown());
    receive<Down>();
    EXPECT_EQ(Waiting::deepest, 1);
  });
}

}  // namespace
}  // namespace airssys::rt::dropped_messages_test
