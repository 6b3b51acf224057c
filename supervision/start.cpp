// start.cpp: the start protocol, seen from both sides.
//
// The starter makes an address that takes one answer, spawns the process with a monitor from its
// birth on, and waits for either, as one who calls. Answer and Down come from one process, and so
// in order: who finds the Down first knows that no answer came before it. A start that failed is
// followed to its end, so that the process is gone and has left no Exit behind when the starter
// goes on (G3).
#include <airssys/rt/call.hpp>
#include <airssys/rt/link.hpp>
#include <airssys/rt/receive.hpp>
#include <airssys/rt/send.hpp>
#include <airssys/rt/start.hpp>
#include <airssys/rt/time.hpp>
#include <expected>
#include <memory>
#include <optional>
#include <utility>

#include "supervision/child_stop.hpp"
#include "supervision/named_program.hpp"

namespace airssys::rt {

using supervision::end_by;

namespace {

enum class Outcome : std::uint8_t { acknowledged, ignored, failed, nameless, ended, timed_out };

struct StartAnswer {
  Outcome outcome;
  ExitReason why = {};  // of one that failed
  Message value = {};   // that came with an acknowledgement; of one without its name, the holder
};

StartError refused(StartError::Kind kind, const std::string& what, Pid pid = {}) {
  return {kind, ExitReason::error("airssys::rt::StartError", what), what, pid};
}

StartError error_of(Outcome outcome, ExitReason reason) {
  switch (outcome) {
    case Outcome::ignored:
      return refused(StartError::ignore, "the process chose not to run");
    case Outcome::timed_out:
      return {StartError::timeout, ExitReason::timeout(), "the start took too long and was ended"};
    default:
      std::string what = "the start failed: " + reason.to_string();
      return {StartError::error, std::move(reason), std::move(what)};
  }
}

// A registry has said no.
StartError name_refused(const std::string& name, Pid holder) {
  std::string what = "the name \"" + name + "\" was refused by its registry";
  if (holder) what.append(", and is that of ").append(holder.to_string());
  return refused(StartError::already_started, what, holder);
}

// The Exit through its link.
void drop_exit(Pid pid) {
  unlink(pid);
  receive(when([&](Exit& exit) { return exit.from == pid; }, [](Exit&) {}),
          after(Duration::zero(), [] {}));
}

// Spawns it as `birth`; else answers why not.
std::optional<StartError> spawn_for_start(std::optional<detail::PendingCall>& birth,
                                          std::unique_ptr<detail::Program> program,
                                          const StartOptions& options,
                                          detail::Linked linked,
                                          const Alias& address) {
  const SpawnOptions spawn_options = detail::spawn_options(options);
  try {
    birth.emplace(std::move(program), spawn_options, linked == detail::Linked::yes, address);
    return std::nullopt;
  } catch (const NameError& error) {
    if (error.kind() != NameError::taken) throw;
    return refused(StartError::already_started, error.what(), error.holder());
  } catch (const SpawnError& error) {
    return StartError(StartError::error, error.reason(), error.what());
  }
}

// What the new process said first, or what came in place of it.
StartAnswer await_answer(detail::PendingCall& birth, Deadline deadline) {
  std::expected<Message, CallError> answer = birth.wait(deadline);
  if (answer) return answer->take<StartAnswer>();
  const CallError::Kind kind = answer.error().kind();
  const bool is_late = kind == CallError::timeout || kind == CallError::unwinding;
  return {is_late ? Outcome::timed_out : Outcome::ended, answer.error().reason()};
}

// Who watches it only now may be told that it is gone while its Exit is still on its way. The Down
// of its birth comes behind that.
bool has_ended(const Spawned& started, Deadline deadline) {
  if (!end_by(started.pid, std::nullopt, deadline.remaining(), {})) return false;
  return receive(when([&](const Down& down) { return down.ref == started.ref; },
                      [](const Down&) { return true; }),
                 after(deadline.remaining(), [] { return false; }));
}

}  // namespace

void Starter::acknowledge() const {
  send(address_, StartAnswer{Outcome::acknowledged});
}
void Starter::acknowledge_with(Message value) const {
  send(address_, StartAnswer{Outcome::acknowledged, {}, std::move(value)});
}
void Starter::ignore() const {
  send(address_, StartAnswer{Outcome::ignored});
  exit(ExitReason::normal());
}
void Starter::fail(const ExitReason& why, ExitReason end) const {
  send(address_, StartAnswer{Outcome::failed, why});
  exit(std::move(end));
}
void Starter::refuse_name(Pid holder) const {
  send(address_, StartAnswer{Outcome::nameless, {}, Message::of(holder)});
}

namespace detail {

SpawnOptions spawn_options(const StartOptions& options) {
  return {.name = options.registry ? std::string() : options.name,
          .priority = options.priority,
          .mailbox = options.mailbox,
          .limit = options.limit,
          .scheduler = options.scheduler,
          .stack_bytes = options.stack_bytes};
}

PendingStart::PendingStart() : address_(alias(AliasUse::once)) {}
PendingStart::~PendingStart() {
  unalias(address_);
}

std::expected<Spawned, StartError> PendingStart::run(Program* program,
                                                     const StartOptions& options,
                                                     Linked linked) {
  std::unique_ptr<Program> owned(program);  // each verb below may be where the starter ends
  if (options.registry && !options.name.empty()) {
    owned = std::make_unique<supervision::NamedProgram>(
        std::move(owned), starter(), options.registry, options.name);
  }
  const Deadline deadline = Deadline::after(options.timeout);
  std::optional<PendingCall> birth;
  if (auto error = spawn_for_start(birth, std::move(owned), options, linked, address_))
    return std::unexpected(*std::move(error));
  StartAnswer answer = await_answer(*birth, deadline);
  value_ = std::move(answer.value);
  const Spawned started{birth->server(), birth->monitor()};
  if (answer.outcome == Outcome::acknowledged) return started;

  const bool has_refused = answer.outcome != Outcome::ended && answer.outcome != Outcome::timed_out;
  if (has_refused && !has_ended(started, deadline)) answer.outcome = Outcome::timed_out;
  demonitor(started.ref, Flush::yes);
  if (answer.outcome == Outcome::timed_out) {
    unlink(started.pid);  // an answer like any other, also for who does not trap exits
    end_by(started.pid, ExitReason::kill(), infinite, {});
  }
  drop_exit(started.pid);
  if (answer.outcome == Outcome::nameless)
    return std::unexpected(name_refused(options.name, value_.take<Pid>()));
  return std::unexpected(error_of(answer.outcome, std::move(answer.why)));
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
