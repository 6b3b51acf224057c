// on_unwind.hpp: something to do when code is left by an exception, or by the end of its process.
//
// A handler that rethrows could do it as well, but then the report of a crash would show where that
// stands: only what is not caught on its way keeps the place of its throw. Costs nothing when the
// code is left otherwise.
#pragma once

#include <utility>

namespace airssys::rt::detail {

template <class F>
class [[nodiscard]] OnUnwind {
 public:
  explicit OnUnwind(F f) noexcept : f_(std::move(f)) {}
  OnUnwind(const OnUnwind&) = delete;
  OnUnwind& operator=(const OnUnwind&) = delete;
  ~OnUnwind() {
    if (is_armed_) f_();
  }

  // The last thing that the code does.
  void disarm() noexcept { is_armed_ = false; }

 private:
  F f_;
  bool is_armed_ = true;
};

}  // namespace airssys::rt::detail
