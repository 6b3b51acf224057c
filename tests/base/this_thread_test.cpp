// this_thread_test.cpp: each thread has its own words.
// Method: two threads compare. That a migrating fiber reads the right ones is tested with fibers,
// under LTO, in tests/fiber/migration_test.cpp.
#include "base/this_thread.hpp"

#include <cxxabi.h>
#include <gtest/gtest.h>

#include <thread>

namespace airssys::rt::base::this_thread::this_thread_test {
namespace {

TEST(ThisThread, slots_are_null_on_a_fresh_thread_and_keep_what_is_set) {
  int here = 0;
  set(Slot::foreign, &here);
  std::thread([] {
    int there = 0;
    EXPECT_EQ(get(Slot::foreign), nullptr);
    set(Slot::foreign, &there);
    EXPECT_EQ(get(Slot::foreign), &there);
    EXPECT_EQ(get(Slot::fiber_context), nullptr);
  }).join();
  EXPECT_EQ(get(Slot::foreign), &here);
  set(Slot::foreign, nullptr);
}

TEST(ThisThread, exception_globals_are_those_of_the_abi) {
  void* const here = exception_globals();
  EXPECT_EQ(here, static_cast<void*>(abi::__cxa_get_globals()));
  std::thread([here] { EXPECT_NE(exception_globals(), here); }).join();
}

}  // namespace
}  // namespace airssys::rt::base::this_thread::this_thread_test
