// drop_oldest_test.cpp: a mailbox that drops the oldest, whose owner does not look (B5).
//
// The owner is held where no safe point is, so what is beyond twice the bound its senders drop.
#include <airssys/rt.hpp>
#include <algorithm>
#include <atomic>
#include <chrono>
#include <thread>
#include <utility>
#include <vector>

#include "tests/semantics/targets.hpp"

namespace airssys::rt::semantics::drop_oldest_test {
namespace {

using namespace std::chrono_literals;

class DropOldestRules : public QuietRules {};
RT_WITH_SCHEDULERS(DropOldestRules);

// A number, and how many of them there are.
struct Counted {
  static inline std::atomic<int> alive = 0;
  int number;

  explicit Counted(int n) : number(n) { ++alive; }
  Counted(Counted&& other) noexcept : number(other.number) { ++alive; }
  Counted& operator=(Counted&&) = delete;
  ~Counted() { --alive; }
};

// From plain threads, which nobody holds back.
// B5
TEST_P(DropOldestRules,
       an_owner_that_never_looks_has_twice_its_bound_at_most_and_of_that_the_newest) {
  with_runtime([](Runtime& runtime) {
    std::atomic<bool> is_busy = false;
    std::atomic<bool> looks = false;
    const Pid pid =
        runtime.spawn({.mailbox = {.capacity = 4, .overflow = Overflow::drop_oldest}}, [&] {
          is_busy = true;
          while (!looks) std::this_thread::yield();  // no safe point in here
          for (int i = 1996; i < 2000; ++i) EXPECT_EQ(receive<Counted>(0ms)->number, i);
          EXPECT_FALSE(receive<Counted>(0ms));
          EXPECT_EQ(process_info(self())->drops[DropReason::oldest], 1996U);
        });
    while (!is_busy) std::this_thread::yield();
    for (int i = 0; i < 2000; ++i) {
      EXPECT_EQ(runtime.try_send(pid, Counted(i)), SendResult::sent);
      EXPECT_LE(Counted::alive, 8);
    }
    looks = true;
    runtime.run([pid] { reason_in_down(monitor(pid)); });
  });
}

// What else lies in the inbox stays, and in its place: here an exit between two messages.
// B5, S1
TEST_P(DropOldestRules, what_is_dropped_beside_it_leaves_a_signal_in_its_place) {
  run([] {
    if (schedulers() == 1) return;
    set_scheduler(1);
    std::atomic<bool> is_busy = false;
    std::atomic<bool> looks = false;
    const auto without_safe_point = [&](Go) {
      is_busy = true;
      while (!looks) std::this_thread::yield();
      return true;
    };
    const SpawnOptions spawn_options{.mailbox = {.capacity = 2, .overflow = Overflow::drop_oldest},
                                     .scheduler = 2};
    const Spawned holding = spawn_monitor(spawn_options, [&] {
      trap_exit(true);
      receive(when(without_safe_point, [](Go) {}));
      std::vector<int> came;
      for (int i = 0; i < 3; ++i)
        came.push_back(receive([](int number) { return number; }, [](Exit) { return -1; }));
      EXPECT_EQ(came, (std::vector{8, -1, 9}));
      EXPECT_FALSE(receive<Message>(0ms));
    });
    send(holding.pid, Go());
    while (!is_busy) yield();
    for (int i = 0; i < 9; ++i) send(holding.pid, i);
    send_exit(holding.pid, ExitReason::of(1));
    send(holding.pid, 9);
    looks = true;
    EXPECT_EQ(reason_of(holding), ExitReason::normal());
  });
}

// Sends another of its kind to the same mailbox when it is destroyed, until so many are sent.
class Resent {
 public:
  static inline std::atomic<int> left = 0;
  static inline std::atomic<int> deepest = 0;  // how many are in the destructor of another one
  static inline std::atomic<int> alive = 0;

  explicit Resent(Pid to) : to_(to) { ++alive; }
  Resent(Resent&& other) noexcept : to_(std::exchange(other.to_, Pid())) {}
  Resent& operator=(Resent&&) = delete;
  ~Resent() {
    if (!to_) return;
    if (left.fetch_sub(1) > 0) send_another();
    --alive;
  }

 private:
  void send_another() const {
    static thread_local int depth = 0;
    deepest = std::max(deepest.load(), depth++);
    try_send(to_, Resent(to_));
    --depth;
  }

  Pid to_;
};

// A process that has such messages sent to it, and looks at none; `send_all(pid)` sends some.
template <class SendAll>
void resend_to_one_who_never_looks(SendAll send_all, const SpawnOptions& options) {
  std::atomic<bool> is_busy = false;
  Resent::left = 200;
  Resent::deepest = 0;
  const Spawned busy = spawn_monitor(options, [&] {
    is_busy = true;
    while (Resent::left > 0) std::this_thread::yield();  // no safe point in here
  });
  while (!is_busy) yield();
  send_all(busy.pid);
  EXPECT_EQ(reason_of(busy), ExitReason::normal());
  EXPECT_EQ(Resent::deepest, 0);
  while (Resent::alive != 0) yield();  // else they would send to who is gone, once there are more
}

// B5
TEST_P(DropOldestRules, what_is_dropped_may_send_to_the_same_mailbox_and_nothing_nests) {
  run([] {
    if (schedulers() == 1) return;
    set_scheduler(1);
    const SpawnOptions spawn_options{.mailbox = {.capacity = 1, .overflow = Overflow::drop_oldest},
                                     .scheduler = 2};
    const auto send_three = [](Pid to) {
      for (int i = 0; i < 3; ++i) EXPECT_EQ(try_send(to, Resent(to)), SendResult::sent);
    };
    resend_to_one_who_never_looks(send_three, spawn_options);
    const auto send_from_outside = [&](Pid to) { blocking([&] { send_three(to); }); };
    resend_to_one_who_never_looks(send_from_outside, spawn_options);
  });
}

// Holds itself at no safe point, and ends.
struct Hog : Server<Hog> {
  struct Hold {
    std::atomic<bool>& is_busy;
    std::atomic<bool>& may_end;
  };
  struct Ask {
    using Reply = int;
  };
  void handle(Hold hold) {
    hold.is_busy = true;
    while (!hold.may_end) std::this_thread::yield();
    exit(ExitReason::shutdown());
  }
  int handle(Ask) { return 1; }
};

// Also who has asked what was dropped unseen.
// B5, G5
TEST_P(DropOldestRules, all_whose_requests_were_dropped_hear_of_the_end_of_their_server) {
  run([] {
    if (schedulers() == 1) return;
    set_scheduler(1);
    std::atomic<bool> is_busy = false;
    std::atomic<bool> may_end = false;
    const auto hog =
        start<Hog>({.mailbox = {.capacity = 1, .overflow = Overflow::drop_oldest}, .scheduler = 2});
    cast(hog, Hog::Hold{is_busy, may_end});
    while (!is_busy) yield();
    std::vector<Spawned> asking;
    for (int i = 0; i < 5; ++i) {
      asking.push_back(spawn_monitor([hog] { EXPECT_FALSE(try_call(hog, Hog::Ask(), infinite)); }));
    }
    for (const Spawned& each : asking) {
      while (process_info(each.pid)->wait_reason != "reply") yield();
    }
    may_end = true;
    for (const Spawned& each : asking) reason_of(each);
  });
}

}  // namespace
}  // namespace airssys::rt::semantics::drop_oldest_test
