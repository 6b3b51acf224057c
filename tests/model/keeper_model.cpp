// keeper_model.cpp: sleepers, of whom one sleeps in the poller, and who wakes them.
//
// Aim: that an unpark ends its owner's sleep, wherever that sleeps (K1), and that I/O finds
// somebody in the poller though one who has kept it leaves for good (K2).
// Method: Keeper with a poller that has the words of scheduler/poller.cpp and, for the system's
// part, two edges, of which whoever looks first takes what is there. Beside sleepers and wakers
// there is a thread that looks into the poller in passing. A lost wake is a run in which nobody can
// go on. Then with a poller that is entered behind the look for a token, with wakers that interrupt
// first, and with one who leaves and wakes nobody.
#include "scheduler/keeper.hpp"

#include <gtest/gtest.h>

#include <array>
#include <memory>
#include <string>

#include "tests/model/blocking.hpp"
#include "tests/model/explorer.hpp"

namespace airssys::rt::scheduler::keeper_model {
namespace {

using model::explore;
using model::Outcome;
using model::Program;

constexpr std::int64_t for_ever = -1;

class ModelPoller {
 public:
  // Who finds another inside tries again, which is not seen before that one has left.
  bool enter() {
    if (try_enter()) return true;
    model::wait_until([this] { return !is_polled_.peek(); });
    return false;
  }
  void leave() { is_polled_.store(false, std::memory_order_release); }
  int wait_and_leave(std::int64_t timeout_ns, Poller::Awake /*awake*/, void* /*argument*/) {
    if (timeout_ns < 0) model::wait_until([this] { return edge_.peek() || ready_.peek(); });
    if (edge_.exchange(false, std::memory_order_relaxed))
      is_interrupted_.exchange(false, std::memory_order_acq_rel);
    if (ready_.exchange(false, std::memory_order_relaxed))
      served_.store(true, std::memory_order_relaxed);
    leave();
    return 0;
  }
  // I/O has come, and somebody has been told of it.
  void bring_io() { ready_.exchange(true, std::memory_order_relaxed); }
  bool has_served() { return served_.load(std::memory_order_relaxed); }
  void look() {
    if (try_enter()) wait_and_leave(0, nullptr, nullptr);
  }
  void interrupt() {
    if (is_interrupted_.exchange(true, std::memory_order_acq_rel)) return;
    edge_.exchange(true, std::memory_order_relaxed);
  }

 protected:
  bool try_enter() { return !is_polled_.exchange(true, std::memory_order_acquire); }

 private:
  base::Atomic<bool> is_polled_{false};
  base::Atomic<bool> is_interrupted_{false};
  base::Atomic<bool> edge_{false};
  base::Atomic<bool> ready_{false};
  base::Atomic<bool> served_{false};
};

// Alone only while it waits, not when it looks for a token.
class PollerEnteredTooLate : public ModelPoller {
 public:
  static bool enter() { return true; }
  static void leave() {}
  int wait_and_leave(std::int64_t timeout_ns, Poller::Awake awake, void* argument) {
    return try_enter() ? ModelPoller::wait_and_leave(timeout_ns, awake, argument) : 0;
  }
};

enum class Waker : std::uint8_t { unparks, interrupts_first };
enum class Leaver : std::uint8_t { wakes_another, wakes_nobody };

template <class AnyPoller, unsigned sleepers>
struct World {
  AnyPoller poller;
  BasicKeeper<AnyPoller, model::Parker> keeper{poller};
  std::array<model::Parker, sleepers> parkers;
  base::Atomic<bool> is_over{false};

  void sleep(unsigned which) {
    model::Parker& mine = parkers[which];
    while (!is_over.load(std::memory_order_relaxed)) {
      if (!keeper.sleep(mine, for_ever, nullptr, nullptr)) mine.park();
    }
  }
  void end(Waker waker) {
    is_over.store(true, std::memory_order_relaxed);
    if (waker == Waker::interrupts_first) poller.interrupt();
    for (model::Parker& parker : parkers) {
      if (waker == Waker::interrupts_first) {
        parker.unpark();
      } else {
        keeper.unpark(parker);
      }
    }
  }
};

template <class AnyPoller, unsigned sleepers>
auto sleepers_are_woken(unsigned looks, Waker waker = Waker::unparks) {
  return [=](Program& program) {
    auto world = std::make_shared<World<AnyPoller, sleepers>>();
    for (unsigned s = 0; s < sleepers; ++s) program.thread([=] { world->sleep(s); });
    program.thread([=] { world->end(waker); });
    program.thread([=] {
      for (unsigned i = 0; i < looks; ++i) world->poller.look();
    });
  };
}

// One sleeper is woken and does not come back; the other one serves I/O, if the first has not, for
// then its Waiters wake somebody.
auto io_is_served_though_one_leaves(Leaver leaver) {
  return [=](Program& program) {
    auto world = std::make_shared<World<ModelPoller, 2>>();
    auto& [leaving, staying] = world->parkers;
    program.thread([=, &leaving, &staying] {
      if (!world->keeper.sleep(leaving, for_ever, nullptr, nullptr)) leaving.park();
      if (leaver == Leaver::wakes_another || world->poller.has_served())
        world->keeper.unpark(staying);
    });
    program.thread([=, &staying] {
      while (!world->poller.has_served()) {
        if (!world->keeper.sleep(staying, for_ever, nullptr, nullptr)) staying.park();
      }
    });
    program.thread([=, &leaving] { world->keeper.unpark(leaving); });
    program.thread([=] { world->poller.bring_io(); });
  };
}

bool ends_asleep(const Outcome& outcome) {
  return !outcome.passed && outcome.report.find("nobody can go on") != std::string::npos;
}

TEST(KeeperModel, a_sleeper_is_woken_though_others_look_into_the_poller) {
  const Outcome outcome = explore(sleepers_are_woken<ModelPoller, 1>(2), {.preemptions = 3});
  EXPECT_TRUE(outcome) << outcome.report;
}

TEST(KeeperModel, all_are_woken_in_the_poller_and_on_their_parkers) {
  const Outcome outcome = explore(sleepers_are_woken<ModelPoller, 2>(1), {.preemptions = 2});
  EXPECT_TRUE(outcome) << outcome.report;
}

TEST(KeeperModel, io_is_served_though_one_who_kept_leaves) {
  const Outcome outcome =
      explore(io_is_served_though_one_leaves(Leaver::wakes_another), {.preemptions = 2});
  EXPECT_TRUE(outcome) << outcome.report;
}

TEST(KeeperModel, notices_a_poller_that_is_entered_too_late) {
  EXPECT_TRUE(ends_asleep(explore(sleepers_are_woken<PollerEnteredTooLate, 1>(1))));
}

TEST(KeeperModel, notices_a_waker_that_interrupts_first) {
  EXPECT_TRUE(ends_asleep(explore(sleepers_are_woken<ModelPoller, 2>(0, Waker::interrupts_first))));
}

TEST(KeeperModel, notices_one_who_leaves_and_wakes_nobody) {
  EXPECT_TRUE(ends_asleep(explore(io_is_served_though_one_leaves(Leaver::wakes_nobody))));
}

}  // namespace
}  // namespace airssys::rt::scheduler::keeper_model
