// run.cpp: rt::run: a program that is a daemon, from its first process to its exit code (E1, E4).
#include <airssys/rt/application.hpp>
#include <airssys/rt/system.hpp>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <memory>
#include <stdexcept>
#include <utility>

#include "system/runtime_impl.hpp"

namespace airssys::rt::detail {

namespace {

int exit_code_of(const ExitReason& reason, const int* result) {
  if (reason.kind() == ExitReason::Kind::normal) return result ? *result : 0;
  return reason.is_orderly() ? 0 : 1;
}

}  // namespace

int run_program(const Options& options, Program* program, const int* result) {
  std::unique_ptr<Program> owned(program);
  std::unique_ptr<RuntimeImpl> runtime;
  try {
    runtime = std::make_unique<RuntimeImpl>(options, true);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "airssys-rt: cannot start: %s\n", error.what());
    return 1;
  }
  const auto ending = std::make_shared<RuntimeImpl::Ending>();
  runtime->start_watched(owned.release(), ending);
  const ExitReason reason = ending->wait();
  runtime->stop(options.stop_timeout);
  return exit_code_of(reason, result);
}

}  // namespace airssys::rt::detail

namespace airssys::rt {

int run_applications(ApplicationsOptions applications, Options options) {
  using std::chrono::milliseconds;
  // Two seconds more: one for those that are in no application (E3), one to see the killed off.
  constexpr Duration longest = std::chrono::years(1);
  const auto phases = std::chrono::ceil<milliseconds>(std::min(applications.shutdown, longest));
  options.stop_timeout = std::max(options.stop_timeout, phases + milliseconds(2000));
  return run(options, [applications = std::move(applications)]() mutable {
    serve_applications(std::move(applications));
  });
}

}  // namespace airssys::rt
