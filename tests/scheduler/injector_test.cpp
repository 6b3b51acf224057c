// injector_test.cpp: what is put comes out once, and waiting() never says less than is there.
//
// Real threads; a taker that believes waiting() alone must not go away too soon (J1).
#include "scheduler/injector.hpp"

#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <cstddef>
#include <memory>
#include <thread>
#include <vector>

namespace airssys::rt::scheduler::injector_test {
namespace {

struct Item {
  std::atomic<int> taken{0};
};

TEST(InjectorTest, what_is_put_comes_out_once) {
  Injector<Item> injector;
  Injector<Item>::Port port(injector);
  std::array<Item, 5> items;
  for (Item& item : items) injector.put(item);
  EXPECT_EQ(injector.waiting(), 5U);

  std::array<Item*, 3> out{};
  std::size_t taken = 0;
  while (injector.waiting() != 0)
    for (std::size_t n = injector.take(port, out); n > 0; --n, ++taken) out[n - 1]->taken++;
  EXPECT_EQ(taken, 5U);
  for (const Item& item : items) EXPECT_EQ(item.taken.load(), 1);
  EXPECT_EQ(injector.take(port, out), 0U);
}

TEST(InjectorTest, a_taker_that_believes_the_counter_leaves_nothing_behind) {
  constexpr std::size_t threads = 4;
  constexpr std::size_t each = 20'000;
  Injector<Item> injector;
  const auto items = std::make_unique<Item[]>(threads * each);
  std::atomic<std::size_t> producers{threads};

  auto produce = [&](std::size_t first) {
    for (std::size_t i = first; i < first + each; ++i) injector.put(items[i]);
    producers.fetch_sub(1);
  };
  auto consume = [&] {
    Injector<Item>::Port port(injector);
    std::array<Item*, 8> out{};
    for (;;) {
      const bool is_over = producers.load() == 0;
      for (std::size_t n = injector.take(port, out); n > 0; --n) out[n - 1]->taken.fetch_add(1);
      if (is_over && injector.waiting() == 0) return;
    }
  };
  std::vector<std::thread> all;
  for (std::size_t i = 0; i < threads; ++i) all.emplace_back(produce, i * each);
  all.emplace_back(consume);
  all.emplace_back(consume);
  for (std::thread& thread : all) thread.join();
  for (std::size_t i = 0; i < threads * each; ++i) ASSERT_EQ(items[i].taken.load(), 1) << i;
}

}  // namespace
}  // namespace airssys::rt::scheduler::injector_test
