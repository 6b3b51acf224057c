// preemption.hpp: what code that is compiled to be preempted calls (docs/preemption.md).
//
// None is for users' own code; <airssys/rt/preemption.hpp> is.
#pragma once

namespace airssys::rt::detail {

// A poll has found that the process should give way. Whether it may: on its own stack, which is
// here, in its own code, and nothing forbids it. Any thread, also in a signal handler. Touches no
// floating-point or vector register.
bool may_preempt(const void* stack) noexcept;

// Gives way; requires may_preempt. Comes back on the same OS thread, with the same errno, and
// throws nothing: whatever has come for the process waits for its next safe point.
void preempt() noexcept;

// Between these two may_preempt answers false; they nest. When the last is undone the process gives
// way if it was asked to meanwhile. Any thread; on one without a process they do nothing.
void forbid_preemption() noexcept;
void allow_preemption() noexcept;

}  // namespace airssys::rt::detail
