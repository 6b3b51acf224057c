// explorer.hpp: runs a small concurrent program under every interleaving, up to a bound.
//
// The program's threads are fibers of one real thread. Before each atomic access a fiber asks the
// explorer who goes on; the explorer counts the possible answers and, run after run, tries all of
// them, depth first. A run is thus a list of small numbers, which is also how a failing one is run
// once more to print its schedule.
//
// What is explored
//   interleavings   all with at most `preemptions` switches away from a thread that could go on;
//                   switches from a thread that waits or has ended are free
//   store buffers   as on x86: a store may stay hidden from the others while its thread goes on, at
//                   most `delayed_stores` times a run. Read-modify-writes, seq_cst stores and
//                   seq_cst fences empty the own buffer, `membarrier` empties all. So a missing
//                   fence in a protocol of Dekker's kind is found
//   happens-before  by vector clocks, from the orders that the accesses name: a Cell (plain memory)
//                   that two threads touch without an acquire of a release between is a failure, in
//                   whatever order they came. So an order that is too weak to hand something over
//                   is found, though no value is ever reordered as a weaker machine than x86 might
// What is not: loads that pass loads, spurious failures of compare_exchange_weak, and which of two
// threads' hidden stores to the same word comes out first.
//
// Nothing is decided before an access whose time no other thread can tell: a read of what nobody
// else ever writes, a write of what nobody else ever looks at. Who uses what is learnt on the way;
// when something new is learnt the exploration begins again. Hidden stores come out, or not, just
// when another thread looks.
//
// A run fails by `check`, RT_CHECK, a data race, or when nobody can go on though somebody waits.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace airssys::rt::model {

// Makes every access of one sort weaker than it says, to show that a test notices: a protocol whose
// test still passes then either does not need that order, or is not tested.
enum class Weakness : std::uint8_t {
  none,
  stores_do_not_release,
  updates_do_not_release,
  updates_do_not_acquire,
  loads_do_not_acquire,
  no_membarrier,
};

struct Bounds {
  unsigned preemptions = 2;
  unsigned delayed_stores = 2;
  unsigned steps = 1000;           // of one run; a run that takes more counts as cut off
  std::uint64_t runs = 3'000'000;  // then the exploration is given up
  Weakness weakness = Weakness::none;
  // Under a sanitizer, too, which else lowers these bounds: for mistakes that are not seen below.
  bool are_firm = false;
};

struct Outcome {
  bool passed = true;
  bool complete = true;  // every run within the bounds has been tried, none was cut off
  std::uint64_t runs = 0;
  std::string report;  // what failed, and the schedule that led to it

  // What a test expects of a protocol that is right.
  explicit operator bool() const noexcept { return passed && complete; }
};

// One run of the program: made anew each time by the function given to `explore`.
class Program {
 public:
  void thread(std::function<void()> body) { threads_.push_back(std::move(body)); }
  // Runs when all threads have ended, and sees everything.
  void finally(std::function<void()> body) { finally_ = std::move(body); }

 private:
  friend class Explorer;
  std::vector<std::function<void()>> threads_;
  std::function<void()> finally_;
};

[[nodiscard]] Outcome explore(const std::function<void(Program&)>& program, Bounds bounds = {});

// For the program's threads.
void check(bool condition, const char* what);
// A step that does nothing: others may come between what stands before and behind it.
void pause();
// The calling thread goes on only while `condition` holds. It looks at plain memory, at no atomic,
// and whatever it finds there is read again through an atomic by who needs it.
void wait_until(std::function<bool()> condition);

}  // namespace airssys::rt::model
