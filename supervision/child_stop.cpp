// child_stop.cpp: how children are stopped.
#include "supervision/child_stop.hpp"

#include <airssys/rt/call.hpp>
#include <airssys/rt/detail/observed.hpp>
#include <airssys/rt/from.hpp>
#include <airssys/rt/info.hpp>
#include <airssys/rt/link.hpp>
#include <airssys/rt/process.hpp>
#include <airssys/rt/receive.hpp>
#include <airssys/rt/send.hpp>
#include <algorithm>
#include <chrono>
#include <expected>
#include <optional>
#include <unordered_map>

namespace airssys::rt::supervision {

namespace {

constexpr Duration still_there_interval = std::chrono::seconds(10);

// How long until a child that is waited for is looked at; ten times as long each time.
constexpr Duration first_pause = std::chrono::milliseconds(1);
constexpr Duration longest_pause = std::chrono::seconds(1);

// How long a child may take after it was asked; nothing if it is killed at once.
std::optional<Duration> time_to_end(const Shutdown& shutdown) {
  switch (shutdown.kind()) {
    case Shutdown::Kind::brutal_kill:
      return std::nullopt;
    case Shutdown::Kind::infinity:
      return infinite;
    default:
      return shutdown.time();
  }
}

void tell(const StillThere& still_there, Pid child, const ExitReason& signal) {
  if (still_there) still_there(child, signal);
}

// Takes the Exit of a child that was gone, or going, when it was asked, and answers its reason. It
// has come any time before, or is on its way: then the link still stands. Else there is none.
ExitReason reason_by_link(Pid child, const StillThere& still_there) {
  std::optional<ExitReason> reason;
  auto take_exit = [&](Duration time) {
    receive(when([&](Exit& exit) { return exit.from == child; },
                 [&](Exit& exit) { reason = std::move(exit.reason); }),
            after(time, [] {}));
  };
  take_exit(Duration::zero());
  if (reason) return *std::move(reason);
  const std::vector<Pid> links = process_info(self())->links;
  const bool is_linked = std::ranges::find(links, child) != links.end();
  take_exit(is_linked ? still_there_interval : Duration::zero());
  while (is_linked && !reason) {
    tell(still_there, child, ExitReason::kill());
    take_exit(still_there_interval);
  }
  return reason.value_or(ExitReason::noproc());
}

// A child that was alive when it was asked has sent its Exit since then.
void drop_exit(Pid child, const MailMark& since) {
  unlink(child);
  receive(since,
          when([&](Exit& exit) { return exit.from == child; }, [](Exit&) {}),
          after(Duration::zero(), [] {}));
}

bool is_asked_by(void* child, void* payload) {
  return detail::asker_of(payload).owner == *static_cast<Pid*>(child);
}

// A child that has asked this process before, and waits for the answer, would wait for ever, and
// this process for its end (G7). Who asks later sees that itself.
void refuse(Pid child) {
  const auto seen = process_info(child, {.timeout = Duration::zero()});
  if (!seen || seen->waits_for != self()) return;
  const Message request(detail::take_mail(&is_asked_by, &child, Deadline::now()));
  if (request) send(detail::asker_of(request.payload()), detail::Refusal{.awaits_caller = true});
}

}  // namespace

std::optional<ExitReason> end_by(Pid child,
                                 const std::optional<ExitReason>& signal,
                                 Duration time,
                                 const StillThere& still_there) {
  const bool is_told_of = time == infinite && still_there;
  const Deadline deadline = Deadline::after(time);
  Deadline report = is_told_of ? Deadline::after(still_there_interval) : Deadline::never();
  detail::PendingCall end(child, detail::CallUse::end);
  if (signal) send_exit(child, *signal);
  for (Duration pause = first_pause;; pause = std::min<Duration>(10 * pause, longest_pause)) {
    const Deadline look = Deadline::after(pause);
    // Its address is known to nobody: only the Down can come.
    const std::expected<Message, CallError> reply =
        end.wait(Deadline::at_ns(std::min({deadline.ns(), report.ns(), look.ns()})));
    if (reply.error().kind() != CallError::timeout) return reply.error().reason();
    if (deadline.remaining() == Duration::zero()) return std::nullopt;
    refuse(child);
    if (report.remaining() > Duration::zero()) continue;
    still_there(child, *signal);
    report = Deadline::after(still_there_interval);
  }
}

ExitReason stop_child(Pid child, const Shutdown& shutdown, const StillThere& still_there) {
  const MailMark before;
  std::optional<ExitReason> reason;
  if (std::optional<Duration> time = time_to_end(shutdown)) {
    reason = end_by(child, ExitReason::shutdown(), *time, still_there);
  }
  if (!reason) reason = end_by(child, ExitReason::kill(), infinite, still_there);
  if (*reason == ExitReason::noproc()) return reason_by_link(child, still_there);
  drop_exit(child, before);
  return *std::move(reason);
}

namespace {

class MassStop {
 public:
  explicit MassStop(std::vector<Stopping>& children) {
    for (Stopping& child : children) left_.emplace(child.pid, &child);
  }

  bool is_done() const noexcept { return left_.empty(); }

  // Asks or kills all, and answers how long the slowest may take.
  Duration ask() {
    Duration longest{};
    for (auto& [pid, child] : left_) {
      monitor(pid);
      const std::optional<Duration> time = time_to_end(child->shutdown);
      send_exit(pid, time ? ExitReason::shutdown() : ExitReason::kill());
      longest = std::max(longest, time.value_or(Duration::zero()));
    }
    return longest;
  }

  void kill() {
    for (auto& [pid, child] : left_) {
      child->shutdown = Shutdown::brutal_kill();
      send_exit(pid, ExitReason::kill());
    }
  }

  // Until all have ended, or for so long.
  void await(Duration time, const StillThere& still_there) {
    if (time != infinite) return await_for(time);
    for (;;) {
      await_for(still_there_interval);
      if (is_done()) return;
      for (auto& [pid, child] : left_) {
        const bool was_asked = time_to_end(child->shutdown).has_value();
        tell(still_there, pid, was_asked ? ExitReason::shutdown() : ExitReason::kill());
      }
    }
  }

 private:
  void await_for(Duration time) {
    const Deadline deadline = Deadline::after(time);
    while (!is_done()) {
      std::optional<Message> message = receive<Message>(deadline.remaining());
      if (!message) return;
      note(*message);
    }
  }

  void note(Message& message) {
    const Alias asker = detail::asker_of(message.payload());
    if (left_.contains(asker.owner)) {
      send(asker, detail::Refusal{.awaits_caller = true});  // or both would wait (G7)
    } else if (auto* exit = message.get_if<Exit>()) {
      auto child = left_.find(exit->from);
      if (child != left_.end()) child->second->reason = std::move(exit->reason);
    } else if (auto* down = message.get_if<Down>()) {
      auto child = left_.find(down->pid);
      if (child == left_.end()) return;
      // When the Down only knows noproc, the Exit that came before it knew why.
      if (down->reason != ExitReason::noproc()) child->second->reason = std::move(down->reason);
      left_.erase(child);
    }
  }

  std::unordered_map<Pid, Stopping*> left_;
};

}  // namespace

void stop_all(std::vector<Stopping>& children, const StillThere& still_there) {
  MassStop stop(children);
  stop.await(stop.ask(), still_there);
  stop.kill();
  stop.await(infinite, still_there);
  for (Stopping& child : children) {
    if (child.reason == ExitReason::noproc()) child.reason = reason_by_link(child.pid, still_there);
  }
}

}  // namespace airssys::rt::supervision
