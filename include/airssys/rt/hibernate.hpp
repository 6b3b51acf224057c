// hibernate.hpp: a long wait that gives memory back first (P16).
//
// A process that waits keeps its stack with every page that it has ever touched. One that is about
// to wait for long gives them back: all that it does not need by `hibernate`, the whole stack by
// `hibernate(entry)`. A server or state machine at rest has no stack: it needs neither (G20).
// For bodies there is SpawnOptions::hibernates, too, which asks for no call.
#pragma once

#include <airssys/rt/detail/program.hpp>
#include <concepts>
#include <utility>

namespace airssys::rt {

// Waits until the mailbox is not empty, and receives nothing; returns at once when it is not. While
// it waits, pages of its stack that hold nothing are the system's: that costs a system call, which
// interrupts other CPUs, so it is for waits of seconds. For processes; suspends, and is a safe
// point. Throws Unwinding in a destructor of a process that is being ended (Z3).
void hibernate();

namespace detail {
[[noreturn]] void hibernate_until_mail(Program* entry);  // takes it over
}

// The same without any stack: unwinds the process, so that all destructors run and no handler stops
// it, and calls entry as its new body, from the top, when the mailbox is not empty. Pid, name,
// links, mail and local values stay. For bodies, from wherever they are: BadArgument in a server,
// supervisor or state machine.
template <std::invocable F>
[[noreturn]] void hibernate(F&& entry) {
  detail::hibernate_until_mail(detail::make_body(std::forward<F>(entry)));
}

}  // namespace airssys::rt
