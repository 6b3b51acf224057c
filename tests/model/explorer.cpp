// explorer.cpp: who goes on, again and again, until every answer has been tried.
#include "tests/model/explorer.hpp"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <utility>

#include "base/assert.hpp"
#include "tests/model/engine.hpp"

namespace airssys::rt::model {

Explorer::Explorer(const std::function<void(Program&)>& make, Bounds bounds)
    : make_(make), bounds_(bounds) {
  sanitizer::adopt_thread(loop_stack_);
  for (Thread& thread : threads_) {
    sanitizer::begin(thread.sanitizer_stack, thread.stack.data(), thread.stack.size());
    thread.resume_at =
        fiber::begin<&Explorer::fiber_main>(thread.stack.data() + thread.stack.size());
  }
  active_ = this;
}

Explorer::~Explorer() {
  program_ = {};
  active_ = nullptr;
  for (Thread& thread : threads_) sanitizer::end(thread.sanitizer_stack);
}

Outcome Explorer::explore_all() {
  Outcome outcome;
  do {
    if (outcome.runs == bounds_.runs) {
      outcome.complete = false;
      outcome.report = "given up after " + std::to_string(outcome.runs) + " runs";
      return outcome;
    }
    ++outcome.runs;
    run();
  } while (failure_.empty() && next_path());
  if (failure_.empty()) return outcome;
  outcome.passed = false;
  outcome.report = Explorer(make_, bounds_).explain(*this);
  return outcome;
}

std::string Explorer::explain(const Explorer& failed) {
  path_ = failed.path_;
  users_ = users_found_ = failed.users_;
  tracing_ = true;
  run();
  return failure_ + "; the schedule:\n" + schedule_;
}

void Explorer::begin_run() {
  position_ = 0;
  current_ = nobody;
  steps_ = preemptions_ = delays_ = locations_ = 0;
  for (unsigned t = 0; t < threads_max; ++t) {
    Thread& thread = threads_[t];
    thread.has_ended = thread.has_yielded = false;
    thread.clock = thread.acquirable = thread.released_by_fence = {};
    thread.clock.seen[t] = 1;
  }
  program_ = {};
  make_(program_);
  RT_CHECK(program_.threads_.size() < threads_max, "a program of too many threads");
  for (unsigned t = 1; t < threads_max; ++t) {
    Thread& thread = threads_[t];
    thread.has_ended = t > program_.threads_.size();
    thread.body = thread.has_ended ? nullptr : &program_.threads_[t - 1];
    thread.clock.join(threads_[0].clock);
  }
  threads_[0].body = &program_.finally_;
}

void Explorer::run() {
  begin_run();
  // Each thread comes as far as its first step, for what it does before nobody can see.
  starting_ = true;
  for (unsigned t = 1; t <= program_.threads_.size() && failure_.empty(); ++t) resume(t);
  starting_ = false;
  current_ = nobody;
  if (failure_.empty()) next_ = decide();
  while (failure_.empty() && next_ != nobody) resume(next_);
  current_ = nobody;
  if (!failure_.empty()) return;
  drain_all();
  for (const Thread& thread : threads_) threads_[0].clock.join(thread.clock);
  if (program_.finally_) resume(0);
}

void Explorer::resume(unsigned thread_number) {
  Thread& thread = threads_[thread_number];
  current_ = thread_number;
  on_fiber_ = true;
  sanitizer::before_switch(loop_stack_, thread.sanitizer_stack);
  fiber::jump(loop_at_, thread.resume_at, this);
  sanitizer::after_switch(loop_stack_, thread.sanitizer_stack);
  on_fiber_ = false;
}

void Explorer::leave_fiber() {
  Thread& thread = current();
  sanitizer::before_switch(thread.sanitizer_stack, loop_stack_);
  fiber::jump(thread.resume_at, loop_at_, nullptr);
  sanitizer::after_switch(thread.sanitizer_stack, loop_stack_);
}

void Explorer::fiber_main(void* explorer) {
  auto& self = *static_cast<Explorer*>(explorer);
  sanitizer::after_switch(self.current().sanitizer_stack, self.loop_stack_);
  for (;;) {  // once a run
    (*self.current().body)();
    self.current().has_ended = true;
    if (self.current_ != nobody && !self.starting_) self.next_ = self.decide();
    self.leave_fiber();
  }
}

unsigned Explorer::choose(unsigned options) {
  if (options == 1) return 0;
  if (position_ == path_.size()) path_.push_back({0, options});
  const Choice& choice = path_[position_++];
  RT_CHECK(choice.options == options, "a program that does not do the same thing twice");
  return choice.taken;
}

// Depth first: the last decision that has an answer left gets it, those after it are forgotten.
// What a run has found out about the users of locations makes for other decisions: from the start.
bool Explorer::next_path() {
  if (users_ != users_found_) {
    users_ = users_found_;
    path_.clear();
    return true;
  }
  while (!path_.empty() && path_.back().taken + 1 == path_.back().options) path_.pop_back();
  if (path_.empty()) return false;
  ++path_.back().taken;
  return true;
}

bool Explorer::can_go_on(const Thread& thread) const {
  return !thread.has_ended && !thread.has_yielded && (!thread.waits_for || thread.waits_for());
}

bool Explorer::all_have_ended() const {
  for (unsigned t = 1; t < threads_max; ++t) {
    if (!threads_[t].has_ended) return false;
  }
  return true;
}

void Explorer::find_who_can_go_on(bool current_can_go_on) {
  candidates_.clear();
  if (current_can_go_on) candidates_.push_back(current_);
  if (current_can_go_on && preemptions_ == bounds_.preemptions) return;
  for (unsigned t = 1; t < threads_max; ++t) {
    if (t != current_ && can_go_on(threads_[t])) candidates_.push_back(t);
  }
}

// What happens in the end though nobody does it: stores become visible, and loops look again.
bool Explorer::let_the_stuck_go_on() {
  bool anything = false;
  for (Thread& thread : threads_) {
    anything |= std::exchange(thread.has_yielded, false) || !thread.buffer.empty();
  }
  drain_all();
  return anything;
}

// Who takes the next step; nobody when all have ended.
unsigned Explorer::decide() {
  const bool current_can_go_on = current_ != nobody && can_go_on(current());
  find_who_can_go_on(current_can_go_on);
  while (candidates_.empty()) {
    if (all_have_ended()) return nobody;
    if (!let_the_stuck_go_on()) {
      note_failure("nobody can go on, but somebody waits");
      return nobody;
    }
    find_who_can_go_on(current_ != nobody && can_go_on(current()));
  }
  const unsigned next = candidates_[choose(static_cast<unsigned>(candidates_.size()))];
  if (current_can_go_on && next != current_) ++preemptions_;
  for (unsigned t = 1; t < threads_max; ++t) {
    if (t != next) threads_[t].has_yielded = false;
  }
  return next;
}

// An access that no other thread can tell the time of needs no decision: a read of what no other
// thread ever writes, a write of what no other thread ever looks at.
bool Explorer::somebody_may_notice(const Access& access) {
  if (access.location == nullptr) return true;
  const unsigned number = access.location->number;
  if (number >= users_.size()) users_.resize(number + 1);
  if (number >= users_found_.size()) users_found_.resize(number + 1);
  const unsigned self = 1U << current_;
  (access.writes ? users_found_[number].writers : users_found_[number].readers) |= self;
  const Users& users = users_[number];
  return ((users.writers | (access.writes ? users.readers : 0)) & ~self) != 0;
}

// The others' buffered stores to a location need to come out only when this thread looks at it.
void Explorer::let_stores_come_out(const Location& location) {
  for (unsigned t = 1; t < threads_max; ++t) {
    auto& buffer = threads_[t].buffer;
    const auto is_here = [&](const BufferedStore& store) { return store.location == &location; };
    const auto here = static_cast<unsigned>(std::count_if(buffer.begin(), buffer.end(), is_here));
    if (t == current_ || here == 0) continue;
    for (unsigned out = choose(here + 1); out > 0;) {
      if (is_here(buffer.front())) --out;
      trace("     a buffered store of T%u comes out: #%u", t, buffer.front().location->number);
      commit(buffer.front());
      buffer.pop_front();
    }
  }
}

void Explorer::step(const Access& access) {
  if (current_ == nobody) return;
  if (somebody_may_notice(access)) {
    if (starting_) {
      leave_fiber();
    } else {
      if (++steps_ > bounds_.steps) fail("a run of too many steps: somebody turns in a circle");
      next_ = decide();
      if (next_ != current_) leave_fiber();
    }
  }
  if (access.location != nullptr) let_stores_come_out(*access.location);
}

void Explorer::wait_until(std::function<bool()> condition) {
  if (condition()) return;
  RT_CHECK(current_ != nobody, "only the program's threads wait");
  trace("T%u waits", current_);
  current().waits_for = std::move(condition);
  step({});
  current().waits_for = nullptr;
}

void Explorer::note_failure(const char* why) {
  failure_ = why;
  schedule_ += std::string("  here: ") + why + "\n";
}

void Explorer::fail(const char* why) {
  note_failure(why);
  if (on_fiber_) leave_fiber();  // for ever: a failed run goes no further
  std::fprintf(stderr, "model: failed outside of the program's threads: %s\n", why);
  std::abort();
}

Outcome explore(const std::function<void(Program&)>& program, Bounds bounds) {
  // A sanitizer looks for other mistakes than an interleaving more would show, and is slow.
  if ((sanitizer::thread || sanitizer::address) && !bounds.are_firm) {
    bounds.preemptions = std::min(bounds.preemptions, 2U);
    bounds.delayed_stores = std::min(bounds.delayed_stores, 1U);
  }
  return Explorer(program, bounds).explore_all();
}

void check(bool condition, const char* what) {
  if (!condition) Explorer::active()->fail(what);
}

void pause() {
  Explorer::active()->step({});
}

void wait_until(std::function<bool()> condition) {
  Explorer::active()->wait_until(std::move(condition));
}

}  // namespace airssys::rt::model

namespace airssys::rt::base {

// A check that breaks inside of explored code fails the run instead of ending the program.
void check_failed(const char* file, int line, const char* condition, const char* message) noexcept {
  if (model::Explorer* explorer = model::Explorer::active()) explorer->fail(message);
  std::fprintf(stderr, "%s:%d: %s (%s)\n", file, line, message, condition);
  std::abort();
}

}  // namespace airssys::rt::base
