// report.cpp: a report as text, and the way to the sink.
#include <airssys/rt/report.hpp>

#include <cstdio>
#include <type_traits>
#include <utility>

#include "base/json.hpp"
#include "base/utf8.hpp"
#include "base/wall_clock.hpp"
#include "runtime/call.hpp"
#include "runtime/system.hpp"

namespace airssys::rt {

namespace {

constexpr std::size_t line_bytes_max = 2000;  // of a length that people read
constexpr std::size_t fields_of_most = 12;

void add_value(base::JsonWriter& json, const Report::Value& value) {
  std::visit(
      [&json](const auto& of_type) {
        using T = std::remove_cvref_t<decltype(of_type)>;
        if constexpr (std::is_same_v<T, std::string>) {
          json.text(of_type);
        } else if constexpr (std::is_same_v<T, bool>) {
          json.boolean(of_type);
        } else if constexpr (std::is_same_v<T, std::uint64_t>) {
          json.number(of_type);
        } else {
          json.begin_array();
          for (const std::string& each : of_type) json.text(each);
          json.end_array();
        }
      },
      value);
}

}  // namespace

const char* to_string(Severity severity) noexcept {
  switch (severity) {
    case Severity::info:
      return "info";
    case Severity::notice:
      return "notice";
    case Severity::warning:
      return "warning";
    case Severity::error:
      return "error";
  }
  return "?";
}

Report::Report(Severity severity, std::string_view kind, std::string line)
    : time_(base::wall_time()),
      severity_(severity),
      kind_(kind),
      line_(base::one_line(std::move(line), line_bytes_max)) {}

Report& Report::add(std::string_view name, Value value) {
  if (fields_.empty()) fields_.reserve(fields_of_most);
  fields_.emplace_back(name, std::move(value));
  return *this;
}

std::string Report::to_json() const {
  base::JsonWriter json;
  json.begin_object().key("time").text(base::to_rfc3339(time_));
  json.key("severity").text(to_string(severity_)).key("kind").text(kind_).key("text").text(line_);
  for (const auto& [name, value] : fields_) add_value(json.key(name), value);
  return json.end_object().take();
}

void report(const Report& report) {
  const runtime::Call call(runtime::Call::Kind::plain);
  call.system().log(report);
}

void report(std::string_view line) {
  report(Report(Severity::notice, "note", std::string(line)));
}

bool is_reported(Severity severity) {
  const runtime::Call call(runtime::Call::Kind::plain);
  return call.system().is_logged(severity);
}

void log_json(const Report& report) {
  std::fprintf(stderr, "%s\n", report.to_json().c_str());
}

}  // namespace airssys::rt
