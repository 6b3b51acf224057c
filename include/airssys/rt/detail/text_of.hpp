// text_of.hpp: any value as people read it, where only its type is known.
#pragma once

#include <airssys/rt/detail/type_name.hpp>
#include <concepts>
#include <string>
#include <string_view>
#include <type_traits>

namespace airssys::rt::detail {

// By its to_string(), as text, as a number, or by its type's name. Throws what to_string throws.
template <class T>
std::string text_of(const T& value) {
  if constexpr (requires {
                  { value.to_string() } -> std::convertible_to<std::string>;
                }) {
    return value.to_string();
  } else if constexpr (std::convertible_to<const T&, std::string_view>) {
    return std::string(std::string_view(value));
  } else if constexpr (std::is_arithmetic_v<T>) {
    return std::to_string(value);
  } else {
    return std::string(type_name<T>());
  }
}

}  // namespace airssys::rt::detail
