// futex.hpp: sleep until a word changes; the kernel's primitive under Mutex and Parker.
//
// Both take the word's address only: a waiter sleeps if the word still holds what it expects, else
// it returns at once. Wake-ups without cause happen, so callers look at the word again in a loop.
// The words are std::atomic, not base::Atomic: the kernel cannot look into the explorer's.
#pragma once

#include <atomic>
#include <cstdint>

namespace airssys::rt::base {

using FutexWord = std::atomic<std::uint32_t>;

/// Sleeps while word == expected, at most timeout_ns (negative: for ever). May return early.
void futex_wait(FutexWord& word, std::uint32_t expected, std::int64_t timeout_ns) noexcept;

/// Wakes at most count sleepers. The word may have been freed meanwhile: it is not read.
void futex_wake(FutexWord& word, int count) noexcept;

}  // namespace airssys::rt::base
