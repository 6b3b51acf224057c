// atomic.hpp: the seam through which all atomics of the runtime come.
//
// base::Atomic<T> is std::atomic<T>. When AIRSSYS_RT_MODEL is defined it is the model explorer's
// atomic instead, so that a lock-free file is compiled unchanged under every interleaving.
// Therefore no file outside this one names std::atomic, except locks and parkers: those block in
// the kernel, which the explorer cannot follow.
#pragma once

#ifdef AIRSSYS_RT_MODEL
#include "tests/model/atomic.hpp"
#else
#include <atomic>
#endif

namespace airssys::rt::base {

#ifdef AIRSSYS_RT_MODEL

template <class T>
using Atomic = model::Atomic<T>;

inline void atomic_fence(std::memory_order order) noexcept {
  model::fence(order);
}

/// The explorer's threads take turns: waiting in a circle means letting another one go on.
inline void spin_pause() noexcept {
  model::yield();
}

#else

template <class T>
using Atomic = std::atomic<T>;

#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic push
// TSan does not follow fences. Ours order a store against a later load (store buffering), which no
// happens-before edge depends on, so nothing that TSan reports is lost or wrong by it.
#pragma GCC diagnostic ignored "-Wtsan"
#endif
inline void atomic_fence(std::memory_order order) noexcept {
#if defined(__x86_64__)
  // Compilers make it an mfence, which takes three times as long (20 ns), for it orders other
  // memory than atomics lie in as well.
  if (order == std::memory_order_seq_cst) {
    asm volatile("lock orl $0, (%%rsp)" ::: "memory", "cc");
    return;
  }
#endif
  std::atomic_thread_fence(order);
}
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic pop
#endif

/// Tells the processor that this thread turns in a circle until another one has moved on.
inline void spin_pause() noexcept {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("isb");
#endif
}

#endif

}  // namespace airssys::rt::base
