// assert.hpp: checks of what must hold; a broken one ends the program with a sentence.
//
// RT_CHECK       always on, in every build. The message names the invariant that broke.
// RT_INVARIANT   debug builds only: for walks over whole structures.
// RT_UNREACHABLE always on, for a place that no path may reach.
// None of them ever becomes an assumption the compiler may build on. They are for mistakes of the
// runtime itself; what a caller or a process does wrong travels as a value or as an exception.
#pragma once

namespace airssys::rt::base {

/// Prints where and what broke to stderr and aborts. Allocates nothing, takes no lock; any thread.
[[noreturn, gnu::cold, gnu::noinline]] void check_failed(const char* file,
                                                         int line,
                                                         const char* condition,
                                                         const char* message) noexcept;

}  // namespace airssys::rt::base

#define RT_CHECK(condition, message)                                                \
  (__builtin_expect(!(condition), 0)                                                \
       ? ::airssys::rt::base::check_failed(__FILE__, __LINE__, #condition, message) \
       : static_cast<void>(0))

#define RT_UNREACHABLE(why) \
  ::airssys::rt::base::check_failed(__FILE__, __LINE__, "unreachable", why)

#ifdef NDEBUG
#define RT_INVARIANT(condition, message) static_cast<void>(0)
#else
#define RT_INVARIANT(condition, message) RT_CHECK(condition, message)
#endif
