// survivors.cpp: questions that do not take long, and words.
#include <airssys/rt/detail/survivors.hpp>
#include <airssys/rt/time.hpp>
#include <algorithm>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>

namespace airssys::rt::detail {

namespace {

using std::chrono::milliseconds;

constexpr Duration patience_with_all = milliseconds(500);
constexpr Duration patience_with_one = milliseconds(50);
constexpr std::size_t places_max = 10;  // of a stack, in a line

std::string title(const ProcessInfo& process) {
  std::string text = "process " + process.pid.to_string();
  if (!process.name.empty()) text.append(" \"").append(process.name).append("\"");
  const std::string_view kind = process.label.empty() ? process.code : process.label;
  if (!kind.empty()) text.append(" (").append(kind).append(")");
  return text;
}

std::uint64_t in_milliseconds(Duration time) {
  return static_cast<std::uint64_t>(std::chrono::duration_cast<milliseconds>(time).count());
}

std::string wait(const ProcessInfo& process) {
  std::string text = "it waits for " + process.wait_reason;
  if (process.waits_for) text.append(" from ").append(process.waits_for.to_string());
  if (!process.waited) return text;
  const std::uint64_t tenths = in_milliseconds(*process.waited) / 100;
  return text + " for " + std::to_string(tenths / 10) + "." + std::to_string(tenths % 10) + " s";
}

std::string activity(const ProcessInfo& process) {
  if (!process.wait_reason.empty()) return wait(process);
  if (process.state == ProcessState::exiting) return "its end is under way";
  if (process.state == ProcessState::suspended) return "it is suspended";
  return process.has_answered ? "it runs" : "it runs code that does not call the runtime";
}

std::string mail(const ProcessInfo& process) {
  const std::size_t count = process.message_queue_len;
  if (count == 0) return {};
  return ", with " + std::to_string(count) + (count == 1 ? " message" : " messages");
}

// A call of the program's own that has a name: neither a place alone, nor a name that is too long
// to be readable, nor in this namespace.
bool is_own(const std::string& call) {
  const std::size_t ours = call.find("airssys::rt::");
  return call.ends_with(')') && !call.starts_with("_Z") &&
         (ours == std::string::npos || ours > call.find('('));
}

// The innermost call that tells a reader something; else where to look with the debug information.
std::string site(const std::vector<std::string>& stack) {
  if (stack.empty()) return {};
  const auto own = std::ranges::find_if(stack, &is_own);
  if (own != stack.end()) return ", in " + *own;
  std::string text = ", in " + stack[0];
  for (std::size_t at = 1; at < std::min(stack.size(), places_max); ++at)
    text.append(" < ").append(stack[at]);
  return text;
}

}  // namespace

std::vector<ProcessInfo> ask_survivors(const std::vector<Pid>& pids) {
  const Deadline deadline = Deadline::after(patience_with_all);
  std::vector<ProcessInfo> found;
  for (const Pid pid : pids) {
    const Duration time = std::min(patience_with_one, deadline.remaining());
    if (std::optional<ProcessInfo> process = process_info(pid, {.stack = true, .timeout = time}))
      found.push_back(*std::move(process));
  }
  return found;
}

Report survivor_report(std::string_view kind, const ProcessInfo& process, std::string_view what) {
  Report report(Severity::error,
                kind,
                title(process).append(" ").append(what) + ": " + activity(process) + mail(process) +
                    site(process.stack));
  report.add("pid", process.pid.to_string()).add("parent", process.parent.to_string());
  report.add("name", process.name).add("label", process.label);
  report.add("code", std::string(process.code)).add("state", to_string(process.state));
  if (!process.wait_reason.empty()) report.add("waits_for", process.wait_reason);
  if (process.waits_for) report.add("waits_for_pid", process.waits_for.to_string());
  if (process.waited) report.add("waited_ms", in_milliseconds(*process.waited));
  report.add("messages", std::uint64_t{process.message_queue_len});
  report.add("answered", process.has_answered);
  if (!process.stack.empty()) report.add("stack", process.stack);
  return report;
}

}  // namespace airssys::rt::detail
