// exception_state_test.cpp: a fiber that waits inside a catch block finds its own exception again.
// Method: fibers overlap in catch blocks in first-in-first-out order on one thread, and on
// different threads; without the exchange of state they rethrow each other's exceptions or
// terminate.
#include "fiber/exception_state.hpp"

#include <gtest/gtest.h>

#include <exception>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "tests/fiber/stage.hpp"

namespace airssys::rt::fiber::exception_state_test {
namespace {

std::string message_of(const std::exception_ptr& exception) {
  if (exception == nullptr) return "nothing";
  try {
    std::rethrow_exception(exception);
  } catch (const std::exception& error) {
    return error.what();
  }
}

std::function<void(Stage&)> rethrow_after_wait(std::string name, std::string& result) {
  return [name = std::move(name), &result](Stage& self) {
    try {
      try {
        throw std::runtime_error(name);
      } catch (...) {
        self.wait();
        EXPECT_EQ(message_of(std::current_exception()), name);
        throw;
      }
    } catch (const std::exception& error) {
      result = error.what();
    }
  };
}

TEST(ExceptionState, fibers_overlapping_on_one_thread_rethrow_their_own) {
  StackPool pool;
  StackPool::Cache stacks(pool);
  ThreadContext thread;
  std::vector<std::string> results(3);
  std::vector<std::unique_ptr<Stage>> stages;
  for (std::size_t i = 0; i < results.size(); ++i)
    stages.push_back(std::make_unique<Stage>(
        stacks, rethrow_after_wait("exception " + std::to_string(i), results[i])));
  for (auto& stage : stages) EXPECT_FALSE(stage->run(thread));
  EXPECT_EQ(std::current_exception(), nullptr);
  for (auto& stage : stages) EXPECT_TRUE(stage->run(thread));
  for (std::size_t i = 0; i < results.size(); ++i)
    EXPECT_EQ(results[i], "exception " + std::to_string(i));
}

TEST(ExceptionState, a_fiber_rethrows_on_another_thread_what_it_caught_here) {
  StackPool pool;
  StackPool::Cache stacks(pool);
  ThreadContext thread;
  std::string result;
  Stage stage(stacks, rethrow_after_wait("caught here", result));
  EXPECT_FALSE(stage.run(thread));
  EXPECT_TRUE(stage.run_elsewhere());
  EXPECT_EQ(result, "caught here");
}

TEST(ExceptionState, the_threads_own_exception_stays_its_own) {
  StackPool pool;
  StackPool::Cache stacks(pool);
  ThreadContext thread;
  std::string result;
  Stage stage(stacks, rethrow_after_wait("of the fiber", result));
  try {
    throw std::runtime_error("of the thread");
  } catch (...) {
    stage.run(thread);
    EXPECT_EQ(message_of(std::current_exception()), "of the thread");
    stage.run(thread);
    EXPECT_EQ(message_of(std::current_exception()), "of the thread");
  }
  EXPECT_EQ(result, "of the fiber");
}

TEST(ExceptionState, the_count_of_exceptions_in_flight_travels_too) {
  StackPool pool;
  StackPool::Cache stacks(pool);
  ThreadContext thread;
  struct WaitsWhileUnwound {
    Stage& stage;
    int& count;
    ~WaitsWhileUnwound() {
      stage.wait();
      count = std::uncaught_exceptions();
    }
  };
  int count_inside = 0;
  Stage stage(stacks, [&](Stage& self) {
    try {
      const WaitsWhileUnwound guard{self, count_inside};
      throw std::runtime_error("in flight");
    } catch (const std::exception&) {
      EXPECT_EQ(std::uncaught_exceptions(), 0);
    }
  });
  EXPECT_FALSE(stage.run(thread));
  EXPECT_EQ(std::uncaught_exceptions(), 0);
  EXPECT_TRUE(stage.run_elsewhere());
  EXPECT_EQ(count_inside, 1);
}

}  // namespace
}  // namespace airssys::rt::fiber::exception_state_test
