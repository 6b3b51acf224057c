// cache.cpp: reads and writes.
#include "benchmarks/simulated/cache.hpp"

#include <algorithm>

#include "base/cache_line.hpp"

namespace airssys::rt::simulated {

Line& Cache::line_of(const void* word) {
  return lines_[reinterpret_cast<std::uintptr_t>(word) / base::cache_line_bytes];
}

std::int64_t Cache::move(Line& line, std::int64_t now_ps, bool is_exclusive) const noexcept {
  if (line.holders.none()) return now_ps + transfer_ps_;
  ++line.transfers;
  // Readers of what nobody writes just now are served side by side.
  if (!is_exclusive) return std::max(now_ps, line.free_at_ps) + transfer_ps_;
  line.in_transit_ps += transfer_ps_;
  return line.free_at_ps = std::max(now_ps, line.free_at_ps) + transfer_ps_;
}

std::int64_t Cache::read(const void* word, unsigned core, std::int64_t now_ps) {
  Line& line = line_of(word);
  if (line.holders[core]) return now_ps;
  const std::int64_t through = move(line, now_ps, line.writer >= 0);
  line.writer = -1;
  line.holders.set(core);
  return through;
}

std::int64_t Cache::write(const void* word, unsigned core, std::int64_t now_ps) {
  Line& line = line_of(word);
  if (line.writer == static_cast<int>(core)) return now_ps;
  const bool is_alone = line.holders[core] && line.holders.count() == 1;
  const std::int64_t through = is_alone ? now_ps : move(line, now_ps, true);
  line.holders.reset();
  line.holders.set(core);
  line.writer = static_cast<int>(core);
  return through;
}

void Cache::forget_counts() noexcept {
  for (auto& [address, line] : lines_) {
    line.transfers = 0;
    line.in_transit_ps = 0;
  }
}

}  // namespace airssys::rt::simulated
