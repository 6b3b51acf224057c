// report.cpp: one line each, for people.
#include "runtime/report.hpp"

#include <airssys/rt/report.hpp>
#include <string>

#include "runtime/call.hpp"
#include "runtime/label.hpp"
#include "runtime/system.hpp"

namespace airssys::rt::runtime {

namespace {

std::string title(const Process& process) {
  std::string title = "process " + process.pid().to_string();
  const std::string name = current_system().names.name_of(process.pid());
  if (!name.empty()) title += " \"" + name + "\"";
  const std::string label = label_of(process);
  if (!label.empty()) title.append(" (").append(label).append(")");
  return title;
}

}  // namespace

void report_crash(const Process& process, const ExitReason& reason) {
  if (reason.is_orderly()) return;
  current_system().log(title(process) + " crashed: " + reason.to_string());
}

void report_abandoned(const Process& process, std::string_view why) {
  current_system().log(title(process) + " was cut off (" + std::string(why) +
                       "); what its stack owned is lost");
}

}  // namespace airssys::rt::runtime

namespace airssys::rt {

void report(std::string_view line) {
  const runtime::Call call(runtime::Call::Kind::plain);
  call.system().log(std::string(line));
}

}  // namespace airssys::rt
