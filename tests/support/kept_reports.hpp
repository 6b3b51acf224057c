// kept_reports.hpp: a runtime in a test whose reports the test reads.
#pragma once

#include <airssys/rt/report.hpp>
#include <mutex>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "tests/support/in_runtime.hpp"

namespace airssys::rt::support {

class KeptReports : public InRuntime {
 protected:
  KeptReports() {
    options.log = [this](const Report& report) {
      const std::lock_guard lock(mutex_);
      reports_.push_back(report);
    };
  }

  std::vector<Report> reports() {
    const std::lock_guard lock(mutex_);
    return reports_;
  }
  std::vector<Report> reports_of(std::string_view kind) {
    std::vector<Report> found = reports();
    std::erase_if(found, [kind](const Report& report) { return report.kind() != kind; });
    return found;
  }
  std::vector<std::string> lines() {
    const std::lock_guard lock(mutex_);
    return {reports_.begin(), reports_.end()};
  }

 private:
  std::mutex mutex_;
  std::vector<Report> reports_;
};

// The value of a field, or T() when the report has none of that name and type.
template <class T = std::string>
T field(const Report& report, std::string_view name) {
  for (const Report::Field& field : report.fields()) {
    if (field.name != name) continue;
    if (const T* value = std::get_if<T>(&field.value)) return *value;
  }
  return T();
}

}  // namespace airssys::rt::support
