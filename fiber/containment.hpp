// containment.hpp: a noexcept violation or a stack overflow ends one process, not the program.
//
// Pieces for who installs process-wide handlers (system/): both say "not mine" for everything that
// did not happen on a fiber that runs process code, and the caller then chains to what was there.
//   terminate handler ─▶ on_terminate: on process code: abandons the fiber, never returns
//   SIGSEGV handler   ─▶ handle_fault: fault in the guard of the fiber that runs here: rewrites the
//                        interrupted registers, so that after the handler's return the thread goes
//                        on in a function that abandons the fiber as `overflowed`
// A handler for an overflow cannot run on the stack that overflowed: each thread that runs fibers
// holds an AlternateStack.
#pragma once

#include <csignal>
#include <cstddef>

#include "fiber/stack.hpp"

namespace airssys::rt::fiber {

/// A signal stack for the calling thread, as large as its processor's register frames demand; the
/// one before is restored at the end. Made and destroyed by the thread that it is for.
class AlternateStack {
 public:
  AlternateStack() noexcept;
  AlternateStack(const AlternateStack&) = delete;
  AlternateStack& operator=(const AlternateStack&) = delete;
  ~AlternateStack();

 private:
  void* memory_;
  std::size_t bytes_;
  stack_t previous_{};
};

/// For a terminate handler: abandons the fiber that runs process code here; else it returns and the
/// caller chains.
void on_terminate() noexcept;

/// For a SIGSEGV handler with SA_SIGINFO | SA_ONSTACK: true when the fault was an overflow of the
/// fiber that runs process code on this thread, and the handler shall simply return. False: not
/// ours, chain. Async-signal-safe.
[[nodiscard]] bool handle_fault(int signal, siginfo_t* info, void* ucontext) noexcept;

}  // namespace airssys::rt::fiber
