// restart_policy.cpp: what the rules say, as functions of plain values.
#include "supervision/restart_policy.hpp"

namespace airssys::rt::supervision {

AfterEnd after_end(Restart restart, const ExitReason& reason) noexcept {
  switch (restart) {
    case Restart::permanent:
      return AfterEnd::restart;
    case Restart::transient:
      return reason.is_orderly() ? AfterEnd::keep : AfterEnd::restart;
    case Restart::temporary:
      break;
  }
  return AfterEnd::forget;
}

bool is_end_reported(Restart restart, const ExitReason& reason) noexcept {
  return restart == Restart::permanent || !reason.is_orderly();
}

bool is_stop_in_order(Restart restart, const Shutdown& shutdown, const ExitReason& reason) {
  switch (reason.kind()) {
    case ExitReason::Kind::shutdown:
      return true;
    case ExitReason::Kind::killed:
      return shutdown.kind() == Shutdown::Kind::brutal_kill;
    case ExitReason::Kind::shutdown_with:
    case ExitReason::Kind::normal:
      return restart != Restart::permanent;
    default:
      return false;
  }
}

bool is_auto_shutdown(AutoShutdown auto_shutdown, std::size_t other_significant_active) noexcept {
  switch (auto_shutdown) {
    case AutoShutdown::never:
      return false;
    case AutoShutdown::any_significant:
      return true;
    case AutoShutdown::all_significant:
      break;
  }
  return other_significant_active == 0;
}

Shutdown effective_shutdown(const Shutdown& shutdown, ChildType type) noexcept {
  if (shutdown.kind() != Shutdown::Kind::by_type) return shutdown;
  return type == ChildType::supervisor ? Shutdown::infinity() : Shutdown(std::chrono::seconds(5));
}

}  // namespace airssys::rt::supervision
