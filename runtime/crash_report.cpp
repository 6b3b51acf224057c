// crash_report.cpp: what is said of a crash.
#include "runtime/crash_report.hpp"

#include <airssys/rt/report.hpp>
#include <cstdint>

#include "runtime/label.hpp"

namespace airssys::rt::runtime {

std::string title_of(System& system, Pid pid) {
  std::string title = "process " + pid.to_string();
  const std::string name = system.names.name_of(pid);
  if (!name.empty()) title.append(" \"").append(name).append("\"");
  return title;
}

namespace {

// The same, with what it calls itself.
std::string title_of(System& system, const Process& process) {
  std::string title = title_of(system, process.pid());
  const std::string label = label_of(process);
  if (!label.empty()) title.append(" (").append(label).append(")");
  return title;
}

}  // namespace

void report_crash(const Process& process, const ExitReason& reason) {
  if (reason.is_orderly()) return;
  System& system = current_system();
  Report report(
      Severity::error, "crash", title_of(system, process) + " crashed: " + reason.to_string());
  report.add("pid", process.pid().to_string()).add("name", system.names.name_of(process.pid()));
  report.add("label", label_of(process)).add("reason", reason.to_string());
  system.log(report);
}

void report_mailbox(const Process& process) {
  System& system = current_system();
  const std::uint64_t messages = process.mail.count();
  const std::uint64_t bytes = process.mail.bytes();
  Report report(Severity::warning,
                "mailbox_limit",
                title_of(system, process) + " has more mail than its limit: " +
                    std::to_string(messages) + " messages, " + std::to_string(bytes) + " bytes");
  report.add("pid", process.pid().to_string()).add("name", system.names.name_of(process.pid()));
  report.add("label", label_of(process)).add("messages", messages).add("bytes", bytes);
  system.log(report);
}

void report_overload(
    System& system, Pid from, Pid to, std::uint64_t messages, std::uint64_t bytes) {
  if (!system.is_logged(Severity::warning)) return;
  Report report(Severity::warning,
                "overload",
                title_of(system, to) + " is overloaded: " + std::to_string(messages) +
                    " messages, " + std::to_string(bytes) + " bytes in its mailbox");
  report.add("pid", to.to_string()).add("name", system.names.name_of(to));
  report.add("messages", messages).add("bytes", bytes);
  if (from) report.add("from", from.to_string());
  system.log(report);
}

void report_abandoned(const Process& process, std::string_view why) {
  System& system = current_system();
  Report report(Severity::error,
                "cut_off",
                title_of(system, process) + " was cut off (" + std::string(why) +
                    "); what its stack owned is lost");
  report.add("pid", process.pid().to_string()).add("why", std::string(why));
  system.log(report);
}

}  // namespace airssys::rt::runtime
