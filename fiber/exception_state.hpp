// exception_state.hpp: the C++ exception state, which belongs to a thread, travels with the fiber.
//
// The ABI keeps two words per thread: the stack of exceptions that are being handled and the number
// that are in flight. A fiber that waits inside a catch block and is resumed elsewhere would find
// another fiber's exceptions there and rethrow the wrong one, silently. So each switch exchanges
// the two words, through a pointer that the thread learnt once: asking the ABI at every switch
// costs more than the switch.
#pragma once

namespace airssys::rt::fiber {

/// The layout of __cxa_eh_globals as the Itanium C++ ABI fixes it.
struct ExceptionState {
  void* caught = nullptr;
  unsigned int uncaught = 0;
};

}  // namespace airssys::rt::fiber
