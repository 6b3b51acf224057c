// futex.cpp: the system call behind futex.hpp.
//
// The private form: no word is shared between programs. FUTEX_WAIT takes a relative time-out on the
// monotonic clock; callers that loop recompute it.
#include "base/futex.hpp"

#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <ctime>

namespace airssys::rt::base {

void futex_wait(FutexWord& word, std::uint32_t expected, std::int64_t timeout_ns) noexcept {
  timespec timeout{};
  timeout.tv_sec = static_cast<time_t>(timeout_ns / 1'000'000'000);
  timeout.tv_nsec = static_cast<long>(timeout_ns % 1'000'000'000);
  ::syscall(SYS_futex,
            &word,
            FUTEX_WAIT_PRIVATE,
            expected,
            timeout_ns < 0 ? nullptr : &timeout,
            nullptr,
            0);
}

void futex_wake(FutexWord& word, int count) noexcept {
  ::syscall(SYS_futex, &word, FUTEX_WAKE_PRIVATE, count, nullptr, nullptr, 0);
}

}  // namespace airssys::rt::base
