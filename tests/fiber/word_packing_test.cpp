// word_packing_test.cpp: what is packed comes back, and takes as many bytes as it should.
// Method: words of each form, at even and odd places, and many at random; blocks of exactly the
// size asked for, so that ASan sees a byte beyond.
#include "fiber/word_packing.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <memory>
#include <vector>

#include "base/random.hpp"

namespace airssys::rt::fiber::word_packing_test {
namespace {

constexpr Near near{0x7ffb'f623'fdc0, 0x5555'555d'10d0};

std::size_t pack_and_compare(const std::vector<std::uint64_t>& words) {
  const std::size_t bytes = packed_bytes(words.data(), words.size(), near);
  const auto packed = std::make_unique<std::byte[]>(bytes);
  pack(words.data(), words.size(), near, packed.get());
  std::vector<std::uint64_t> unpacked(words.size(), 99);
  unpack(packed.get(), unpacked.data(), unpacked.size(), near);
  EXPECT_EQ(unpacked, words);
  return bytes;
}

TEST(WordPacking, a_word_takes_its_low_bytes_and_half_a_byte) {
  const std::size_t empty = pack_and_compare({});
  EXPECT_EQ(pack_and_compare(std::vector<std::uint64_t>(100, 0)), empty + 50);
  for (std::size_t length = 1; length <= 8; ++length) {
    const std::uint64_t most = ~std::uint64_t{0} >> (64 - 8 * length);
    const std::uint64_t least = std::uint64_t{1} << (8 * length - 8);
    for (const std::uint64_t word : {most, least})
      EXPECT_EQ(pack_and_compare({word, word, word}), empty + 2 + 3 * length);
  }
}

TEST(WordPacking, one_that_is_near_takes_what_it_differs_in) {
  const std::size_t empty = pack_and_compare({});
  EXPECT_EQ(pack_and_compare({0x7ffb'f623'0000, 0x7ffb'f623'ffff}), empty + 1 + 2 * 2);
  EXPECT_EQ(pack_and_compare({0x5555'0000'0000, 0x5555'ffff'ffff}), empty + 1 + 2 * 4);
  // Just beyond.
  EXPECT_EQ(pack_and_compare({0x7ffb'f622'ffff, 0x7ffb'f624'0000}), empty + 1 + 2 * 6);
  EXPECT_EQ(pack_and_compare({0x5554'ffff'ffff, 0x5556'0000'0000}), empty + 1 + 2 * 6);
}

TEST(WordPacking, words_of_all_forms_come_back) {
  base::Random random(7);
  for (int round = 0; round < 1000; ++round) {
    std::vector<std::uint64_t> words(random.below(60));
    for (std::uint64_t& word : words) {
      const std::uint64_t high = random.below(~std::uint32_t{0});
      const std::uint64_t low = random.below(~std::uint32_t{0});
      word = (high << 32 | low) >> random.below(64);
      if (random.below(4) == 0) word = (word & 0xffff) | (near.in_64_kib & ~std::uint64_t{0xffff});
      if (random.below(4) == 0) word = (word & 0xffff'ffff) | (near.in_4_gib >> 32 << 32);
    }
    pack_and_compare(words);
  }
}

}  // namespace
}  // namespace airssys::rt::fiber::word_packing_test
