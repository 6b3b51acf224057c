// crc32c.cpp: the processor's own instruction where it has one; else eight tables, in which eight
// bytes are looked up side by side ("slicing by eight").
//
// Table 0 advances the sum over one byte; table n over one byte and n zero bytes behind it.
#include "examples/kvd/crc32c.hpp"

#include <array>
#include <bit>
#include <cstddef>
#include <cstring>

namespace kvd {
namespace {

static_assert(std::endian::native == std::endian::little, "bytes are loaded as they lie in memory");

using Tables = std::array<std::array<std::uint32_t, 256>, 8>;

constexpr Tables make_tables() {
  constexpr std::uint32_t polynomial = 0x82F63B78;  // reflected
  Tables tables{};
  for (std::uint32_t byte = 0; byte < 256; ++byte) {
    std::uint32_t sum = byte;
    for (int bit = 0; bit < 8; ++bit) sum = (sum >> 1) ^ ((sum & 1) != 0 ? polynomial : 0);
    tables[0][byte] = sum;
  }
  for (std::size_t n = 1; n < tables.size(); ++n) {
    for (std::size_t byte = 0; byte < 256; ++byte) {
      std::uint32_t shorter = tables[n - 1][byte];
      tables[n][byte] = (shorter >> 8) ^ tables[0][shorter & 0xFF];
    }
  }
  return tables;
}

constexpr Tables tables = make_tables();

// The first eight bytes, taken off.
std::uint64_t take_word(std::string_view& bytes) noexcept {
  std::uint64_t word = 0;
  std::memcpy(&word, bytes.data(), sizeof word);
  bytes.remove_prefix(sizeof word);
  return word;
}

std::uint32_t advance_by_tables(std::uint32_t sum, std::string_view bytes) noexcept {
  while (bytes.size() >= 8) {
    std::uint64_t word = take_word(bytes) ^ sum;
    sum = tables[7][word & 0xFF] ^ tables[6][word >> 8 & 0xFF] ^ tables[5][word >> 16 & 0xFF] ^
          tables[4][word >> 24 & 0xFF] ^ tables[3][word >> 32 & 0xFF] ^
          tables[2][word >> 40 & 0xFF] ^ tables[1][word >> 48 & 0xFF] ^ tables[0][word >> 56];
  }
  for (char c : bytes) sum = (sum >> 8) ^ tables[0][(sum ^ static_cast<unsigned char>(c)) & 0xFF];
  return sum;
}

#ifdef __x86_64__

[[gnu::target("sse4.2")]] std::uint32_t advance_by_instruction(std::uint32_t sum,
                                                               std::string_view bytes) noexcept {
  std::uint64_t wide = sum;
  while (bytes.size() >= 8) wide = __builtin_ia32_crc32di(wide, take_word(bytes));
  sum = static_cast<std::uint32_t>(wide);
  for (char c : bytes) sum = __builtin_ia32_crc32qi(sum, static_cast<unsigned char>(c));
  return sum;
}

const auto advance =
    __builtin_cpu_supports("sse4.2") ? &advance_by_instruction : &advance_by_tables;

#else

constexpr auto advance = &advance_by_tables;

#endif

}  // namespace

std::uint32_t crc32c_by_tables(std::string_view bytes) noexcept {
  return ~advance_by_tables(~std::uint32_t{0}, bytes);
}

std::uint32_t crc32c(std::string_view bytes) noexcept {
  return ~advance(~std::uint32_t{0}, bytes);
}

}  // namespace kvd
