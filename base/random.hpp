// random.hpp: a small seeded generator; the one source of chance in the runtime.
//
// Same seed, same sequence, on every machine: a run that chose by it can be repeated. It is not for
// secrets. The generator is splitmix64: one word of state, every seed is good (0 too).
#pragma once

#include <cstdint>

namespace airssys::rt::base {

class Random {
 public:
  explicit Random(std::uint64_t seed) noexcept : state_(seed) {}

  /// 64 fresh bits. One caller at a time.
  std::uint64_t next() noexcept {
    state_ += 0x9e3779b97f4a7c15;
    std::uint64_t mixed = state_;
    mixed = (mixed ^ (mixed >> 30)) * 0xbf58476d1ce4e5b9;
    mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111eb;
    return mixed ^ (mixed >> 31);
  }

  /// A number in [0, bound); 0 when bound is 0. The bias is below bound / 2^32.
  std::uint32_t below(std::uint32_t bound) noexcept {
    return static_cast<std::uint32_t>(((next() >> 32) * bound) >> 32);
  }

 private:
  std::uint64_t state_;
};

}  // namespace airssys::rt::base
