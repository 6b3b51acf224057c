// wait_circle_model.cpp: calls that come to wait in a circle, in every interleaving.
//
// Aim: that a circle is noticed by one of its members whoever comes last, and that none is seen
// where an answer is on its way, or lies unread, or may come from somebody else.
// Method: two and three processes that call one another at the same time; then one that is looked
// at while it gets its answer, while it rests with it, and while its callee calls on; and one that
// looks while its callee leaves the answer to another. The inbox is the real one. Then looks that
// come too early, walk once, read in the wrong order, take each rest for the same, or forget the
// call that they look for.
#include "runtime/wait_circle.hpp"

#include <gtest/gtest.h>

#include <array>
#include <cstdint>
#include <memory>

#include "mailbox/inbox.hpp"
#include "tests/model/blocking.hpp"
#include "tests/model/cell.hpp"
#include "tests/model/explorer.hpp"
#include "tests/model/no_trail.hpp"

namespace airssys::rt::runtime::wait_circle_model {
namespace {

using mailbox::Pushed;
using model::Bounds;
using model::Outcome;
using model::Program;

struct Mail {
  model::Cell<Mail*> next{nullptr};
};

struct Node {
  base::Atomic<std::uint64_t> waits_for{0};
  base::Atomic<std::uint32_t> waits_in_call{0};
  base::Atomic<WaitReason> wait_reason{WaitReason::none};
  mailbox::BasicInbox<Mail, model::NoTrail> inbox;
  model::Cell<Mail*> handed{nullptr};  // by who woke it
  model::Parker parker;

  void push(Mail& mail) {
    if (inbox.push(mail) != Pushed::first) return;
    handed = &mail;
    parker.unpark();
  }
  // Rests until mail has come, and takes it. Answers how much it was.
  unsigned rest_once(WaitReason reason = WaitReason::reply) {
    wait_reason.store(reason, std::memory_order_relaxed);
    if (inbox.try_idle()) parker.park();
    unsigned count = handed == nullptr ? 0 : 1;
    handed = nullptr;
    for (const Mail* mail = inbox.take_all(); mail != nullptr; mail = mail->next) ++count;
    wait_reason.store(WaitReason::none, std::memory_order_relaxed);
    return count;
  }
};

// Processes have the numbers from 1 on; 0 is nobody's.
template <std::size_t count>
struct Nodes {
  std::array<Node, count> nodes;
  std::array<Mail, 2 * count> mail;

  Node& node(std::uint64_t number) { return nodes[number - 1]; }
  auto finder() {
    return [this](std::uint64_t number) { return number == 0 ? nullptr : &node(number); };
  }
};

struct RealLook {
  template <class Find>
  static Round look(std::uint64_t self, std::uint64_t callee, Find find) {
    RoundTrip trip;
    return look_round(*find(self), {self, 1}, callee, find, trip);
  }
};

// --- Everybody calls at once. ---

struct AskFirst {
  static void call(Node& self, Node& callee, std::uint64_t number, Mail& question) {
    show_call(self, number, 1);
    callee.push(question);
  }
};
// Its edge may still be hidden when it looks.
struct ShowLast {
  static void call(Node& self, Node& callee, std::uint64_t number, Mail& question) {
    callee.push(question);
    show_call(self, number, 1);
  }
};

template <std::size_t count>
struct Circle : Nodes<count> {
  std::array<Round, count> rounds{};

  void check_is_noticed(std::uint64_t self, std::uint64_t callee) {
    bool is_noticed = false;
    for (const Round round : rounds) is_noticed |= round != Round::open;
    model::check(is_noticed, "a circle that nobody has seen");
    // Nobody is at rest yet. When they are, whoever looks again knows.
    for (Node& node : this->nodes) {
      static_cast<void>(node.inbox.take_all());
      node.wait_reason.store(WaitReason::reply, std::memory_order_relaxed);
      model::check(node.inbox.try_idle(), "mail from nowhere");
    }
    model::check(RealLook::look(self, callee, this->finder()) == Round::closed,
                 "a circle that is open");
  }
};

template <std::size_t count, class Call>
void all_call_at_once(Program& program) {
  auto state = std::make_shared<Circle<count>>();
  for (std::uint64_t self = 1; self <= count; ++self) {
    program.thread([state, self] {
      const std::uint64_t callee = self % count + 1;
      Call::call(state->node(self), state->node(callee), callee, state->mail[self - 1]);
      state->rounds[self - 1] = RealLook::look(self, callee, state->finder());
    });
  }
  program.finally([state] { state->check_is_noticed(1, 2); });
}

TEST(WaitCircleModel, a_circle_of_two_is_seen_by_one_of_them) {
  const Outcome outcome = explore(all_call_at_once<2, AskFirst>, {.preemptions = 4});
  EXPECT_TRUE(outcome) << outcome.report;
}

TEST(WaitCircleModel, a_circle_of_three_is_seen_by_one_of_them) {
  const Outcome outcome =
      explore(all_call_at_once<3, AskFirst>, {.preemptions = 3, .delayed_stores = 3});
  EXPECT_TRUE(outcome) << outcome.report;
}

TEST(WaitCircleModel, needs_the_fence_between_showing_and_looking) {
  EXPECT_FALSE((explore(all_call_at_once<2, ShowLast>).passed));
  EXPECT_FALSE((explore(all_call_at_once<3, ShowLast>, {.delayed_stores = 3}).passed));
}

// --- A starts C, which calls B, while B calls A. Who waits for a start does not look. ---

struct ShowFirst {
  static void start(Node& self, Node& child, std::uint64_t number, Mail& launch) {
    show_call(self, number, 1);
    child.push(launch);
  }
};
struct LaunchFirst {
  static void start(Node& self, Node& child, std::uint64_t number, Mail& launch) {
    child.push(launch);
    show_call(self, number, 1);
  }
};

template <class Start>
void a_start_in_a_circle(Program& program) {
  auto state = std::make_shared<Circle<3>>();
  program.thread([state] { Start::start(state->node(1), state->node(3), 3, state->mail[0]); });
  program.thread([state] {
    AskFirst::call(state->node(2), state->node(1), 1, state->mail[1]);
    state->rounds[1] = RealLook::look(2, 1, state->finder());
  });
  program.thread([state] {
    state->node(3).rest_once(WaitReason::none);  // until it is launched
    AskFirst::call(state->node(3), state->node(2), 2, state->mail[2]);
    state->rounds[2] = RealLook::look(3, 2, state->finder());
  });
  program.finally([state] { state->check_is_noticed(2, 1); });
}

TEST(WaitCircleModel, a_circle_through_a_start_is_seen_by_one_who_calls) {
  const Outcome outcome =
      explore(a_start_in_a_circle<ShowFirst>, {.preemptions = 3, .delayed_stores = 3});
  EXPECT_TRUE(outcome) << outcome.report;
}

TEST(WaitCircleModel, needs_a_start_to_be_shown_before_it_begins) {
  EXPECT_FALSE(explore(a_start_in_a_circle<LaunchFirst>).passed);
}

// --- An answer is on its way: nothing that looks like a circle is one. ---

// A waits for B, and so rests. B answers it and calls it back.
template <class Look>
void a_call_back(Program& program) {
  auto state = std::make_shared<Nodes<2>>();
  Node& a = state->node(1);
  show_call(a, 2, 1);
  program.thread([state, &a] {
    a.rest_once();
    show_call(a, 0, 0);
    a.wait_reason.store(WaitReason::reply, std::memory_order_relaxed);
    static_cast<void>(a.inbox.try_idle());  // at rest again, in no call
  });
  program.thread([state, &a] {
    a.push(state->mail[0]);  // the answer
    show_call(state->node(2), 1, 1);
    a.push(state->mail[1]);  // its own question
    model::check(Look::look(2, 1, state->finder()) != Round::closed, "a circle where none is");
  });
}

// B waits for C. While A calls B, C answers B and calls A.
template <class Look>
void a_call_onward(Program& program) {
  auto state = std::make_shared<Nodes<3>>();
  Node& b = state->node(2);
  Node& c = state->node(3);
  show_call(b, 3, 1);
  program.thread([state] {
    show_call(state->node(1), 2, 1);
    model::check(Look::look(1, 2, state->finder()) != Round::closed, "a circle where none is");
  });
  program.thread([&b] {
    b.rest_once();
    show_call(b, 0, 0);
  });
  program.thread([state, &b, &c] {
    b.push(state->mail[0]);
    show_call(c, 1, 1);
    c.wait_reason.store(WaitReason::reply, std::memory_order_relaxed);
    static_cast<void>(c.inbox.try_idle());
  });
}

// A has its answer, and before it reads it, it waits for the wake of a time-out.
template <class Look>
void a_call_back_to_one_who_has_not_read(Program& program) {
  auto state = std::make_shared<Nodes<2>>();
  Node& a = state->node(1);
  show_call(a, 2, 1);
  program.thread([state, &a] {
    unsigned taken = a.rest_once();
    while (taken < 2) taken += a.rest_once(WaitReason::wake_on_way);
    show_call(a, 0, 0);
  });
  program.thread([state, &a] {
    a.push(state->mail[0]);  // the answer
    show_call(state->node(2), 1, 1);
    model::check(Look::look(2, 1, state->finder()) != Round::closed, "a circle where none is");
    a.push(state->mail[1]);
  });
}

// A has called B, who leaves the answer to somebody and calls A back; A looks again.
template <class Look>
void a_call_left_to_another(Program& program) {
  auto state = std::make_shared<Nodes<2>>();
  Node& b = state->node(2);
  show_call(state->node(1), 2, 1);
  program.thread([state] {
    model::check(Look::look(1, 2, state->finder()) != Round::closed, "a circle where none is");
  });
  program.thread([state, &b] {
    take_out_of_circles(state->node(1), 1);
    show_call(b, 1, 1);
    b.wait_reason.store(WaitReason::reply, std::memory_order_relaxed);
    static_cast<void>(b.inbox.try_idle());
  });
}

TEST(WaitCircleModel, an_answer_on_its_way_is_no_circle) {
  const Outcome back = explore(a_call_back<RealLook>, {.preemptions = 4});
  EXPECT_TRUE(back) << back.report;
  const Outcome onward = explore(a_call_onward<RealLook>, {.preemptions = 3});
  EXPECT_TRUE(onward) << onward.report;
}

TEST(WaitCircleModel, an_answer_that_is_not_read_yet_is_no_circle) {
  const Outcome outcome =
      explore(a_call_back_to_one_who_has_not_read<RealLook>, {.preemptions = 4});
  EXPECT_TRUE(outcome) << outcome.report;
}

TEST(WaitCircleModel, an_answer_that_another_may_give_is_no_circle) {
  const Outcome outcome = explore(a_call_left_to_another<RealLook>, {.preemptions = 4});
  EXPECT_TRUE(outcome) << outcome.report;
}

// The first walk alone: whether the calls behind this one lead back to it.
template <class Find>
bool leads_back(std::uint64_t self, std::uint64_t callee, Find find, RoundTrip& trip) {
  for (std::uint64_t at = callee; at != self;) {
    const Node* node = find(at);
    if (!node) return false;
    const std::uint32_t call = node->waits_in_call.load(std::memory_order_acquire);
    if (call == 0 || !trip.try_add({at, call})) return false;
    at = node->waits_for.load(std::memory_order_acquire);
  }
  return true;
}

// Walks once, and trusts what it has read.
struct OneWalk {
  template <class Find>
  static Round look(std::uint64_t self, std::uint64_t callee, Find find) {
    RoundTrip trip;
    return leads_back(self, callee, find, trip) ? Round::closed : Round::open;
  }
};

// Reads the number before the inbox: the call may be over when the inbox is found empty.
struct NumberFirst {
  template <class Find>
  static Round look(std::uint64_t self, std::uint64_t callee, Find find) {
    RoundTrip trip;
    if (!leads_back(self, callee, find, trip)) return Round::open;
    for (const RoundTrip::Step& step : trip.steps()) {
      const Node* node = find(step.process);
      if (node->waits_in_call.load(std::memory_order_acquire) != step.call) return Round::unsure;
      if (!node->inbox.is_idle()) return Round::unsure;
    }
    return Round::closed;
  }
};

// Walks twice as it should, and asks neither why somebody rests nor for its own call.
struct AnyRest {
  template <class Find>
  static Round look(std::uint64_t self, std::uint64_t callee, Find find) {
    RoundTrip trip;
    if (!leads_back(self, callee, find, trip)) return Round::open;
    for (const RoundTrip::Step& step : trip.steps()) {
      const Node* node = find(step.process);
      if (!node->inbox.is_idle()) return Round::unsure;
      if (node->waits_in_call.load(std::memory_order_acquire) != step.call) return Round::unsure;
    }
    return Round::closed;
  }
};

TEST(WaitCircleModel, notices_looks_that_believe_too_early) {
  EXPECT_FALSE(explore(a_call_back<OneWalk>).passed);
  EXPECT_FALSE(explore(a_call_onward<OneWalk>).passed);
  EXPECT_FALSE(explore(a_call_back<NumberFirst>, {.preemptions = 4}).passed);
  EXPECT_FALSE(explore(a_call_back_to_one_who_has_not_read<AnyRest>).passed);
  EXPECT_FALSE(explore(a_call_left_to_another<AnyRest>).passed);
}

}  // namespace
}  // namespace airssys::rt::runtime::wait_circle_model
