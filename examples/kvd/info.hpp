// info.hpp: what INFO answers.
#pragma once

#include <span>
#include <string>

#include "examples/kvd/burst.hpp"
#include "examples/kvd/daemon.hpp"
#include "examples/kvd/executor.hpp"

namespace kvd {

// Appends the reply in Redis' form: the sections that are named, or all of them.
void append_info(std::string& out,
                 const Daemon& daemon,
                 const Arguments& sections,
                 std::span<const ShardNumbers> shards);

}  // namespace kvd
