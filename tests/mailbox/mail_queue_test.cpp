// mail_queue_test.cpp: order, cursors that stay right, figures.
//
// Aim: that a receive sees each signal once and in order whatever is taken or appended meanwhile.
// Method: small cases by hand, then a long random walk beside a plain vector that does the same.
#include "mailbox/mail_queue.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <memory>
#include <optional>
#include <random>
#include <vector>

#include "tests/support/stress.hpp"

namespace airssys::rt::mailbox {
namespace {

std::vector<const Signal*> all_of(MailQueue& queue) {
  std::vector<const Signal*> all;
  for (Cursor cursor(queue, Cursor::Start::oldest); cursor.peek() != nullptr; cursor.skip())
    all.push_back(cursor.peek());
  return all;
}

struct MailQueueTest : testing::Test {
  MailQueueTest() {
    for (Signal& signal : signals) queue.append(signal);
  }
  std::array<Signal, 5> signals;
  Signal& a = signals[0];
  Signal& b = signals[1];
  Signal& c = signals[2];
  Signal& d = signals[3];
  Signal& e = signals[4];
  MailQueue queue;
};

TEST_F(MailQueueTest, gives_what_came_first) {
  for (Signal& signal : signals) EXPECT_EQ(queue.take_oldest(), &signal);
  EXPECT_EQ(queue.take_oldest(), nullptr);
  EXPECT_EQ(queue.oldest(), nullptr);
}

TEST_F(MailQueueTest, a_signal_is_taken_from_the_middle_and_the_others_keep_their_order) {
  Cursor cursor(queue, Cursor::Start::oldest);
  cursor.skip();
  cursor.skip();
  EXPECT_EQ(&cursor.take(), &c);
  EXPECT_EQ(cursor.peek(), &d);
  EXPECT_EQ(all_of(queue), (std::vector<const Signal*>{&a, &b, &d, &e}));
}

TEST_F(MailQueueTest, a_cursor_that_is_forgotten_finds_a_place_at_the_front) {
  Cursor forgotten(queue, Cursor::Start::end);
  queue.forget_cursors();
  Cursor known(queue, Cursor::Start::oldest);
  known.skip();
  EXPECT_TRUE(forgotten.is_lost());
  forgotten.find_place();
  EXPECT_EQ(forgotten.peek(), &a);
  EXPECT_FALSE(forgotten.is_lost());
  EXPECT_FALSE(known.is_lost());
  known.find_place();
  EXPECT_EQ(known.peek(), &b);
}

TEST_F(MailQueueTest, what_comes_later_is_seen_by_a_cursor_at_the_end) {
  Cursor cursor(queue, Cursor::Start::end);
  EXPECT_EQ(cursor.peek(), nullptr);
  Signal late;
  queue.append(late);
  EXPECT_EQ(cursor.peek(), &late);
}

TEST_F(MailQueueTest, a_cursor_stays_right_when_the_signal_before_it_is_taken) {
  Cursor cursor(queue, Cursor::Start::oldest);
  cursor.skip();  // stands on a
  EXPECT_EQ(queue.take_oldest(), &a);
  EXPECT_EQ(cursor.peek(), &b);
  cursor.skip();
  cursor.skip();  // stands on c
  {
    Cursor other(queue, Cursor::Start::oldest);
    other.skip();
    EXPECT_EQ(&other.take(), &c);
  }
  EXPECT_EQ(cursor.peek(), &d);
}

TEST_F(MailQueueTest, a_mark_at_the_end_stays_there_when_the_newest_signal_is_taken) {
  Cursor mark(queue, Cursor::Start::end);
  Cursor cursor(queue, Cursor::Start::oldest);
  for (int i = 0; i < 4; ++i) cursor.skip();
  EXPECT_EQ(&cursor.take(), &e);
  EXPECT_EQ(mark.peek(), nullptr);
  queue.append(e);
  EXPECT_EQ(mark.peek(), &e);
}

TEST_F(MailQueueTest, a_copy_of_a_mark_walks_and_the_mark_stays) {
  Cursor mark(queue, Cursor::Start::end);
  Signal answer;
  queue.append(answer);
  {
    Cursor receive(mark);
    EXPECT_EQ(&receive.take(), &answer);
  }
  EXPECT_EQ(mark.peek(), nullptr);
  EXPECT_EQ(all_of(queue).size(), 5U);
}

TEST_F(MailQueueTest, a_mark_in_an_empty_queue_sees_the_first_signal) {
  while (queue.take_oldest() != nullptr) {
  }
  Cursor mark(queue, Cursor::Start::end);
  queue.append(b);
  EXPECT_EQ(mark.peek(), &b);
}

TEST_F(MailQueueTest, cursors_may_end_in_any_order) {
  auto first = std::make_unique<Cursor>(queue, Cursor::Start::oldest);
  auto second = std::make_unique<Cursor>(queue, Cursor::Start::oldest);
  auto third = std::make_unique<Cursor>(queue, Cursor::Start::oldest);
  second.reset();
  third->skip();
  first.reset();
  EXPECT_EQ(queue.take_oldest(), &a);
  EXPECT_EQ(third->peek(), &b);
}

TEST_F(MailQueueTest, a_signal_is_put_where_a_cursor_stands_and_those_further_on_do_not_see_it) {
  Cursor place(queue, Cursor::Start::oldest);
  place.skip();  // behind a
  Cursor same(place);
  Cursor further(place);
  further.skip();
  Cursor front(queue, Cursor::Start::oldest);
  Signal first;
  Signal second;
  place.insert(first);
  place.insert(second);
  EXPECT_EQ(all_of(queue), (std::vector<const Signal*>{&a, &first, &second, &b, &c, &d, &e}));
  EXPECT_EQ(place.peek(), &b);
  EXPECT_EQ(same.peek(), &first);
  EXPECT_EQ(further.peek(), &c);
  EXPECT_EQ(front.peek(), &a);
  EXPECT_EQ(queue.count(), 7U);
  // The place stays right when what it stands on is taken.
  same.skip();
  EXPECT_EQ(&same.take(), &second);
  EXPECT_EQ(place.left(), &first);
  EXPECT_EQ(&front.take(), &a);
  EXPECT_EQ(&front.take(), &first);
  EXPECT_EQ(place.left(), nullptr);
}

TEST_F(MailQueueTest, what_is_put_at_the_end_is_the_newest) {
  Cursor end(queue, Cursor::Start::end);
  Signal last;
  end.insert(last);
  Signal later;
  queue.append(later);
  EXPECT_EQ(all_of(queue), (std::vector<const Signal*>{&a, &b, &c, &d, &e, &last, &later}));
  while (queue.take_oldest() != nullptr) {
  }
  Cursor in_nothing(queue, Cursor::Start::oldest);
  in_nothing.insert(last);
  queue.append(later);
  EXPECT_EQ(all_of(queue), (std::vector<const Signal*>{&last, &later}));
}

TEST_F(MailQueueTest, a_cursor_moves_to_where_another_stands) {
  Cursor one(queue, Cursor::Start::oldest);
  Cursor other(queue, Cursor::Start::end);
  other.move_to(one);
  EXPECT_EQ(other.peek(), &a);
  other.skip();
  EXPECT_EQ(one.peek(), &a);
}

TEST_F(MailQueueTest, gives_everything_away_at_once_and_forgets_its_cursors) {
  Cursor cursor(queue, Cursor::Start::end);
  Signal* all = queue.take_everything();
  for (Signal& signal : signals) {
    ASSERT_EQ(all, &signal);
    all = all->next;
  }
  EXPECT_EQ(all, nullptr);
  EXPECT_EQ(queue.oldest(), nullptr);
  EXPECT_EQ(queue.count(), 0U);
  EXPECT_EQ(queue.bytes(), 0U);
}

TEST(MailQueueFiguresTest, follow_what_comes_and_goes) {
  MailQueue queue;
  Signal small;
  Signal large;
  small.granules = Signal::granules_in(40);
  large.granules = Signal::granules_in(1'000'000);
  queue.append(small);
  queue.append(large);
  EXPECT_EQ(queue.count(), 2U);
  EXPECT_EQ(queue.bytes(), 48U + 1'000'000U);
  EXPECT_EQ(queue.take_oldest(), &small);
  EXPECT_EQ(queue.count(), 1U);
  EXPECT_EQ(queue.bytes(), 1'000'000U);
}

TEST(MailQueueDeathTest, taking_what_is_not_there_is_noticed) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  MailQueue queue;
  Cursor cursor(queue, Cursor::Start::oldest);
  EXPECT_DEATH(cursor.take(), "Q2");
}

// The same steps on the queue and on a vector of pointers; a cursor there is an index.
TEST(MailQueueRandomTest, agrees_with_a_vector) {
  constexpr unsigned seed = 20;
  std::mt19937 random(seed);
  MailQueue queue;
  std::vector<std::unique_ptr<Signal>> storage;
  std::vector<Signal*> expected;
  std::array<std::optional<Cursor>, 4> cursors;
  std::array<std::size_t, 4> places{};

  const auto forget = [&](std::size_t index) {
    expected.erase(expected.begin() + static_cast<std::ptrdiff_t>(index));
    for (std::size_t& place : places) place -= place > index ? 1 : 0;
  };
  for (std::size_t step = 0; step < support::stress_size(20'000); ++step) {
    const std::size_t i = random() % cursors.size();
    switch (random() % 7) {
      case 0:
      case 1: {
        Signal& signal = *storage.emplace_back(std::make_unique<Signal>());
        queue.append(signal);
        expected.push_back(&signal);
        break;
      }
      case 2: {
        Signal* taken = queue.take_oldest();
        ASSERT_EQ(taken, expected.empty() ? nullptr : expected.front());
        if (taken != nullptr) forget(0);
        break;
      }
      case 3: {
        const bool at_end = random() % 2 == 0;
        cursors[i].reset();
        cursors[i].emplace(queue, at_end ? Cursor::Start::end : Cursor::Start::oldest);
        places[i] = at_end ? expected.size() : 0;
        break;
      }
      case 4: {
        if (!cursors[i]) break;
        Signal& signal = *storage.emplace_back(std::make_unique<Signal>());
        cursors[i]->insert(signal);
        const std::size_t place = places[i];
        expected.insert(expected.begin() + static_cast<std::ptrdiff_t>(place), &signal);
        for (std::size_t& other : places) other += other > place ? 1 : 0;
        ++places[i];
        break;
      }
      default:
        if (!cursors[i] || cursors[i]->peek() == nullptr) break;
        ASSERT_EQ(cursors[i]->peek(), expected[places[i]]);
        if (random() % 3 == 0) {
          ASSERT_EQ(&cursors[i]->take(), expected[places[i]]);
          forget(places[i]);
        } else {
          cursors[i]->skip();
          ++places[i];
        }
    }
    ASSERT_EQ(queue.count(), expected.size());
    for (std::size_t each = 0; each < cursors.size(); ++each) {
      if (!cursors[each]) continue;
      ASSERT_EQ(cursors[each]->peek(),
                places[each] < expected.size() ? expected[places[each]] : nullptr);
    }
  }
}

}  // namespace
}  // namespace airssys::rt::mailbox
