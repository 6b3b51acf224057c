// stress.hpp: how large the tests with real threads are.
//
// Modest by default, so that they run with everything else and under the sanitizers. To hunt for
// something rare: AIRSSYS_RT_STRESS=100 makes each of them a hundred times as long.
#pragma once

#include <charconv>
#include <cstddef>
#include <cstdlib>
#include <string_view>

namespace airssys::rt::support {

inline std::size_t stress_factor() {
  const char* text = std::getenv("AIRSSYS_RT_STRESS");
  if (text == nullptr) return 1;
  const std::string_view digits(text);
  std::size_t factor = 1;
  std::from_chars(digits.data(), digits.data() + digits.size(), factor);
  return factor;
}

inline std::size_t stress_size(std::size_t modest) {
  return modest * stress_factor();
}

}  // namespace airssys::rt::support
