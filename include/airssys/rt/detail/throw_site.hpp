// throw_site.hpp: where code failed, for who catches its exception and tells of it.
#pragma once

#include <string>
#include <vector>

namespace airssys::rt::detail {

// Where code of the calling process failed.
struct ThrowSite {
  std::vector<std::string> stack;  // calls, the innermost first, without that of rt::exit
  std::string place;  // of the throw, outside of the C++ library where that helped; none: an exit
};

// Calls f(argument), and notes the stack of what it throws, which passes through. For processes.
void call_noting(void (*f)(void*), void* argument);

// What was noted last, to be asked before anything else can fail. For processes.
ThrowSite last_throw_site();

}  // namespace airssys::rt::detail
