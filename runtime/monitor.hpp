// monitor.hpp: setting up a monitor from inside the runtime.
#pragma once

#include <airssys/rt/pid.hpp>
#include <airssys/rt/ref.hpp>
#include <string>

#include "runtime/process.hpp"
#include "runtime/relations.hpp"

namespace airssys::rt::runtime {

// By the owner, inside. `name`: what the Down is to show, or null.
MonitorRef monitor(Process& process, Pid target, AddressMode mode, const std::string* name);

}  // namespace airssys::rt::runtime
