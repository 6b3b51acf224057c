// kernel.cpp: what the rooms ask of the system, answered by the simulated machine.
//
// In the place of base/futex.cpp, base/os.cpp and base/clock.cpp; and of those calls of the C
// library that make threads and wait for descriptors: a program's own definition goes before the
// library's. There are no descriptors but the poller's own, which wakes who sleeps there.
#include <pthread.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <utility>

#include "base/clock.hpp"
#include "base/futex.hpp"
#include "base/os.hpp"
#include "benchmarks/simulated/machine.hpp"

namespace airssys::rt::base {

namespace {

std::int64_t until(std::int64_t timeout_ns) noexcept {
  return timeout_ns < 0 ? -1 : simulated::now_ns() + timeout_ns;
}

class SimulatedClock final : public Clock {
 public:
  std::int64_t now_ns() noexcept override {
    simulated::computes(simulated::costs().clock);
    return simulated::now_ns();
  }
};

}  // namespace

Clock& steady_clock() noexcept {
  static SimulatedClock clock;
  return clock;
}

void futex_wait(FutexWord& word, std::uint32_t expected, std::int64_t timeout_ns) noexcept {
  simulated::computes(simulated::costs().system_call);
  if (word.load(std::memory_order_seq_cst) == expected) simulated::sleeps(&word, until(timeout_ns));
}

void futex_wake(FutexWord& word, int count) noexcept {
  simulated::computes(simulated::costs().system_call);
  while (count-- > 0 && simulated::wakes(&word)) continue;
}

std::size_t page_bytes() noexcept {
  static const auto bytes = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
  return bytes;
}

void name_this_thread(const char* /*name*/) noexcept {}

ThreadId this_thread_id() noexcept {
  return static_cast<ThreadId>(simulated::core() + 1);
}

clockid_t this_thread_cpu_clock() noexcept {
  return static_cast<clockid_t>(simulated::core());
}

std::int64_t cpu_time_ns(clockid_t clock) noexcept {
  simulated::computes(simulated::costs().system_call);
  return simulated::cpu_time_ns(static_cast<unsigned>(clock));
}

bool sleeps_in_kernel(ThreadId thread) noexcept {
  simulated::computes(simulated::costs().system_call);
  return simulated::is_asleep(static_cast<unsigned>(thread - 1));
}

bool set_idle_priority(ThreadId /*thread*/) noexcept {
  return true;
}
bool restore_priority(ThreadId /*thread*/) noexcept {
  return true;
}
bool signal_thread(ThreadId /*thread*/, int /*signal*/, const void* /*mark*/) noexcept {
  return false;
}
void unblock_signal(int /*signal*/) noexcept {}

bool membarrier_available() noexcept {
  return true;
}
void membarrier() noexcept {
  simulated::interrupts_all_others();
}

}  // namespace airssys::rt::base

namespace {

namespace simulated = airssys::rt::simulated;

bool is_notified = false;
char poller;  // what its thread sleeps by

int wait_for_notice(epoll_event* events, std::int64_t timeout_ns) {
  simulated::computes(simulated::costs().system_call);
  if (!is_notified && timeout_ns != 0)
    simulated::sleeps(&poller, timeout_ns < 0 ? -1 : simulated::now_ns() + timeout_ns);
  if (!std::exchange(is_notified, false)) return 0;
  events[0] = {.events = EPOLLIN, .data = {.ptr = nullptr}};
  return 1;
}

}  // namespace

extern "C" {

int epoll_wait(int /*epoll*/, epoll_event* events, int /*room*/, int timeout_ms) {
  return wait_for_notice(events, timeout_ms < 0 ? -1 : std::int64_t{timeout_ms} * 1'000'000);
}

int epoll_pwait2(int /*epoll*/,
                 epoll_event* events,
                 int /*room*/,
                 const timespec* timeout,
                 const sigset_t* /*mask*/) {
  return wait_for_notice(
      events, timeout ? std::int64_t{timeout->tv_sec} * 1'000'000'000 + timeout->tv_nsec : -1);
}

int eventfd_write(int /*file*/, eventfd_t /*value*/) {
  simulated::computes(simulated::costs().system_call);
  is_notified = true;
  simulated::wakes(&poller);
  return 0;
}

int pthread_create(pthread_t* thread,
                   const pthread_attr_t* /*attributes*/,
                   void* (*code)(void*),
                   void* argument) noexcept {
  *thread = pthread_self();
  simulated::start_thread(code, argument);
  return 0;
}

}  // extern "C"
