// cache.hpp: who holds which cache line, and what moves.
//
// A line is held by one core that may write it, or by any number that read it. Whoever lacks it
// waits for a transfer. One at a time is under way of a line that is written: a line that all want
// is a queue, and how long it was in transit says how near it is to being a wall.
// What no core has held before comes from memory; that costs as much and is not counted.
#pragma once

#include <bitset>
#include <cstdint>
#include <unordered_map>

namespace airssys::rt::simulated {

inline constexpr unsigned cores_max = 192;

struct Line {
  std::bitset<cores_max> holders;
  int writer = -1;              // the one holder that may write
  std::int64_t free_at_ps = 0;  // when the last transfer is through
  std::uint64_t transfers = 0;  // since forget_counts
  std::int64_t in_transit_ps = 0;
};

class Cache {
 public:
  explicit Cache(std::int64_t transfer_ps) noexcept : transfer_ps_(transfer_ps) {}

  // When the access that begins now is through; the same moment if the core has the line.
  std::int64_t read(const void* word, unsigned core, std::int64_t now_ps);
  std::int64_t write(const void* word, unsigned core, std::int64_t now_ps);

  void forget_counts() noexcept;
  // By address / 64.
  const std::unordered_map<std::uintptr_t, Line>& lines() const noexcept { return lines_; }

 private:
  Line& line_of(const void* word);
  std::int64_t move(Line& line, std::int64_t now_ps, bool is_exclusive) const noexcept;

  const std::int64_t transfer_ps_;
  std::unordered_map<std::uintptr_t, Line> lines_;
};

}  // namespace airssys::rt::simulated
