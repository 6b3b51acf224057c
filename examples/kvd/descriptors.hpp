// descriptors.hpp: files and sockets, of which the system allows a program so many.
//
// The logs come first: a client that cannot be let in is told so, but a log that cannot begin its
// next segment ends its shard.
#pragma once

#include <cstddef>

#include "examples/kvd/settings.hpp"

namespace kvd {

// How many clients there may be beside all that the daemon opens itself: those that the settings
// allow, or fewer. Raises this process's limit as far as they need and the system lets it. Throws
// FileError when there is room for none.
[[nodiscard]] std::size_t make_room_for_clients(const Settings& settings);

}  // namespace kvd
