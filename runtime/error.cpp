// error.cpp: what a refused name says, and what an exception means as a reason.
#include <airssys/rt/error.hpp>

#include <cxxabi.h>

#include <cstdlib>
#include <exception>
#include <string>
#include <typeinfo>

namespace airssys::rt {

namespace {

std::string readable_name(const std::type_info& type) {
  int status = 0;
  char* name = abi::__cxa_demangle(type.name(), nullptr, nullptr, &status);
  std::string readable = status == 0 ? name : type.name();
  std::free(name);  // NOLINT(cppcoreguidelines-no-malloc): the ABI allocates it by malloc
  return readable;
}

std::string explain(NameError::Kind kind, const std::string& name, Pid holder) {
  const std::string quoted = "\"" + name + "\"";
  switch (kind) {
    case NameError::taken:
      return "the name " + quoted + " is taken by " + holder.to_string();
    case NameError::already_named:
      return "the name " + quoted + " was given to " + holder.to_string() +
             ", which has another name already";
    case NameError::no_process:
      return "the name " + quoted + " was given to a process that is dead";
    case NameError::not_registered:
      return "nobody has the name " + quoted;
    case NameError::bad_name:
      return "the empty name is reserved";
  }
  return quoted;
}

}  // namespace

NameError::NameError(Kind kind, std::string name, Pid holder)
    : ProcessError(ExitReason::error("airssys::rt::NameError", explain(kind, name, holder)),
                   explain(kind, name, holder)),
      kind_(kind),
      holder_(holder) {}

ExitReason reason_of_current_exception() {
  // A foreign exception has no type. The forced unwind of a process is one, and to rethrow it here,
  // inside its handler, would meet std::terminate.
  const std::type_info* type = abi::__cxa_current_exception_type();
  if (!type) return ExitReason::error("nocatch", "foreign exception");
  try {
    throw;
  } catch (const ExitException& exit) {
    return exit.reason();
  } catch (const ProcessError& error) {
    return error.reason();
  } catch (const std::exception& error) {
    return ExitReason::error(readable_name(typeid(error)), error.what());
  } catch (...) {
    return ExitReason::error("nocatch", readable_name(*type));
  }
}

}  // namespace airssys::rt
