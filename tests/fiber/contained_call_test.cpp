// contained_call_test.cpp: what a contained call leads to is cut off alone, and the frames around
// it are as they were.
//
// Method: fibers that cut, unwind and overflow within contained calls, one in another, with objects
// that note their end in the frames around them.
#include "fiber/contained_call.hpp"

#include <gtest/gtest.h>

#include <exception>
#include <stdexcept>
#include <vector>

#include "tests/fiber/stage.hpp"

namespace airssys::rt::fiber::contained_call_test {
namespace {

// Calls code as a contained call.
template <class Code>
Ended contained(Stage& stage, Code code) {
  return call_contained(
      stage.fiber(), [](void* argument) { (*static_cast<Code*>(argument))(); }, &code);
}

class Noted {
 public:
  Noted(std::vector<int>& ends, int name) : ends_(ends), name_(name) {}
  Noted(const Noted&) = delete;
  Noted& operator=(const Noted&) = delete;
  ~Noted() { ends_.push_back(name_); }

 private:
  std::vector<int>& ends_;
  const int name_;
};

class ContainedCall : public testing::Test {
 protected:
  // Runs a body to its end, and answers how that came.
  template <class Body>
  Ended run(Body body) {
    Stage stage(stacks_, body);
    EXPECT_TRUE(stage.run(thread_));
    return stage.how();
  }

  std::vector<int> ends_;

 private:
  StackPool pool_;
  StackPool::Cache stacks_{pool_};
  ThreadContext thread_;
};

TEST_F(ContainedCall, a_call_that_returns_changes_nothing) {
  EXPECT_EQ(run([](Stage& self) {
              const void* const landing = self.fiber().landing_frame;
              int calls = 0;
              EXPECT_EQ(contained(self, [&] { ++calls; }), Ended::returned);
              EXPECT_EQ(calls, 1);
              EXPECT_EQ(self.fiber().landing_frame, landing);
            }),
            Ended::returned);
}

TEST_F(ContainedCall, what_is_cut_off_in_it_answers_why_and_the_rest_goes_on) {
  const auto body = [this](Stage& self) {
    const Noted around(ends_, 1);
    for (const Ended why : {Ended::abandoned_noexcept, Ended::overflowed}) {
      EXPECT_EQ(contained(self,
                          [&] {
                            const Noted lost(ends_, 2);
                            abandon(self.fiber(), why);
                          }),
                why);
    }
  };
  EXPECT_EQ(run(body), Ended::returned);
  EXPECT_EQ(ends_, std::vector{1});
}

TEST_F(ContainedCall, of_nested_ones_the_innermost_is_cut_off) {
  const auto body = [this](Stage& self) {
    const auto outer = [&] {
      const Noted around(ends_, 1);
      const auto inner = [&] { abandon(self.fiber(), Ended::overflowed); };
      EXPECT_EQ(contained(self, inner), Ended::overflowed);
      abandon(self.fiber(), Ended::abandoned_noexcept);
    };
    EXPECT_EQ(contained(self, outer), Ended::abandoned_noexcept);
    abandon(self.fiber(), Ended::overflowed);
  };
  EXPECT_EQ(run(body), Ended::overflowed);
  EXPECT_EQ(ends_, std::vector<int>());
}

TEST_F(ContainedCall, an_unwind_and_an_exception_pass_through) {
  const auto body = [this](Stage& self) {
    const Noted around(ends_, 1);
    const void* const landing = self.fiber().landing_frame;
    EXPECT_THROW(static_cast<void>(contained(self, [] { throw std::runtime_error("no"); })),
                 std::runtime_error);
    EXPECT_EQ(self.fiber().landing_frame, landing);
    static_cast<void>(contained(self, [&] {
      const Noted within(ends_, 2);
      unwind(self.fiber());
    }));
  };
  EXPECT_EQ(run(body), Ended::unwound);
  EXPECT_EQ(ends_, (std::vector{2, 1}));
}

// The unwind in it has met noexcept; the one around it is a new one.
TEST_F(ContainedCall, an_unwind_that_was_cut_off_in_it_can_begin_anew) {
  const auto body = [this](Stage& self) {
    const Noted around(ends_, 1);
    EXPECT_EQ(contained(self,
                        [&] {
                          self.fiber().unwinding = true;
                          abandon(self.fiber(), Ended::abandoned_noexcept);
                        }),
              Ended::abandoned_noexcept);
    EXPECT_FALSE(self.fiber().unwinding);
    unwind(self.fiber());
  };
  EXPECT_EQ(run(body), Ended::unwound);
  EXPECT_EQ(ends_, std::vector{1});
}

TEST_F(ContainedCall, what_is_being_handled_around_it_still_is) {
  const auto body = [](Stage& self) {
    try {
      throw std::runtime_error("outer");
    } catch (...) {
      EXPECT_EQ(contained(self, [&] { abandon(self.fiber(), Ended::abandoned_noexcept); }),
                Ended::abandoned_noexcept);
      ASSERT_TRUE(std::current_exception());
      EXPECT_THROW(throw, std::runtime_error);
    }
  };
  EXPECT_EQ(run(body), Ended::returned);
}

}  // namespace
}  // namespace airssys::rt::fiber::contained_call_test
