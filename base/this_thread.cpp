// this_thread.cpp: the thread-local words and their accessors.
//
// Compiled without LTO on purpose: this_thread.hpp says why. The asm takes the value in and gives
// it out again, so no compiler may conclude that two calls answer the same.
// Model "initial-exec": one load relative to the thread pointer, nothing allocated lazily, so that
// signal handlers may ask; a few words of static TLS are always there for a loaded library.
#include "base/this_thread.hpp"

#include <cxxabi.h>

namespace airssys::rt::base::this_thread {

namespace detail {
constinit thread_local void* slots[static_cast<unsigned>(Slot::count)] = {};
}

#ifndef AIRSSYS_RT_MODEL
[[gnu::tls_model("initial-exec")]] constinit thread_local Atomic<bool> must_give_way{false};
#endif

namespace {

using detail::slots;

template <class T>
T* opaque(T* pointer) noexcept {
  asm volatile("" : "+r"(pointer)::"memory");
  return pointer;
}

}  // namespace

void* get(Slot slot) noexcept {
  return *opaque(&slots[static_cast<unsigned>(slot)]);
}

void set(Slot slot, void* value) noexcept {
  *opaque(&slots[static_cast<unsigned>(slot)]) = value;
}

#ifndef AIRSSYS_RT_MODEL
Atomic<bool>& give_way_flag() noexcept {
  return *opaque(&must_give_way);
}
#endif

void* exception_globals() noexcept {
  return opaque(abi::__cxa_get_globals());
}

}  // namespace airssys::rt::base::this_thread
