// parking_model.cpp: a process that parks and wakes on two threads, in every interleaving.
//
// Aim: that a process which parks, is woken and moves between threads is run by one thread at a
// time (I2), stands in the run queue at most once (I1), and never sleeps on mail (I3).
// Method: two schedulers with one run queue of one place, and senders; the word that decides is the
// inbox's. The process's saved context is a Cell. Then with a scheduler that publishes "parked"
// before the context is saved, and with one that forgets to queue again what could not be parked.
#include <gtest/gtest.h>

#include <memory>

#include "mailbox/inbox.hpp"
#include "tests/model/cell.hpp"
#include "tests/model/explorer.hpp"
#include "tests/model/no_trail.hpp"

namespace airssys::rt::mailbox::parking_model {
namespace {

using model::explore;
using model::Outcome;
using model::Program;
using model::Weakness;

struct Mail {
  model::Cell<Mail*> next{nullptr};
};

enum class Mistake : std::uint8_t { none, parked_before_saved, not_queued_again };

template <std::size_t mail_count>
struct World {
  BasicInbox<Mail, model::NoTrail> inbox;
  model::Cell<int> context{0};
  model::Cell<Mail*> handed{nullptr};  // by who woke it
  std::size_t received = 0;            // by the process, so by one thread at a time
  Mail mail[mail_count];
  base::Atomic<bool> queued{true};  // a new process waits for its first run
  Mistake mistake = Mistake::none;

  void enqueue() {
    // release: hands over the process, as a run queue's push does.
    model::check(!queued.exchange(true, std::memory_order_release), "I1: queued twice");
  }

  void send(Mail& signal) {
    if (inbox.push(signal) != Pushed::first) return;
    handed = &signal;
    enqueue();
  }

  void run_process() {
    context = context + 1;
    if (handed != nullptr) {
      handed = nullptr;
      ++received;
    }
    for (Mail* signal = inbox.take_all(); signal != nullptr; signal = signal->next) ++received;
    model::pause();
    context = context + 1;
  }

  void schedule() {
    while (received < mail_count) {
      model::wait_until([&] { return queued.peek() || received == mail_count; });
      // acquire: as a run queue's pop.
      if (!queued.exchange(false, std::memory_order_acquire)) continue;
      run_process();
      bool is_parked = inbox.try_idle();
      if (mistake == Mistake::parked_before_saved) context = context + 1;
      if (!is_parked && mistake != Mistake::not_queued_again) enqueue();
    }
  }
};

template <std::size_t senders>
auto senders_against_schedulers(Mistake mistake = Mistake::none) {
  return [=](Program& program) {
    auto world = std::make_shared<World<senders>>();
    world->mistake = mistake;
    for (int i = 0; i < 2; ++i) program.thread([world] { world->schedule(); });
    for (Mail& signal : world->mail) program.thread([world, &signal] { world->send(signal); });
  };
}

// D1
TEST(ParkingModel, a_process_is_run_by_one_thread_at_a_time_and_never_sleeps_on_mail) {
  const Outcome outcome = explore(senders_against_schedulers<2>(), {.preemptions = 4});
  EXPECT_TRUE(outcome) << outcome.report;
}

TEST(ParkingModel, needs_the_orders_that_hand_the_context_over) {
  const auto survives = [](Weakness weakness) {
    return explore(senders_against_schedulers<1>(), {.weakness = weakness}).passed;
  };
  EXPECT_FALSE(survives(Weakness::updates_do_not_release));
  EXPECT_FALSE(survives(Weakness::updates_do_not_acquire));
}

TEST(ParkingModel, notices_a_context_that_is_saved_too_late) {
  EXPECT_FALSE(explore(senders_against_schedulers<1>(Mistake::parked_before_saved)).passed);
}

TEST(ParkingModel, notices_a_process_that_is_not_queued_again) {
  EXPECT_FALSE(explore(senders_against_schedulers<1>(Mistake::not_queued_again)).passed);
}

}  // namespace
}  // namespace airssys::rt::mailbox::parking_model
