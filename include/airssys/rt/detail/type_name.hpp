// type_name.hpp: a type's name as a person writes it, at compile time.
//
// Used in crash reports, dead letters and the inspector. Taken out of the text that the compiler
// keeps for a function template's signature; both compilers write `T = name` there.
#pragma once

#include <string_view>

namespace airssys::rt::detail {

template <class T>
consteval std::string_view type_name() {
  std::string_view text = __PRETTY_FUNCTION__;
  std::size_t begin = text.find("T = ") + 4;
  std::size_t end = text.find(';', begin);  // g++ goes on with "; std::string_view = ..."
  if (end == std::string_view::npos) end = text.rfind(']');
  return text.substr(begin, end - begin);
}

}  // namespace airssys::rt::detail
