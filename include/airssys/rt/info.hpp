// info.hpp: what can be asked about a process.
//
// process_info is a request that travels with the caller's other signals, so what it answers
// includes everything the caller has sent before (P13). What only reads published words (state,
// counters) is also seen by the inspector without asking anybody.
#pragma once

#include <airssys/rt/dead_letter.hpp>
#include <airssys/rt/pid.hpp>
#include <airssys/rt/process.hpp>
#include <airssys/rt/time.hpp>
#include <array>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace airssys::rt {

enum class ProcessState : std::uint8_t {
  runnable,   // ready to run, or running: from outside that looks the same
  running,    // on a thread, as it answers
  waiting,    // for mail or for what wait_reason says
  suspended,  // by somebody's `suspend`; wait_reason: what it waits for besides
  blocking,   // in a job of the blocking pool
  exiting,    // its end is under way
};
const char* to_string(ProcessState state) noexcept;

// A value that the process keeps under a named key: rt::Local.
struct LocalInfo {
  std::string name;
  std::string value;  // by its to_string(), as text, as a number, or its type's name
};

struct InfoOptions {
  // What is answered only to who asks for it: it costs the process time in proportion.
  bool messages = false;    // ProcessInfo::messages
  bool dictionary = false;  // ProcessInfo::dictionary
  bool stack = false;       // ProcessInfo::stack
  // How long the process may take. One that has not answered by then, for it never calls the
  // runtime or is being unwound, is seen from outside: ProcessInfo::has_answered. Zero: it is not
  // asked at all; nor does a process ask that is itself being unwound. Not negative.
  Duration timeout = infinite;
};

// What a mailbox has dropped since its process began (B6).
struct Drops {
  struct Sender {
    Pid pid;
    std::uint64_t count = 0;
  };

  std::array<std::uint64_t, drop_reasons> by_reason{};
  std::vector<Sender> senders;  // whose messages they were: at most eight, the worst first
  std::uint64_t others = 0;     // of all other senders, and of those that are not known

  std::uint64_t operator[](DropReason reason) const noexcept {
    return by_reason[static_cast<std::size_t>(reason)];
  }
  std::uint64_t total() const noexcept {
    return std::accumulate(by_reason.begin(), by_reason.end(), std::uint64_t{0});
  }
};

struct ProcessInfo {
  Pid pid;
  Pid parent;
  std::string name;
  std::string label;      // what it calls itself: set_label
  std::string_view code;  // what its program is called: the type of its function or class
  ProcessState state = ProcessState::runnable;
  std::string wait_reason;  // what it waits for, by name; empty when it does not wait
  Pid waits_for;            // whose answer or room it waits for, if anybody's
  // How long it waits already; whatever else has woken it does not count. At most as much too long
  // as its scheduler ran code before without looking at the clock: as a rule some milliseconds.
  // Empty when it does not wait, or rests without a stack, as a behaviour between two messages.
  std::optional<Duration> waited;
  Priority priority = Priority::normal;
  bool traps_exits = false;
  std::uint64_t reductions = 0;
  std::size_t message_queue_len = 0;
  std::size_t message_bytes = 0;  // of its mail: the messages themselves, not what they refer to
  bool is_overloaded = false;     // its mailbox has reached a soft mark (MailboxOptions)
  std::size_t memory_bytes = 0;   // control block, stack if it has one, queued mail
  Drops drops;
  std::vector<Pid> links;
  std::vector<Pid> monitors;      // whom it watches
  std::vector<Pid> monitored_by;  // who watches it
  std::vector<Pid> suspended_by;  // who holds it still
  // If asked for: the types of its queued messages, oldest first, message_queue_len of them (P14).
  std::vector<std::string_view> messages;
  std::vector<LocalInfo> dictionary;  // if asked for, in no order
  // If asked for: the calls that its code is in, the innermost first, at most 32, as in a report of
  // its crash (docs/reports.md). Empty when it rests without a stack or has little left of it. The
  // caller gives them their names, which takes some of its own stack: 40 KiB for the longest.
  std::vector<std::string> stack;
  // False: it was only looked at. Its priority, links, monitors and all that it alone knows are
  // then as if it had none, its state is any but running, and its mail is that which it has taken
  // in.
  bool has_answered = true;
};

// Suspends until the process has answered; empty for a dead one. Of oneself at once. For processes.
// A process that waits, is suspended or is busy answers, the last at its next safe point.
std::optional<ProcessInfo> process_info(Pid pid, const InfoOptions& options = {});

// All processes that lived through the whole call are in it (P19). Any process; does not suspend.
std::vector<Pid> processes();

}  // namespace airssys::rt
