// hash.hpp: where a key belongs: which shard, and which place in its table.
//
// The log of a shard is read again by later versions of this program, on other machines: the shard
// of a key must never change. So the hash is our own, and pinned by a test.
#pragma once

#include <cstdint>
#include <string_view>

namespace kvd {

[[nodiscard]] std::uint64_t hash_of(std::string_view key) noexcept;

}  // namespace kvd
