// listener.hpp: the process that lets clients in.
//
// The listening socket is older than this process and survives it: should the process ever be
// restarted, clients wait in the socket's queue meanwhile and none is turned away.
#pragma once

#include <airssys/rt.hpp>
#include <airssys/rt/net.hpp>
#include <memory>

#include "examples/kvd/daemon.hpp"

namespace kvd {

namespace rt = airssys::rt;

// Accepts clients for ever; each becomes a child of the supervisor `connections`. Beyond the limit
// a client is told so and let go.
void listen(Daemon& daemon, rt::net::TcpListener& socket);

}  // namespace kvd
