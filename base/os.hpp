// os.hpp: what we ask of the operating system about CPUs, threads and pages.
//
// Linux only. Each function is one question or one order; none keeps state but membarrier's
// registration. Failures are answers, never exceptions: the callers all have a second way.
#pragma once

#include <ctime>

#include <cstddef>
#include <cstdint>
#include <optional>

namespace airssys::rt::base {

/// How many CPUs this program may really use: the affinity mask, and every CPU quota on the path of
/// its control groups (version 1 and 2), rounded up. At least 1.
[[nodiscard]] unsigned usable_cpus() noexcept;

/// The smallest CPU quota on the whole path of control groups, in CPUs; nothing when unlimited.
/// `root` is where the file systems of /proc and /sys hang: "" but in tests.
[[nodiscard]] std::optional<double> cpu_quota(const char* root) noexcept;

[[nodiscard]] std::size_t page_bytes() noexcept;

/// Names the calling thread for debuggers and top; cut to 15 characters.
void name_this_thread(const char* name) noexcept;

/// The kernel's id of the calling thread.
using ThreadId = int;
[[nodiscard]] ThreadId this_thread_id() noexcept;

/// A clock that counts the CPU time of the calling thread, readable by every thread of the program
/// while that thread lives.
[[nodiscard]] clockid_t this_thread_cpu_clock() noexcept;

/// CPU time in nanoseconds, or -1 when the clock's thread has ended. Costs a system call.
[[nodiscard]] std::int64_t cpu_time_ns(clockid_t clock) noexcept;

/// Whether a thread of this program waits inside a system call. Reads /proc: some microseconds.
[[nodiscard]] bool sleeps_in_kernel(ThreadId thread) noexcept;

/// Lets a thread of this program run only when nothing else wants its CPU. False if refused.
bool set_idle_priority(ThreadId thread) noexcept;

/// Back to ordinary priority. False if refused: ordinary users may lack the right to raise again
/// what they lowered; then the thread stays idle for the rest of its life.
bool restore_priority(ThreadId thread) noexcept;

/// Sends a thread of this program a signal that carries `mark` (si_value.sival_ptr), by which its
/// handler knows it from everybody else's. False if there is no such thread.
bool signal_thread(ThreadId thread, int signal, const void* mark) noexcept;

/// The calling thread takes this signal, whatever mask it was born with.
void unblock_signal(int signal) noexcept;

/// Asks the kernel once for expedited membarriers; true if they are there. Cheap when repeated.
bool membarrier_available() noexcept;

/// Every thread of this program passes a full memory barrier before this returns: each one's
/// earlier stores are visible here, and its later loads see what was stored before the call.
/// Some 0.2 µs a CPU in use. Requires membarrier_available().
void membarrier() noexcept;

}  // namespace airssys::rt::base
