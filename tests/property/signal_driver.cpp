// signal_driver.cpp: the processes, and who tells them what to do.
#include "tests/property/signal_driver.hpp"

#include <algorithm>
#include <utility>

#include "tests/property/property.hpp"

namespace airssys::rt::property {

namespace {

struct Order {
  Op op;
  Pid other;
  unsigned variant;
  std::size_t number;
};
struct Note {
  Pid from;
  std::size_t number;
};
// Pids are told by their labels, which the driver knows.
struct Done {
  Pid who;
  std::size_t number;
  std::string answer;
  std::optional<Pid> pid = {};
  std::vector<std::pair<std::string, Pid>> heard = {};
};

class Actor {
 public:
  Actor(Pid driver, Fault fault) : driver_(driver), fault_(fault) {}

  void operator()() {
    for (;;)
      receive([&](Order order) {
        Done done{self(), order.number, ""};
        perform(order, done);
        send(driver_, std::move(done));
      });
  }

 private:
  bool has(Fault fault) const noexcept { return fault_ == fault; }

  void perform(const Order& order, Done& done) {
    switch (order.op) {
      case Op::note:
        return note(order.other, order.number);
      case Op::note_name:
        try {
          send(name_of(order.variant), Note{self(), order.number});
        } catch (const NameError&) {
          done.answer = "nobody";
        }
        return;
      case Op::link:
        try {
          if (!has(Fault::forgets_links)) link(order.other);
        } catch (const ProcessError& error) {
          done.answer = error.reason().to_string();
        }
        return;
      case Op::unlink:
        if (!has(Fault::forgets_unlinks)) unlink(order.other);
        return;
      case Op::monitor:
        monitors_.push_back(monitor(order.other));
        if (has(Fault::monitors_twice)) monitor(order.other);
        return;
      case Op::demonitor:
        done.answer = forget_one(order.variant);
        return;
      case Op::end:
        exit(end_reason(order.variant));
      case Op::send_exit:
        return shoot(order.other, exit_reason(order.variant));
      case Op::trap:
        done.answer = trap_exit(is_on(order.variant) && !has(Fault::never_traps)) ? "on" : "off";
        return;
      case Op::name:
        done.answer = try_register_name(name_of(order.variant), order.other) ? "given" : "refused";
        return;
      case Op::unname:
        done.answer = try_unregister_name(name_of(order.variant)) ? "taken back" : "refused";
        return;
      case Op::look_up:
        done.pid = whereis(name_of(order.variant));
        if (!done.pid) done.answer = "nobody";
        return;
      case Op::drain:
        return drain(done);
    }
  }

  void note(Pid to, std::size_t number) {
    const Note note{self(), number};
    ++notes_;
    if (has(Fault::loses_notes) && notes_ % 3 == 0) return;
    if (has(Fault::swaps_notes) && notes_ % 3 == 1) {
      held_.emplace(to, note);
      return;
    }
    send(to, note);
    if (has(Fault::repeats_notes) && notes_ % 3 == 0) send(to, note);
    if (held_) send(held_->first, held_->second);
    held_.reset();
  }

  std::string forget_one(unsigned variant) {
    if (monitors_.empty()) return "none";
    const MonitorRef& ref = monitors_[variant % monitors_.size()];
    if (has(Fault::forgets_demonitors)) return "was active";
    const bool is_flushed = variant % 2 == 1 && !has(Fault::flushes_nothing);
    return demonitor(ref, is_flushed ? Flush::yes : Flush::no) ? "was active" : "was not";
  }

  void shoot(Pid target, ExitReason reason) {
    if (has(Fault::kills_the_trapping) && reason.kind() == ExitReason::Kind::shutdown)
      reason = ExitReason::kill();
    send_exit(target, std::move(reason));
  }

  // All but orders: the next may be there already.
  void drain(Done& done) const {
    for (bool is_empty = false; !is_empty;)
      receive(
          [&](Note note) {
            done.heard.emplace_back("note " + std::to_string(note.number), note.from);
          },
          [&](Exit& exit) {
            done.heard.emplace_back("exit " + exit.reason.to_string(), exit.from);
          },
          [&](Down& down) {
            const auto ref = std::ranges::find(monitors_, down.ref) - monitors_.begin();
            done.heard.emplace_back("down " + std::to_string(ref) + ' ' + down.reason.to_string(),
                                    down.pid);
          },
          after(Duration::zero(), [&] { is_empty = true; }));
  }

  const Pid driver_;
  const Fault fault_;
  std::vector<MonitorRef> monitors_;
  unsigned notes_ = 0;
  std::optional<std::pair<Pid, Note>> held_;
};

}  // namespace

void SignalDriver::renew(std::size_t slot, const std::string& label) {
  const Spawned process = spawn_monitor(Actor(self(), fault_));
  slots_[slot] = {process.pid, process.ref, std::nullopt};
  labels_[process.pid] = label;
}

void SignalDriver::order(const Step& step, std::size_t number) {
  send(slots_[step.slot].pid, Order{step.op, slots_[step.other].pid, step.variant, number});
}

std::optional<Did> SignalDriver::perform(const Step& step, std::size_t number) {
  order(step, number);
  return next_deed(slots_[step.slot]);
}

// What this one says it has done, or nothing, when it has ended or takes too long.
std::optional<Did> SignalDriver::next_deed(Slot& slot) {
  std::optional<Did> did;
  if (slot.end) return did;
  receive(when([&](Done& done) { return done.who == slot.pid; },
               [&](Done& done) {
                 did = {done.number, done.pid ? label(*done.pid) : std::move(done.answer)};
                 for (auto& [text, from] : done.heard)
                   did->heard.push_back(std::move(text) + " from " + label(from));
               }),
          when([&](Down& down) { return down.ref == slot.ref; },
               [&](Down& down) { slot.end = down.reason; }),
          after(time_, [] {}));
  return did;
}

std::vector<std::vector<Did>> SignalDriver::perform_at_once(const std::vector<Step>& steps) {
  std::vector<std::size_t> left(slots_.size());
  for (std::size_t i = 0; i < steps.size(); ++i) {
    order(steps[i], i + 1);
    ++left[steps[i].slot];
  }
  std::vector<std::vector<Did>> deeds(slots_.size());
  for (std::size_t i = 0; i < slots_.size(); ++i) {
    std::optional<Did> did;
    while (left[i]-- != 0 && (did = next_deed(slots_[i]))) deeds[i].push_back(*std::move(did));
  }
  return deeds;
}

bool SignalDriver::await_end(Slot& slot, Duration time) {
  if (slot.end) return true;
  receive(when([&](Down& down) { return down.ref == slot.ref; },
               [&](Down& down) { slot.end = down.reason; }),
          after(time, [] {}));
  return slot.end.has_value();
}

// Who answers has acted on all that was sent to it, and who does not is awaited.
void SignalDriver::settle() {
  for (bool is_settled = false; !is_settled;) {
    is_settled = true;
    for (Slot& slot : slots_) {
      if (slot.end || is_alive(slot.pid)) continue;
      if (await_end(slot, time_)) is_settled = false;
    }
  }
}

Seen SignalDriver::seen(std::size_t index) {
  Slot& slot = slots_[index];
  if (await_end(slot, Duration::zero()))
    return {.is_alive = false, .reason = slot.end->to_string()};
  const auto info = process_info(slot.pid);
  if (!info) return {.is_alive = false, .reason = "what is not told yet"};
  const auto labels = [this](const std::vector<Pid>& pids) {
    std::multiset<std::string> names;
    for (const Pid pid : pids)
      if (pid != self()) names.insert(label(pid));
    return names;
  };
  return {.name = info->name,
          .traps_exits = info->traps_exits,
          .mail = info->message_queue_len,
          .links = labels(info->links),
          .watches = labels(info->monitors),
          .watched_by = labels(info->monitored_by)};
}

void SignalDriver::end_all() {
  for (Slot& slot : slots_) {
    if (!slot.end) send_exit(slot.pid, ExitReason::kill());
    await_end(slot, time_);
  }
}

}  // namespace airssys::rt::property
