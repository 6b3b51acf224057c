// call_stack_test.cpp: the calls from a place in process code outwards.
//
// Method: functions that stay functions call each other on a fiber; the test looks for them in what
// was noted, by where they begin: names are not needed.
#include "fiber/call_stack.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "base/symbol.hpp"
#include "fiber/stack.hpp"
#include "fiber/unwind.hpp"

namespace airssys::rt::fiber::call_stack_test {
namespace {

CallStack noted;
Fiber* running = nullptr;
bool (*leads_here)(const void* function) = nullptr;

[[gnu::noinline]] void inner() {
  note_calls(*running, noted, leads_here);
  asm volatile("");  // what is behind the call keeps the frame
}
[[gnu::noinline]] void middle() {
  inner();
  asm volatile("");
}
[[gnu::noinline]] void outer() {
  middle();
  asm volatile("");
}
[[gnu::noinline]] void descend(int depth) {
  depth == 0 ? inner() : descend(depth - 1);
  asm volatile("");
}

const void* start_of(auto* function) {
  return reinterpret_cast<const void*>(function);
}

// Where it stands in what was noted, the innermost is 0; -1: nowhere.
std::ptrdiff_t depth_of(auto* function) {
  const auto calls = noted.calls();
  const auto place = std::ranges::find(calls, start_of(function), &base::function_at);
  return place == calls.end() ? -1 : place - calls.begin();
}

// Runs code on a fiber, as process code or as the runner does.
void run(void (*code)(), bool as_process_code) {
  static bool is_process_code;
  is_process_code = as_process_code;
  StackPool pool;
  StackPool::Cache stacks(pool);
  ThreadContext thread;
  running = stacks.take();
  running->user = reinterpret_cast<void*>(code);
  prepare(*running, [](Fiber& self, Ended) {
    const auto call = [](void* user) { reinterpret_cast<void (*)()>(user)(); };
    is_process_code ? call_guarded(self, call, self.user) : call(self.user);
    switch_back(self, *self.resumer);
  });
  switch_to(thread, *running);
  stacks.give(*running);
}

TEST(CallStackTest, it_goes_from_the_innermost_call_outwards) {
  leads_here = [](const void*) { return false; };
  run(&outer, true);
  ASSERT_NE(depth_of(&inner), -1);
  EXPECT_EQ(depth_of(&middle), depth_of(&inner) + 1);
  EXPECT_EQ(depth_of(&outer), depth_of(&middle) + 1);
}

TEST(CallStackTest, what_only_leads_here_is_left_out) {
  leads_here = [](const void* function) {
    return function == start_of(&inner) || function == start_of(&middle);
  };
  run(&outer, true);
  EXPECT_EQ(depth_of(&inner), -1);
  EXPECT_EQ(depth_of(&outer), 0);
}

TEST(CallStackTest, of_a_deep_stack_the_innermost_calls_are_noted) {
  leads_here = [](const void*) { return false; };
  run([] { descend(100); }, true);
  EXPECT_EQ(noted.count, CallStack::calls_max);
  EXPECT_NE(depth_of(&inner), -1);
}

TEST(CallStackTest, where_no_process_code_runs_there_are_none) {
  leads_here = [](const void*) { return false; };
  run(&outer, false);
  EXPECT_EQ(noted.count, 0U);
}

TEST(CallStackTest, where_the_stack_is_nearly_used_up_there_are_none) {
  leads_here = [](const void*) { return false; };
  run(
      [] {
        constexpr std::ptrdiff_t left = 4 << 10;
        auto* const here = static_cast<std::byte*>(__builtin_frame_address(0));
        void* const filler = __builtin_alloca(static_cast<std::size_t>(here - running->low - left));
        asm volatile("" : : "r"(filler) : "memory");
        outer();
      },
      true);
  EXPECT_EQ(noted.count, 0U);
}

}  // namespace
}  // namespace airssys::rt::fiber::call_stack_test
