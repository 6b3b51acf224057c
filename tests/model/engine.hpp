// engine.hpp: the explorer itself; explorer.cpp decides who goes on, memory.cpp what an access
// does.
//
// The explorer's own loop runs on the real thread's stack and resumes one fiber at a time. A fiber
// that is about to access memory decides there and then (`step`) and returns to the loop only when
// another one is to go on. The fibers outlive a run; after a failed run they are left where they
// are, so what lies on their stacks then is never destroyed: programs keep their state elsewhere.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <deque>
#include <functional>
#include <string>
#include <vector>

#include "fiber/jump.hpp"
#include "fiber/sanitizer.hpp"
#include "tests/model/clock.hpp"
#include "tests/model/explorer.hpp"
#include "tests/model/memory.hpp"

namespace airssys::rt::model {

namespace sanitizer = fiber::sanitizer;

struct BufferedStore {
  Location* location;
  std::uint64_t bits;
  Clock released;
};

struct Thread {
  // Fixed after construction.
  std::vector<std::byte> stack = std::vector<std::byte>(stack_bytes);
  sanitizer::Stack sanitizer_stack;
  fiber::Place resume_at = nullptr;
  // Of the current run.
  const std::function<void()>* body = nullptr;
  bool has_ended = false;
  bool has_yielded = false;
  std::function<bool()> waits_for;  // empty: for nothing
  std::deque<BufferedStore> buffer;
  Clock clock;
  Clock acquirable;         // what relaxed loads have seen: an acquire fence takes it over
  Clock released_by_fence;  // what relaxed stores bring along

  static constexpr std::size_t stack_bytes = 256 * 1024;
};

// What a thread is about to do. Null location: something that everybody might notice.
struct Access {
  const Location* location = nullptr;
  bool writes = true;
};

// Which threads have ever read and written a location, a bit for each.
struct Users {
  unsigned readers = 0;
  unsigned writers = 0;
  bool operator==(const Users&) const = default;
};

// One decision of a run.
struct Choice {
  unsigned taken;
  unsigned options;
};

class Explorer {
 public:
  Explorer(const std::function<void(Program&)>& make, Bounds bounds);
  Explorer(const Explorer&) = delete;
  Explorer& operator=(const Explorer&) = delete;
  ~Explorer();

  Outcome explore_all();
  // Runs the failing path of another explorer again, and tells what happens.
  std::string explain(const Explorer& failed);

  // The one that runs now, or null.
  static Explorer* active() { return active_; }

  // For the program's threads: see explorer.hpp.
  void step(const Access& access);
  void wait_until(std::function<bool()> condition);
  [[noreturn]] void fail(const char* why);

  // For accesses.
  Thread& current() { return threads_[current_]; }
  unsigned number() const { return current_; }
  unsigned next_location() { return locations_++; }
  bool has(Weakness weakness) const { return bounds_.weakness == weakness; }
  void acquire(const Location& location, bool acquires);
  const Clock& clock_to_release(bool releases);
  void tick() { ++current().clock.seen[current_]; }
  bool chooses_to_delay(const Location& location);
  void commit(const BufferedStore& store);
  void drain(Thread& thread);
  void drain_all();
  void forget(const Location& location);
  template <class... Arguments>
  void trace(const char* format, Arguments... arguments);

 private:
  void note_failure(const char* why);
  void run();
  void begin_run();
  void resume(unsigned thread);
  void leave_fiber();
  static void fiber_main(void* explorer);

  unsigned choose(unsigned options);
  bool next_path();
  unsigned decide();
  void find_who_can_go_on(bool current_can_go_on);
  bool let_the_stuck_go_on();
  bool somebody_may_notice(const Access& access);
  void let_stores_come_out(const Location& location);
  bool can_go_on(const Thread& thread) const;
  bool all_have_ended() const;

  static constexpr unsigned nobody = 0;
  static inline Explorer* active_ = nullptr;

  const std::function<void(Program&)>& make_;
  const Bounds bounds_;
  std::array<Thread, threads_max> threads_;  // 0 runs `finally`
  fiber::Place loop_at_ = nullptr;
  sanitizer::Stack loop_stack_;

  // Of the whole exploration.
  std::vector<Choice> path_;
  std::vector<Users> users_;        // of each location, as the decisions of this run know them
  std::vector<Users> users_found_;  // with what this run has added
  std::string failure_;
  std::string schedule_;
  bool tracing_ = false;

  // Of the current run.
  Program program_;
  std::size_t position_ = 0;  // in path_
  unsigned current_ = nobody;
  unsigned next_ = nobody;
  bool on_fiber_ = false;
  bool starting_ = false;
  unsigned steps_ = 0;
  unsigned preemptions_ = 0;
  unsigned delays_ = 0;
  unsigned locations_ = 0;
  std::vector<unsigned> candidates_;  // for the next step
};

template <class... Arguments>
void Explorer::trace(const char* format, Arguments... arguments) {
  if (!tracing_ || current_ == nobody) return;
  char line[160];
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
#pragma GCC diagnostic ignored "-Wformat-security"
  std::snprintf(line, sizeof line, format, arguments...);
#pragma GCC diagnostic pop
  schedule_ += std::string("  ") + line + "\n";
}

}  // namespace airssys::rt::model
