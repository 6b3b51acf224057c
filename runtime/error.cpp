// error.cpp: what a refused name says, and what an exception means as a reason.
#include <airssys/rt/error.hpp>

#include <cxxabi.h>

#include <exception>
#include <string>
#include <typeinfo>

#include "base/symbol.hpp"
#include "runtime/call.hpp"
#include "runtime/process.hpp"
#include "scheduler/thread.hpp"

namespace airssys::rt {

namespace {

std::string explain(NameError::Kind kind, const std::string& name, Pid holder) {
  std::string quoted = "\"" + name + "\"";
  switch (kind) {
    case NameError::taken:
      return "the name " + quoted + " is taken by " + holder.to_string();
    case NameError::already_named:
      return "the name " + quoted + " was given to " + holder.to_string() +
             ", which has another name already";
    case NameError::no_process:
      return "the name " + quoted + " was given to a process that is dead";
    case NameError::not_registered:
      if (holder)
        return "the name " + quoted + " is not the caller's but that of " + holder.to_string();
      return "nobody has the name " + quoted;
    case NameError::bad_name:
      return "the empty name is reserved";
  }
  return quoted;
}

}  // namespace

NameError::NameError(Kind kind, const std::string& name, Pid holder)
    : ProcessError(ExitReason::error("airssys::rt::NameError", explain(kind, name, holder)),
                   explain(kind, name, holder)),
      kind_(kind),
      holder_(holder) {}

ExitReason reason_of_current_exception() {
  // What passes a handler while the process is being ended is no C++ exception: it has no type to
  // ask for, and to rethrow it inside a second handler would meet std::terminate.
  const scheduler::Thread* thread = scheduler::Thread::current();
  if (thread && thread->task()) {
    const auto& process = static_cast<const runtime::Process&>(*thread->task());
    if (runtime::is_unwinding(process)) return process.reason;
  }
  try {
    throw;
  } catch (const ExitException& exit) {
    return exit.reason();
  } catch (const ProcessError& error) {
    return error.reason();
  } catch (const std::exception& error) {
    return ExitReason::error(base::readable_name(typeid(error).name()), error.what());
  } catch (...) {
    const std::type_info* type = abi::__cxa_current_exception_type();
    return ExitReason::error("nocatch",
                             type ? base::readable_name(type->name()) : "foreign exception");
  }
}

}  // namespace airssys::rt
