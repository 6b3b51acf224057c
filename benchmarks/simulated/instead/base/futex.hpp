// futex.hpp: base/futex.hpp with the simulated machine's atomics; kernel.cpp is behind it.
#pragma once

#include <cstdint>

#include "base/atomic.hpp"

namespace airssys::rt::base {

using FutexWord = Atomic<std::uint32_t>;

void futex_wait(FutexWord& word, std::uint32_t expected, std::int64_t timeout_ns) noexcept;
void futex_wake(FutexWord& word, int count) noexcept;

}  // namespace airssys::rt::base
