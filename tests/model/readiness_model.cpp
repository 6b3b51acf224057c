// readiness_model.cpp: an edge against who arms, in every interleaving.
//
// Aim: that no edge is lost between a failed try and the arm that follows it (P2), that each Waiter
// is disarmed or called, exactly once (P1), and that what its owner wrote is seen by `ready`.
// Method: all interleavings of one who waits, as at a socket and as with a deadline, and of those
// who bring edges. The socket is an atomic, as the kernel keeps it; what the waiter hands over is a
// Cell. Then the same with weaker orders, and with a word that forgets an edge nobody waits for.
#include <gtest/gtest.h>

#include <memory>

#include "scheduler/readiness.hpp"
#include "tests/model/blocking.hpp"
#include "tests/model/cell.hpp"
#include "tests/model/explorer.hpp"

namespace airssys::rt::scheduler::readiness_model {
namespace {

using model::Bounds;
using model::Cell;
using model::Outcome;
using model::Program;
using model::Weakness;

// As long as nobody waits, an edge is dropped: the mistake that P2 forbids.
class Forgetful : public Readiness {
 public:
  int edge() noexcept {
    const int called = Readiness::edge();
    if (called == 0) reset();
    return called;
  }
};

struct Patient : Waiter {
  Patient() {
    ready = [](Waiter& waiter) noexcept {
      auto& self = static_cast<Patient&>(waiter);
      self.calls = self.calls + 1;
      self.parker.unpark();
    };
  }
  Cell<int> calls{0};  // the owner's first, then handed to whoever calls, then back
  model::Parker parker;
};

// Reads until it has seen all that two writers put into a socket.
template <class Word>
void reader_and_two_writers(Program& program) {
  struct State {
    Word word;
    model::Atomic<int> socket{0};
    Patient waiters[6];
  };
  auto state = std::make_shared<State>();
  for (int i = 0; i < 2; ++i)
    program.thread([state] {
      state->socket.fetch_add(1, std::memory_order_relaxed);  // relaxed: only edges order it
      state->word.edge();
    });
  program.thread([state] {
    for (Patient& waiter : state->waiters) {
      if (state->socket.load(std::memory_order_relaxed) == 2) return;
      waiter.calls = 0;
      const Armed armed = state->word.arm(waiter);
      model::check(armed != Armed::taken, "nobody else waits");
      if (armed == Armed::ready) continue;
      waiter.parker.park();
      model::check(waiter.calls == 1, "P1: called once");
    }
    model::check(false, "more edges came than were made");
  });
}

// Changes its mind at once, twice; an edge may come at any moment.
void deadline_and_edges(Program& program) {
  struct State {
    Readiness word;
    Patient waiters[2];
    bool is_disarmed[2] = {false, false};
  };
  auto state = std::make_shared<State>();
  program.thread([state] {
    for (int i = 0; i < 2; ++i) {
      Patient& waiter = state->waiters[i];
      waiter.calls = 0;
      if (state->word.arm(waiter) == Armed::ready) {
        state->is_disarmed[i] = true;
        continue;
      }
      state->is_disarmed[i] = state->word.disarm(waiter);
      if (!state->is_disarmed[i]) waiter.parker.park();
    }
  });
  for (int i = 0; i < 2; ++i) program.thread([state] { state->word.edge(); });
  program.finally([state] {
    for (int i = 0; i < 2; ++i)
      model::check(state->waiters[i].calls == (state->is_disarmed[i] ? 0 : 1),
                   "P1: disarmed or called, never both");
  });
}

// A stream of one byte and its end, which come alone or together, and a reader that waits without
// another try after it has emptied the stream. `looks`: unless the last edge came.
template <bool looks>
void byte_and_end(Program& program, bool together) {
  struct State {
    Readiness word;
    model::Atomic<int> bytes{0};
    model::Atomic<bool> is_ended{false};
    model::Atomic<bool> last_edge_came{false};
    Patient waiters[4];
  };
  auto state = std::make_shared<State>();
  program.thread([state, together] {
    state->bytes.store(1, std::memory_order_relaxed);  // relaxed, here and below: edges order it
    if (!together) state->word.edge();
    state->is_ended.store(true, std::memory_order_relaxed);
    state->last_edge_came.store(true, std::memory_order_relaxed);
    state->word.edge();
  });
  program.thread([state] {
    bool is_empty = false;
    for (Patient& waiter : state->waiters) {
      if (!is_empty || (looks && state->last_edge_came.load(std::memory_order_relaxed))) {
        is_empty = state->bytes.exchange(0, std::memory_order_relaxed) == 1;
        if (is_empty) continue;
        if (state->is_ended.load(std::memory_order_relaxed)) return;
      }
      is_empty = false;
      if (state->word.arm(waiter) == Armed::ready) continue;
      waiter.parker.park();
    }
    model::check(false, "more edges came than were made");
  });
}

TEST(ReadinessModel, who_waits_after_emptying_a_stream_reads_its_end) {
  for (const bool together : {false, true}) {
    const Outcome outcome =
        model::explore([together](Program& program) { byte_and_end<true>(program, together); },
                       {.preemptions = 100});
    EXPECT_TRUE(outcome) << outcome.report;
  }
}

TEST(ReadinessModel, the_model_notices_a_wait_behind_the_last_edge) {
  EXPECT_FALSE(model::explore([](Program& program) { byte_and_end<false>(program, true); }).passed);
}

TEST(ReadinessModel, no_edge_is_lost_between_a_try_and_the_arm) {
  const Outcome outcome = explore(reader_and_two_writers<Readiness>, {.preemptions = 100});
  EXPECT_TRUE(outcome) << outcome.report;
}

TEST(ReadinessModel, a_waiter_is_disarmed_or_called) {
  const Outcome outcome = explore(deadline_and_edges, {.preemptions = 100});
  EXPECT_TRUE(outcome) << outcome.report;
}

TEST(ReadinessModel, the_model_notices_a_word_that_forgets_an_edge) {
  EXPECT_FALSE(explore(reader_and_two_writers<Forgetful>).passed);
}

TEST(ReadinessModel,
     the_model_notices_an_arm_that_does_not_release_and_an_edge_that_does_not_acquire) {
  EXPECT_FALSE(explore(reader_and_two_writers<Readiness>,
                       Bounds{.weakness = Weakness::updates_do_not_release})
                   .passed);
  EXPECT_FALSE(explore(reader_and_two_writers<Readiness>,
                       Bounds{.weakness = Weakness::updates_do_not_acquire})
                   .passed);
}

}  // namespace
}  // namespace airssys::rt::scheduler::readiness_model
