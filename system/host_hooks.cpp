// host_hooks.cpp: counted, chained, restored.
#include "system/host_hooks.hpp"

#include <pthread.h>

#include <climits>
#include <csignal>
#include <cstdlib>
#include <exception>
#include <mutex>
#include <utility>

#include "base/futex.hpp"
#include "base/mutex.hpp"
#include "fiber/containment.hpp"
#include "fiber/sanitizer.hpp"
#include "scheduler/rotation.hpp"
#include "scheduler/thread.hpp"

namespace airssys::rt::system {

namespace {

constinit base::Mutex hooks_mutex{base::LockRank::host};

// One signal's handler, ours while somebody holds it.
struct SignalHook {
  int number;
  void (*handler)(int, siginfo_t*, void*);
  struct sigaction before{};

  void install() noexcept {
    struct sigaction ours{};
    ours.sa_sigaction = handler;
    ours.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_RESTART;
    // ThreadSanitizer runs a handler at the thread's next step that it sees. A thread that sleeps
    // on a futex takes one only if the signal ends the system call.
    if constexpr (fiber::sanitizer::thread) ours.sa_flags &= ~SA_RESTART;
    sigaction(number, &ours, &before);
  }
  void restore() noexcept {
    struct sigaction current{};
    sigaction(number, nullptr, &current);
    if ((current.sa_flags & SA_SIGINFO) && current.sa_sigaction == handler)
      sigaction(number, &before, nullptr);
  }
  // What would have happened without us.
  void chain(int signal, siginfo_t* info, void* context) noexcept {
    if (before.sa_flags & SA_SIGINFO) {
      before.sa_sigaction(signal, info, context);
    } else if (before.sa_handler == SIG_DFL) {
      if (number == scheduler::Rotation::signal) return;  // which is ignored by default
      // The default action ends the program when the faulting instruction runs again, or right away
      // for a signal that somebody sent.
      sigaction(number, &before, nullptr);
      if (info->si_code <= 0) raise(signal);
    } else if (before.sa_handler != SIG_IGN) {
      before.sa_handler(signal);
    }
  }
};

void on_fault(int signal, siginfo_t* info, void* context);
void on_stop(int signal, siginfo_t* info, void* context);
void on_turn(int signal, siginfo_t* info, void* context);

// Under hooks_mutex; `before` is also read by the handlers, after the install that wrote it.
constinit SignalHook segv{SIGSEGV, &on_fault};
constinit SignalHook bus{SIGBUS, &on_fault};
constinit SignalHook term{SIGTERM, &on_stop};
constinit SignalHook interrupt{SIGINT, &on_stop};
constinit SignalHook turn{scheduler::Rotation::signal, &on_turn};
constinit std::terminate_handler terminate_before = nullptr;
constinit unsigned containments = 0;
constinit unsigned stop_holders = 0;
constinit unsigned turn_holders = 0;
constinit base::FutexWord stop_word{0};

void on_fault(int signal, siginfo_t* info, void* context) {
  if (fiber::handle_fault(signal, info, context)) return;
  (signal == SIGSEGV ? segv : bus).chain(signal, info, context);
}

void on_stop(int signal, siginfo_t* /*info*/, void* /*context*/) {
  // relaxed: the waiter asks for no more than the number.
  const std::uint32_t before = stop_word.fetch_add(1, std::memory_order_relaxed);
  if (before % StopSignals::one_nudge != 0) {
    std::signal(signal, SIG_DFL);
    raise(signal);
    return;
  }
  base::futex_wake(stop_word, INT_MAX);
}

void on_turn(int signal, siginfo_t* info, void* context) {
  if (scheduler::Rotation::is_ours(*info)) return scheduler::Thread::wait_for_turn();
  turn.chain(signal, info, context);
}

[[noreturn]] void on_terminate() {
  fiber::on_terminate();  // comes back only when it was not process code
  if (terminate_before) terminate_before();
  std::abort();
}

void restore_containment() noexcept {
  if (std::get_terminate() == &on_terminate) std::set_terminate(terminate_before);
  segv.restore();
  bus.restore();
}

void restore_stop_signals() noexcept {
  term.restore();
  interrupt.restore();
}

}  // namespace

Containment::Containment() {
  const std::lock_guard lock(hooks_mutex);
  if (containments++ != 0) return;
  terminate_before = std::set_terminate(&on_terminate);
  segv.install();
  bus.install();
}

Containment::~Containment() {
  const std::lock_guard lock(hooks_mutex);
  if (--containments == 0) restore_containment();
}

StopSignals::StopSignals() {
  const std::lock_guard lock(hooks_mutex);
  if (stop_holders++ != 0) return;
  stop_word.store(0, std::memory_order_relaxed);  // relaxed: no handler is installed
  term.install();
  interrupt.install();
}

StopSignals::~StopSignals() {
  const std::lock_guard lock(hooks_mutex);
  if (--stop_holders == 0) restore_stop_signals();
}

void StopSignals::let_in() noexcept {
  sigset_t signals{};
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  pthread_sigmask(SIG_UNBLOCK, &signals, nullptr);
}

HogSignal::HogSignal() {
  const std::lock_guard lock(hooks_mutex);
  if (turn_holders++ == 0) turn.install();
}

HogSignal::~HogSignal() {
  const std::lock_guard lock(hooks_mutex);
  if (--turn_holders == 0) turn.restore();
}

// What pthread_atfork calls. The mutex is held over the fork, so the child finds the counts whole.
struct ForkHook {
  static inline constinit base::List<ForkedChildren> holders;  // under hooks_mutex
  static inline constinit bool is_installed = false;           // under hooks_mutex

  static void prepare() noexcept { hooks_mutex.lock(); }
  static void in_parent() noexcept { hooks_mutex.unlock(); }
  static void in_child() noexcept {
    if (!holders.empty()) {
      if (std::exchange(containments, 0) != 0) restore_containment();
      if (std::exchange(stop_holders, 0) != 0) restore_stop_signals();
      if (std::exchange(turn_holders, 0) != 0) turn.restore();
    }
    while (ForkedChildren* holder = holders.pop_front()) holder->in_child_(holder->holder_);
    hooks_mutex.unlock();
  }
};

ForkedChildren::ForkedChildren(void (*in_child)(void*) noexcept, void* holder)
    : in_child_(in_child), holder_(holder) {
  const std::lock_guard lock(hooks_mutex);
  if (!std::exchange(ForkHook::is_installed, true))
    pthread_atfork(&ForkHook::prepare, &ForkHook::in_parent, &ForkHook::in_child);
  ForkHook::holders.push_back(*this);
}

ForkedChildren::~ForkedChildren() {
  const std::lock_guard lock(hooks_mutex);
  ForkHook::holders.remove(*this);
}

base::FutexWord& StopSignals::word() noexcept {
  return stop_word;
}

}  // namespace airssys::rt::system
