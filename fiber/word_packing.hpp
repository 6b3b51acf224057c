// word_packing.hpp: words without the bytes that can be told without them.
//
//   | forms: 4 bits for each word | the low bytes of each word, as many as its form says | slack |
//
// Most words of parked frames are zero, others are addresses in the same stack or of code, so that
// what a stack holds is packed to a quarter of its size. Little-endian processors only.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "fiber/sanitizer.hpp"

namespace airssys::rt::fiber {

static_assert(std::endian::native == std::endian::little);

/// Words of the same 64 KiB as the one, or of the same 4 GiB as the other, are kept by what they
/// differ in. The same for pack and unpack.
struct Near {
  std::uint64_t in_64_kib;
  std::uint64_t in_4_gib;
};

namespace detail {

// 0 to 8: so many bytes, above them zeros.
inline constexpr std::size_t in_64_kib = 9;
inline constexpr std::size_t in_4_gib = 10;
inline constexpr std::size_t forms = 11;

inline constexpr std::array<std::size_t, forms> bytes_of = {0, 1, 2, 3, 4, 5, 6, 7, 8, 2, 4};

inline constexpr std::size_t slack_bytes = 8;  // each word is written and read as a whole

constexpr std::size_t form_of(std::uint64_t word, const Near& near) noexcept {
  const std::size_t bytes = (static_cast<std::size_t>(std::bit_width(word)) + 7) / 8;
  if (bytes > 2 && (word ^ near.in_64_kib) >> 16 == 0) return in_64_kib;
  if (bytes > 4 && (word ^ near.in_4_gib) >> 32 == 0) return in_4_gib;
  return bytes;
}

constexpr std::size_t bytes_of_forms(std::size_t words) noexcept {
  return (words + 1) / 2;
}

}  // namespace detail

/// How many bytes pack takes. It reads what ASan keeps off, as does pack.
RT_UNSANITIZED inline std::size_t packed_bytes(const std::uint64_t* words,
                                               std::size_t count,
                                               const Near& near) noexcept {
  std::size_t bytes = detail::bytes_of_forms(count) + detail::slack_bytes;
  for (std::size_t i = 0; i < count; ++i)
    bytes += detail::bytes_of[detail::form_of(words[i], near)];
  return bytes;
}

RT_UNSANITIZED inline void pack(const std::uint64_t* words,
                                std::size_t count,
                                const Near& near,
                                std::byte* to) noexcept {
  std::byte* forms = to;
  std::byte* bytes = to + detail::bytes_of_forms(count);
  for (std::size_t i = 0; i < count; ++i) {
    const std::uint64_t word = words[i];
    const std::size_t form = detail::form_of(word, near);
    forms[i / 2] = i % 2 == 0 ? std::byte(form) : forms[i / 2] | std::byte(form << 4);
    std::memcpy(bytes, &word, sizeof word);
    bytes += detail::bytes_of[form];
  }
}

/// What pack has packed.
RT_UNSANITIZED inline void unpack(const std::byte* from,
                                  std::uint64_t* words,
                                  std::size_t count,
                                  const Near& near) noexcept {
  constexpr std::uint64_t all = ~std::uint64_t{0};
  std::array<std::uint64_t, detail::forms> high{};
  high[detail::in_64_kib] = near.in_64_kib & all << 16;
  high[detail::in_4_gib] = near.in_4_gib & all << 32;
  const std::byte* forms = from;
  const std::byte* bytes = from + detail::bytes_of_forms(count);
  for (std::size_t i = 0; i < count; ++i) {
    const auto pair = static_cast<std::size_t>(forms[i / 2]);
    const std::size_t form = i % 2 == 0 ? pair & 15 : pair >> 4;
    const std::size_t length = detail::bytes_of[form];
    std::uint64_t low = 0;
    std::memcpy(&low, bytes, sizeof low);
    words[i] = high[form] | (length == 0 ? 0 : low & (all >> (64 - 8 * length)));
    bytes += length;
  }
}

}  // namespace airssys::rt::fiber
