// failing_messages.hpp: messages whose destructors fail, which they should not (Z13).
//
// What has been moved from does not fail.
#pragma once

#include <exception>
#include <utility>

namespace airssys::rt::support {

// Where an exception that meets noexcept ends up, without the exception: that would leak.
inline void violate() noexcept {
  std::terminate();
}

class Explosive {
 public:
  Explosive() = default;
  Explosive(Explosive&& other) noexcept : is_armed_(std::exchange(other.is_armed_, false)) {}
  Explosive& operator=(Explosive&&) = delete;
  ~Explosive() {
    if (is_armed_) violate();
  }

 private:
  bool is_armed_ = true;
};

// Its destructor overflows the stack.
class Deep {
 public:
  Deep() = default;
  Deep(Deep&& other) noexcept : is_armed_(std::exchange(other.is_armed_, false)) {}
  Deep& operator=(Deep&&) = delete;
  ~Deep() {
    if (is_armed_) go_deep(0);
  }

 private:
  // Without end, which the compiler cannot know.
  // NOLINTNEXTLINE(misc-no-recursion): that is the point.
  [[gnu::noinline]] static int go_deep(int depth) {
    volatile char frame[512];
    frame[0] = static_cast<char>(depth);
    return depth == 1'000'000 ? 0 : go_deep(depth + 1) + frame[0];
  }

  bool is_armed_ = true;
};

}  // namespace airssys::rt::support
