// asymmetric_fence_test.cpp: of two sides, at least one sees the other's store.
// Method: Dekker's pattern with real threads, many rounds, with and without membarrier; both sides
// blind in one round is the failure. The explorer covers it exhaustively where it is used.
#include "base/asymmetric_fence.hpp"

#include <gtest/gtest.h>

#include <thread>

namespace airssys::rt::base {
namespace {

// Answers in how many rounds both sides missed the other's store.
template <class FrequentFence, class SeldomFence>
int blind_rounds(int rounds, FrequentFence frequent, SeldomFence seldom) {
  Atomic<int> x{0};
  Atomic<int> y{0};
  Atomic<int> round_begun{0};
  Atomic<int> round_done{0};
  int seen_by_other = 0;
  int blind = 0;
  std::thread other([&] {
    for (int round = 1; round <= rounds; ++round) {
      while (round_begun.load(std::memory_order_acquire) != round) spin_pause();
      x.store(round, std::memory_order_relaxed);
      frequent();
      seen_by_other = y.load(std::memory_order_relaxed);
      round_done.store(round, std::memory_order_release);
    }
  });
  for (int round = 1; round <= rounds; ++round) {
    round_begun.store(round, std::memory_order_release);
    y.store(round, std::memory_order_relaxed);
    seldom();
    const int seen_here = x.load(std::memory_order_relaxed);
    while (round_done.load(std::memory_order_acquire) != round) spin_pause();
    if (seen_here != round && seen_by_other != round) ++blind;
  }
  other.join();
  return blind;
}

constexpr int rounds = 5'000;

TEST(AsymmetricFence, one_side_sees_the_other_before_it_is_enabled) {
  EXPECT_EQ(blind_rounds(rounds, [] { light_fence(); }, [] { heavy_fence(); }), 0);
}

TEST(AsymmetricFence, one_side_sees_the_other_once_it_is_enabled) {
  enable_asymmetric_fences();
  EXPECT_EQ(blind_rounds(rounds, [] { light_fence(); }, [] { heavy_fence(); }), 0);
}

}  // namespace
}  // namespace airssys::rt::base
