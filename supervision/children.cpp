// children.cpp: what both kinds of children say.
#include "supervision/children.hpp"

#include <string>

namespace airssys::rt::supervision {

namespace {

std::string_view words(ChildError::Kind kind) noexcept {
  switch (kind) {
    case ChildError::not_found:
      return "there is no such child";
    case ChildError::running:
      return "it is running";
    case ChildError::restarting:
      return "it is being restarted";
    case ChildError::not_started:
      return "it could not be started";
    case ChildError::by_pid_only:
      return "a dynamic supervisor knows its children by pid";
    case ChildError::no_supervisor:
      break;
  }
  return "there is no such supervisor";
}

}  // namespace

ChildError child_error(ChildError::Kind kind, std::string_view id) {
  std::string what("child \"");
  what.append(id).append("\": ").append(words(kind));
  return {kind, ExitReason::error("airssys::rt::ChildError", what), what};
}

void count(ChildCounts& counts, ChildType type, ChildState state) noexcept {
  ++counts.specs;
  if (state == ChildState::running) ++counts.active;
  ++(type == ChildType::supervisor ? counts.supervisors : counts.workers);
}

}  // namespace airssys::rt::supervision
