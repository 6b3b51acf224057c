// supervision.hpp: who watches whom.
//
//   kvd (one_for_one)
//   ├─ shards (one_for_one)
//   │  ├─ 0 (rest_for_one)
//   │  │  ├─ log-0        writes; when it fails, its shard is started again too
//   │  │  └─ shard-0      owns keys; when it fails, it alone is started again, from the log
//   │  └─ 1 …
//   ├─ connections (dynamic): one process per client, never restarted
//   └─ listener
//
// Children stop in reverse order: first nobody new gets in, then connections finish what they have
// begun, then shards end, and last the log writers, when nothing more can come to them.
#pragma once

#include <airssys/rt.hpp>
#include <airssys/rt/net.hpp>
#include <expected>

#include "examples/kvd/daemon.hpp"

namespace kvd {

namespace rt = airssys::rt;

// Starts the tree, linked to the caller. Returns when every shard has read its log.
[[nodiscard]] std::expected<rt::Pid, rt::StartError> start_tree(Daemon& daemon,
                                                                rt::net::TcpListener& socket);

}  // namespace kvd
