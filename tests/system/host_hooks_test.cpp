// host_hooks_test.cpp: containment (Z4, Z10), stop signals and the hogs' signal (E4), and that the
// host gets back what it had. Method: runtimes inside this program with their hooks switched on,
// real violations, real signals.
#include "system/host_hooks.hpp"

#include <gtest/gtest.h>
#include <unistd.h>
#include <airssys/rt.hpp>
#include <atomic>
#include <csignal>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <string>
#include <thread>

#include "base/os.hpp"
#include "fiber/sanitizer.hpp"

namespace airssys::rt {
namespace {

using namespace std::chrono_literals;

const Options contained{
    .schedulers = 2, .containment = HostHook::on, .log = [](std::string_view) {}};

// An exception that meets noexcept; where a sanitizer counts leaks, without the exception, which is
// lost with the stack.
void throws() {
  if constexpr (fiber::sanitizer::address) std::terminate();
  throw 1;
}
void violates() noexcept {
  throws();
}

// Never returns on a stack of 64 KiB, but the compiler cannot know that.
[[gnu::noinline]] int goes_deep(int depth) {
  volatile char frame[512];
  frame[0] = static_cast<char>(depth);
  return depth == 1'000'000 ? 0 : goes_deep(depth + 1) + frame[0];
}

// Z4
TEST(Containment, a_noexcept_violation_ends_one_process) {
  Runtime runtime(contained);
  EXPECT_EQ(runtime.run([] { violates(); }), ExitReason::error("noexcept_violation"));
  EXPECT_EQ(runtime.run([] {}), ExitReason::normal());
}

// Z4
TEST(Containment, a_kill_that_meets_noexcept_keeps_its_own_reason) {
  Runtime runtime(contained);
  EXPECT_EQ(runtime.run([] {
    const auto sleeper = rt::spawn_monitor([] {
      []() noexcept {
        rt::send(rt::parent(), 1);
        rt::sleep(1h);
      }();
    });
    rt::receive<int>();
    rt::send_exit(sleeper.pid, ExitReason::kill());
    const Down down = rt::receive<Down>();
    rt::exit(down.reason == ExitReason::killed() ? ExitReason::normal() : down.reason);
  }),
            ExitReason::normal());
}

#if !defined(__SANITIZE_ADDRESS__)
// Z10
TEST(Containment, a_stack_overflow_ends_one_process) {
  Runtime runtime(contained);
  for (int round = 0; round < 3; ++round) {
    EXPECT_EQ(runtime.run([] { goes_deep(0); }), ExitReason::error("stack_overflow"));
  }
  EXPECT_EQ(runtime.run([] {}), ExitReason::normal());
}
#endif

// The deepest frames of it are the runtime's own, which must not be cut while they hold a lock.
[[gnu::noinline]] int sends_from_the_depth(int depth) {
  volatile char frame[128];
  frame[0] = static_cast<char>(depth);
  rt::send_after(1h, "nobody", depth);
  return depth == 1'000'000 ? 0 : sends_from_the_depth(depth + 1) + frame[0];
}

TEST(Containment, an_overflow_within_the_runtime_s_verbs_leaves_no_lock_behind) {
  Runtime runtime(contained);
  for (int round = 0; round < 3; ++round) {
    EXPECT_EQ(runtime.run([] { sends_from_the_depth(0); }), ExitReason::error("stack_overflow"));
  }
  EXPECT_EQ(runtime.run([] { rt::sleep(1ms); }), ExitReason::normal());
}

// E4
TEST(Containment, the_host_gets_its_handlers_back_from_the_last_runtime) {
  struct sigaction before{};
  struct sigaction meanwhile{};
  struct sigaction after{};
  const std::terminate_handler terminate_before = std::get_terminate();
  sigaction(SIGSEGV, nullptr, &before);
  {
    const Runtime last(contained);
    {
      const Runtime first(contained);
    }
    sigaction(SIGSEGV, nullptr, &meanwhile);
  }
  sigaction(SIGSEGV, nullptr, &after);
  EXPECT_NE(meanwhile.sa_sigaction, before.sa_sigaction);
  EXPECT_EQ(after.sa_sigaction, before.sa_sigaction);
  EXPECT_EQ(std::get_terminate(), terminate_before);
}

// E4
TEST(Containment, a_guest_runtime_installs_nothing_unless_it_is_told_to) {
  struct sigaction before{};
  struct sigaction meanwhile{};
  sigaction(SIGSEGV, nullptr, &before);
  const std::terminate_handler terminate_before = std::get_terminate();
  const Runtime runtime({.schedulers = 1});
  sigaction(SIGSEGV, nullptr, &meanwhile);
  EXPECT_EQ(meanwhile.sa_sigaction, before.sa_sigaction);
  EXPECT_EQ(std::get_terminate(), terminate_before);
}

// E4
TEST(StopSignals, a_sigterm_shuts_the_first_process_down_and_the_program_ends_well) {
  bool unwound = false;
  struct Note {
    bool& unwound;
    ~Note() { unwound = true; }
  };
  const int code = rt::run({.schedulers = 2}, [&] {
    const Note note{unwound};
    std::raise(SIGTERM);
    rt::sleep(1h);
  });
  EXPECT_EQ(code, 0);
  EXPECT_TRUE(unwound);
}

// Sends this program a signal when all its other threads wait in the kernel.
void send_when_idle(int signal) {
  sigset_t all{};
  sigfillset(&all);
  pthread_sigmask(SIG_BLOCK, &all, nullptr);
  const auto is_idle = [] {
    for (const auto& thread : std::filesystem::directory_iterator("/proc/self/task")) {
      const int id = std::stoi(thread.path().filename());
      if (id != base::this_thread_id() && !base::sleeps_in_kernel(id)) return false;
    }
    return true;
  };
  while (!is_idle()) std::this_thread::yield();
  kill(getpid(), signal);
}

TEST(StopSignals, a_sigterm_from_outside_ends_a_program_that_is_idle) {
  for (int round = 0; round < 5; ++round) {
    std::thread sender;
    const int code = rt::run({.schedulers = 2}, [&] {
      sender = std::thread([] { send_when_idle(SIGTERM); });
      rt::sleep(1h);
    });
    sender.join();
    EXPECT_EQ(code, 0);
  }
}

TEST(StopSignals, a_program_whose_threads_all_block_it_hears_it) {
  sigset_t stop{};
  sigset_t before{};
  sigemptyset(&stop);
  sigaddset(&stop, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &stop, &before);
  const int code = rt::run({.schedulers = 2}, [] {
    kill(getpid(), SIGTERM);
    rt::sleep(1h);
  });
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  EXPECT_EQ(code, 0);
}

std::string blocked_in_a_child() {
  FILE* child = popen("grep SigBlk /proc/self/status", "re");
  char line[64] = {};
  EXPECT_NE(std::fgets(line, sizeof line, child), nullptr);
  pclose(child);
  return line;
}

TEST(StopSignals, a_program_that_a_process_starts_inherits_no_blocked_signal) {
  const std::string outside = blocked_in_a_child();
  std::string inside;
  EXPECT_EQ(rt::run({.schedulers = 2}, [&] { inside = blocked_in_a_child(); }), 0);
  EXPECT_EQ(inside, outside);
}

TEST(StopSignals, the_default_action_is_back_afterwards) {
  EXPECT_EQ(rt::run({.schedulers = 1}, [] {}), 0);
  struct sigaction after{};
  sigaction(SIGTERM, nullptr, &after);
  EXPECT_EQ(after.sa_handler, SIG_DFL);
}

const Options with_hog_signal{.schedulers = 2, .hog_signal = HostHook::on};

std::atomic<int> host_s_urgent_signals{0};

// E4
TEST(HogSignal, the_host_gets_its_handler_back_and_meanwhile_what_is_its_own) {
  host_s_urgent_signals = 0;
  std::signal(SIGURG, [](int) { ++host_s_urgent_signals; });
  struct sigaction meanwhile{};
  {
    Runtime one(with_hog_signal);
    const Runtime other(with_hog_signal);
    sigaction(SIGURG, nullptr, &meanwhile);
    std::raise(SIGURG);
    EXPECT_EQ(one.run([] { std::raise(SIGURG); }), ExitReason::normal());
  }
  EXPECT_TRUE(meanwhile.sa_flags & SA_SIGINFO);
  EXPECT_EQ(host_s_urgent_signals, 2);
  std::raise(SIGURG);
  EXPECT_EQ(host_s_urgent_signals, 3);
  std::signal(SIGURG, SIG_DFL);
}

// E4
TEST(HogSignal, one_of_the_host_s_that_nobody_handles_does_nothing) {
  Runtime runtime(with_hog_signal);
  std::raise(SIGURG);
  struct sigaction meanwhile{};
  sigaction(SIGURG, nullptr, &meanwhile);
  EXPECT_TRUE(meanwhile.sa_flags & SA_SIGINFO);
  EXPECT_EQ(runtime.run([] { std::raise(SIGURG); }), ExitReason::normal());
}

// E4
TEST(HogSignal, is_taken_by_who_owns_the_program_and_by_no_guest) {
  const auto has_handler = [] {
    struct sigaction action{};
    sigaction(SIGURG, nullptr, &action);
    return (action.sa_flags & SA_SIGINFO) || action.sa_handler != SIG_DFL;
  };
  Runtime guest({.schedulers = 1});
  EXPECT_FALSE(has_handler());
  EXPECT_EQ(rt::run({.schedulers = 1}, [&] { return has_handler() ? 1 : 0; }), 1);
  EXPECT_EQ(rt::run({.schedulers = 1, .hog_signal = HostHook::off},
                    [&] { return has_handler() ? 1 : 0; }),
            0);
}

}  // namespace
}  // namespace airssys::rt
