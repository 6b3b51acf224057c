// extras.cpp: made, emptied, freed.
#include "runtime/extras.hpp"

#include <utility>

#include "runtime/run.hpp"

namespace airssys::rt::runtime {

Extras& extras_of(Process& process) {
  if (Extras* extras = process.own_extras()) return *extras;
  auto* extras = new Extras;
  extras->bounds.reset(bounds_of(process));
  // release: pairs with extras_seen and bounds_of: who finds the block sees it whole.
  process.extras_word.store(reinterpret_cast<std::intptr_t>(extras), std::memory_order_release);
  process.has_extras = true;
  return *extras;
}

void give_bounds(Process& process, BoundsShare bounds) noexcept {
  // release: pairs with bounds_of.
  process.extras_word.store(-reinterpret_cast<std::intptr_t>(bounds.release()),
                            std::memory_order_release);
}

void empty_extras(Process& process) {
  Extras* extras = process.own_extras();
  extras->idle_timer.reset();
  extras->priority_end.reset();
  if (extras->hibernation.next_body)
    run_code([body = std::move(extras->hibernation.next_body)]() mutable { body.reset(); });
  while (Dictionary::Value value = extras->dictionary.take_any())
    run_code([&value] { value.reset(); });
}

void Process::delete_extras() noexcept {
  if (Extras* extras = own_extras()) {
    delete extras;
  } else {
    ReleaseBounds{}(bounds_of(*this));
  }
  // relaxed: nobody looks at a block that is made like new.
  extras_word.store(0, std::memory_order_relaxed);
  has_extras = false;
}

}  // namespace airssys::rt::runtime
