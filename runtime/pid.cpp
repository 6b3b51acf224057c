// pid.cpp: how a pid prints.
#include <airssys/rt/pid.hpp>

namespace airssys::rt {

std::string Pid::to_string() const {
  return "<" + std::to_string(node()) + "." + std::to_string(slot()) + "." +
         std::to_string(generation()) + ">";
}

}  // namespace airssys::rt
