// hibernator.cpp: going round, putting stacks away in batches, and fetching them.
#include "runtime/hibernator.hpp"

#include <airssys/rt/error.hpp>
#include <airssys/rt/process.hpp>
#include <array>
#include <chrono>
#include <memory>
#include <span>
#include <utility>

#include "fiber/stack.hpp"
#include "fiber/stack_copy.hpp"
#include "runtime/call.hpp"
#include "runtime/system.hpp"

namespace airssys::rt::runtime {

namespace {

// Looked at with nobody else between: a tenth of a millisecond when all of them are put away.
constexpr std::uint32_t slots_at_once = 128;
static_assert(slots_at_once <= fiber::StackPool::drop_max);

// How it looks now: differs from what was seen before if it has run since, but for one case in 253.
std::uint8_t mark_of(const Process& process) noexcept {
  return static_cast<std::uint8_t>(unseen + 1 + process.reductions.read() % (is_away - unseen - 1));
}

bool waits_for_mail(const Process& process) noexcept {
  // relaxed: whether that is still so is found out when it is held.
  const WaitReason reason = process.wait_reason.load(std::memory_order_relaxed);
  return reason == WaitReason::receive || reason == WaitReason::hibernation;
}

}  // namespace

// Those of one step that are held, from claim to end_claims. In between the thread stays inside.
class Hibernator::Batch {
 public:
  explicit Batch(Hibernator& hibernator) noexcept : hibernator_(hibernator) {}
  Batch(const Batch&) = delete;
  Batch& operator=(const Batch&) = delete;
  ~Batch() { end_claims(); }

  // False: it is up, and stays so for now. Another Walk's last round may be looking as well.
  bool is_away_or_taken(Process& process) noexcept {
    // relaxed: a hint; that of is_up is behind a fence (rounds.hpp).
    std::uint8_t seen = process.hibernation_mark.load(std::memory_order_relaxed);
    if (seen == stays || seen == is_away) return true;
    const std::uint8_t now = mark_of(process);
    if (seen != now) {
      // relaxed, twice: nothing comes by it; not a plain store, for who is fetched writes as well.
      process.hibernation_mark.compare_exchange_strong(
          seen, now, std::memory_order_relaxed, std::memory_order_relaxed);
      return false;
    }
    if (!waits_for_mail(process) || !process.inbox.claim()) return false;
    if (take(process)) return true;
    end_claim(process);
    return false;
  }

 private:
  // Requires: it is held.
  bool take(Process& process) noexcept {
    if (!process.fiber || process.waits || process.pending || is_unwinding(process)) return false;
    fiber::Fiber& fiber = *process.fiber;
    fiber::StackCopy* copy = fiber::copy_out(fiber);
    if (!copy) return false;
    process.fiber = nullptr;
    process.stack_copy = copy;
    process.stack_class = scheduler::away;
    process.hibernation_mark.store(is_away, std::memory_order_relaxed);  // relaxed: by its holder
    held_[count_] = &process;
    fibers_[count_++] = &fiber;
    return true;
  }

  void end_claims() noexcept {
    if (count_ == 0) return;
    fiber::StackPool::drop(std::span(fibers_).first(count_));
    // relaxed: a figure.
    hibernator_.put_away_.fetch_add(count_, std::memory_order_relaxed);
    for (Process* process : std::span(held_).first(count_)) end_claim(*process);
  }

  void end_claim(Process& process) noexcept {
    if (!process.inbox.try_idle()) scheduler::Thread::current()->make_runnable(process);
  }

  Hibernator& hibernator_;
  std::array<Process*, slots_at_once> held_;
  std::array<fiber::Fiber*, slots_at_once> fibers_;
  std::size_t count_ = 0;
};

fiber::Fiber& fetch_stack(scheduler::Task& task) noexcept {
  auto& process = static_cast<Process&>(task);
  fiber::Fiber& fiber = fiber::copy_back(process.stack_copy);
  process.waits = 0;
  process.fiber = &fiber;
  process.stack_class = fiber.size_class;
  Hibernator& hibernator = current_system().hibernator;
  hibernator.fetched_.fetch_add(1, std::memory_order_relaxed);  // relaxed: a figure
  hibernator.is_up(process);
  return fiber;
}

void Hibernator::is_up(Process& process) noexcept {
  if (after_ns_ == 0) return;
  // relaxed: Rounds::is_up orders it.
  process.hibernation_mark.store(unseen, std::memory_order_relaxed);
  if (rounds_.is_up()) start_walk();
}

// Not while the runtime stops: whoever is fetched then is about to end. The Walk belongs to the
// process's program, for it may be killed before its first turn.
void Hibernator::start_walk() noexcept {
  auto walk = std::make_unique<Rounds::Walk>(rounds_);
  if (system_.refuses_spawns()) return;
  struct GoesRound {
    Hibernator& hibernator;
    std::unique_ptr<Rounds::Walk> walk;
    void operator()() const { hibernator.go_round(*walk); }
  };
  try {
    Process& process = system_.create_own(detail::make_body(GoesRound{*this, std::move(walk)}));
    process.level = scheduler::Level::low;
    system_.launch(process);
  } catch (const SpawnError&) {
    // No slot is left: the next one who is up tries again.
  }
}

void Hibernator::go_round(Rounds::Walk& walk) {
  do {
    sleep(std::chrono::nanoseconds(after_ns_));
    walk.begin_round();
  } while (walk.goes_on(find_somebody_up()));
}

// One round, which puts away whom it can.
bool Hibernator::find_somebody_up() {
  bool found_somebody_up = false;
  std::uint32_t slot = 0;
  do {
    {
      const Call call;
      Batch batch(*this);
      slot = system_.table.each(slot, slot + slots_at_once, [&](Process& process) {
        if (!batch.is_away_or_taken(process)) found_somebody_up = true;
      });
    }
    yield();
  } while (slot != 0);
  return found_somebody_up;
}

}  // namespace airssys::rt::runtime
