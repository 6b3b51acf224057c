// quiescence_test.cpp: nothing is used again while somebody may still look at it.
// Method: one thread plays all roles for the rules; readers and a reclaimer with real threads,
// where a too early reuse is a read of a broken pair, and a race for TSan.
#include "base/quiescence.hpp"

#include <gtest/gtest.h>

#include <array>
#include <thread>
#include <vector>

namespace airssys::rt::base::quiescence_test {
namespace {

TEST(Quiescence, with_nobody_inside_a_stamp_passes_at_once) {
  Quiescence quiescence;
  Announcement thread;
  quiescence.add(thread);
  EXPECT_TRUE(quiescence.has_passed(quiescence.retire()));
  quiescence.remove(thread);
}

TEST(Quiescence, who_entered_before_the_retirement_holds_it_up_until_it_leaves) {
  Quiescence quiescence;
  Announcement thread;
  quiescence.add(thread);
  quiescence.enter(thread);
  const auto stamp = quiescence.retire();
  EXPECT_FALSE(quiescence.has_passed(stamp));
  EXPECT_FALSE(quiescence.has_passed(stamp));
  Quiescence::leave(thread);
  EXPECT_TRUE(quiescence.has_passed(stamp));
  quiescence.remove(thread);
}

TEST(Quiescence, who_entered_after_the_retirement_holds_up_later_ones_only) {
  Quiescence quiescence;
  Announcement thread;
  quiescence.add(thread);
  const auto earlier = quiescence.retire();
  quiescence.enter(thread);
  const auto later = quiescence.retire();
  EXPECT_TRUE(quiescence.has_passed(earlier));
  EXPECT_FALSE(quiescence.has_passed(later));
  Quiescence::leave(thread);
  EXPECT_TRUE(quiescence.has_passed(later));
  quiescence.remove(thread);
}

TEST(Quiescence, leaving_and_entering_again_counts_as_having_left) {
  Quiescence quiescence;
  Announcement thread;
  quiescence.add(thread);
  quiescence.enter(thread);
  const auto stamp = quiescence.retire();
  Quiescence::leave(thread);
  quiescence.enter(thread);
  EXPECT_TRUE(quiescence.has_passed(stamp));
  Quiescence::leave(thread);
  quiescence.remove(thread);
}

TEST(Quiescence, one_of_many_holds_it_up) {
  Quiescence quiescence;
  std::array<Announcement, 3> threads;
  for (auto& thread : threads) quiescence.add(thread);
  quiescence.enter(threads[1]);
  const auto stamp = quiescence.retire();
  EXPECT_FALSE(quiescence.has_passed(stamp));
  Quiescence::leave(threads[1]);
  EXPECT_TRUE(quiescence.has_passed(stamp));
  for (auto& thread : threads) quiescence.remove(thread);
}

// A published pair whose halves are equal while it may be looked at; plain words on purpose.
struct Pair {
  int left = 0;
  int right = 0;
};

TEST(Quiescence, readers_never_see_what_is_used_again) {
  enable_asymmetric_fences();
  constexpr int publications = 3'000;
  Quiescence quiescence;
  std::array<Pair, 4> pairs{};
  Atomic<Pair*> published{&pairs[0]};
  Atomic<bool> stop{false};
  std::vector<std::thread> readers;
  for (int number = 0; number < 2; ++number)
    readers.emplace_back([&] {
      Announcement self;
      quiescence.add(self);
      while (!stop.load(std::memory_order_acquire)) {
        quiescence.enter(self);
        const Pair* const pair = published.load(std::memory_order_acquire);
        EXPECT_EQ(pair->left, pair->right);
        Quiescence::leave(self);
      }
      quiescence.remove(self);
    });
  // Another one asks as well: each may find the other looking.
  std::thread other([&] {
    while (!stop.load(std::memory_order_acquire)) {
      if (!quiescence.has_passed(quiescence.retire())) std::this_thread::yield();
    }
  });
  for (int value = 1; value <= publications; ++value) {
    Pair& fresh = pairs[static_cast<std::size_t>(value) % pairs.size()];
    fresh.left = value;
    fresh.right = value;
    Pair* const old = published.exchange(&fresh, std::memory_order_acq_rel);
    const auto stamp = quiescence.retire();
    while (!quiescence.has_passed(stamp)) std::this_thread::yield();
    old->left = -value;  // from here on it is ours again
    old->right = value;
  }
  stop.store(true, std::memory_order_release);
  for (std::thread& reader : readers) reader.join();
  other.join();
}

}  // namespace
}  // namespace airssys::rt::base::quiescence_test
