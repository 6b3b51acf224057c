// info.hpp: what INFO answers.
#pragma once

#include <span>
#include <string>

#include "examples/kvd/daemon.hpp"
#include "examples/kvd/executor.hpp"

namespace kvd {

// Appends the reply: all sections, in Redis' form, whichever were asked for.
void append_info(std::string& out, const Daemon& daemon, std::span<const ShardNumbers> shards);

}  // namespace kvd
