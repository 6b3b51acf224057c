// intrusive_list_test.cpp: queues, stacks and lists keep their order through all their moves.
// Method: small elements, each end and the middle, empty again and refilled.
#include "base/intrusive_list.hpp"

#include <gtest/gtest.h>

namespace airssys::rt::base::intrusive_list_test {
namespace {

struct Link {
  int value = 0;
  Link* next = nullptr;
};

struct Node : ListHook {
  explicit Node(int number) : value(number) {}
  int value;
};

TEST(Queue, the_oldest_leaves_first) {
  Queue<&Link::next> queue;
  Link a{1}, b{2}, c{3};
  queue.push_back(b);
  queue.push_back(c);
  queue.push_front(a);
  EXPECT_EQ(queue.front(), &a);
  EXPECT_EQ(queue.pop_front(), &a);
  EXPECT_EQ(queue.pop_front(), &b);
  EXPECT_EQ(queue.pop_front(), &c);
  EXPECT_EQ(queue.pop_front(), nullptr);
}

TEST(Queue, an_emptied_queue_fills_again) {
  Queue<&Link::next> queue;
  Link a{1}, b{2};
  queue.push_back(a);
  EXPECT_EQ(queue.pop_front(), &a);
  EXPECT_TRUE(queue.empty());
  queue.push_front(b);
  queue.push_back(a);
  EXPECT_EQ(queue.pop_front(), &b);
  EXPECT_EQ(queue.pop_front(), &a);
}

TEST(Stack, the_newest_leaves_first) {
  Stack<&Link::next> stack;
  Link a{1}, b{2};
  stack.push(a);
  stack.push(b);
  EXPECT_EQ(stack.pop(), &b);
  EXPECT_EQ(stack.pop(), &a);
  EXPECT_EQ(stack.pop(), nullptr);
  EXPECT_TRUE(stack.empty());
}

TEST(List, an_element_leaves_from_anywhere) {
  List<Node> list;
  Node a(1), b(2), c(3);
  list.push_back(b);
  list.push_back(c);
  list.push_front(a);
  List<Node>::remove(b);
  EXPECT_FALSE(b.is_linked());
  EXPECT_EQ(list.front(), &a);
  EXPECT_EQ(list.after(a), &c);
  EXPECT_EQ(list.after(c), nullptr);
  EXPECT_EQ(list.pop_front(), &a);
  EXPECT_EQ(list.pop_front(), &c);
  EXPECT_TRUE(list.empty());
}

TEST(ListDeathTest, an_element_is_in_one_list_only) {
  List<Node> list;
  List<Node> other;
  Node a(1);
  list.push_back(a);
  EXPECT_DEATH(other.push_back(a), "at most one list");
}

}  // namespace
}  // namespace airssys::rt::base::intrusive_list_test
