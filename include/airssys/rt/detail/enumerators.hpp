// enumerators.hpp: which values of an enumeration have a name, and how each is called.
//
// Looked up in the text that the compiler keeps for a function template's signature: a value with a
// name stands there by its name, any other as a cast. Values from 0 to 63 are looked at.
#pragma once

#include <array>
#include <cstddef>
#include <string_view>
#include <type_traits>
#include <utility>

namespace airssys::rt::detail {

inline constexpr std::size_t enumerators_max = 64;

// Whether this can be told from others by its name: whatever is no enumerator can.
template <class S>
consteval bool may_be_state(S state) {
  if constexpr (std::is_enum_v<S>) {
    return std::cmp_greater_equal(std::to_underlying(state), 0) &&
           std::cmp_less(std::to_underlying(state), enumerators_max);
  } else {
    return true;
  }
}

// The enumerator's name without its scope, or empty.
template <auto V>
consteval std::string_view value_name() {
  std::string_view text = __PRETTY_FUNCTION__;
  const std::size_t begin = text.find("V = ") + 4;
  std::size_t end = text.find(';', begin);  // g++ goes on with "; std::string_view = ..."
  if (end == std::string_view::npos) end = text.rfind(']');
  text = text.substr(begin, end - begin);
  if (text.front() == '(') return {};
  return text.substr(text.rfind(':') + 1);
}

template <class E, std::size_t... I>
consteval auto names_of(std::index_sequence<I...>) {
  return std::array<std::string_view, sizeof...(I)>{value_name<static_cast<E>(I)>()...};
}

// By value; empty where there is no enumerator.
template <class E>
inline constexpr std::array<std::string_view, enumerators_max> enumerator_names =
    names_of<E>(std::make_index_sequence<enumerators_max>());

template <class E>
consteval std::size_t count_enumerators() {
  std::size_t count = 0;
  for (std::string_view name : enumerator_names<E>) count += name.empty() ? 0 : 1;
  return count;
}

template <class E>
consteval auto list_enumerators() {
  std::array<E, count_enumerators<E>()> list{};
  std::size_t count = 0;
  for (std::size_t i = 0; i < enumerators_max; ++i) {
    if (!enumerator_names<E>[i].empty()) list[count++] = static_cast<E>(i);
  }
  return list;
}

template <class E>
inline constexpr auto enumerators = list_enumerators<E>();

}  // namespace airssys::rt::detail
