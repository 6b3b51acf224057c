// inbox_model.cpp: an owner against senders and a claimer, in every interleaving.
//
// Aim: that the inbox loses no signal and no wake, keeps each sender's order, hands over what its
// orders promise, and refuses for ever once closed.
// Method: all interleavings of an owner with two senders, with a claimer, with who replaces what it
// has not taken, and with its own end.
// What plain memory the protocol guards is a Cell: the links and contents of signals, the one that
// is handed over with the wake, the saved context. Then the same with each sort of order weakened,
// and with an inbox that parks without looking.
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <vector>

#include "mailbox/inbox.hpp"
#include "tests/model/blocking.hpp"
#include "tests/model/cell.hpp"
#include "tests/model/explorer.hpp"
#include "tests/model/no_trail.hpp"

namespace airssys::rt::mailbox::inbox_model {
namespace {

using model::Bounds;
using model::Cell;
using model::Outcome;
using model::Program;
using model::Weakness;

struct Mail {
  Cell<Mail*> next{nullptr};
  Cell<int> content{0};
};

// An owner, the parker it waits on while idle, and what its last step left to the next.
template <class Inbox>
struct Owner {
  Inbox inbox;
  model::Parker parker;
  Cell<int> context{0};
  Cell<Mail*> handed{nullptr};  // by who woke it
  Cell<int> name_freed{0};
  Mail batch;  // stands for what somebody has taken out
  model::Mutex mutex;
  Cell<Mail*> in_batch{nullptr};  // under mutex
  std::vector<int> received;

  // What a scheduler's loop does with a process: run it, park it, wait until it is woken.
  void run_until(std::size_t count) {
    while (received.size() < count) {
      if (const Mail* first = handed) {
        received.push_back(first->content);
        handed = nullptr;
      }
      take(inbox.take_all());
      if (received.size() >= count) return;
      context = context + 1;
      if (inbox.try_idle()) parker.park();
      context = context + 1;
    }
  }
  void take(Mail* mail) {
    if (mail == &batch) {
      mutex.lock();
      take(in_batch);
      mutex.unlock();
      mail = mail->next;
    }
    for (; mail != nullptr; mail = mail->next) received.push_back(mail->content);
  }
  // Answers whether the owner took responsibility for it.
  bool send(Mail& mail, int content) {
    mail.content = content;
    switch (inbox.push(mail)) {
      case Pushed::closed:
        model::check(name_freed == 1, "refused before the owner's name was free");
        return false;
      case Pushed::first:
        handed = &mail;
        wake();
        return true;
      case Pushed::queued:
        return true;
    }
    return false;
  }
  void wake() {
    context = context + 1;  // as whoever resumes it will
    parker.unpark();
  }
};

// Two senders, one of them with two signals.
template <class Inbox>
void two_senders(Program& program) {
  struct State : Owner<Inbox> {
    Mail mail[3];
  };
  auto state = std::make_shared<State>();
  program.thread([state] { state->run_until(3); });
  program.thread([state] {
    model::check(state->send(state->mail[0], 10), "an open inbox refused");
    model::check(state->send(state->mail[1], 11), "an open inbox refused");
  });
  program.thread([state] { model::check(state->send(state->mail[2], 20), "refused"); });
  program.finally([state] {
    int last_of_first_sender = 9;
    int sum = 0;
    for (int content : state->received) {
      sum += content;
      if (content >= 20) continue;
      model::check(content == last_of_first_sender + 1, "one sender's signals changed places");
      last_of_first_sender = content;
    }
    model::check(state->received.size() == 3 && sum == 41, "a signal was lost or came twice");
  });
}

// The owner ends while two senders send: each signal is taken or refused.
template <class Inbox>
void end_against_senders(Program& program) {
  struct State : Owner<Inbox> {
    Mail mail[2];
    std::size_t accepted[2] = {};
  };
  auto state = std::make_shared<State>();
  program.thread([state] {
    state->take(state->inbox.take_all());
    state->name_freed = 1;
    state->take(state->inbox.close());
  });
  for (int i = 0; i < 2; ++i) {
    program.thread([state, i] { state->accepted[i] = state->send(state->mail[i], i); });
  }
  program.finally([state] {
    model::check(state->received.size() == state->accepted[0] + state->accepted[1],
                 "a signal was neither taken nor refused, or both");
  });
}

// Somebody looks at the parked owner's context while a sender wakes it.
template <class Inbox>
void claim_against_sender(Program& program) {
  struct State : Owner<Inbox> {
    Mail mail;
  };
  auto state = std::make_shared<State>();
  program.thread([state] { state->run_until(1); });
  program.thread([state] { model::check(state->send(state->mail, 7), "refused"); });
  program.thread([state] {
    if (!state->inbox.claim()) return;
    state->context = state->context + 1;
    if (!state->inbox.try_idle()) state->wake();
  });
  program.finally([state] { model::check(state->received.size() == 1, "a signal was lost"); });
}

// A sender leaves one signal in the place of what it finds.
template <class Inbox>
void replacing_sender(Program& program) {
  struct State : Owner<Inbox> {
    Mail mail[3];
  };
  auto state = std::make_shared<State>();
  program.thread([state] { state->run_until(3); });
  program.thread([state] {
    for (int i = 0; i < 2; ++i) model::check(state->send(state->mail[i], i), "refused");
    state->mutex.lock();
    state->in_batch = state->inbox.replace(state->batch);
    state->mutex.unlock();
  });
  program.thread([state] { model::check(state->send(state->mail[2], 2), "refused"); });
  program.finally([state] {
    const auto& all = state->received;
    model::check(all.size() == 3 && all[0] + all[1] + all[2] == 3, "lost, or came twice");
    model::check(std::ranges::find(all, 0) < std::ranges::find(all, 1), "changed places");
  });
}

using RealInbox = BasicInbox<Mail, model::NoTrail>;

TEST(InboxModel, two_senders_lose_no_signal_no_wake_and_no_order) {
  const Outcome outcome = explore(two_senders<RealInbox>, {.preemptions = 6});
  EXPECT_TRUE(outcome) << outcome.report;
}

TEST(InboxModel, what_an_ending_owner_does_not_take_is_refused) {
  const Outcome outcome = explore(end_against_senders<RealInbox>, {.preemptions = 100});
  EXPECT_TRUE(outcome) << outcome.report;
}

TEST(InboxModel, a_claim_and_a_wake_never_hold_the_owner_both) {
  const Outcome outcome = explore(claim_against_sender<RealInbox>, {.preemptions = 100});
  EXPECT_TRUE(outcome) << outcome.report;
}

TEST(InboxModel, who_replaces_what_has_come_loses_nothing_and_no_order) {
  const Outcome outcome = explore(replacing_sender<RealInbox>, {.preemptions = 3});
  EXPECT_TRUE(outcome) << outcome.report;
}

TEST(InboxModel, needs_each_of_its_orders) {
  const auto survives = [](auto program, Weakness weakness) {
    return explore(program, Bounds{.weakness = weakness}).passed;
  };
  EXPECT_FALSE(survives(two_senders<RealInbox>, Weakness::updates_do_not_release));
  EXPECT_FALSE(survives(two_senders<RealInbox>, Weakness::updates_do_not_acquire));
  EXPECT_FALSE(survives(end_against_senders<RealInbox>, Weakness::loads_do_not_acquire));
  EXPECT_FALSE(survives(replacing_sender<RealInbox>, Weakness::updates_do_not_release));
  EXPECT_FALSE(survives(replacing_sender<RealInbox>, Weakness::updates_do_not_acquire));
}

// Parks with a plain store: mail that came since the last look is overwritten.
class BlindInbox {
 public:
  Pushed push(Mail& mail) {
    Mail* newest = newest_.load(std::memory_order_relaxed);
    do {
      mail.next = newest;
    } while (!newest_.compare_exchange_weak(newest,
                                            newest == &idle_ ? nullptr : &mail,
                                            std::memory_order_acq_rel,
                                            std::memory_order_relaxed));
    return newest == &idle_ ? Pushed::first : Pushed::queued;
  }
  Mail* take_all() {
    Mail* reversed = nullptr;
    for (Mail* mail = newest_.exchange(nullptr, std::memory_order_acquire); mail != nullptr;) {
      Mail* older = mail->next;
      mail->next = reversed;
      reversed = std::exchange(mail, older);
    }
    return reversed;
  }
  bool try_idle() {
    newest_.store(&idle_, std::memory_order_release);
    return true;
  }

 private:
  Mail idle_;
  model::Atomic<Mail*> newest_{nullptr};
};

TEST(InboxModel, notices_an_inbox_that_parks_without_looking) {
  EXPECT_FALSE(explore(two_senders<BlindInbox>).passed);
}

}  // namespace
}  // namespace airssys::rt::mailbox::inbox_model
