// crash_report.cpp: what is said of a crash.
#include "runtime/crash_report.hpp"

#include <airssys/rt/report.hpp>

#include "runtime/label.hpp"

namespace airssys::rt::runtime {

std::string title_of(System& system, Pid pid) {
  std::string title = "process " + pid.to_string();
  if (const std::string name = system.names.name_of(pid); !name.empty())
    title.append(" \"").append(name).append("\"");
  const Process* process = system.find(pid);
  if (const std::string label = process ? label_of(*process) : ""; !label.empty())
    title.append(" (").append(label).append(")");
  return title;
}

void report_crash(const Process& process, const ExitReason& reason) {
  if (reason.is_orderly()) return;
  System& system = current_system();
  Report report(Severity::error,
                "crash",
                title_of(system, process.pid()) + " crashed: " + reason.to_string());
  report.add("pid", process.pid().to_string()).add("name", system.names.name_of(process.pid()));
  report.add("reason", reason.to_string());
  system.log(report);
}

void report_abandoned(const Process& process, std::string_view why) {
  System& system = current_system();
  Report report(Severity::error,
                "cut_off",
                title_of(system, process.pid()) + " was cut off (" + std::string(why) +
                    "); what its stack owned is lost");
  report.add("pid", process.pid().to_string()).add("why", std::string(why));
  system.log(report);
}

}  // namespace airssys::rt::runtime
