// unwind_test.cpp: a kill runs every destructor, and no handler keeps the process alive.
// Method: bodies wait, are told to die, and leave a trace of destructors and handlers. What cannot
// be unwound (noexcept, destructors) is abandoned through the terminate handler, and the thread
// lives on.
#include "fiber/unwind.hpp"

#include <cxxabi.h>
#include <gtest/gtest.h>

#include <exception>
#include <stdexcept>
#include <string>

#include "fiber/containment.hpp"
#include "tests/fiber/stage.hpp"

#ifdef RT_ASAN
#include <sanitizer/lsan_interface.h>
#endif

namespace airssys::rt::fiber::unwind_test {
namespace {

// For bodies that are abandoned: what their frames own is lost, and LeakSanitizer shall not mind.
#ifdef RT_ASAN
using LossExpected = __lsan::ScopedDisabler;
#else
struct LossExpected {
  LossExpected() {}
};
#endif

class Unwind : public testing::Test {
 protected:
  Unwind() : previous_(std::set_terminate(terminate)) {}
  ~Unwind() override { std::set_terminate(previous_); }

  // A safe point: waits, and dies if it was told to.
  void receive(Stage& self) {
    self.wait();
    if (is_killed_) unwind(self.fiber());
  }

  // Runs the body until it waits, kills it there, and answers how it ended.
  Ended kill(const std::function<void(Stage&)>& body, bool elsewhere = false) {
    StackPool pool;
    StackPool::Cache stacks(pool);
    ThreadContext thread;
    is_killed_ = false;
    Stage stage(stacks, body);
    EXPECT_FALSE(stage.run(thread));
    is_killed_ = true;
    EXPECT_TRUE(elsewhere ? stage.run_elsewhere() : stage.run(thread)) << "it lives on";
    EXPECT_EQ(std::current_exception(), nullptr);
    EXPECT_EQ(std::uncaught_exceptions(), 0);
    EXPECT_FALSE(stage.fiber().unwinding);
    return stage.how();
  }

  struct Trace {
    std::string& text;
    const char* name;
    ~Trace() { text += name; }
  };

  std::string trace_;

 private:
  static void terminate() {
    on_terminate();
    std::abort();
  }

  std::terminate_handler previous_;
  bool is_killed_ = false;
};

TEST_F(Unwind, runs_the_destructors_from_the_inside_out) {
  const auto inner = [&](Stage& self) {
    const Trace trace{trace_, "inner "};
    receive(self);
    trace_ += "never ";
  };
  EXPECT_EQ(kill([&](Stage& self) {
              const Trace trace{trace_, "outer "};
              inner(self);
            }),
            Ended::unwound);
  EXPECT_EQ(trace_, "inner outer ");
}

TEST_F(Unwind, works_on_a_thread_that_the_body_did_not_start_on) {
  EXPECT_EQ(kill(
                [&](Stage& self) {
                  const Trace trace{trace_, "destroyed "};
                  receive(self);
                },
                true),
            Ended::unwound);
  EXPECT_EQ(trace_, "destroyed ");
}

TEST_F(Unwind, handlers_of_typed_exceptions_do_not_see_it) {
  EXPECT_EQ(kill([&](Stage& self) {
              const Trace trace{trace_, "destroyed "};
              try {
                receive(self);
              } catch (const std::exception&) {
                trace_ += "caught ";
              }
            }),
            Ended::unwound);
  EXPECT_EQ(trace_, "destroyed ");
}

TEST_F(Unwind, a_catch_all_that_does_not_rethrow_cannot_swallow_it) {
  EXPECT_EQ(kill([&](Stage& self) {
              const Trace trace{trace_, "outer "};
              try {
                const Trace inside{trace_, "inner "};
                receive(self);
              } catch (...) {
                EXPECT_TRUE(self.fiber().unwinding);
                trace_ += "caught ";
              }
              trace_ += "never ";
            }),
            Ended::unwound);
  EXPECT_EQ(trace_, "inner caught outer ");
}

TEST_F(Unwind, a_catch_all_that_rethrows_passes_it_on) {
  EXPECT_EQ(kill([&](Stage& self) {
              const Trace trace{trace_, "outer "};
              try {
                receive(self);
              } catch (...) {
                trace_ += "caught ";
                throw;
              }
            }),
            Ended::unwound);
  EXPECT_EQ(trace_, "caught outer ");
}

TEST_F(Unwind, a_loop_of_catch_alls_dies_too) {
  EXPECT_EQ(kill([&](Stage& self) {
              const Trace trace{trace_, "outer "};
              for (;;) try {
                  const Trace inside{trace_, "inner "};
                  receive(self);
                } catch (...) {
                  trace_ += "caught ";
                }
            }),
            Ended::unwound);
  EXPECT_EQ(trace_, "inner caught outer ");
}

TEST_F(Unwind, nested_catch_alls_die_one_after_the_other) {
  EXPECT_EQ(kill([&](Stage& self) {
              try {
                try {
                  receive(self);
                } catch (...) {
                  trace_ += "first ";
                }
              } catch (...) {
                trace_ += "second ";
              }
            }),
            Ended::unwound);
  EXPECT_EQ(trace_, "first second ");
}

TEST_F(Unwind, code_can_tell_it_by_its_abi_type) {
  // The ABI binds the handler's reference to nothing, which UBSan would report.
  EXPECT_EQ(kill([&](Stage& self) __attribute__((no_sanitize("undefined"))) {
              try {
                receive(self);
              } catch (abi::__forced_unwind&) {
                trace_ += "forced ";
                throw;
              } catch (...) {
                trace_ += "other ";
              }
            }),
            Ended::unwound);
  EXPECT_EQ(trace_, "forced ");
}

TEST_F(Unwind, a_handler_that_waits_is_unwound_and_its_exception_destroyed) {
  struct Error {
    std::string* text;
    ~Error() { *text += "error "; }
    Error(std::string& trace) : text(&trace) {}
    Error(const Error&) = default;
  };
  EXPECT_EQ(kill([&](Stage& self) {
              const Trace trace{trace_, "outer "};
              try {
                throw Error(trace_);
              } catch (const Error&) {
                receive(self);
              }
            }),
            Ended::unwound);
  EXPECT_EQ(trace_, "error outer ");
}

TEST_F(Unwind, a_noexcept_function_is_abandoned_and_the_thread_lives) {
  const auto careful = [&](Stage& self) noexcept {
    const Trace trace{trace_, "inner "};
    receive(self);
  };
  EXPECT_EQ(kill([&](Stage& self) {
              const Trace trace{trace_, "outer "};
              careful(self);
            }),
            Ended::abandoned_noexcept);
  EXPECT_EQ(trace_.find("outer"), std::string::npos);
}

TEST_F(Unwind, a_kill_inside_a_destructor_is_abandoned) {
  struct AtExit {
    std::function<void()> action;
    ~AtExit() { action(); }
  };
  EXPECT_EQ(kill([&](Stage& self) { const AtExit at_exit{[&] { receive(self); }}; }),
            Ended::abandoned_noexcept);
}

TEST_F(Unwind, a_catch_all_inside_a_handler_that_still_runs_is_abandoned) {
  // The ABI cannot stack a foreign exception on a caught one and terminates: a known limit.
  const LossExpected loss;
  EXPECT_EQ(kill([&](Stage& self) {
              try {
                throw std::runtime_error("being handled");
              } catch (const std::exception&) {
                try {
                  receive(self);
                } catch (...) {
                }
              }
            }),
            Ended::abandoned_noexcept);
}

TEST_F(Unwind, an_exception_out_of_noexcept_fells_only_its_fiber) {
  const LossExpected loss;
  StackPool pool;
  StackPool::Cache stacks(pool);
  ThreadContext thread;
  const std::function<void()> fail = [] { throw std::runtime_error("no"); };
  Stage stage(stacks, [&](Stage&) { [&]() noexcept { fail(); }(); });
  EXPECT_TRUE(stage.run(thread));
  EXPECT_EQ(stage.how(), Ended::abandoned_noexcept);
  EXPECT_EQ(std::current_exception(), nullptr);
  try {  // the thread's exceptions work as before
    throw std::runtime_error("yes");
  } catch (const std::exception& error) {
    EXPECT_STREQ(error.what(), "yes");
  }
}

TEST_F(Unwind, an_ordinary_exception_passes_call_guarded) {
  StackPool pool;
  StackPool::Cache stacks(pool);
  ThreadContext thread;
  Fiber& fiber = *stacks.take();
  std::string result;
  fiber.user = &result;
  prepare(fiber, [](Fiber& self, Ended) {
    try {
      call_guarded(self, [](void*) { throw std::runtime_error("passed"); }, nullptr);
    } catch (const std::exception& error) {
      *static_cast<std::string*>(self.user) = error.what();
    }
    EXPECT_EQ(self.entry_frame, nullptr);
    switch_back(self, *self.resumer);
  });
  switch_to(thread, fiber);
  EXPECT_EQ(result, "passed");
  stacks.give(fiber);
}

TEST_F(Unwind, one_stack_survives_thousands_of_kills) {
  const LossExpected loss;
  StackPool pool;
  StackPool::Cache stacks(pool);
  ThreadContext thread;
  for (int round = 0; round < 2'000; ++round) {
    Stage stage(stacks, [&](Stage& self) {
      const std::string text(100, 'x');
      self.wait();
      if (round % 2 == 0) unwind(self.fiber());
      [&]() noexcept { unwind(self.fiber()); }();
    });
    stage.run(thread);
    ASSERT_TRUE(stage.run(thread));
    ASSERT_EQ(stage.how(), round % 2 == 0 ? Ended::unwound : Ended::abandoned_noexcept);
  }
  EXPECT_EQ(pool.stacks(), 1U);
}

}  // namespace
}  // namespace airssys::rt::fiber::unwind_test
