// futex_test.cpp: a waiter sleeps only while the word is as expected.
// Method: waits that must return at once or by time-out hang if they do not; a sleeper on another
// thread is woken in a loop, since the kernel may wake without cause.
#include "base/futex.hpp"

#include <gtest/gtest.h>

#include <thread>

namespace airssys::rt::base::futex_test {
namespace {

TEST(Futex, a_word_that_has_changed_is_not_waited_for) {
  FutexWord word{1};
  futex_wait(word, 0, -1);
}

TEST(Futex, a_wait_ends_at_its_time_out) {
  FutexWord word{0};
  futex_wait(word, 0, 1'000'000);
}

TEST(Futex, a_sleeper_is_woken) {
  FutexWord word{0};
  std::thread sleeper([&] {
    while (word.load(std::memory_order_acquire) == 0) futex_wait(word, 0, -1);
  });
  word.store(1, std::memory_order_release);
  futex_wake(word, 1);
  sleeper.join();
}

}  // namespace
}  // namespace airssys::rt::base::futex_test
