// hibernate.hpp: a body that has given its stack up and waits for mail as another one (P16).
//
//   hibernate(entry) ──forced unwind──▶ change_body ──▶ rests, without a stack ──mail──▶ entry
//
// The unwind is that of an end, with must_end set meanwhile so that nothing acts (Z3); when it has
// come through, the process begins anew (run.cpp) with `entry` in its program's place. If it is cut
// off instead, that is the end of the process, as of any other (Z4).
// The form that returns is a wait whose stack is looked through once it is off: Thread::hibernate.
#pragma once

#include <airssys/rt/detail/program.hpp>
#include <memory>

#include "fiber/context.hpp"
#include "runtime/process.hpp"

namespace airssys::rt::runtime {

// Among the extras. Owner only.
struct Hibernation {
  std::unique_ptr<detail::Program> next_body;  // while the old one is unwound
  bool awaits_mail = false;                    // the new one has not begun
};

// Whether it is unwound for another body. Owner.
bool changes_body(const Process& process) noexcept;
// On a runner, when the process's code has been cut: true if that was for another body, which it
// now has. Runs destructors.
bool change_body(Process& process, fiber::Ended why);

// Whether the process is not to begin before there is mail.
bool awaits_mail(const Process& process) noexcept;

}  // namespace airssys::rt::runtime
