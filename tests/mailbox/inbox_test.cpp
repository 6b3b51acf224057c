// inbox_test.cpp: the inbox's states one by one, and its promises with real threads.
//
// Aim: what each call answers in each state; then that nothing is lost and no sender's order is
// changed when many push at once. Every interleaving of few steps is explored in
// tests/model/inbox_model.cpp; here real memory and the sanitizers look at many.
#include "mailbox/inbox.hpp"

#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <cstddef>
#include <deque>
#include <thread>
#include <utility>
#include <vector>

#include "base/parker.hpp"
#include "tests/support/stress.hpp"

namespace airssys::rt::mailbox {
namespace {

std::vector<Signal*> to_vector(Signal* first) {
  std::vector<Signal*> all;
  for (; first != nullptr; first = first->next) all.push_back(first);
  return all;
}

TEST(InboxTest, takes_a_word_and_a_trail) {
  EXPECT_EQ(sizeof(Inbox), sizeof(void*) + sizeof(Trail));
}

TEST(InboxTest, a_fresh_inbox_has_no_mail_and_owes_no_wake) {
  Inbox inbox;
  Signal signal;
  EXPECT_EQ(inbox.take_all(), nullptr);
  EXPECT_EQ(inbox.push(signal), Pushed::queued);
}

TEST(InboxTest, signals_come_out_oldest_first) {
  Inbox inbox;
  std::array<Signal, 3> signals;
  for (Signal& signal : signals) EXPECT_EQ(inbox.push(signal), Pushed::queued);
  EXPECT_EQ(to_vector(inbox.take_all()),
            (std::vector<Signal*>{&signals[0], &signals[1], &signals[2]}));
  EXPECT_EQ(inbox.take_all(), nullptr);
}

TEST(InboxTest, only_the_first_push_to_a_parked_owner_owes_a_wake_and_keeps_its_signal) {
  Inbox inbox;
  std::array<Signal, 2> signals;
  ASSERT_TRUE(inbox.try_idle());
  EXPECT_EQ(inbox.push(signals[0]), Pushed::first);
  EXPECT_EQ(inbox.push(signals[1]), Pushed::queued);
  EXPECT_EQ(to_vector(inbox.take_all()), (std::vector<Signal*>{&signals[1]}));
}

TEST(InboxTest, an_owner_with_mail_does_not_park) {
  Inbox inbox;
  Signal signal;
  EXPECT_EQ(inbox.push(signal), Pushed::queued);
  EXPECT_FALSE(inbox.try_idle());
  EXPECT_EQ(inbox.take_all(), &signal);
  EXPECT_TRUE(inbox.try_idle());
}

TEST(InboxTest, a_claim_holds_a_parked_owner_until_it_parks_again) {
  Inbox inbox;
  Signal signal;
  EXPECT_FALSE(inbox.claim());
  ASSERT_TRUE(inbox.try_idle());
  EXPECT_TRUE(inbox.claim());
  EXPECT_FALSE(inbox.claim());
  EXPECT_EQ(inbox.push(signal), Pushed::queued);
  EXPECT_FALSE(inbox.try_idle()) << "the claimer now owes the wake";
}

TEST(InboxTest, closing_gives_what_was_left_and_refuses_the_rest) {
  Inbox inbox;
  std::array<Signal, 3> signals;
  EXPECT_EQ(inbox.push(signals[0]), Pushed::queued);
  EXPECT_EQ(inbox.push(signals[1]), Pushed::queued);
  EXPECT_EQ(to_vector(inbox.close()), (std::vector<Signal*>{&signals[0], &signals[1]}));
  EXPECT_EQ(inbox.push(signals[2]), Pushed::closed);
  EXPECT_FALSE(inbox.claim());
}

TEST(InboxDeathTest, parking_twice_is_noticed) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  Inbox inbox;
  ASSERT_TRUE(inbox.try_idle());
  EXPECT_DEATH((void)inbox.try_idle(), "M3");
}

struct Numbered : Signal {
  std::size_t sender = 0;
  std::size_t number = 0;
};

// An owner that parks between its looks, senders who count up, and somebody who claims the owner
// again and again. What the owner writes, whoever holds it next reads: the sanitizer watches.
TEST(InboxTest, many_senders_lose_nothing_and_keep_their_orders) {
  constexpr std::size_t senders = 3;
  const std::size_t mail_per_sender = support::stress_size(20'000);
  std::vector<std::deque<Numbered>> mail(senders);
  for (std::size_t s = 0; s < senders; ++s) {
    for (std::size_t n = 0; n < mail_per_sender; ++n) {
      Numbered& signal = mail[s].emplace_back();
      signal.sender = s;
      signal.number = n;
    }
  }

  Inbox inbox;
  base::Parker parker;
  std::size_t context = 0;   // the owner's, and of whoever holds it while it is parked
  Signal* handed = nullptr;  // likewise
  std::atomic<bool> done{false};
  std::vector<std::thread> threads;
  for (std::size_t s = 0; s < senders; ++s) {
    threads.emplace_back([&, s] {
      for (Numbered& signal : mail[s]) {
        if (inbox.push(signal) != Pushed::first) continue;
        ++context;
        signal.next = nullptr;
        handed = &signal;
        parker.unpark();
      }
    });
  }
  threads.emplace_back([&] {
    while (!done.load()) {
      if (!inbox.claim()) {
        std::this_thread::yield();
        continue;
      }
      ++context;
      if (!inbox.try_idle()) parker.unpark();
    }
  });

  std::vector<std::size_t> next(senders, 0);
  std::size_t received = 0;
  while (received < senders * mail_per_sender) {
    Signal* signal = std::exchange(handed, nullptr);
    if (signal == nullptr) signal = inbox.take_all();
    ++context;
    if (signal == nullptr && inbox.try_idle()) parker.park();
    for (; signal != nullptr; signal = signal->next, ++received) {
      const auto& numbered = static_cast<Numbered&>(*signal);
      ASSERT_EQ(numbered.number, next[numbered.sender]++);
    }
  }
  done.store(true);
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(inbox.close(), nullptr);
}

TEST(InboxTest, an_ending_owner_and_its_senders_share_all_signals_out) {
  const std::size_t rounds = support::stress_size(500);
  constexpr std::size_t senders = 3;
  for (std::size_t round = 0; round < rounds; ++round) {
    Inbox inbox;
    std::array<std::array<Signal, 20>, senders> mail;
    std::atomic<std::size_t> refused{0};
    std::vector<std::thread> threads;
    for (auto& signals : mail) {
      threads.emplace_back([&] {
        for (Signal& signal : signals) {
          if (inbox.push(signal) == Pushed::closed) refused.fetch_add(1);
        }
      });
    }
    std::size_t taken = to_vector(inbox.take_all()).size();
    taken += to_vector(inbox.close()).size();
    for (std::thread& thread : threads) thread.join();
    ASSERT_EQ(taken + refused.load(), senders * 20);
  }
}

}  // namespace
}  // namespace airssys::rt::mailbox
