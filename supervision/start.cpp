// start.cpp: the start protocol, seen from both sides.
//
// The starter makes an address that takes one answer, spawns the process with a monitor from its
// birth on, and waits for either. Answer and Down come from one process, and so in order: who finds
// the Down first knows that no answer came before it. A start that failed is followed to its end,
// so that the process is gone and has left no Exit behind when the starter goes on (G3).
#include <airssys/rt/link.hpp>
#include <airssys/rt/receive.hpp>
#include <airssys/rt/send.hpp>
#include <airssys/rt/start.hpp>

namespace airssys::rt {

namespace {

struct StartAnswer {
  Ref address;
  bool is_ignored;
};

enum class Outcome : std::uint8_t { acknowledged, ignored, ended, timed_out };

StartError refused(StartError::Kind kind, const std::string& what, Pid pid = {}) {
  return {kind, ExitReason::error("airssys::rt::StartError", what), what, pid};
}

ExitReason await_down(const MonitorRef& ref) {
  return receive(when([&](Down& down) { return down.ref == ref; },
                      [](Down& down) { return std::move(down.reason); }));
}

// Whatever it left in the mailbox: an answer that came too late, the Exit through its link.
void forget(Pid pid, const Alias& address) {
  unlink(pid);
  receive(when([&](Exit& exit) { return exit.from == pid; }, [](Exit&) {}),
          after(Duration::zero(), [] {}));
  receive(when([&](StartAnswer& answer) { return answer.address == address; }, [](StartAnswer&) {}),
          after(Duration::zero(), [] {}));
}

std::expected<Spawned, StartError> spawn_for_start(detail::Program* program,
                                                   const StartOptions& options,
                                                   detail::Linked linked) {
  const SpawnOptions spawn_options = detail::spawn_options(options);
  try {
    return detail::spawn(
        program, &spawn_options, linked == detail::Linked::yes, detail::Monitored::yes);
  } catch (const NameError& error) {
    if (error.kind() != NameError::taken) throw;
    return std::unexpected(refused(StartError::already_started, error.what(), error.holder()));
  } catch (const SpawnError& error) {
    return std::unexpected(StartError(StartError::error, error.reason(), error.what()));
  }
}

}  // namespace

void Starter::acknowledge() const {
  send(address_, StartAnswer{address_, false});
}
void Starter::ignore() const {
  send(address_, StartAnswer{address_, true});
}

namespace detail {

SpawnOptions spawn_options(const StartOptions& options) {
  return {.name = options.name,
          .priority = options.priority,
          .mailbox = options.mailbox,
          .stack_bytes = options.stack_bytes};
}

PendingStart::PendingStart() : address_(alias(AliasUse::once)) {}
PendingStart::~PendingStart() {
  unalias(address_);
}

std::expected<Spawned, StartError> PendingStart::run(Program* program,
                                                     const StartOptions& options,
                                                     Linked linked) {
  MailMark mark;  // what it will say is not in the mailbox yet
  std::expected<Spawned, StartError> started = spawn_for_start(program, options, linked);
  if (!started) return started;
  auto [pid, ref] = *started;

  ExitReason reason;
  const Outcome outcome =
      receive_behind(mark,
                     when([&](StartAnswer& answer) { return answer.address == address_; },
                          [](StartAnswer& answer) {
                            return answer.is_ignored ? Outcome::ignored : Outcome::acknowledged;
                          }),
                     when([&](Down& down) { return down.ref == ref; },
                          [&](Down& down) {
                            reason = std::move(down.reason);
                            return Outcome::ended;
                          }),
                     after(options.timeout, [] { return Outcome::timed_out; }));
  if (outcome == Outcome::acknowledged) return started;

  if (outcome == Outcome::timed_out) send_exit(pid, ExitReason::kill());
  if (outcome != Outcome::ended) reason = await_down(ref);
  forget(pid, address_);
  switch (outcome) {
    case Outcome::ignored:
      return std::unexpected(refused(StartError::ignore, "the process chose not to run"));
    case Outcome::timed_out:
      return std::unexpected(StartError(
          StartError::timeout, ExitReason::timeout(), "the start took too long and was ended"));
    default:
      std::string what = "the start failed: " + reason.to_string();
      return std::unexpected(StartError(StartError::error, std::move(reason), std::move(what)));
  }
}

std::expected<Pid, StartError> start_unmonitored(PendingStart& pending,
                                                 Program* program,
                                                 const StartOptions& options,
                                                 Linked linked) {
  std::expected<Spawned, StartError> started = pending.run(program, options, linked);
  if (!started) return std::unexpected(std::move(started).error());
  demonitor(started->ref, Flush::yes);
  return started->pid;
}

}  // namespace detail
}  // namespace airssys::rt
