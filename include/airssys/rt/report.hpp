// report.hpp: what a runtime has to say: a line for people, a JSON object for machines.
//
// Crashes, decisions of supervisors, overload and dropped messages are reports, and a program may
// make its own. All of them go to one place, Options::log; by default a line each to stderr.
//
//   rt::Options options{.log = [](const rt::Report& report) { write(report.to_json()); }};
//
//   {"time":"2026-05-01T12:00:00.123Z","severity":"error","kind":"crash",
//    "text":"process <0.12.1> crashed: error: std::runtime_error: boom","pid":"<0.12.1>", ...}
//
// Every report has the first four members; docs/reports.md lists the kinds and what else they have.
// A member that is missing is not known; members may be added, so machines skip what they do not
// know. A Report is a plain value: any thread may copy and read one.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace airssys::rt {

// From what goes as it should to what somebody has to look at.
enum class Severity : std::uint8_t {
  info,     // a child has started
  notice,   // a program's own lines
  warning,  // something is lost, late, or about to be
  error,    // a process crashed, a supervisor gave up
};
const char* to_string(Severity severity) noexcept;

class Report {
 public:
  using Value = std::variant<std::string, std::uint64_t, bool, std::vector<std::string>>;
  struct Field {
    std::string_view name;
    Value value;
  };

  // Of now. `kind` tells reports apart for machines; it and the names of fields are constants. The
  // line stays one, in UTF-8: a control character in it becomes a space, and what is beyond 2000
  // bytes goes.
  Report(Severity severity, std::string_view kind, std::string line);

  Report& add(std::string_view name, Value value);

  Severity severity() const noexcept { return severity_; }
  std::string_view kind() const noexcept { return kind_; }
  const std::string& line() const noexcept { return line_; }
  std::chrono::system_clock::time_point time() const noexcept { return time_; }
  const std::vector<Field>& fields() const noexcept { return fields_; }

  // One object on one line: UTF-8, no line end, each text at most 1024 bytes.
  std::string to_json() const;

  // So that a sink may take a std::string_view, which is then the line.
  // NOLINTNEXTLINE(google-explicit-constructor)
  operator std::string_view() const noexcept { return line_; }

 private:
  std::chrono::system_clock::time_point time_;
  Severity severity_;
  std::string_view kind_;
  std::string line_;
  std::vector<Field> fields_;
};

// Hands a report to Options::log, unless it is below Options::log_from. For processes; never
// suspends.
void report(const Report& report);
// The same for a line of the program's own (without its end): a notice of kind "note".
void report(std::string_view line);
// Whether a report of this severity goes anywhere: for who would have to work for it.
bool is_reported(Severity severity);

// A sink for Options::log: the report as JSON, a line of it, to stderr. Any thread.
void log_json(const Report& report);

}  // namespace airssys::rt
