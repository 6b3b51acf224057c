// signals.hpp: random programs of what processes do to each other.
//
// Plain values. A few slots each hold a process, which may have ended; a step says what the process
// in one slot does, to the one in another. Numbers fit whatever is there by then, so every step can
// be left out when rapidcheck makes a program smaller.
#pragma once

#include <rapidcheck.h>

#include <airssys/rt.hpp>
#include <cstddef>
#include <cstdint>
#include <ostream>
#include <string>
#include <vector>

namespace airssys::rt::property {

inline constexpr std::size_t slots = 4;

enum class Op : std::uint8_t {
  note,       // sends a numbered message
  note_name,  // the same, to a name
  link,
  unlink,
  monitor,
  demonitor,  // one of those it has made
  end,
  send_exit,
  trap,  // exits from now on, or no more
  name,  // gives the other a name
  unname,
  look_up,
  drain,  // receives all that has come
};
inline constexpr int ops = static_cast<int>(Op::drain) + 1;

struct Step {
  std::size_t slot;
  Op op;
  std::size_t other;
  unsigned variant;
};

struct SignalProgram {
  std::vector<Step> steps;
};

// What a variant means to the ops that have one.
ExitReason end_reason(unsigned variant);   // of `end`
ExitReason exit_reason(unsigned variant);  // of `send_exit`
std::string name_of(unsigned variant);
constexpr bool is_on(unsigned variant) {
  return variant % 2 == 0;
}

std::ostream& operator<<(std::ostream& out, const SignalProgram& program);

}  // namespace airssys::rt::property

namespace rc {

template <>
struct Arbitrary<airssys::rt::property::SignalProgram> {
  static Gen<airssys::rt::property::SignalProgram> arbitrary();
};

}  // namespace rc
