// throw_site_test.cpp: what process code does not catch leaves the stack of its throw.
//
// Method: functions that stay functions throw in each other's frames, and the test looks for them
// in what was noted, by where they begin: names are not needed.
#include "fiber/throw_site.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <exception>
#include <stdexcept>
#include <string>

#include "base/symbol.hpp"
#include "fiber/call_stack.hpp"
#include "fiber/containment.hpp"
#include "fiber/stack.hpp"
#include "fiber/unwind.hpp"

namespace airssys::rt::fiber::throw_site_test {
namespace {

// These throw by all of their code, and are called so that a compiler does not know it: what it
// takes for unlikely it may move away from its function, and of one that is called with a constant
// it may make another.
[[gnu::noinline]] void thrower() {
  throw std::runtime_error("no");
}
[[gnu::noinline]] void rethrower() {
  throw;
}
void (*volatile throw_it)() = &thrower;
void (*volatile rethrow_it)() = &rethrower;

[[gnu::noinline]] void caller() {
  const std::string owned(100, 'x');  // something to destroy
  throw_it();
}
[[gnu::noinline]] void descend(int depth) {
  depth == 0 ? throw_it() : descend(depth - 1);
  asm volatile("");  // what is behind the call keeps the frame
}
void (*volatile descend_from)(int) = &descend;

void catch_it() {
  try {
    caller();
  } catch (const std::runtime_error& error) {
    EXPECT_STREQ(error.what(), "no");
  }
}

using Code = void (*)();

// Runs code as process code on a fiber that catches what comes out of it.
class ThrowSiteTest : public testing::Test {
 protected:
  ~ThrowSiteTest() override {
    if (fiber_) stacks_.give(*fiber_);
  }

  void run(Code code) {
    if (!fiber_) fiber_ = stacks_.take();
    fiber_->user = reinterpret_cast<void*>(code);
    prepare(*fiber_, [](Fiber& self, Ended last) {
      if (last == Ended::returned) {
        try {
          call_guarded(self, [](void* user) { reinterpret_cast<Code>(user)(); }, self.user);
        } catch (...) {
          self.user = nullptr;
        }
      }
      switch_back(self, *self.resumer);
    });
    switch_to(thread_, *fiber_);
  }

  // Where it stands in what was noted, the innermost is 0; -1: nowhere.
  template <class F>
  std::ptrdiff_t depth_of(F* function) const {
    const auto calls = throw_site(*fiber_);
    const auto* start = reinterpret_cast<const void*>(function);
    const auto place = std::ranges::find(calls, start, &base::function_at);
    return place == calls.end() ? -1 : place - calls.begin();
  }
  std::size_t noted() const { return throw_site(*fiber_).size(); }

 private:
  StackPool pool_;
  StackPool::Cache stacks_{pool_};
  ThreadContext thread_;
  Fiber* fiber_ = nullptr;
};

TEST_F(ThrowSiteTest, the_innermost_call_is_that_of_the_throw) {
  run(&caller);
  EXPECT_EQ(depth_of(&thrower), 0);
  EXPECT_EQ(depth_of(&caller), 1);
}

TEST_F(ThrowSiteTest, what_is_caught_notes_nothing) {
  run(&catch_it);
  EXPECT_EQ(noted(), 0U);
}

TEST_F(ThrowSiteTest, a_rethrow_is_noted_where_it_was) {
  run([] {
    try {
      caller();
    } catch (...) {
      rethrow_it();
    }
  });
  EXPECT_EQ(depth_of(&rethrower), 0);
  EXPECT_EQ(depth_of(&caller), -1);
  run([] {
    std::exception_ptr kept;
    try {
      caller();
    } catch (...) {
      kept = std::current_exception();
    }
    std::rethrow_exception(kept);
  });
  EXPECT_EQ(depth_of(&caller), -1);
  EXPECT_GE(noted(), 1U);
}

TEST_F(ThrowSiteTest, what_is_caught_around_call_noting_is_noted) {
  run([] {
    try {
      call_noting([](void*) { caller(); }, nullptr);
      ADD_FAILURE() << "it went on behind a throw";
    } catch (const std::runtime_error& error) {
      EXPECT_STREQ(error.what(), "no");
    }
    call_noting([](void*) { catch_it(); }, nullptr);
  });
  EXPECT_EQ(depth_of(&thrower), 0);
  EXPECT_EQ(depth_of(&caller), 1);
}

TEST_F(ThrowSiteTest, an_unwind_passes_call_noting_and_is_not_noted) {
  static bool is_destroyed;
  is_destroyed = false;
  run([] {
    struct Note {
      ~Note() { is_destroyed = true; }
    };
    const Note note;
    call_noting([](void*) { unwind(*this_thread_context()->running); }, nullptr);
  });
  EXPECT_TRUE(is_destroyed);
  EXPECT_EQ(noted(), 0U);
}

TEST_F(ThrowSiteTest, the_last_one_is_kept_until_it_is_forgotten) {
  run(&caller);
  run(&catch_it);
  EXPECT_EQ(depth_of(&caller), 1);
  run([] { descend_from(1); });
  EXPECT_EQ(depth_of(&caller), -1);
  EXPECT_EQ(depth_of(&descend), 1);
}

TEST_F(ThrowSiteTest, of_a_deep_stack_the_innermost_calls_are_noted) {
  run([] { descend_from(200); });
  EXPECT_EQ(noted(), CallStack::calls_max);
  EXPECT_EQ(depth_of(&thrower), 0);
  EXPECT_EQ(depth_of(&descend), 1);
}

}  // namespace
}  // namespace airssys::rt::fiber::throw_site_test
