// hibernation_model.cpp: a body that waits for mail and a time-out while its stack is put away.
//
// Aim: that nobody runs on a stack that is about to be dropped, that neither mail nor a time-out is
// lost whenever it comes, and that the stack is what it was.
// Method: all interleavings of the owner, who puts its stack away, the wheel, and a sender, around
// the real inbox and the real HeldTimeOut. The stack is a Cell: 0 is what a dropped page reads. The
// wheel is a word under a mutex that says whose entry is in it. Then the same with an owner who is
// given back before the drop, and with a time-out that is forgotten while the owner is held.
#include <gtest/gtest.h>

#include <memory>
#include <mutex>

#include "mailbox/inbox.hpp"
#include "runtime/held_time_out.hpp"
#include "tests/model/blocking.hpp"
#include "tests/model/cell.hpp"
#include "tests/model/explorer.hpp"

namespace airssys::rt::runtime {
namespace {

using mailbox::BasicInbox;
using mailbox::Pushed;
using model::Cell;
using model::Outcome;
using model::Program;

struct Mail {
  Cell<Mail*> next{nullptr};
};
using Inbox = BasicInbox<Mail>;

constexpr int content = 7;

template <class TimeOut>
struct Body {
  enum class Armed { nobody, time_out, stand_in };

  Inbox inbox;
  model::Parker parker;
  Mail letter, wake;

  Cell<int> stack{content};
  Cell<int> kept{0};
  Cell<bool> is_away{false};

  model::Mutex mutex;
  Armed armed = Armed::time_out;  // under mutex
  TimeOut held;                   // likewise

  bool has_letter = false;
  bool has_timed_out = false;

  void run_until(bool wants_letter) {
    for (;;) {
      for (Mail* mail = inbox.take_all(); mail != nullptr; mail = mail->next)
        (mail == &letter ? has_letter : has_timed_out) = true;
      if (has_timed_out && has_letter == wants_letter) return;
      stack = content;
      if (inbox.try_idle()) parker.park();
      thaw();
      model::check(stack == content, "a stack is not what it was");
    }
  }
  void thaw() {
    if (!is_away) return;
    is_away = false;
    stack = static_cast<int>(kept);
    const std::lock_guard lock(mutex);
    if (armed == Armed::stand_in) {
      armed = Armed::time_out;
    } else {
      has_timed_out = true;  // armed again, it fires at once
    }
  }
  void send(Mail& mail) {
    if (inbox.push(mail) == Pushed::first) parker.unpark();
  }
  void fire() {
    const std::lock_guard lock(mutex);
    switch (std::exchange(armed, Armed::nobody)) {
      case Armed::time_out:
        return send(wake);
      case Armed::stand_in:
        if (held.expire(inbox)) parker.unpark();
        return;
      case Armed::nobody:
        return;
    }
  }
  bool lend() {
    const std::lock_guard lock(mutex);
    if (armed != Armed::time_out) return false;
    armed = Armed::stand_in;
    return true;
  }
  void drop() {
    is_away = true;
    stack = 0;
  }
  bool end_hold() {
    const std::lock_guard lock(mutex);
    return held.end(inbox);
  }
};

template <class TimeOut>
void put_away(Body<TimeOut>& body) {
  if (!body.inbox.claim()) return;
  if (!body.lend()) {
    if (!body.inbox.try_idle()) body.parker.unpark();
    return;
  }
  body.kept = static_cast<int>(body.stack);
  body.drop();
  if (!body.end_hold()) body.parker.unpark();
}

template <class TimeOut>
void drop_too_late(Body<TimeOut>& body) {
  if (!body.inbox.claim()) return;
  if (!body.lend()) {
    if (!body.inbox.try_idle()) body.parker.unpark();
    return;
  }
  body.kept = static_cast<int>(body.stack);
  if (!body.end_hold()) body.parker.unpark();
  body.drop();
}

template <class TimeOut, auto put_away, bool with_letter>
void sleep_and_wake(Program& program) {
  auto body = std::make_shared<Body<TimeOut>>();
  program.thread([body] { body->run_until(with_letter); });
  program.thread([body] { put_away(*body); });
  program.thread([body] { body->fire(); });
  if (with_letter) program.thread([body] { body->send(body->letter); });
  program.finally([body] {
    model::check(body->has_timed_out && body->has_letter == with_letter, "a wake was lost");
  });
}

// Takes a time-out for nobody's while the owner is held.
class ForgottenTimeOut {
 public:
  bool expire(Inbox& inbox) { return inbox.claim(); }
  bool end(Inbox& inbox) { return inbox.try_idle(); }
};

using RealTimeOut = HeldTimeOut<Inbox>;

TEST(HibernationModel, a_time_out_wakes_a_stack_that_is_put_away) {
  const Outcome outcome = explore(sleep_and_wake<RealTimeOut, put_away<RealTimeOut>, false>);
  EXPECT_TRUE(outcome) << outcome.report;
}

TEST(HibernationModel, mail_and_a_time_out_at_once_wake_it_once) {
  const Outcome outcome = explore(sleep_and_wake<RealTimeOut, put_away<RealTimeOut>, true>);
  EXPECT_TRUE(outcome) << outcome.report;
}

TEST(HibernationModel, notices_a_stack_that_is_dropped_after_the_hold) {
  EXPECT_FALSE(explore(sleep_and_wake<RealTimeOut, drop_too_late<RealTimeOut>, true>).passed);
}

TEST(HibernationModel, notices_a_time_out_that_is_forgotten_while_it_is_held) {
  EXPECT_FALSE(
      explore(sleep_and_wake<ForgottenTimeOut, put_away<ForgottenTimeOut>, false>).passed);
}

}  // namespace
}  // namespace airssys::rt::runtime
