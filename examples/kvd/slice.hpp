// slice.hpp: where an argument lies in its input.
//
// An offset and not a pointer, because the input grows, and may move, while a command is still
// arriving. Whoever holds the input turns a slice into bytes.
#pragma once

#include <cstdint>
#include <string_view>

namespace kvd {

struct Slice {
  std::uint32_t offset = 0;
  std::uint32_t length = 0;

  [[nodiscard]] std::string_view of(std::string_view input) const noexcept {
    return input.substr(offset, length);
  }
};

}  // namespace kvd
