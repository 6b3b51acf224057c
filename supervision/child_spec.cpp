// child_spec.cpp: whether a child's specification makes sense, and running its start function.
#include "supervision/child_spec.hpp"

#include <memory>
#include <string>
#include <string_view>
#include <unordered_set>
#include <utility>

#include "supervision/backoff.hpp"

namespace airssys::rt {

namespace {

std::string of_child(std::string_view id, std::string_view what) {
  std::string text("child \"");
  return text.append(id).append("\": ").append(what);
}

constexpr std::string_view without_id = "it has no id";

StartError failed(ExitReason reason) {
  std::string what = "the start function failed: " + reason.to_string();
  return {StartError::error, std::move(reason), std::move(what)};
}

// What a supervisor answers of a child that did not start. That its name is taken, or that one of
// its own children runs already, says nothing about the children of this supervisor (V20).
StartError failed_child(std::string_view id, const StartError& error) {
  const bool is_childs_own =
      error.kind() == StartError::timeout || error.kind() == StartError::bad_spec;
  return {is_childs_own ? error.kind() : StartError::error,
          error.reason(),
          of_child(id, error.what()),
          error.pid()};
}

}  // namespace

StartError detail::started_before() {
  return failed(ExitReason::error("it was started before, and what it owns has gone with it"));
}

namespace supervision {

StartError start_error(StartError::Kind kind, const std::string& what, Pid pid) {
  return {kind, ExitReason::error("airssys::rt::StartError", what), what, pid};
}

std::expected<void, StartError> check_period(Duration period) {
  if (period > Duration::zero()) return {};
  return std::unexpected(
      start_error(StartError::bad_spec, "a supervisor's period must be more than zero"));
}

std::expected<void, StartError> check_childspec(const ChildSpec& spec,
                                                AutoShutdown auto_shutdown,
                                                Ids ids) {
  std::string what;
  if (ids == Ids::required && spec.id.empty()) {
    what = without_id;
  } else if (!spec.start) {
    what = "it has no start";
  } else if (spec.shutdown.kind() == Shutdown::Kind::after &&
             spec.shutdown.time() < Duration::zero()) {
    what = "its shutdown is negative";
  } else if (const std::string_view wrong = wrong_in(spec.backoff); !wrong.empty()) {
    what = "its backoff." + std::string(wrong);
  } else if (spec.significant && spec.restart == Restart::permanent) {
    what = "it is significant and permanent, so it never ends for good";
  } else if (spec.significant && auto_shutdown == AutoShutdown::never) {
    what = "it is significant, but its supervisor's auto_shutdown is never";
  } else if (!spec.start->is_repeatable() && spec.restart != Restart::temporary) {
    what = "its start cannot be copied, so it can run once only: it must be temporary";
  }
  if (what.empty()) return {};
  return std::unexpected(start_error(StartError::bad_spec, of_child(spec.id, what)));
}

std::expected<Pid, StartError> run_start(const ChildSpec& spec) {
  std::expected<Pid, StartError> result;
  try {
    result = spec.start->start();
  } catch (const StartError& error) {
    result = std::unexpected(error);
  } catch (...) {  // a forced unwind, too: it goes on at the end of this handler
    result = std::unexpected(failed(reason_of_current_exception()));
  }
  if (result) return result;
  if (result.error().kind() == StartError::ignore) return Pid();
  return std::unexpected(failed_child(spec.id, result.error()));
}

}  // namespace supervision

std::expected<void, StartError> check_childspecs(const std::vector<ChildSpec>& children,
                                                 AutoShutdown auto_shutdown) {
  const auto refused = [](const std::string& what) {
    return std::unexpected(supervision::start_error(StartError::bad_spec, what));
  };
  std::unordered_set<std::string_view> ids;
  for (const ChildSpec& child : children) {
    if (child.id.empty()) {
      const std::string place = std::to_string(ids.size() + 1);
      return refused("child " + place + " of the list: " + std::string(without_id));
    }
    auto checked = supervision::check_childspec(child, auto_shutdown, supervision::Ids::required);
    if (!checked) return checked;
    if (!ids.insert(child.id).second)
      return refused(of_child(child.id, "another child has the same id"));
  }
  return {};
}

}  // namespace airssys::rt
