// migration_test.cpp: thread-local words are read anew after a migration, also under LTO.
// Method: one function reads each accessor, waits, is resumed by another thread, and reads again; a
// compiler that kept an address answers with the first thread's word. The build makes this program
// twice, once with link-time optimisation over base and fiber.
#include <gtest/gtest.h>

#include "base/this_thread.hpp"
#include "tests/fiber/stage.hpp"

namespace airssys::rt::fiber::migration_test {
namespace {

using base::this_thread::Slot;

struct Words {
  void* slot;
  void* exception_globals;
  ThreadContext* context;
};

Words read_words() {
  return {base::this_thread::get(Slot::foreign),
          base::this_thread::exception_globals(),
          this_thread_context()};
}

TEST(Migration, each_accessor_answers_for_the_thread_that_runs_now) {
  StackPool pool;
  StackPool::Cache stacks(pool);
  ThreadContext thread;
  int here = 0;
  int there = 0;
  base::this_thread::set(Slot::foreign, &here);
  Words before{};
  Words after{};
  Words returned{};
  Stage stage(stacks, [&](Stage& self) {
    before = {base::this_thread::get(Slot::foreign),
              base::this_thread::exception_globals(),
              this_thread_context()};
    self.wait();
    after = {base::this_thread::get(Slot::foreign),
             base::this_thread::exception_globals(),
             this_thread_context()};
    self.wait();
    returned = {base::this_thread::get(Slot::foreign),
                base::this_thread::exception_globals(),
                this_thread_context()};
  });
  stage.run(thread);
  Words expected{};
  std::thread([&] {
    ThreadContext other;
    base::this_thread::set(Slot::foreign, &there);
    expected = read_words();
    stage.run(other);
  }).join();
  EXPECT_TRUE(stage.run(thread));
  EXPECT_EQ(before.slot, &here);
  EXPECT_EQ(before.context, &thread);
  EXPECT_EQ(after.slot, &there);
  EXPECT_EQ(after.exception_globals, expected.exception_globals);
  EXPECT_EQ(after.context, expected.context);
  EXPECT_EQ(returned.slot, &here);
  EXPECT_EQ(returned.exception_globals, before.exception_globals);
  EXPECT_EQ(returned.context, &thread);
  base::this_thread::set(Slot::foreign, nullptr);
}

TEST(Migration, a_loop_that_migrates_at_each_turn_is_never_answered_by_the_thread_it_left) {
  StackPool pool;
  StackPool::Cache stacks(pool);
  ThreadContext thread;
  int mistakes = 0;
  Stage stage(stacks, [&](Stage& self) {
    for (int turn = 0; turn < 50; ++turn) {
      if (this_thread_context() != self.fiber().resumer) ++mistakes;
      if (base::this_thread::exception_globals() != self.fiber().resumer->exception_globals)
        ++mistakes;
      self.wait();
    }
  });
  for (bool has_ended = false; !has_ended;) {
    has_ended = stage.run(thread);
    if (!has_ended) has_ended = stage.run_elsewhere();
  }
  EXPECT_EQ(mistakes, 0);
}

}  // namespace
}  // namespace airssys::rt::fiber::migration_test
