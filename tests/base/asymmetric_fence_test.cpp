// asymmetric_fence_test.cpp: of two sides, at least one sees the other's store.
// Method: Dekker's pattern with real threads, many rounds, with and without membarrier; both sides
// blind in one round is the failure. The explorer covers it exhaustively where it is used.
#include "base/asymmetric_fence.hpp"

#include <gtest/gtest.h>

#include <cstddef>
#include <thread>

#include "tests/support/stress.hpp"

namespace airssys::rt::base::asymmetric_fence_test {
namespace {

// Answers in how many rounds both sides missed the other's store.
template <class FrequentFence, class SeldomFence>
int blind_rounds(FrequentFence frequent, SeldomFence seldom) {
  constexpr std::size_t over = 0;
  alignas(64) Atomic<std::size_t> x{0};
  alignas(64) Atomic<std::size_t> y{0};
  alignas(64) Atomic<std::size_t> round_begun{1};
  alignas(64) Atomic<std::size_t> round_done{1};
  std::size_t seen_by_other = 0;
  int blind = 0;
  std::thread other([&] {
    for (std::size_t last = 1;;) {
      const std::size_t round = round_begun.load(std::memory_order_acquire);
      if (round == over) return;
      if (round == last) continue;
      last = round;
      x.store(round, std::memory_order_relaxed);
      frequent();
      seen_by_other = y.load(std::memory_order_relaxed);
      round_done.store(round, std::memory_order_release);
    }
  });
  for (std::size_t round : support::rounds()) {
    round += 2;  // 0 and 1 have a meaning
    round_begun.store(round, std::memory_order_release);
    support::stagger(round);  // the other begins some time after it is told to
    y.store(round, std::memory_order_relaxed);
    seldom();
    const std::size_t seen_here = x.load(std::memory_order_relaxed);
    while (round_done.load(std::memory_order_acquire) != round) spin_pause();
    if (seen_here != round && seen_by_other != round) ++blind;
  }
  round_begun.store(over, std::memory_order_release);
  other.join();
  return blind;
}

TEST(AsymmetricFence, one_side_sees_the_other_before_it_is_enabled) {
  EXPECT_EQ(blind_rounds([] { light_fence(); }, [] { heavy_fence(); }), 0);
}

TEST(AsymmetricFence, one_side_sees_the_other_once_it_is_enabled) {
  enable_asymmetric_fences();
  EXPECT_EQ(blind_rounds([] { light_fence(); }, [] { heavy_fence(); }), 0);
}

}  // namespace
}  // namespace airssys::rt::base::asymmetric_fence_test
