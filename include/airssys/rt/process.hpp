// process.hpp: processes: spawn, self, exit, yield, sleep, flags.
//
// A process is a function, or a behaviour object, with a mailbox of its own. It runs on a scheduler
// until it waits or its slice of 4000 reductions is used up, and it ends once, with one reason
// (P4). All verbs here are for processes; a plain thread uses the same verbs of `Runtime`
// (system.hpp), and gets BadArgument from these (P11) unless it is a Runtime::Guest.
#pragma once

#include <airssys/rt/detail/program.hpp>
#include <airssys/rt/error.hpp>
#include <airssys/rt/exit_reason.hpp>
#include <airssys/rt/link.hpp>
#include <airssys/rt/pid.hpp>
#include <airssys/rt/ref.hpp>
#include <airssys/rt/time.hpp>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

namespace airssys::rt {

// All runnable max run before any high, all high before normal and low; low gets one turn in eight
// of a normal process (D6, D7). max is for the runtime's own work.
enum class Priority : std::uint8_t { low, normal, high, max };

// What becomes of a message that does not fit into a bounded mailbox (B2–B5).
enum class Overflow : std::uint8_t {
  block,        // the sending process waits until there is room
  reject,       // try_send answers full; send drops the message
  drop_newest,  // the message that does not fit is dropped
  drop_oldest,  // the oldest message makes room
};

struct MailboxOptions {
  std::size_t capacity = 0;  // messages; 0: unbounded
  std::size_t bytes = 0;     // their bytes; 0: unbounded
  Overflow overflow = Overflow::block;
  // From so many messages or bytes on the process is overloaded, which is reported once: again only
  // after it has been down to half of it. 0: never. Also without a bound.
  std::size_t soft_mark = 0;
  std::size_t soft_mark_bytes = 0;
};

// What becomes of a process that has more mail than its limit.
enum class WhenExceeded : std::uint8_t {
  kill,    // it ends as by a kill, with `killed`, which no trap helps against
  report,  // it lives; a line to Options::log says so, once until it is within its limit again
};

// A last resort, where a bound (MailboxOptions) would make others wait: how much mail a process may
// have, of every kind, as it takes it in (P18). Looked at when it does: at its safe points, or when
// something comes while it waits.
struct MailboxLimit {
  std::size_t messages = 0;  // 0: any number
  std::size_t bytes = 0;     // of the messages themselves, not of what they refer to; 0: any number
  WhenExceeded exceeded = WhenExceeded::kill;
};

struct SpawnOptions {
  std::string name = {};  // registered before spawn returns; taken: NameError, nothing is spawned
  Priority priority = Priority::normal;  // not inherited (P3)
  MailboxOptions mailbox = {};
  MailboxLimit limit = {};
  unsigned scheduler = 0;       // the only one that it runs on, from 1 on; 0: any (schedulers.hpp)
  std::size_t stack_bytes = 0;  // 0: 64 KiB; rounded up to a power of two, at most 8 MiB
  // When it has waited for mail, with no time-out, for longer than Options::hibernate_after, what
  // its stack holds is packed onto the heap, if it then takes at most 2 KB, and the pages of the
  // stack go to the system: some 900 bytes in all instead of 5000. Its next wake takes some
  // microseconds longer. For bodies that are many and mostly wait. Requires: while it waits for
  // mail nobody else, process, thread or system call, uses an address in its stack, as a child does
  // that has one of its locals by reference; who reads there finds zeros, what is written is lost.
  bool hibernates = false;
  bool link = false;            // to the spawner, atomically with its birth (P2)
  MonitorOptions monitor = {};  // of the monitor that spawn_monitor makes (P3, A3)
};

// What spawn_monitor answers.
struct Spawned {
  Pid pid;
  MonitorRef ref;
};

namespace detail {
// until_started: the spawner also shows that it waits for the new process, as one does who calls
// (PendingCall), before that can run.
enum class Monitored : std::uint8_t { no, yes, until_started };
// Takes the program over, and the tagged message that holds `down`, if there is one, also when it
// throws. `options` may be null: all defaults.
Spawned spawn(Program* program,
              const SpawnOptions* options,
              bool link,
              Monitored monitored,
              void* tagged = nullptr,
              Down* down = nullptr);
[[nodiscard]] std::expected<Spawned, SpawnError> try_spawn(Program* program,
                                                           const SpawnOptions& options,
                                                           Monitored monitored);
}  // namespace detail

// Starts f as a process and answers at once, before it runs (P1). f is moved or copied into the
// process. Charges 4 reductions; does not suspend. Throws NameError (P3), SpawnError when the
// runtime is stopping or the process table is full.
template <std::invocable F>
Pid spawn(F&& f) {
  return detail::spawn(detail::make_body(std::forward<F>(f)), nullptr, false, detail::Monitored::no)
      .pid;
}
template <std::invocable F>
Pid spawn(const SpawnOptions& options, F&& f) {
  return detail::spawn(
             detail::make_body(std::forward<F>(f)), &options, options.link, detail::Monitored::no)
      .pid;
}

// The same, linked to the caller atomically with its birth (P2).
template <std::invocable F>
Pid spawn_link(F&& f) {
  return detail::spawn(detail::make_body(std::forward<F>(f)), nullptr, true, detail::Monitored::no)
      .pid;
}
template <std::invocable F>
Pid spawn_link(const SpawnOptions& options, F&& f) {
  return detail::spawn(detail::make_body(std::forward<F>(f)), &options, true, detail::Monitored::no)
      .pid;
}

// The same, monitored by the caller atomically with its birth (P2); linked if the options say so.
template <std::invocable F>
Spawned spawn_monitor(F&& f) {
  return detail::spawn(
      detail::make_body(std::forward<F>(f)), nullptr, false, detail::Monitored::yes);
}
template <std::invocable F>
Spawned spawn_monitor(const SpawnOptions& options, F&& f) {
  return detail::spawn(
      detail::make_body(std::forward<F>(f)), &options, options.link, detail::Monitored::yes);
}

// The same with a tag: its end is a TaggedDown<T>, and no Down is ever seen (M12).
template <Sendable T, std::invocable F>
Spawned spawn_monitor_tagged(const SpawnOptions& options, T&& tag, F&& f) {
  using Tagged = TaggedDown<std::decay_t<T>>;
  std::unique_ptr<detail::Program> program(detail::make_body(std::forward<F>(f)));
  void* payload = detail::make_payload(Tagged{{}, std::forward<T>(tag)});
  return detail::spawn(program.release(),
                       &options,
                       options.link,
                       detail::Monitored::yes,
                       payload,
                       static_cast<Tagged*>(payload));
}

// As spawn and spawn_monitor; linked if the options say so. Answer why nothing was spawned, also
// where these throw a NameError.
template <std::invocable F>
[[nodiscard]] std::expected<Pid, SpawnError> try_spawn(const SpawnOptions& options, F&& f) {
  auto spawned =
      detail::try_spawn(detail::make_body(std::forward<F>(f)), options, detail::Monitored::no);
  if (!spawned) return std::unexpected(std::move(spawned).error());
  return spawned->pid;
}
template <std::invocable F>
[[nodiscard]] std::expected<Spawned, SpawnError> try_spawn_monitor(const SpawnOptions& options,
                                                                   F&& f) {
  return detail::try_spawn(detail::make_body(std::forward<F>(f)), options, detail::Monitored::yes);
}

// The calling process. Costs about a nanosecond; never suspends.
Pid self();
// Who spawned the calling process; a null pid when a plain thread did (P20).
Pid parent();

// Ends the calling process with this reason, by an ExitException that handlers on the way may
// catch (X1).
[[noreturn]] void exit(ExitReason reason);

// Whether exit signals arrive as messages (rt::Exit) instead of ending the process (X9). Answers
// the old setting.
bool trap_exit(bool on);

// What the calling process calls itself in process_info, the inspector and crash reports, where a
// name would be wrong: it need not be unique, and finds nobody (P13). Empty: nothing again.
void set_label(std::string_view label);

// Answers the old priority; takes effect at once. Throws BadArgument for what is none (D10).
Priority set_priority(Priority priority);

// Lets others of the same priority run first (P17). A safe point: exit signals act here (Z1).
void yield();

// Waits at least this long; leaves the mailbox alone (R7). Throws BadArgument when negative.
void sleep(Duration time);

// Charges n reductions for work that calls nothing of the runtime (D5), at most one slice a call,
// and yields when the slice is used up. With n = 0 it only looks whether it should yield or end.
void reductions(std::uint32_t n);

// Whether the process lives: false as soon as its end has been acted upon and its name is free
// (P9). Ordered behind the caller's earlier signals to it; suspends until it has answered.
bool is_alive(Pid pid);

}  // namespace airssys::rt
