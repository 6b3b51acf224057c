// crash_context.hpp: what a behaviour was doing when it failed, for the report of its crash (G19).
#pragma once

#include <airssys/rt/detail/payload.hpp>
#include <airssys/rt/pid.hpp>
#include <string>
#include <string_view>

namespace airssys::rt::detail {

struct CrashContext {
  std::string_view callback = {};        // which one failed: a constant; empty: it is no behaviour
  const MessageType* message = nullptr;  // in hand
  Pid client = {};                       // who waits for the answer to it
  std::string state = {};                // as format_state says it
  std::string first_reason = {};  // with which terminate was called, when that failed as well
};

}  // namespace airssys::rt::detail
