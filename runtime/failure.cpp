// failure.cpp: an exception as a failure, and what a behaviour is asked and told at its end.
#include "runtime/failure.hpp"

#include <cxxabi.h>

#include <airssys/rt/behaviour.hpp>
#include <airssys/rt/error.hpp>
#include <exception>
#include <optional>
#include <typeinfo>
#include <utility>

#include "base/symbol.hpp"
#include "runtime/call.hpp"
#include "runtime/control_signal.hpp"
#include "runtime/crash_report.hpp"
#include "runtime/exit.hpp"
#include "runtime/run.hpp"
#include "runtime/signals.hpp"
#include "runtime/system.hpp"
#include "scheduler/thread.hpp"

namespace airssys::rt::runtime {

namespace {

std::string name_of(const std::type_info* type) {
  return type ? base::readable_name(type->name()) : "foreign exception";
}

}  // namespace

Failure failure_of_current_exception() {
  // What passes a handler while the process is being ended is no C++ exception: it has no type to
  // ask for, and to rethrow it inside a second handler would meet std::terminate.
  const scheduler::Thread* thread = scheduler::Thread::current();
  if (thread && thread->task()) {
    const auto& process = static_cast<const Process&>(*thread->task());
    if (is_unwinding(process)) return {.reason = process.reason};
  }
  try {
    throw;
  } catch (const ExitException& exit) {
    return {.reason = exit.reason()};
  } catch (const ProcessError& error) {
    return {.reason = error.reason(), .type = name_of(&typeid(error)), .what = error.what()};
  } catch (const std::exception& error) {
    std::string type = name_of(&typeid(error));
    return {.reason = ExitReason::error(type, error.what()), .type = type, .what = error.what()};
  } catch (...) {
    std::string type = name_of(abi::__cxa_current_exception_type());
    return {.reason = ExitReason::error("nocatch", type), .type = type};
  }
}

namespace {

struct Ending {
  Failure failure;
  detail::CrashContext context;
};

// Puts something into a frame of process code, and back when that is left, unless the process is
// unwound: then the frame that lent it goes without destructors.
template <class T>
class Borrowed {
 public:
  Borrowed(Process& process, T& lender)
      : value(std::move(lender)), process_(process), lender_(lender) {}
  Borrowed(const Borrowed&) = delete;
  Borrowed& operator=(const Borrowed&) = delete;
  ~Borrowed() {
    if (!is_unwinding(process_)) lender_ = std::move(value);
  }

  T value;

 private:
  Process& process_;
  T& lender_;
};

// Calls the behaviour with what is known of its end.
template <class F>
std::optional<Failure> call_behaviour(Process& process, Ending& ending, F call) {
  return run_code([&] {
    Borrowed<Ending> borrowed(process, ending);
    call(*process.program->behaviour(), borrowed.value);
  });
}

// Adds what only the behaviour knows, if a report will tell of it.
void describe(Process& process, Ending& ending) {
  if (!is_crash_reported(ending.failure.reason)) return;
  call_behaviour(process, ending, [](Behaviour& behaviour, Ending& of) {
    // One that has failed to start may be no object at all.
    if (of.context.callback != "start") of.context.state = behaviour.shown_state();
    behaviour.describe(of.context);
  });
}

void send_last_reply(Process& process, Failure& failure) {
  auto& [caller, value] = failure.reply;
  if (!caller) return;
  send_through_alias(current_system(), process.pid(), caller, value.release());
  caller = {};
}

// The state is asked for first, as terminate finds it.
void terminate(Process& process, Ending& ending) {
  auto failure = call_behaviour(process, ending, [](Behaviour& behaviour, const Ending& of) {
    behaviour.terminate(of.failure.reason);
  });
  send_last_reply(process, ending.failure);
  if (!failure) return;
  Failure first = std::exchange(ending.failure, std::move(*failure));
  const bool is_described = is_crash_reported(first.reason);
  ending.context.callback = "terminate";
  ending.context.first_reason = words_of(first.reason);
  // Nobody else may have its value any more, and that one's destructor is process code.
  if (holds_value(first.reason)) [[unlikely]]
    call_behaviour(process, ending, [&first](Behaviour&, const Ending&) { first.reason = {}; });
  if (!is_described) describe(process, ending);
}

}  // namespace

scheduler::Turn end_by(Process& process, Failure failure, detail::CrashContext context) {
  Ending ending{std::move(failure), std::move(context)};
  const bool is_behaviour = !ending.context.callback.empty();
  const bool has_started = ending.context.callback != "start";
  if (is_behaviour) describe(process, ending);
  if (is_behaviour && has_started) terminate(process, ending);
  send_last_reply(process, ending.failure);
  report_crash(process, ending.failure, ending.context);
  process.reason = std::move(ending.failure.reason);
  return finish(process);
}

}  // namespace airssys::rt::runtime

namespace airssys::rt {

std::string Behaviour::shown_state() {
  try {
    return format_state();
  } catch (...) {
    return "format_state failed: " + reason_of_current_exception().to_string();
  }
}

}  // namespace airssys::rt
