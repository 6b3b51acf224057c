// os.cpp: threads, their CPU clocks, priorities and signals, pages, membarrier.
//
// The count of usable CPUs has a file of its own, os_cpus.cpp: control groups are a long story.
#include "base/os.hpp"

#include <fcntl.h>
#include <linux/membarrier.h>
#include <pthread.h>
#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <cstdio>
#include <cstring>

#include "base/assert.hpp"

namespace airssys::rt::base {

namespace {

enum class Availability : int { unknown, no, yes };

// Set once to what the kernel said; two threads that ask at the same time hear the same.
std::atomic<Availability> membarrier_answer{Availability::unknown};

bool set_policy(ThreadId thread, int policy) noexcept {
  const sched_param parameters{};
  return ::sched_setscheduler(thread, policy, &parameters) == 0;
}

}  // namespace

std::size_t page_bytes() noexcept {
  static const auto bytes = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
  return bytes;
}

void name_this_thread(const char* name) noexcept {
  char cut[16] = {};  // the kernel's limit, with the zero
  std::strncpy(cut, name, sizeof cut - 1);
  ::pthread_setname_np(::pthread_self(), cut);
}

ThreadId this_thread_id() noexcept {
  return ::gettid();
}

clockid_t this_thread_cpu_clock() noexcept {
  clockid_t clock{};
  const int error = ::pthread_getcpuclockid(::pthread_self(), &clock);
  RT_CHECK(error == 0, "a running thread has a CPU clock");
  return clock;
}

std::int64_t cpu_time_ns(clockid_t clock) noexcept {
  timespec time{};
  if (::clock_gettime(clock, &time) != 0) return -1;
  return std::int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec;
}

bool sleeps_in_kernel(ThreadId thread) noexcept {
  char path[64];
  std::snprintf(path, sizeof path, "/proc/self/task/%d/stat", thread);
  const int file = ::open(path, O_RDONLY | O_CLOEXEC);
  if (file < 0) return false;
  char text[256];
  const ssize_t length = ::read(file, text, sizeof text - 1);
  ::close(file);
  if (length <= 0) return false;
  text[length] = '\0';
  // "tid (name) state ...": the name may hold anything, the last parenthesis ends it.
  const char* state = std::strrchr(text, ')');
  return state && state[1] == ' ' && (state[2] == 'S' || state[2] == 'D');
}

bool set_idle_priority(ThreadId thread) noexcept {
  return set_policy(thread, SCHED_IDLE);
}

bool restore_priority(ThreadId thread) noexcept {
  return set_policy(thread, SCHED_OTHER);
}

bool signal_thread(ThreadId thread, int signal, const void* mark) noexcept {
  siginfo_t info{};
  info.si_signo = signal;
  info.si_code = SI_QUEUE;
  info.si_pid = ::getpid();
  info.si_uid = ::getuid();
  info.si_value.sival_ptr = const_cast<void*>(mark);
  return ::syscall(SYS_rt_tgsigqueueinfo, ::getpid(), thread, signal, &info) == 0;
}

void unblock_signal(int signal) noexcept {
  sigset_t signals{};
  ::sigemptyset(&signals);
  ::sigaddset(&signals, signal);
  ::pthread_sigmask(SIG_UNBLOCK, &signals, nullptr);
}

bool membarrier_available() noexcept {
  // relaxed: the answer stands alone, and asking twice does no harm.
  Availability answer = membarrier_answer.load(std::memory_order_relaxed);
  if (answer == Availability::unknown) {
    const long result = ::syscall(SYS_membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, 0, 0);
    answer = result == 0 ? Availability::yes : Availability::no;
    membarrier_answer.store(answer, std::memory_order_relaxed);  // relaxed: as above
  }
  return answer == Availability::yes;
}

void membarrier() noexcept {
  const long result = ::syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0);
  RT_CHECK(result == 0, "membarrier works once it is registered");
}

}  // namespace airssys::rt::base
