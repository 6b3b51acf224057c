// link.hpp: who learns of whose end: links, monitors, aliases.
//
// A link joins two processes: the exit of one is an exit signal to the other (L). A monitor is
// one-directional: its owner gets one Down, and nobody is harmed (M). Each side keeps its half, and
// the halves agree by signals that are ordered with messages (S1). None of these suspends; all are
// for processes, all charge one or two reductions.
//
// Priority (S12): what comes by a link, monitor or alias that was made with `priority` enters the
// mailbox ahead of all ordinary mail, behind earlier priority mail. It is acted on in its order as
// every signal is; only its place in the mailbox differs. For the few messages that must not wait
// behind a long mailbox: code that is called meanwhile still finds its answers.
#pragma once

#include <airssys/rt/detail/payload.hpp>
#include <airssys/rt/error.hpp>
#include <airssys/rt/exit_reason.hpp>
#include <airssys/rt/pid.hpp>
#include <airssys/rt/ref.hpp>
#include <airssys/rt/send.hpp>
#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

namespace airssys::rt {

// An exit signal, as a message, in a process that traps exits (X3).
struct Exit {
  Pid from;
  ExitReason reason;
};

// A monitored process has ended, or was not there (reason noproc).
struct Down {
  MonitorRef ref;
  Pid pid;           // whom the monitor watched; null when a name had no process
  std::string name;  // the name that was given, when it was set up by name (M5)
  ExitReason reason;
};

// What a monitor with a tag leads to, in place of a Down (M12).
template <class T>
struct TaggedDown : Down {
  T tag;
};

struct LinkOptions {
  bool priority = false;  // its Exit goes ahead of ordinary mail, if the caller traps exits (L12)
};

// Links the caller with `other`. To itself: does nothing (L2). No such process: throws ProcessError
// with reason noproc, or, if the caller traps exits, an Exit message follows (L4). Of a link that
// is there already the options count from now on; they are the caller's, the other side has its
// own.
void link(Pid other, LinkOptions options = {});
// The same; answers the error.
[[nodiscard]] std::expected<void, ProcessError> try_link(Pid other, LinkOptions options = {});
// After it returns this link has no further effect on the caller; an Exit that is already in the
// mailbox stays (L6). Always succeeds (L5).
void unlink(Pid other);

enum class AliasMode : std::uint8_t {
  none,              // a monitor that is not an alias
  explicit_unalias,  // active until unalias
  demonitor,         // until demonitor, unalias or the Down
  reply_demonitor,   // and until the first message through it, which ends the monitor too
};

struct MonitorOptions {
  AliasMode alias = AliasMode::none;
  bool priority = false;  // its Down goes ahead of ordinary mail; what comes by its alias does not
};

// Watches a process: one Down when it ends, at once with noproc if it is dead (M3). Several
// monitors of one process are independent (M1). With an alias mode the ref is also an Alias (A3).
MonitorRef monitor(Pid target, const MonitorOptions& options);
MonitorRef monitor(Pid target, AliasMode alias = AliasMode::none);
// Resolves the name now (M5).
MonitorRef monitor(std::string_view name, const MonitorOptions& options);
MonitorRef monitor(std::string_view name, AliasMode alias = AliasMode::none);

namespace detail {
// `payload` is the message that is to come, and `down` is in it.
MonitorRef monitor_tagged(Pid target, const MonitorOptions& options, void* payload, Down* down);
MonitorRef monitor_tagged(std::string_view name,
                          const MonitorOptions& options,
                          void* payload,
                          Down* down);

template <class To, class T>
MonitorRef monitor_tagged(To target, T&& tag, const MonitorOptions& options) {
  using Tagged = TaggedDown<std::decay_t<T>>;
  void* payload = make_payload(Tagged{{}, std::forward<T>(tag)});
  return monitor_tagged(target, options, payload, static_cast<Tagged*>(payload));
}
}  // namespace detail

// The same with a tag: what comes is a TaggedDown<T>, also for who is dead already, and no Down is
// ever seen (M12). So a receive by type tells these ends from all others.
template <Sendable T>
MonitorRef monitor_tagged(Pid target, T&& tag, const MonitorOptions& options = {}) {
  return detail::monitor_tagged(target, std::forward<T>(tag), options);
}
template <Sendable T>
MonitorRef monitor_tagged(std::string_view name, T&& tag, const MonitorOptions& options = {}) {
  return detail::monitor_tagged(name, std::forward<T>(tag), options);
}

enum class Flush : bool { no, yes };
// After it returns no Down of this ref enters the mailbox; with Flush::yes one that is there is
// removed (M8). Answers whether the monitor was active, so that no Down was or will be seen (M9).
bool demonitor(const MonitorRef& ref, Flush flush = Flush::no);

enum class AliasUse : bool { many, once };

struct AliasOptions {
  AliasUse use = AliasUse::many;
  bool priority = false;  // what is sent through it with `priority` goes ahead of ordinary mail
};

// An address of the caller, until it takes it back, or until the first message through it (A1).
Alias alias(const AliasOptions& options);
Alias alias(AliasUse use = AliasUse::many);
// Whether it was active and the caller's. Messages still on their way are dropped, those in the
// mailbox stay (A4).
bool unalias(const Ref& alias);

namespace detail {
// Whether this exit tells the calling process to end: it comes from the parent, which made the
// process with a link (G14), or as from the parent, because the runtime stops (E3).
bool is_order_to_end(const Exit& exit);
}  // namespace detail

}  // namespace airssys::rt
