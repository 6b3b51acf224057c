// receive.cpp: taking mail out: the scan, the cursor, the time-out (R).
#include <airssys/rt/receive.hpp>

#include <airssys/rt/error.hpp>
#include <optional>

#include "mailbox/mail_queue.hpp"
#include "runtime/bounds.hpp"
#include "runtime/call.hpp"
#include "runtime/priority.hpp"
#include "runtime/receive.hpp"
#include "runtime/signals.hpp"
#include "runtime/wait.hpp"
#include "runtime/waited.hpp"

namespace airssys::rt::runtime {

using mailbox::Cursor;
using mailbox::Signal;
using scheduler::Thread;

namespace {

// One receive's way through the mail.
class Look {
 public:
  Look(Process& process,
       Cursor& cursor,
       Accepts accepts,
       void* context,
       const Timeout& timeout) noexcept
      : process_(process),
        cursor_(cursor),
        accepts_(accepts),
        context_(context),
        timeout_(timeout) {}

  // Looks at what it has not seen yet; each message costs one reduction, and a long look gives way
  // in the middle, which is a safe point (R11, R13).
  [[gnu::always_inline]] void* go_on() {
    while (Signal* signal = cursor_.peek()) {
      mailbox::Trail::follow(*signal);
      const bool slice_is_over = Thread::current()->charge(1);
      if (accepts_(context_, Envelope::of_signal(*signal).payload())) return take(cursor_);
      cursor_.skip();
      if (slice_is_over) let_all_act();
    }
    return nullptr;
  }
  bool has_more() const noexcept { return cursor_.peek(); }
  // The time is over, and what had come by then is in the mail.
  bool is_last() const noexcept { return is_last_; }
  // A safe point, at which all that has come is taken in as long as there is time: in a flood of
  // messages there is no end of it (R5).
  void let_all_act() {
    if (is_last_) return pause(process_);
    is_last_ = has_passed(timeout_.due_ns());
    take_in(process_);
  }
  // After a rest: what it waits for, if that has come and nothing else has; else all of it acts.
  [[gnu::always_inline]] void* look_at_news() {
    if (Signal* signal = lone_message(process_)) [[likely]]
      return look_at_lone(*signal);
    obey_while_waiting(process_);
    return nullptr;
  }

 protected:
  // As obey and go_on do.
  void charge_for_lone() noexcept {
    show_running(process_);
    Thread::current()->charge(2);
  }

  // It stays where it is while the predicate looks, which may throw (R2).
  void* look_at_lone(Signal& signal) {
    charge_for_lone();
    void* payload = Envelope::of_signal(signal).payload();
    const bool is_wanted = accepts_(context_, payload);
    if (process_.pending != &signal) return nullptr;  // a predicate that waits: it is mail by now
    process_.pending = signal.next;
    if (is_wanted) return payload;
    process_.mail.append(signal);
    cursor_.skip();
    return nullptr;
  }

  void* take(Cursor& cursor) {
    Envelope& message = Envelope::of_signal(cursor.take());
    if (message.flags != 0) unmark(process_, message);
    return message.payload();
  }

  Process& process_;
  Cursor& cursor_;
  const Accepts accepts_;
  void* const context_;
  const Timeout& timeout_;
  bool is_last_ = false;
};

// The same for a reply, which mostly comes alone as well, through its own monitor and by who was
// asked: so that needs no place in the mail either.
class ReplyLook : public Look {
 public:
  ReplyLook(const Look& look, std::uint64_t address) noexcept : Look(look), address_(address) {}

  void* look_at_news() {
    if (Signal* signal = lone_signal(process_, ends_monitor)) {
      if (void* payload = take_lone(Envelope::of_signal(*signal))) return payload;
    }
    obey_while_waiting(process_);
    return nullptr;
  }

 private:
  void* take_lone(Envelope& reply) {
    if (reply.flags == 0 || reply.header.tag != address_ || reply.header.type->server)
      return nullptr;
    Relation* monitor = process_.relations.find_monitor(address_);
    if (!monitor || monitor->mode == AddressMode::none) return nullptr;
    process_.relations.remove(*monitor);
    process_.pending = nullptr;
    reply.flags = 0;
    charge_for_lone();
    return reply.payload();
  }

  const std::uint64_t address_;
};

// The same where mail may be put ahead of where the cursor stands: `ahead_` is then how far it has
// seen that (priority.hpp).
class PriorityLook : private Look {
 public:
  explicit PriorityLook(const Look& look) noexcept : Look(look) {}

  // From a mark: none of what has gone ahead counts as seen.
  void look_ahead_from_the_front() { ahead_.emplace(process_.mail, Cursor::Start::oldest); }

  void* go_on() {
    for (;;) {
      if (ahead_) {
        if (void* payload = go_on_ahead()) return payload;
      }
      if (void* payload = look(cursor_, [this] { return cursor_.peek(); })) return payload;
      if (!cursor_.peek()) return nullptr;
      let_all_act();
    }
  }
  bool has_more() const noexcept { return cursor_.peek() || (ahead_ && next_ahead()); }
  using Look::is_last;
  void let_all_act() {
    note_place();
    Look::let_all_act();
  }
  void* look_at_news() {
    note_place();
    obey_while_waiting(process_);
    return nullptr;
  }

 private:
  // Until the slice is over, or there is no next one.
  template <class Next>
  void* look(Cursor& cursor, Next next) {
    while (Signal* signal = next()) {
      const bool slice_is_over = Thread::current()->charge(1);
      if (accepts_(context_, Envelope::of_signal(*signal).payload())) return take(cursor);
      cursor.skip();
      if (slice_is_over) break;
    }
    return nullptr;
  }

  void* go_on_ahead() {
    while (next_ahead()) {
      if (void* payload = look(*ahead_, [this] { return next_ahead(); })) return payload;
      if (next_ahead()) Look::let_all_act();
    }
    if (!stands_among_ordinary()) cursor_.move_to(*ahead_);
    return nullptr;
  }

  // Before something may go ahead of where the cursor stands.
  void note_place() {
    if (!ahead_ && stands_among_ordinary()) ahead_.emplace(*priority_end(process_));
  }
  Signal* next_ahead() const noexcept {
    Signal* next = ahead_->peek();
    return next && has_gone_ahead(*next) ? next : nullptr;
  }
  bool stands_among_ordinary() const noexcept {
    return cursor_.left() && !has_gone_ahead(*cursor_.left());
  }

  std::optional<Cursor> ahead_;
};

template <class Way>
inline void* take_by(Way& way, Process& process, const Timeout& timeout, WaitReason reason) {
  OneWait wait;
  for (;;) {
    if (void* payload = way.go_on()) return payload;
    if (is_unwinding(process)) {
      if (timeout.is_never()) throw Unwinding();
      return nullptr;
    }
    if (way.is_last()) return nullptr;
    if (has_news(process)) {
      way.let_all_act();
      if (way.has_more()) continue;
    }
    {
      // Armed only while it rests: a predicate that is cut off leaves no timer behind.
      std::optional<TimedWait> timer;
      if (!timeout.is_never()) {
        if (has_passed(timeout.due_ns())) return nullptr;
        timer.emplace(process, timeout);
      }
      wait.rests();
      rest(process, reason);
    }
    if (void* payload = way.look_at_news()) return payload;
  }
}

[[gnu::noinline]] void* take_where_mail_goes_ahead(PriorityLook look,
                                                   Process& process,
                                                   const Timeout& timeout,
                                                   WaitReason reason) {
  return take_by(look, process, timeout, reason);
}

// Inline in all that use it: it waits, and each frame around a wait costs (fiber/context.hpp).
template <class Way>
[[gnu::always_inline]] inline void* take(Way& way,
                                         Process& process,
                                         const Timeout& timeout,
                                         WaitReason reason) {
  if (priority_end(process)) [[unlikely]]
    return take_where_mail_goes_ahead(PriorityLook(way), process, timeout, reason);
  return take_by(way, process, timeout, reason);
}

}  // namespace

void unmark(Process& process, Envelope& message) {
  if (message.flags & counted_in_bounds) room_freed(process, message);
  message.flags = 0;
}

void* take_reply(Process& process,
                 Cursor& cursor,
                 std::uint64_t address,
                 Accepts accepts,
                 void* context,
                 const Timeout& timeout) {
  ReplyLook look(Look(process, cursor, accepts, context, timeout), address);
  return take(look, process, timeout, WaitReason::reply);
}

void* take_mail_behind(
    Process& process, Cursor& mark, Accepts accepts, void* context, const Timeout& timeout) {
  Look look(process, mark, accepts, context, timeout);
  if (!priority_end(process)) [[likely]]
    return take_by(look, process, timeout, WaitReason::receive);
  PriorityLook whole(look);
  whole.look_ahead_from_the_front();
  return take_by(whole, process, timeout, WaitReason::receive);
}

}  // namespace airssys::rt::runtime

namespace airssys::rt::detail {

void* take_mail(bool (*accepts)(void*, void*), void* context, Deadline deadline) {
  runtime::Process& process = runtime::current_process();
  const runtime::Timeout timeout(process, deadline);
  const runtime::Call call(process, 0);  // each look is charged by itself
  mailbox::Cursor cursor(process.mail, mailbox::Cursor::Start::oldest);
  runtime::Look look(process, cursor, accepts, context, timeout);
  return runtime::take(look, process, timeout, runtime::WaitReason::receive);
}

}  // namespace airssys::rt::detail
