// scan_cursor.cpp: see the header.
//
// A cursor that no scan has given out is not an error, as in Redis: it is some place, or the end.
#include "examples/kvd/scan_cursor.hpp"

#include <charconv>

namespace kvd {

ScanCursor cursor_after(ShardNumber shard,
                        ShardNumber shards,
                        std::optional<Keyspace::Position> next) noexcept {
  if (next) return {shard, *next};
  if (shard + 1 < shards) return {static_cast<ShardNumber>(shard + 1), 0};
  return {};
}

std::optional<ScanCursor> parse_cursor(std::string_view text) noexcept {
  if (text.empty()) return ScanCursor{};  // as Redis reads it
  std::uint64_t number = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return ScanCursor{static_cast<ShardNumber>(number & 0xFF), number >> 8};
}

}  // namespace kvd
