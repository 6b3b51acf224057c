// random.hpp: the suite's two generators, exact, so that inputs are the same in every language.
//
// R16 is the suite's own: 16 bits of state, full period, very weak low bits. J48 is the 48-bit
// generator known from the Java library. The tables of the definition are checked by the compiler.
#pragma once

#include <cstdint>

namespace savina {

class R16 {
 public:
  constexpr explicit R16(std::uint64_t seed = 74755) noexcept : state_(seed) {}

  constexpr std::int64_t draw() noexcept {
    state_ = (state_ * 1309 + 13849) % 65536;
    return static_cast<std::int64_t>(state_);
  }
  constexpr std::int64_t mod(std::int64_t m) noexcept { return draw() % m; }
  constexpr double unit() noexcept { return 1.0 / static_cast<double>(draw() + 1); }

 private:
  std::uint64_t state_;
};

class J48 {
 public:
  constexpr explicit J48(std::uint64_t seed) noexcept : state_((seed ^ factor) & mask) {}

  // The top `count` of the 48 bits.
  constexpr std::int64_t bits(unsigned count) noexcept {
    state_ = (state_ * factor + 0xB) & mask;
    return static_cast<std::int64_t>(state_ >> (48 - count));
  }
  constexpr bool flip() noexcept { return bits(1) == 1; }
  constexpr double unit() noexcept {
    const std::int64_t high = bits(26);
    return static_cast<double>((high << 27) + bits(27)) / static_cast<double>(1LL << 53);
  }
  constexpr std::int64_t mod(std::int64_t m) noexcept {
    std::int64_t r = bits(31);
    if ((m & (m - 1)) == 0) return (m * r) >> 31;
    while (r - r % m + (m - 1) >= (1LL << 31)) r = bits(31);
    return r % m;
  }

 private:
  static constexpr std::uint64_t factor = 0x5DEECE66D;
  static constexpr std::uint64_t mask = (1ULL << 48) - 1;

  std::uint64_t state_;
};

namespace table {

constexpr bool draws(std::uint64_t seed, std::int64_t a, std::int64_t b, std::int64_t c) {
  R16 random(seed);
  return random.draw() == a && random.draw() == b && random.draw() == c;
}
static_assert(draws(0, 13849, 54254, 56847) && draws(1, 15158, 63799, 33876));
static_assert(draws(1024, 43545, 63470, 61967) && draws(74755, 22896, 34761, 34014));

constexpr bool mods(std::uint64_t seed, std::int64_t a, std::int64_t b, std::int64_t c) {
  J48 random(seed);
  return random.mod(100) == a && random.mod(100) == b && random.mod(100) == c;
}
static_assert(mods(2, 8, 72, 40) && mods(123456, 23, 47, 67) && mods(10101010, 25, 56, 70));
static_assert(J48(2).bits(32) == 3140252217 && J48(123456).bits(32) == 1774763047);
static_assert(J48(2).unit() == 0.7311469360199058 && J48(2).flip());

}  // namespace table

// Work of k draws; in place of the original's busy-waits. Calls nothing.
inline void burn(R16& state, std::int64_t k) noexcept {
  std::int64_t last = 0;
  for (std::int64_t i = 0; i < k; ++i) last = state.draw();
  asm volatile("" : : "r"(last));  // the compiler may not conclude that nobody needs it
}

}  // namespace savina
