// scan_cursor.hpp: SCAN's cursor: a shard and a place in it, as one number for the client.
//
// Shards are scanned one after the other. The shard is in the low eight bits, the place above them;
// zero is both the beginning and the end, because the beginning of shard 0 is place 0.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "examples/kvd/burst.hpp"
#include "examples/kvd/keyspace.hpp"

namespace kvd {

struct ScanCursor {
  ShardNumber shard = 0;
  Keyspace::Position position = 0;

  [[nodiscard]] std::uint64_t to_number() const noexcept { return position << 8 | shard; }
};

// Where a scan goes on that has reached `next` in its shard, or the shard's end.
[[nodiscard]] ScanCursor cursor_after(ShardNumber shard,
                                      ShardNumber shards,
                                      std::optional<Keyspace::Position> next) noexcept;

// Nothing when the text is no unsigned number; no text at all is zero.
[[nodiscard]] std::optional<ScanCursor> parse_cursor(std::string_view text) noexcept;

}  // namespace kvd
