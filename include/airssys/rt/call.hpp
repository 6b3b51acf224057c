// call.hpp: a request and its reply, below the servers.
//
// A pending call watches the other side and owns a one-shot address for the reply (G5, A3): a reply
// that comes late, or twice, finds that address closed and is dropped (G6, G8). The wait looks only
// at mail that came after the call was made, so a mailbox full of other messages costs nothing
// (R10).
//
//   PendingCall pending(server);                  // monitor, alias, mark
//   send(server, Request{..., pending.alias()});  // or whatever carries the address
//   std::expected<Message, CallError> reply = pending.wait(deadline);
//
// A request whose value begins with the address may be given to the PendingCall instead: it then
// brings the monitor along, in one signal.
//
// A call that is made and waited for in one go is looked at before it is sent: one that would wait
// for somebody who waits for the caller in turn fails at once (G7). If several come to that at the
// same moment, one of them fails as soon as all are at rest. A request whose reply is fetched later
// is not looked at: meanwhile it may have been left to somebody else. Who waits for a start, or for
// the end of somebody whom it has told to end, is seen by others' looks, and looks at nothing: that
// wait is over when the other is, whatever becomes of its calls.
#pragma once

#include <airssys/rt/detail/payload.hpp>
#include <airssys/rt/error.hpp>
#include <airssys/rt/link.hpp>
#include <airssys/rt/message.hpp>
#include <airssys/rt/pid.hpp>
#include <airssys/rt/ref.hpp>
#include <airssys/rt/time.hpp>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <memory>
#include <string>

namespace airssys::rt::runtime {
struct Process;
class Timeout;
}  // namespace airssys::rt::runtime

namespace airssys::rt {
struct SpawnOptions;
}  // namespace airssys::rt

namespace airssys::rt::detail {

class Program;

// What the end of a server, or that there is none, means to who has called it.
CallError error_of(const Down& down);

enum class CallUse : std::uint8_t {
  request,  // waited for some time later, and perhaps more than once
  call,     // waited for at once and for good
  end,      // likewise, and for nothing but the other's end, which is under way
};

class PendingCall {
 public:
  static constexpr std::size_t mark_bytes = 3 * sizeof(void*);

  explicit PendingCall(Pid server, CallUse use = CallUse::request);
  // Sends the request as well, unless it would wait in a circle. Its reply goes to `caller`, which
  // lies in it and is set here. Waits no longer than `deadline` for room in a bounded mailbox.
  PendingCall(Pid server, CallUse use, Message& request, Alias& caller, Deadline deadline);
  // A start: calls the process that it spawns, whose answer comes through `answer_to`. Throws what
  // `spawn` does.
  PendingCall(std::unique_ptr<Program> program,
              const SpawnOptions& options,
              bool is_linked,
              const Alias& answer_to);
  PendingCall(const PendingCall&) = delete;
  PendingCall& operator=(const PendingCall&) = delete;
  // Takes the monitor and the alias back; a Down or reply that is in the mailbox is removed.
  ~PendingCall();

  Alias alias() const noexcept { return {{monitor_.owner, monitor_.id}}; }
  Pid server() const noexcept { return server_; }
  const MonitorRef& monitor() const noexcept { return monitor_; }

  // Of a CallUse::call: whether it would wait in a circle. Then it is not sent, and `wait` says so.
  bool is_in_circle() const noexcept { return circle_ != nullptr; }
  // Before something is sent that takes effect even if the call fails: looks again while others are
  // awake and it is not known whether it would wait in a circle; some 50 ms at most. Suspends.
  void make_sure();
  // The server's mailbox was full, and the request was not sent.
  bool is_refused() const noexcept { return is_refused_; }

  // The first message through the alias, or why none came: exited or noproc with the other side's
  // reason, timeout, unwinding; circle, of a CallUse::call. Suspends. Once, but after a time-out it
  // may be asked again: others' looks see the call until it has its answer or is destroyed.
  std::expected<Message, CallError> wait(Deadline deadline);

 private:
  template <class Reach>
  void begin(runtime::Process& caller, CallUse use, runtime::Process* callee, Reach reach);
  void watch(runtime::Process& caller);
  void ask(runtime::Process& process, runtime::Process* callee, Message& request, Alias& caller);
  void give_up();
  void show(runtime::Process& caller, std::uint64_t ref) noexcept;
  void hide(runtime::Process& caller) noexcept;
  void look(runtime::Process& caller);
  Message take_answer(runtime::Process& caller, const runtime::Timeout& timeout);
  Message wait_and_look(runtime::Process& caller, const runtime::Timeout& timeout);
  Message wait_for_answer(runtime::Process& caller, const runtime::Timeout& timeout);

  Pid server_;
  MonitorRef monitor_;
  std::uint64_t address_ = 0;  // of the answer: the monitor's, unless it is a start's
  alignas(void*) std::byte mark_[mark_bytes];  // where the mail ended when the call was made
  std::uint64_t outer_waits_for_ = 0;          // what the caller showed before
  std::uint32_t number_ = 0;                   // wait_circle.hpp
  bool is_open_ = true;
  bool is_shown_ = false;
  bool must_look_again_ = false;
  bool is_refused_ = false;
  std::unique_ptr<const std::string> circle_;  // who waits for whom, once that is known
};

}  // namespace airssys::rt::detail
