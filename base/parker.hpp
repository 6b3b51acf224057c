// parker.hpp: one thread sleeps until somebody unparks it.
//
// States   none ──unpark──▶ token ──park──▶ none         (an unpark before the park is not lost)
//          none ──park────▶ asleep ──unpark──▶ token, and the sleeper takes it
// Roles    park, park_for: one thread, the owner. unpark: any thread, any number of times.
// Rules    Tokens do not add up: two unparks before a park wake it once. park returns only for an
//          unpark: wake-ups without cause stay inside.
// Orders   unpark releases, park acquires: what the waker did before, the woken thread sees.
// Progress unpark of a thread that is awake is one exchange; of a sleeper one futex call more. The
//          Parker must outlive the call of unpark, not the wake itself.
#pragma once

#include <cstdint>

#include "base/futex.hpp"

namespace airssys::rt::base {

enum class Woken : std::uint8_t { unparked, timed_out };

class Parker {
 public:
  Parker() = default;
  Parker(const Parker&) = delete;
  Parker& operator=(const Parker&) = delete;
  ~Parker() = default;

  /// Sleeps until there is a token and takes it. Owner only; blocks the thread.
  void park() noexcept;

  /// As park, but for at most ns nanoseconds; zero or less only looks for a token.
  Woken park_for(std::int64_t ns) noexcept;

  /// Leaves a token, and wakes the owner if it sleeps. Any thread; never blocks.
  void unpark() noexcept;

 private:
  static constexpr std::uint32_t none = 0;
  static constexpr std::uint32_t token = 1;
  static constexpr std::uint32_t asleep = ~std::uint32_t{0};  // none - 1

  FutexWord word_{none};
};

}  // namespace airssys::rt::base
