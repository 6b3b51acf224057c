// descriptors.cpp: getrlimit, and setrlimit upwards.
#include "examples/kvd/descriptors.hpp"

#include <sys/resource.h>

#include <algorithm>
#include <cstdint>
#include <string>

#include "examples/kvd/file.hpp"

namespace kvd {
namespace {

// A base and a segment or two, both again while a compaction writes, and more when it is behind.
constexpr std::uint64_t for_a_shard = 16;

// The runtime's own, the inspector's clients, a client that is told that it is one too many.
constexpr std::uint64_t for_the_rest = 64;

}  // namespace

std::size_t make_room_for_clients(const Settings& settings) {
  std::uint64_t own = for_the_rest + for_a_shard * settings.shards;
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = std::max(limit.rlim_cur, std::min(limit.rlim_max, own + settings.clients_max));
  if (::setrlimit(RLIMIT_NOFILE, &limit) != 0) ::getrlimit(RLIMIT_NOFILE, &limit);
  if (limit.rlim_cur <= own) {
    throw FileError("the system allows " + std::to_string(limit.rlim_cur) + " open files, and " +
                    std::to_string(settings.shards) + " shards need " + std::to_string(own));
  }
  return std::min<std::uint64_t>(settings.clients_max, limit.rlim_cur - own);
}

}  // namespace kvd
