// hold_model.cpp: a hog's thread, the monitor that robs it, a rotation that holds it and lets it
// go, in every interleaving.
//
// Aim: that no thread is held while it is inside the runtime or has a lock of it (H1), nor when it
// has come home (H2), and that nobody sleeps in the handler for good (H3).
// Method: a signal comes between any two steps of the thread that others can tell apart; a thread
// that has lost its scheduler is given another one and goes on. The rotation may also know the
// thread from an earlier loss, and hold it while the monitor still tries. Then with mistakes.
#include "scheduler/hold.hpp"

#include <gtest/gtest.h>

#include <memory>

#include "scheduler/tenure.hpp"
#include "tests/model/blocking.hpp"
#include "tests/model/explorer.hpp"

namespace airssys::rt::scheduler::hold_model {
namespace {

using model::explore;
using model::Outcome;
using model::Program;

// As the kernel's: sleeps only while the word is as expected, until somebody wakes it.
struct ModelFutex {
  struct Word : model::Atomic<std::uint32_t> {
    using Atomic::Atomic;
    unsigned wakes = 0;
  };
  static void wait(Word& word, std::uint32_t expected) {
    if (word.peek() != expected) return;
    model::wait_until([&word, before = word.wakes] { return word.wakes != before; });
  }
  static void wake(Word& word) { ++word.wakes; }
};

struct FutexThatForgetsToWake : ModelFutex {
  static void wake(Word& /*word*/) {}
};

enum class Mistake : std::uint8_t { none, holds_anywhere, begins_after_loss, gives_up_silently };

template <class Futex>
struct World {
  base::Quiescence quiescence;
  BasicTenure<model::Mutex> tenure;
  BasicHold<Futex> hold;
  base::Atomic<bool> signal{false};
  Mistake mistake = Mistake::none;

  // The thread's own.
  bool has_task = true;
  bool has_lock = false;
  bool is_home = false;  // from a loss

  void signal_may_come() {
    if (!signal.exchange(false, std::memory_order_relaxed)) return;
    const bool in_process_code =
        mistake == Mistake::holds_anywhere || (has_task && !tenure.is_inside());
    if (in_process_code && hold.is_held()) {
      model::check(!has_lock && !tenure.is_inside(), "H1: held with what is the runtime's");
      model::check(!is_home, "H2: held at home");
    }
    hold.wait_for_turn(in_process_code);
  }
  void call_the_runtime() {
    signal_may_come();
    const bool is_lost = tenure.enter(quiescence) == Held::taken;
    signal_may_come();
    if (is_lost) {
      hold.come_home();
      is_home = true;
      has_task = false;
    }
    has_lock = true;
    signal_may_come();
    has_lock = false;
    if (is_lost) {
      tenure.rejoin();
      has_task = true;
    }
    tenure.leave();
    signal_may_come();
  }

  void monitor() {
    if (mistake == Mistake::begins_after_loss) {
      if (tenure.try_take()) hold.begin();
      return;
    }
    hold.begin();
    if (tenure.try_take()) return;
    if (mistake == Mistake::gives_up_silently) {
      hold.come_home();
    } else {
      hold.give_up();
    }
  }
  void rotation() {
    if (hold.hold()) signal.store(true, std::memory_order_relaxed);
    model::pause();
    hold.let_go();
  }
};

// Who robs it also gives it its turns; or the rotation knows it from an earlier loss.
enum class Known : std::uint8_t { by_its_loss, before };

template <class Futex = ModelFutex>
auto a_hog(Known known, Mistake mistake = Mistake::none) {
  return [=](Program& program) {
    auto world = std::make_shared<World<Futex>>();
    world->mistake = mistake;
    program.thread([world] {
      for (int call = 0; call < 2; ++call) world->call_the_runtime();
    });
    program.thread([=] {
      world->monitor();
      if (known == Known::by_its_loss) world->rotation();
    });
    if (known == Known::before) program.thread([world] { world->rotation(); });
  };
}

TEST(HoldModel, nobody_is_held_inside_or_at_home_nor_for_good) {
  const Outcome outcome = explore(a_hog(Known::by_its_loss), {.preemptions = 4});
  EXPECT_TRUE(outcome) << outcome.report;
}

TEST(HoldModel, nor_when_the_rotation_has_not_noticed_that_it_came_home_before) {
  const Outcome outcome = explore(a_hog(Known::before), {.preemptions = 3});
  EXPECT_TRUE(outcome) << outcome.report;
}

TEST(HoldModel, notices_a_handler_that_does_not_ask_where_it_is) {
  EXPECT_FALSE(
      explore(a_hog(Known::by_its_loss, Mistake::holds_anywhere), {.preemptions = 3}).passed);
}

TEST(HoldModel, notices_a_hold_that_begins_when_the_thread_may_be_home_already) {
  EXPECT_FALSE(explore(a_hog(Known::by_its_loss, Mistake::begins_after_loss),
                       {.preemptions = 3, .are_firm = true})
                   .passed);
}

TEST(HoldModel, notices_a_hold_that_wakes_nobody) {
  EXPECT_FALSE(explore(a_hog(Known::before, Mistake::gives_up_silently),
                       {.preemptions = 3, .are_firm = true})
                   .passed);
  EXPECT_FALSE(explore(a_hog<FutexThatForgetsToWake>(Known::by_its_loss)).passed);
}

}  // namespace
}  // namespace airssys::rt::scheduler::hold_model
