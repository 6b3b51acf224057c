// pid.cpp: how a pid prints.
#include <airssys/rt/pid.hpp>
#include <charconv>

namespace airssys::rt {

std::string Pid::to_string() const {
  std::string text;
  const auto add = [&text](char before, std::uint32_t number) {
    char digits[10];
    char* const end = std::to_chars(digits, digits + sizeof(digits), number).ptr;
    text.append(1, before).append(digits, end);
  };
  add('<', node());
  add('.', slot());
  add('.', generation());
  return text += '>';
}

}  // namespace airssys::rt
