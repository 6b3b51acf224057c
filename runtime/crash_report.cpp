// crash_report.cpp: what is said of a crash.
#include "runtime/crash_report.hpp"

#include <cxxabi.h>

#include <airssys/rt/process.hpp>
#include <airssys/rt/report.hpp>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "base/symbol.hpp"
#include "fiber/throw_site.hpp"
#include "runtime/label.hpp"
#include "scheduler/thread.hpp"

namespace airssys::rt::runtime {

namespace {

// "process <0.12.1> "name"": how lines speak of one.
std::string title_of(System& system, Pid pid) {
  std::string title = "process " + pid.to_string();
  const std::string name = system.names.name_of(pid);
  if (!name.empty()) title.append(" \"").append(name).append("\"");
  return title;
}

// The same, with what it calls itself.
std::string title_of(System& system, const Process& process) {
  std::string title = title_of(system, process.pid());
  const std::string label = label_of(process);
  if (!label.empty()) title.append(" (").append(label).append(")");
  return title;
}

const void* address_of(auto* function) noexcept {
  return reinterpret_cast<const void*>(function);
}

// The file of the C++ library, in which a throw begins. Asked once, since the loader looks through
// all of its names; that stays true, since what calls a library keeps it loaded. Never destroyed,
// since threads may crash while the program's statics go.
const std::string& cxx_library() {
  static const auto* const module =
      new std::string(base::symbol_at(address_of(&abi::__cxa_rethrow)).module);
  return *module;
}

// How process code on this stack failed last.
struct Failure {
  std::vector<std::string> stack;  // calls, the innermost first, without that of rt::exit
  std::string place;  // of the throw, outside of the C++ library where that helped; none: an exit
};

Failure last_failure() {
  const auto calls = fiber::throw_site(scheduler::Thread::current()->fiber());
  const bool is_exit = !calls.empty() && base::function_at(calls.front()) == address_of(&rt::exit);
  Failure failure;
  for (const void* call : calls.subspan(is_exit ? 1 : 0)) {
    const base::Symbol symbol = base::symbol_at(call);
    failure.stack.push_back(to_string(symbol));
    if (!is_exit && failure.place.empty() && symbol.module != cxx_library())
      failure.place = failure.stack.back();
  }
  return failure;
}

}  // namespace

void report_crash(const Process& process, const ExitReason& reason, std::string_view message) {
  System& system = current_system();
  if (reason.is_orderly() || !system.is_logged(Severity::error)) return;
  std::string line = title_of(system, process) + " crashed";
  if (!message.empty()) line.append(" handling ").append(message);
  line.append(": ").append(reason.to_string());
  Failure failure = last_failure();
  if (!failure.place.empty()) line.append(", thrown at ").append(failure.place);
  Report report(Severity::error, "crash", std::move(line));
  report.add("pid", process.pid().to_string()).add("name", system.names.name_of(process.pid()));
  report.add("label", label_of(process)).add("reason", reason.to_string());
  if (!message.empty()) report.add("message", std::string(message));
  if (!failure.stack.empty()) report.add("stack", std::move(failure.stack));
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
  if (Failure failure = last_failure(); !failure.stack.empty())
    report.add("stack", std::move(failure.stack));
  system.log(report);
}

}  // namespace airssys::rt::runtime
