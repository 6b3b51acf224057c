// drop_counts_test.cpp: drops are counted by reason and by sender, and no figure is lost.
//
// Method: one block of counts, noted to with pids that are nobody's; threads at the end.
#include "runtime/drop_counts.hpp"

#include <gtest/gtest.h>
#include <airssys/rt/info.hpp>
#include <numeric>
#include <thread>
#include <vector>

#include "tests/support/stress.hpp"

namespace airssys::rt::runtime::drop_counts_test {
namespace {

Pid pid(std::uint32_t slot) {
  return Pid(slot, 1);
}

Drops read(const DropCounts& counts) {
  Drops drops;
  drops.by_reason = counts.counts();
  counts.add_senders(drops);
  return drops;
}

std::uint64_t of_senders(const Drops& drops) {
  return std::accumulate(
      drops.senders.begin(),
      drops.senders.end(),
      drops.others,
      [](std::uint64_t sum, const Drops::Sender& each) { return sum + each.count; });
}

TEST(DropCounts, each_reason_has_a_count_of_its_own) {
  DropCounts counts;
  for (std::size_t reason = 0; reason < drop_reasons; ++reason)
    for (std::size_t i = 0; i <= reason; ++i) counts.note(static_cast<DropReason>(reason), pid(1));
  for (std::size_t reason = 0; reason < drop_reasons; ++reason)
    EXPECT_EQ(read(counts)[static_cast<DropReason>(reason)], reason + 1);
  EXPECT_EQ(read(counts).total(), drop_reasons * (drop_reasons + 1) / 2);
}

TEST(DropCounts, senders_are_listed_the_worst_first) {
  DropCounts counts;
  counts.note(DropReason::refused, pid(1));
  for (int i = 0; i < 3; ++i) counts.note(DropReason::refused, pid(2));
  counts.note(DropReason::late, Pid());
  const Drops drops = read(counts);
  ASSERT_EQ(drops.senders.size(), 2U);
  EXPECT_EQ(drops.senders[0].pid, pid(2));
  EXPECT_EQ(drops.senders[0].count, 3U);
  EXPECT_EQ(drops.senders[1].pid, pid(1));
  EXPECT_EQ(drops.others, 1U);
}

TEST(DropCounts, who_drops_much_stays_however_many_others_come) {
  DropCounts counts;
  for (int i = 0; i < 100; ++i) counts.note(DropReason::refused, pid(1));
  for (std::uint32_t other = 2; other < 1000; ++other) {
    counts.note(DropReason::refused, pid(other));
    counts.note(DropReason::refused, pid(1));
  }
  const Drops drops = read(counts);
  EXPECT_EQ(drops.senders.size(), DropCounts::senders_max);
  EXPECT_EQ(drops.senders[0].pid, pid(1));
  EXPECT_EQ(drops.senders[0].count, 1098U);
  EXPECT_EQ(of_senders(drops), drops.total());
}

TEST(DropCounts, threads_that_note_at_once_lose_nothing) {
  DropCounts counts;
  const std::size_t each = support::stress_size(2000);
  std::vector<std::thread> threads;
  for (std::uint32_t thread = 0; thread < 4; ++thread) {
    threads.emplace_back([&counts, thread, each] {
      for (std::uint32_t i = 0; i < each; ++i)
        counts.note(DropReason::refused, pid(1 + thread + i % 5));
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(read(counts).total(), 4 * each);
  EXPECT_EQ(of_senders(read(counts)), 4 * each);
}

}  // namespace
}  // namespace airssys::rt::runtime::drop_counts_test
