// this_thread.hpp: THE file of thread-local words. No other file of the runtime has thread_local.
//
// The trap: a compiler may keep the address of a thread-local over a call. A fiber that is
// suspended by that call and resumed by another thread then reads the words of the thread it left.
// It happens with plain thread_local variables, errno, pthread_self() and __cxa_get_globals(), and
// more so under LTO, where even a noinline accessor is found to be "const" and called only once.
// The remedy, all of it needed: the accessors below are noinline, what they return passes an opaque
// asm, and this_thread.cpp is compiled without LTO. `read`, which is asked at every step of the
// runtime, needs no call: where the processor allows it, it is one volatile asm that does the whole
// access, and a compiler neither merges two of these nor moves one over a call.
// Callers never keep a returned pointer over anything that may switch fibers.
#pragma once

#include "base/atomic.hpp"

namespace airssys::rt::base::this_thread {

/// What hangs on a thread. Each slot has one user, who knows the type behind the pointer.
enum class Slot : unsigned {
  scheduler_thread,  // scheduler::Thread* that drives this OS thread
  fiber_context,     // fiber::ThreadContext* of this OS thread
  foreign,           // runtime's record of a thread that is not ours
  guest,             // runtime::System* for which a thread without a process speaks
  disposal,          // not null: the thread, without a process, destroys what was dropped
  blocking_pool,     // scheduler::BlockingPool* whose thread this is
  blocking_job,      // runtime's record of the job that a thread of the blocking pool works on
  block_cache,       // base::BlockCache* of a thread that runs processes
  held_locks,        // debug builds: ranks of the mutexes held (base/mutex.cpp)
  count
};

namespace detail {
[[gnu::visibility("hidden"), gnu::tls_model("initial-exec")]] extern constinit thread_local void*
    slots[static_cast<unsigned>(Slot::count)] asm("airssys_rt_thread_slots");
}  // namespace detail

/// The value of a slot on the thread that runs now; null on a fresh thread. Safe in a handler.
[[nodiscard, gnu::noinline]] void* get(Slot slot) noexcept;
template <Slot slot>
[[nodiscard]] inline void* read() noexcept {
#if defined(__x86_64__) && defined(__LP64__)
  void* value;
  asm volatile("movq airssys_rt_thread_slots@gottpoff(%%rip), %0\n\tmovq %%fs:%c1(%0), %0"
               : "=r"(value)
               : "i"(static_cast<int>(slot) * static_cast<int>(sizeof(void*)))
               : "memory");
  return value;
#else
  return get(slot);
#endif
}
[[gnu::noinline]] void set(Slot slot, void* value) noexcept;

#ifndef AIRSSYS_RT_MODEL  // whose atomics are no constants; nothing polls there
/// Another thread wants the process that runs here to give way. Polled by process code that is
/// compiled for it (preemption/), by this very name, so that a poll is one comparison; the others
/// only write it. A process that moves between two polls is no matter: it polls where it is.
[[gnu::tls_model("initial-exec")]] extern constinit thread_local Atomic<bool> must_give_way;
/// Its address, for who may write it from elsewhere.
[[nodiscard, gnu::noinline]] Atomic<bool>& give_way_flag() noexcept;
#endif

/// This thread's C++ exception state (__cxa_eh_globals of the C++ ABI).
[[nodiscard, gnu::noinline]] void* exception_globals() noexcept;

}  // namespace airssys::rt::base::this_thread
