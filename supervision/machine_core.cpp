// machine_core.cpp: the queues and timers of a state machine.
#include <airssys/rt/detail/machine_core.hpp>
#include <airssys/rt/detail/observed.hpp>
#include <airssys/rt/process.hpp>
#include <airssys/rt/state_machine.hpp>
#include <airssys/rt/timer.hpp>
#include <algorithm>
#include <map>
#include <ranges>
#include <utility>
#include <vector>

namespace airssys::rt {

BadAction::BadAction(const std::string& what)
    : ProcessError(ExitReason::error("airssys::rt::BadAction", what), what) {}

namespace detail {

struct MachineCore::Waiting {
  struct Timer {
    std::uint64_t number;
    TimerRef ref;  // null while it waits in `due_now`
    Message content;
  };

  std::vector<Message> queue;      // the next event is the last one
  std::vector<Message> postponed;  // the oldest is the first one
  std::map<TimerKey, Timer> timers;
  std::vector<TimerKey> due_now;  // time-outs of zero, in the order they were started (H12)
  std::uint64_t timers_started = 0;
  Observed* observer = nullptr;
  const MessageType* failed_event = nullptr;
  Pid failed_client;

  // Of the transition that is under way.
  std::vector<Message> inserted;
  std::vector<TimerOrder> orders;
};

void throw_bad_action(std::string_view what) {
  throw BadAction(std::string(what));
}

void throw_unhandled(std::string_view event, std::string_view state) {
  std::string what("no handle() for ");
  what.append(event).append(" in state ").append(state);
  throw BadAction(what);
}

MachineCore::MachineCore() = default;
MachineCore::~MachineCore() = default;

MachineCore::Waiting& MachineCore::waiting() {
  if (!waiting_) waiting_ = std::make_unique<Waiting>();
  return *waiting_;
}

// --- what handlers ask for ---

void MachineCore::check_may_change_state() const {
  if (phase_ == Phase::handling) return;
  throw_bad_action(phase_ == Phase::entering
                       ? "bad_state_enter_action: an enter handler must not change the state"
                       : "next_state outside of a handler; init() answers the first state");
}

void MachineCore::repeat_state() {
  if (phase_ != Phase::handling && phase_ != Phase::entering) {
    throw_bad_action("repeat_state outside of a handler");
  }
  is_repeated_ = true;
}

void MachineCore::postpone() {
  if (phase_ != Phase::handling) {
    throw_bad_action(phase_ == Phase::entering
                         ? "bad_state_enter_action: an enter handler has no event to postpone"
                         : "postpone outside of a handler");
  }
  is_postponed_ = true;
}

void MachineCore::insert(Message event) {
  if (phase_ == Phase::entering) {
    throw_bad_action("bad_state_enter_action: an enter handler must not insert events");
  }
  if (phase_ == Phase::outside) throw_bad_action("next_event outside of a handler");
  waiting().inserted.push_back(std::move(event));
}

void MachineCore::order(TimerOrder order) {
  if (phase_ == Phase::outside) throw_bad_action("a time-out was asked for outside of a handler");
  if (order.what == TimerOrder::What::start_after && order.after < Duration::zero()) {
    throw BadArgument("a time-out is negative");
  }
  waiting().orders.push_back(std::move(order));
}

// --- the process's side ---

void MachineCore::begin_event() {
  phase_ = Phase::handling;
  is_postponed_ = false;
  is_repeated_ = false;
  if (waiting_ && !waiting_->timers.empty()) cancel({TimerKey::Kind::event});  // H8
}

void MachineCore::begin_enter() noexcept {
  phase_ = Phase::entering;
  is_repeated_ = false;
}

void MachineCore::finish(Message& event, bool is_state_changed) {
  phase_ = Phase::outside;
  if (is_postponed_) waiting().postponed.push_back(std::move(event));
  is_postponed_ = false;
  if (!waiting_) return;
  Waiting& waiting = *waiting_;
  if (is_state_changed) {
    for (Message& postponed : waiting.postponed | std::views::reverse) {
      waiting.queue.push_back(std::move(postponed));
    }
    waiting.postponed.clear();
    cancel({TimerKey::Kind::state});
  }
  for (Message& inserted : waiting.inserted | std::views::reverse) {
    waiting.queue.push_back(std::move(inserted));
  }
  waiting.inserted.clear();
  for (TimerOrder& order : waiting.orders) carry_out(order);
  waiting.orders.clear();
}

Message MachineCore::next() {
  if (!waiting_) return {};
  Waiting& waiting = *waiting_;
  if (!waiting.queue.empty()) {
    Message event = std::move(waiting.queue.back());
    waiting.queue.pop_back();
    return event;
  }
  if (waiting.due_now.empty()) return {};
  const auto timer = waiting.timers.find(waiting.due_now.front());
  waiting.due_now.erase(waiting.due_now.begin());
  Message event = std::move(timer->second.content);
  waiting.timers.erase(timer);
  return event;
}

Message MachineCore::event_of(const TimerFired& fired) {
  if (!waiting_) return {};
  const auto timer = waiting_->timers.find(fired.key);
  if (timer == waiting_->timers.end() || timer->second.number != fired.number) return {};
  Message event = std::move(timer->second.content);
  waiting_->timers.erase(timer);
  return event;
}

// --- failed ---

void MachineCore::failed_on(const MessageType& event, Pid client) {
  waiting().failed_event = &event;
  waiting().failed_client = client;
}

void MachineCore::describe(CrashContext& context) const {
  if (waiting_ && waiting_->failed_event) {
    context.message = waiting_->failed_event;
    context.client = waiting_->failed_client;
    if (context.callback == "ready") context.callback = "message";  // an event of init's
  }
  const bool is_in_event = context.callback == "ready" || context.callback == "message";
  if (is_in_event && phase_ == Phase::entering) context.callback = "enter";
}

// --- looked at ---

std::string MachineCore::postponed_text() const {
  if (!waiting_ || waiting_->postponed.empty()) return {};
  std::string text(", postponed:");
  for (const Message& event : waiting_->postponed) text.append(" ").append(event.type_name());
  return text;
}

void MachineCore::observe(Observed* observer) {
  is_observed_ = observer != nullptr;
  if (observer) waiting().observer = observer;
}

void MachineCore::replied(const MessageType& type, Pid caller) {
  waiting().observer->replied(type, caller);
}

// --- timers ---

void MachineCore::cancel(const TimerKey& key) {
  const auto timer = waiting_->timers.find(key);
  if (timer == waiting_->timers.end()) return;
  if (timer->second.ref) {
    cancel_timer(timer->second.ref);
  } else {
    std::erase(waiting_->due_now, key);
  }
  waiting_->timers.erase(timer);
}

void MachineCore::carry_out(TimerOrder& order) {
  using What = TimerOrder::What;
  Waiting& waiting = *waiting_;
  if (order.what == What::update) {
    const auto timer = waiting.timers.find(order.key);
    if (timer != waiting.timers.end()) {
      timer->second.content = std::move(order.content);
      return;
    }
    order.what = What::start_after;  // H11: it comes at once
    order.after = Duration::zero();
  }
  cancel(order.key);
  const bool is_relative = order.what == What::start_after;
  const Duration delay = is_relative ? order.after : order.at.remaining();
  if (order.what == What::cancel || delay == infinite) return;
  const std::uint64_t number = ++waiting.timers_started;
  TimerRef ref;
  if (is_relative && delay == Duration::zero()) {
    waiting.due_now.push_back(order.key);
  } else {
    ref = send_after(delay, self(), TimerFired{order.key, number});
  }
  waiting.timers.emplace(std::move(order.key),
                         Waiting::Timer{number, ref, std::move(order.content)});
}

}  // namespace detail
}  // namespace airssys::rt
