// no_safe_point.cpp: a call in a call is no safe point.
#include <airssys/rt/detail/no_safe_point.hpp>

#include "runtime/call.hpp"

namespace airssys::rt::detail {

void call_without_safe_points(void (*f)(void*), void* context) {
  if (!runtime::calling_process()) return f(context);
  const runtime::Call inside(runtime::Call::Kind::plain);
  f(context);
}

}  // namespace airssys::rt::detail
