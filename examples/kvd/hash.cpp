// hash.cpp: multiply and fold, eight bytes a step.
//
// The 128-bit product of two words, its halves xored, mixes every bit into every other: the low
// bits are as good as the high ones, and both are used. The length is mixed in first, so that zero
// bytes at the end of a key count.
#include "examples/kvd/hash.hpp"

#include <bit>
#include <cstddef>
#include <cstring>

namespace kvd {
namespace {

static_assert(std::endian::native == std::endian::little, "bytes are loaded as they lie in memory");

__extension__ using Product = unsigned __int128;

// Odd numbers with no pattern: digits of the golden ratio, of pi and of e.
constexpr std::uint64_t golden = 0x9E3779B97F4A7C15;
constexpr std::uint64_t pi = 0x243F6A8885A308D3;
constexpr std::uint64_t e = 0xB7E151628AED2A6B;

std::uint64_t fold(std::uint64_t a, std::uint64_t b) noexcept {
  Product product = Product{a} * b;
  return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
}

std::uint64_t load(std::string_view bytes) noexcept {
  std::uint64_t word = 0;
  std::memcpy(&word, bytes.data(), bytes.size());
  return word;
}

}  // namespace

std::uint64_t hash_of(std::string_view key) noexcept {
  std::uint64_t hash = fold(key.size() ^ pi, golden);
  for (; key.size() > 8; key.remove_prefix(8)) hash = fold(hash ^ load(key.substr(0, 8)), golden);
  return fold(fold(hash ^ load(key), e), golden);
}

}  // namespace kvd
