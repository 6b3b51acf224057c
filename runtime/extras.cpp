// extras.cpp: made, emptied, freed.
#include "runtime/extras.hpp"

#include <utility>

#include "runtime/run.hpp"

namespace airssys::rt::runtime {

Extras& extras_of(Process& process) {
  if (Extras* extras = process.own_extras()) return *extras;
  auto* extras = new Extras;
  // release: pairs with label_of: who finds the block sees it whole.
  process.extras.store(extras, std::memory_order_release);
  return *extras;
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
  delete own_extras();
  // relaxed: nobody looks at a block that is made like new.
  extras.store(nullptr, std::memory_order_relaxed);
}

}  // namespace airssys::rt::runtime
