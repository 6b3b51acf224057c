// limits.hpp: every limit of kvd that is not a flag.
//
// A daemon that reads from strangers needs a bound on everything a stranger can make it keep. What
// an operator may want to change is a flag (settings.hpp); what is only a safety bound stands here.
#pragma once

#include <cstddef>
#include <cstdint>

namespace kvd {

// A line of the protocol (inline command, `*3`, `$7`) that is longer is refused, as Redis does.
inline constexpr std::size_t line_bytes_max = 64 * 1024;

// Arguments of one command.
inline constexpr std::int64_t arguments_max = 1024 * 1024;

// Bytes of one command with all its arguments. Offsets into a burst are 32 bits wide.
inline constexpr std::size_t command_bytes_max = std::size_t{1} << 30;

// A burst ends here even if the client has sent more, so that one client cannot keep a shard.
inline constexpr std::size_t burst_operations_max = 1024;

// A shard has so many bytes of answers for one burst, and then errors only: a client could ask a
// thousand times for its largest value.
inline constexpr std::size_t replies_bytes_max = std::size_t{1} << 30;

// What one read from a socket makes room for, at least and at most.
inline constexpr std::size_t read_bytes_min = 512;
inline constexpr std::size_t read_bytes_max = 64 * 1024;

// Buffers that grew beyond this for one large value are given back after it.
inline constexpr std::size_t kept_bytes_max = 256 * 1024;

// More shards than this cannot be told apart in a SCAN cursor.
inline constexpr unsigned shards_max = 256;

}  // namespace kvd
