// containment_test.cpp: an overflow ends one fiber, again and again; other faults are not ours.
// Method: endless recursion on a fiber under a SIGSEGV handler as a host would install it; faults
// elsewhere by calling the handler's half directly. Both kinds of guard.
#include "fiber/containment.hpp"

#include <gtest/gtest.h>

#include <csignal>
#include <cstdlib>

#include "tests/fiber/stage.hpp"

namespace airssys::rt::fiber::containment_test {
namespace {

void on_segv(int signal, siginfo_t* info, void* ucontext) {
  if (handle_fault(signal, info, ucontext)) return;
  std::signal(SIGSEGV, SIG_DFL);  // the fault happens again, and is fatal
}

class Containment : public testing::TestWithParam<GuardKind> {
 protected:
  Containment() : pool_({.reservation_bytes = std::size_t{1} << 24, .guard = GetParam()}) {
    struct sigaction action{};
    action.sa_sigaction = on_segv;
    action.sa_flags = SA_SIGINFO | SA_ONSTACK;
    ::sigaction(SIGSEGV, &action, &previous_);
  }
  ~Containment() override { ::sigaction(SIGSEGV, &previous_, nullptr); }

  StackPool pool_;
  StackPool::Cache stacks_{pool_};
  ThreadContext thread_;

 private:
  AlternateStack alternate_;
  struct sigaction previous_{};
};

// NOLINTNEXTLINE(misc-no-recursion): that is the point.
[[gnu::noinline]] int recurse(volatile int* above, int depth) {
  volatile int here[64];
  here[0] = depth;
  if (depth < 0) return *above;
  return recurse(here, depth + 1) + here[0];
}

TEST_P(Containment, an_overflow_ends_one_fiber_twice_in_a_row) {
  Stage bystander(stacks_, [](Stage& self) { self.wait(); });
  EXPECT_FALSE(bystander.run(thread_));
  for (int round = 0; round < 2; ++round) {
    Stage stage(stacks_, [](Stage&) {
      volatile int start = 0;
      recurse(&start, 0);
    });
    EXPECT_TRUE(stage.run(thread_));
    EXPECT_EQ(stage.how(), Ended::overflowed);
    EXPECT_EQ(thread_.running, nullptr);
  }
  EXPECT_TRUE(bystander.run(thread_));
  EXPECT_EQ(bystander.how(), Ended::returned);
}

TEST_P(Containment, a_fiber_that_overflowed_runs_the_next_body_on_the_same_stack) {
  Fiber* used = nullptr;
  {
    Stage stage(stacks_, [](Stage&) {
      volatile int start = 0;
      recurse(&start, 0);
    });
    used = &stage.fiber();
    EXPECT_TRUE(stage.run(thread_));
  }
  Stage next(stacks_, [](Stage& self) { self.wait(); });
  EXPECT_EQ(&next.fiber(), used);
  EXPECT_FALSE(next.run(thread_));
  EXPECT_TRUE(next.run(thread_));
}

TEST_P(Containment, the_loop_is_told_and_goes_on_in_place) {
  Fiber& fiber = *stacks_.take();
  int overflows = 0;
  fiber.user = &overflows;
  prepare(fiber, [](Fiber& self, Ended last) {
    if (last == Ended::overflowed) ++*static_cast<int*>(self.user);
    switch_back(self, *self.resumer);
    call_guarded(
        self,
        [](void*) {
          volatile int start = 0;
          recurse(&start, 0);
        },
        nullptr);
  });
  for (int round = 0; round < 4; ++round) {
    switch_to(thread_, fiber);
    EXPECT_EQ(overflows, round);
  }
  stacks_.give(fiber);
}

INSTANTIATE_TEST_SUITE_P(Guards,
                         Containment,
                         testing::Values(GuardKind::marker, GuardKind::mprotect));

TEST(ContainmentElsewhere, a_fault_off_a_fiber_is_not_ours) {
  siginfo_t info{};
  info.si_code = SEGV_MAPERR;
  ucontext_t context{};
  EXPECT_FALSE(handle_fault(SIGSEGV, &info, &context));  // no context on this thread
  const ThreadContext thread;
  EXPECT_FALSE(handle_fault(SIGSEGV, &info, &context));  // no fiber on it
}

// Z10, Z12
TEST(ContainmentElsewhere, a_fault_outside_the_guard_is_not_ours) {
  StackPool pool;
  StackPool::Cache stacks(pool);
  ThreadContext thread;
  int refused = 0;
  Stage stage(stacks, [&](Stage& self) {
    const auto ask = [&](const std::byte* address, int code) {
      siginfo_t info{};
      info.si_code = code;
      info.si_addr = const_cast<std::byte*>(address);
      ucontext_t context{};
      return handle_fault(SIGSEGV, &info, &context);
    };
    std::byte* const low = self.fiber().low;
    refused += !ask(low, SEGV_MAPERR);                    // in the usable part
    refused += !ask(low - guard_bytes - 1, SEGV_MAPERR);  // below the guard
    refused += !ask(nullptr, SEGV_MAPERR);
    refused += !ask(low - 1, SI_USER);  // sent by a program
    EXPECT_TRUE(ask(low - 1, SEGV_MAPERR));
    EXPECT_TRUE(ask(low - guard_bytes, SEGV_ACCERR));
  });
  EXPECT_TRUE(stage.run(thread));
  EXPECT_EQ(refused, 4);
}

TEST(ContainmentElsewhere, terminate_off_a_fiber_is_chained) {
  on_terminate();  // returns
  const ThreadContext thread;
  on_terminate();
}

TEST(ContainmentElsewhere, a_signal_stack_gives_way_to_the_one_before) {
  stack_t before{};
  ::sigaltstack(nullptr, &before);
  {
    const AlternateStack alternate;
    stack_t during{};
    ::sigaltstack(nullptr, &during);
    EXPECT_GE(during.ss_size, std::size_t{64} << 10);
    EXPECT_NE(during.ss_sp, before.ss_sp);
  }
  stack_t after{};
  ::sigaltstack(nullptr, &after);
  EXPECT_EQ(after.ss_sp, before.ss_sp);
  EXPECT_EQ(after.ss_flags, before.ss_flags);
}

}  // namespace
}  // namespace airssys::rt::fiber::containment_test
