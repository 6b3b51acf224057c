// error.cpp: what a refused name says.
#include <airssys/rt/error.hpp>

namespace airssys::rt {

namespace {

std::string explain(NameError::Kind kind, const std::string& name, Pid holder) {
  const std::string quoted = "\"" + name + "\"";
  switch (kind) {
    case NameError::taken:
      return "the name " + quoted + " is taken by " + holder.to_string();
    case NameError::already_named:
      return "the name " + quoted + " was given to " + holder.to_string() +
             ", which has another name already";
    case NameError::no_process:
      return "the name " + quoted + " was given to a process that is dead";
    case NameError::not_registered:
      return "nobody has the name " + quoted;
    case NameError::bad_name:
      return "the empty name is reserved";
  }
  return quoted;
}

}  // namespace

NameError::NameError(Kind kind, std::string name, Pid holder)
    : ProcessError(ExitReason::error("airssys::rt::NameError", explain(kind, name, holder)),
                   explain(kind, name, holder)),
      kind_(kind),
      holder_(holder) {}

}  // namespace airssys::rt
