// error.cpp: what a refused name says, and an exception as a reason.
#include <airssys/rt/error.hpp>

#include <string>

#include "runtime/failure.hpp"

namespace airssys::rt {

namespace {

std::string explain(NameError::Kind kind, const std::string& name, Pid holder) {
  std::string quoted = "\"" + name + "\"";
  switch (kind) {
    case NameError::taken:
      return "the name " + quoted + " is taken by " + holder.to_string();
    case NameError::already_named:
      return "the name " + quoted + " was given to " + holder.to_string() +
             ", which has another name already";
    case NameError::no_process:
      return "the name " + quoted + " was given to a process that is dead";
    case NameError::not_registered:
      if (holder)
        return "the name " + quoted + " is not the caller's but that of " + holder.to_string();
      return "nobody has the name " + quoted;
    case NameError::bad_name:
      return "the empty name is reserved";
  }
  return quoted;
}

}  // namespace

NameError::NameError(Kind kind, const std::string& name, Pid holder)
    : ProcessError(ExitReason::error("airssys::rt::NameError", explain(kind, name, holder)),
                   explain(kind, name, holder)),
      kind_(kind),
      holder_(holder) {}

ExitReason reason_of_current_exception() {
  return runtime::failure_of_current_exception().reason;
}

}  // namespace airssys::rt
