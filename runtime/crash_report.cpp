// crash_report.cpp: what is said of a crash.
#include "runtime/crash_report.hpp"

#include <cxxabi.h>

#include <airssys/rt/detail/throw_site.hpp>
#include <airssys/rt/process.hpp>
#include <airssys/rt/report.hpp>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "base/symbol.hpp"
#include "fiber/throw_site.hpp"
#include "runtime/label.hpp"
#include "runtime/relations.hpp"
#include "runtime/run.hpp"
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

using detail::ThrowSite;

// Where process code on a stack failed last.
ThrowSite last_throw_site(const fiber::Fiber& fiber) {
  const auto calls = fiber::throw_site(fiber);
  const bool is_exit = !calls.empty() && base::function_at(calls.front()) == address_of(&rt::exit);
  ThrowSite site;
  for (const void* call : calls.subspan(is_exit ? 1 : 0)) {
    const base::Symbol symbol = base::symbol_at(call);
    site.stack.push_back(to_string(symbol));
    if (!is_exit && site.place.empty() && symbol.module != cxx_library())
      site.place = site.stack.back();
  }
  return site;
}

// What is not known is no member.
void add_known(Report& report, std::string_view name, std::string text) {
  if (!text.empty()) report.add(name, std::move(text));
}

void add_identity(Report& report, System& system, const Process& process) {
  report.add("pid", process.pid().to_string());
  add_known(report, "name", system.names.name_of(process.pid()));
  add_known(report, "label", label_of(process));
}

// Its links at its end, and how many more there are.
void add_links(Report& report, System& system, Process& process) {
  constexpr std::size_t told_max = 16;
  std::vector<std::string> links;
  std::uint64_t others = 0;
  for (const Relation& relation : process.relations.all()) {
    if (relation.kind != RelationKind::link) continue;
    if (links.size() == told_max) {
      ++others;
      continue;
    }
    links.push_back(relation.peer.to_string());
    const std::string name = system.names.name_of(relation.peer);
    if (!name.empty()) links.back().append(" ").append(name);
  }
  report.add("links", std::move(links));
  if (others > 0) report.add("other_links", others);
}

void add_stack(Report& report, ThrowSite site) {
  if (!site.stack.empty()) report.add("stack", std::move(site.stack));
}

void add_context(Report& report, const detail::CrashContext& context) {
  if (!context.callback.empty()) report.add("callback", std::string(context.callback));
  if (context.message) report.add("message", std::string(context.message->name));
  if (context.client) report.add("client", context.client.to_string());
  add_known(report, "state", context.state);
  add_known(report, "first_reason", context.first_reason);
}

// " crashed in handle on Store::Put from <0.9.1>"
std::string deed_of(const detail::CrashContext& context) {
  std::string text = " crashed";
  if (!context.callback.empty()) text.append(" in ").append(context.callback);
  if (context.message) text.append(" on ").append(context.message->name);
  if (context.client) text.append(" from ").append(context.client.to_string());
  if (!context.first_reason.empty()) text.append(", after ").append(context.first_reason);
  return text;
}

}  // namespace

std::string words_of(const ExitReason& reason) {
  std::string words = "(its to_string() failed)";
  run_small_code([&words, &reason] {
    try {
      words = reason.to_string();
    } catch (...) {  // what it threw is nobody's
    }
  });
  return words;
}

bool is_crash_reported(const ExitReason& reason) noexcept {
  return !reason.is_orderly() && current_system().is_logged(Severity::error);
}

void report_crash(Process& process, const Failure& failure, const detail::CrashContext& context) {
  if (!is_crash_reported(failure.reason)) return;
  System& system = current_system();
  std::string reason = words_of(failure.reason);
  std::string line = title_of(system, process) + deed_of(context);
  line.append(": ").append(reason);
  ThrowSite site = last_throw_site(scheduler::Thread::current()->fiber());
  if (!site.place.empty()) line.append(", thrown at ").append(site.place);
  if (!context.state.empty()) line.append("; state: ").append(context.state);
  Report report(Severity::error, "crash", std::move(line));
  add_identity(report, system, process);
  report.add("reason", std::move(reason));
  add_known(report, "type", failure.type);
  add_known(report, "what", failure.what);
  add_context(report, context);
  add_links(report, system, process);
  add_stack(report, std::move(site));
  system.log(report);
}

void report_main_ended(const Process& process, Pid from, const ExitReason& reason) {
  System& system = current_system();
  std::string line = title_of(system, process) + " was ended by a signal";
  if (from) line.append(" from ").append(from.to_string());
  std::string words = words_of(reason);
  Report report(Severity::error, "main_ended", line + ": " + words);
  add_identity(report, system, process);
  report.add("reason", std::move(words));
  if (from) report.add("from", from.to_string());
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
  add_identity(report, system, process);
  report.add("messages", messages).add("bytes", bytes);
  system.log(report);
}

void report_overload(
    System& system, Pid from, Pid to, std::uint64_t messages, std::uint64_t bytes) {
  if (!system.is_logged(Severity::warning)) return;
  Report report(Severity::warning,
                "overload",
                title_of(system, to) + " is overloaded: " + std::to_string(messages) +
                    " messages, " + std::to_string(bytes) + " bytes in its mailbox");
  report.add("pid", to.to_string());
  add_known(report, "name", system.names.name_of(to));
  report.add("messages", messages).add("bytes", bytes);
  if (from) report.add("from", from.to_string());
  system.log(report);
}

void report_abandoned(Process& process, std::string_view why) {
  System& system = current_system();
  Report report(Severity::error,
                "cut_off",
                title_of(system, process) + " was cut off (" + std::string(why) +
                    "); what its stack owned is lost");
  add_identity(report, system, process);
  report.add("why", std::string(why)).add("reason", process.reason.to_string());
  add_links(report, system, process);
  add_stack(report, last_throw_site(scheduler::Thread::current()->fiber()));
  system.log(report);
}

void report_cut_destructor(System& system,
                           const detail::MessageType& type,
                           const fiber::Fiber& fiber,
                           fiber::Ended why) {
  const std::string cause =
      why == fiber::Ended::overflowed ? "stack overflow" : "noexcept violation";
  const std::string message(type.name);
  Report report(Severity::error,
                "cut_off",
                "the destructor of a dropped " + message + " was cut off (" + cause +
                    "); what it owned is lost");
  report.add("message", message).add("why", cause);
  add_stack(report, last_throw_site(fiber));
  system.log(report);
}

}  // namespace airssys::rt::runtime

namespace airssys::rt::detail {

void call_noting(void (*f)(void*), void* argument) {
  fiber::call_noting(f, argument);
}

ThrowSite last_throw_site() {
  return runtime::last_throw_site(*fiber::this_thread_context()->running);
}

}  // namespace airssys::rt::detail
