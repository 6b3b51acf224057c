// rt.hpp: the whole face of the runtime but its sockets (<airssys/rt/net.hpp>).
#pragma once

#include <airssys/rt/behaviour.hpp>
#include <airssys/rt/blocking.hpp>
#include <airssys/rt/child.hpp>
#include <airssys/rt/error.hpp>
#include <airssys/rt/event_manager.hpp>
#include <airssys/rt/exit_reason.hpp>
#include <airssys/rt/from.hpp>
#include <airssys/rt/info.hpp>
#include <airssys/rt/link.hpp>
#include <airssys/rt/message.hpp>
#include <airssys/rt/pid.hpp>
#include <airssys/rt/process.hpp>
#include <airssys/rt/receive.hpp>
#include <airssys/rt/ref.hpp>
#include <airssys/rt/registry.hpp>
#include <airssys/rt/report.hpp>
#include <airssys/rt/request.hpp>
#include <airssys/rt/send.hpp>
#include <airssys/rt/server.hpp>
#include <airssys/rt/start.hpp>
#include <airssys/rt/state_machine.hpp>
#include <airssys/rt/supervisor.hpp>
#include <airssys/rt/system.hpp>
#include <airssys/rt/time.hpp>
#include <airssys/rt/timer.hpp>
