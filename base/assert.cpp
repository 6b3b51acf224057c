// assert.cpp: the last words of a broken invariant.
//
// The report goes out in one write, so that the last words of two threads do not mix, and from a
// buffer on the stack, for the heap may be what broke.
#include "base/assert.hpp"

#include <unistd.h>

#include <cstdio>
#include <cstdlib>

namespace airssys::rt::base {

void check_failed(const char* file, int line, const char* condition, const char* message) noexcept {
  char report[512];
  const int length = std::snprintf(report,
                                   sizeof report,
                                   "airssys-rt: %s:%d: check failed: %s (%s)\n",
                                   file,
                                   line,
                                   message,
                                   condition);
  const auto bytes = static_cast<std::size_t>(length) < sizeof report
                         ? static_cast<std::size_t>(length)
                         : sizeof report - 1;
  // Nothing is left to do when even this write fails.
  [[maybe_unused]] const auto written = ::write(STDERR_FILENO, report, bytes);
  std::abort();
}

}  // namespace airssys::rt::base
