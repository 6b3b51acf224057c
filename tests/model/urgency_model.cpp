// urgency_model.cpp: an owner that looks at a mark, against senders that push and then raise it.
//
// Aim: that no signal which was raised for is left in the inbox while the mark is down (U1).
// Method: all interleavings of an owner with two senders. The inbox is the real one. Then the same
// with a mark that is lowered by a plain store, and with an owner that looks first.
#include "mailbox/urgency.hpp"

#include <gtest/gtest.h>

#include <memory>

#include "mailbox/inbox.hpp"
#include "tests/model/cell.hpp"
#include "tests/model/explorer.hpp"
#include "tests/model/no_trail.hpp"

namespace airssys::rt::mailbox::urgency_model {
namespace {

using model::Cell;
using model::Outcome;
using model::Program;

struct Mail {
  Cell<Mail*> next{nullptr};
  Cell<int> content{0};
};

constexpr int senders = 2;

// The owner takes what is there, as one does whose mail is used up, and then looks at the mark; so
// it does at the end, when the mark has to say whether something is left.
template <class Mark, bool lowers_first = true>
void owner_against_senders(Program& program) {
  struct State {
    BasicInbox<Mail, model::NoTrail> inbox;
    Mark mark;
    Mail mail[senders];
    int taken = 0;

    void look() {
      if (!mark.is_raised()) return;
      if (lowers_first) mark.lower();
      take();
      if (!lowers_first) mark.lower();
    }
    void take() {
      for (const Mail* next = inbox.take_all(); next != nullptr; next = next->next)
        taken += next->content;
    }
  };
  auto state = std::make_shared<State>();
  program.thread([state] {
    state->take();
    state->look();
  });
  for (int i = 0; i < senders; ++i) {
    program.thread([state, i] {
      state->mail[i].content = 1;
      model::check(state->inbox.push(state->mail[i]) == Pushed::queued, "the owner runs");
      state->mark.raise();
    });
  }
  program.finally([state] {
    state->look();
    model::check(state->taken == senders, "U1: something is there, and the mark is down");
  });
}

TEST(UrgencyModel, what_was_raised_for_is_found) {
  const Outcome outcome = explore(owner_against_senders<Urgency>, {.preemptions = 100});
  EXPECT_TRUE(outcome) << outcome.report;
}

// Lowered by a plain store, which may come out behind the look into the inbox.
class StoredMark {
 public:
  void raise() { word_.exchange(1, std::memory_order_release); }
  bool is_raised() const { return word_.load(std::memory_order_relaxed) != 0; }
  void lower() { word_.store(0, std::memory_order_relaxed); }

 private:
  model::Atomic<int> word_{0};
};

TEST(UrgencyModel, notices_a_mark_that_is_lowered_by_a_plain_store) {
  EXPECT_FALSE(explore(owner_against_senders<StoredMark>).passed);
}

TEST(UrgencyModel, notices_an_owner_that_looks_first) {
  EXPECT_FALSE(explore(owner_against_senders<Urgency, false>).passed);
}

}  // namespace
}  // namespace airssys::rt::mailbox::urgency_model
