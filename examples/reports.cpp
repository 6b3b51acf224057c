// Reports: a sink of the program's own hears of a crash, and of what the supervisor does about it.
#include <airssys/rt.hpp>
#include <cstdio>
#include <stdexcept>
#include <string>
#include <string_view>

namespace rt = airssys::rt;

struct Sensor : rt::Server<Sensor> {
  struct Read {
    using Reply = int;
  };
  int handle(Read) { throw std::runtime_error("no signal"); }
};

// A report has a line for people and an object for machines, report.to_json(). What is in that one
// can also be asked for by name.
std::string member(const rt::Report& report, std::string_view name) {
  for (const rt::Report::Field& field : report.fields()) {
    if (field.name == name) return std::get<std::string>(field.value);
  }
  return {};
}

// Any thread calls it, and goes on when it returns.
void sink(const rt::Report& report) {
  std::printf("%s, %s: ", to_string(report.severity()), std::string(report.kind()).c_str());
  if (report.kind() == "crash") {
    std::printf("%s\n  in %s on %s\n",
                member(report, "reason").c_str(),
                member(report, "callback").c_str(),
                member(report, "message").c_str());
  } else if (report.kind() == "supervisor") {
    std::printf("%s, %s\n", member(report, "context").c_str(), member(report, "decision").c_str());
  } else {
    std::printf("%s\n", report.line().c_str());
  }
}

int main() {
  rt::Options options;
  options.log = sink;
  options.log_from = rt::Severity::notice;  // not what goes as it should; the default
  return rt::run(options, [] {
    rt::report("the station opens");
    rt::report(rt::Report(rt::Severity::warning, "station", "its power is low")
                   .add("station", "north")
                   .add("percent", std::uint64_t{7}));

    rt::Pid top = rt::start_supervisor_link({.children = {rt::child<Sensor>("sensor")}});
    rt::Pid sensor = rt::which_children(top).front().pid;
    auto value = rt::try_call(rt::server_ref<Sensor>(sensor), Sensor::Read{});

    // The supervisor heard of it before the caller did, so when it answers it has restarted it.
    const bool is_new = rt::which_children(top).front().pid != sensor;
    std::printf("the caller heard: %s\n", value.error().reason().to_string().c_str());
    std::printf("the sensor is %s\n", is_new ? "a new one" : "the old one");
  });
}
