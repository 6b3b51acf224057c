// canary.hpp: the last resort of a stack without a guard page: bytes that an overflow overwrites.
//
// 64 bytes at the stack's low end, compared at each switch out. A frame that jumps over them is not
// noticed, and what was noticed has happened already: other stacks may be damaged, so the program
// ends. Kernels with guard markers never need it.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "base/assert.hpp"

namespace airssys::rt::fiber {

inline constexpr std::array<std::uint64_t, 8> canary_words = {0x6b0d5ec1a7f39e24,
                                                              0x90c2f84db1367ea5,
                                                              0x3f71da69084cb2e8,
                                                              0xd85e127bc4a9063f,
                                                              0x24b7903ef5618dac,
                                                              0xe9163cd07a825bf4,
                                                              0x517fa6c82e0d94b3,
                                                              0xac428d15f96e3071};

inline void lay_canary(std::byte* low) noexcept {
  std::memcpy(low, canary_words.data(), sizeof canary_words);
}

inline void check_canary(const std::byte* low) noexcept {
  RT_CHECK(std::memcmp(low, canary_words.data(), sizeof canary_words) == 0,
           "a stack without a guard page has not overflowed");
}

}  // namespace airssys::rt::fiber
