// outside.hpp: verbs from threads that run no process, and for which runtime such a thread speaks.
//
// A thread of the host's names its runtime: it calls Runtime's verbs, which come here. Other
// threads run code of the user's because the runtime made them: a message is destroyed where its
// send was refused, on the blocking pool, or with the runtime itself; a blocking job sends. For as
// long as a Guest stands on such a thread, the verbs that need no mailbox (send, send_exit, spawn,
// taking a timer back) act for the Guest's runtime, as a plain thread's do (P11): from nobody, in
// order per thread. So a destructor that tells somebody of its end may run anywhere in the runtime.
// A host's thread may be one too (Runtime::Guest).
#pragma once

#include <airssys/rt/exit_reason.hpp>
#include <airssys/rt/message.hpp>
#include <airssys/rt/pid.hpp>
#include <airssys/rt/process.hpp>
#include <airssys/rt/ref.hpp>
#include <airssys/rt/send.hpp>
#include <airssys/rt/time.hpp>
#include <optional>
#include <string_view>

#include "runtime/system.hpp"

namespace airssys::rt::runtime {

// By its thread; nested ones count innermost first.
class Guest {
 public:
  explicit Guest(System* system) noexcept;  // null, or in a process: changes nothing
  explicit Guest(System& system) noexcept : Guest(&system) {}
  Guest(const Guest&) = delete;
  Guest& operator=(const Guest&) = delete;
  ~Guest();

 private:
  void* const outer_;
  const bool is_set_;
};

// The runtime whose guest this thread is. Throws BadArgument when it is nobody's: then the verb is
// for processes, and a plain thread has Runtime's.
System& guest_system();

// Any thread, outside. Each is its Runtime's namesake.
Pid spawn_from_outside(System& system, detail::Program* program, const SpawnOptions* options);
// Empties `message` when it was sent.
SendResult send_from_outside(System& system, Pid to, Message& message, detail::WhenFull when_full);
void send_named_from_outside(System& system, std::string_view name, Message& message);
void send_alias_from_outside(System& system,
                             const Ref& alias,
                             Message& message,
                             SendOptions options);
void send_exit_from_outside(System& system, Pid to, ExitReason reason);
void send_exit_from_outside(System& system,
                            const Alias& to,
                            ExitReason reason,
                            SendOptions options);
std::optional<Duration> cancel_timer_from_outside(System& system, TimerRef timer);
std::optional<Duration> read_timer_from_outside(System& system, TimerRef timer);

}  // namespace airssys::rt::runtime
