// no_unwind.cpp: a call in a call is no safe point.
#include <airssys/rt/no_unwind.hpp>

#include "runtime/call.hpp"

namespace airssys::rt::detail {

void call_without_unwind(void (*f)(void*), void* context) {
  if (!runtime::calling_process()) return f(context);
  const runtime::Call inside(runtime::Call::Kind::plain);
  f(context);
}

}  // namespace airssys::rt::detail
