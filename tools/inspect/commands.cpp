// commands.cpp: asks, and lays the answers out.
#include "tools/inspect/commands.hpp"

#include <cmath>
#include <cstdint>
#include <ctime>
#include <string>
#include <utility>
#include <vector>

#include "inspector/protocol.hpp"
#include "tools/inspect/connection.hpp"
#include "tools/inspect/processes.hpp"

namespace airssys::rt::inspect {

namespace {

using Align = Table::Align;
using nlohmann::json;

// Text that is not UTF-8 does not stop the output.
std::string dumped(const json& value) {
  return value.dump(2, ' ', false, json::error_handler_t::replace) + "\n";
}

// Of a whole, in percent.
std::string share(double part, double whole) {
  return whole > 0 ? std::to_string(std::lround(100 * part / whole)) + " %" : "-";
}

std::string figure(const json& object, const char* key) {
  return brief(object.value(key, std::uint64_t{0}));
}

std::string since(const json& hello) {
  const auto seconds = static_cast<std::time_t>(hello.value("started_unix", std::int64_t{0}));
  std::tm local{};
  char text[32];
  if (!::localtime_r(&seconds, &local)) return "?";
  return {text, std::strftime(text, sizeof(text), "%F %T", &local)};
}

const char* state_of(const Program& program) noexcept {
  if (program.hello) return "runs";
  return program.is_dead ? "dead" : "silent";
}

json program_json(const Program& program, bool is_removed) {
  json entry = program.hello.value_or(json::object());
  entry.erase("version");
  entry["socket"] = program.path;
  entry["state"] = state_of(program);
  if (is_removed) entry["removed"] = true;
  if (!program.trouble.empty()) entry["trouble"] = program.trouble;
  return entry;
}

std::string joined(const json& pids) {
  const std::uint64_t count = pids.value("count", std::uint64_t{0});
  if (count == 0) return "none";
  std::string text;
  std::uint64_t shown = 0;
  for (const json& pid : pids.value("pids", json::array())) {
    if (++shown > 20) break;
    text += (text.empty() ? "" : " ") + harmless(pid.get<std::string>());
  }
  return count > 20 ? text + " ... " + std::to_string(count) + " in all" : text;
}

// "  name     value", the values under each other.
class Facts {
 public:
  explicit Facts(const Screen& screen) : screen_(screen) {}
  void add(const std::string& name, const std::string& value) {
    constexpr std::size_t width = 14;
    text_ +=
        screen_.faint(name + std::string(width - std::min(name.size(), width), ' ')) + value + "\n";
  }
  std::string take() { return std::move(text_); }

 private:
  const Screen& screen_;
  std::string text_;
};

// One line for each value that the process keeps for itself.
void add_dictionary(Facts& facts, const json& dictionary) {
  for (const json& local : dictionary) {
    const std::string name = local.value("name", "");
    facts.add(
        "keeps",
        (name.empty() ? "a value" : harmless(name)) + ": " + harmless(local.value("value", "")));
  }
}

void add_own_words(Facts& facts, const json& process) {
  facts.add("priority", process.value("priority", ""));
  facts.add("traps exits", process.value("traps_exits", false) ? "yes" : "no");
  facts.add("memory", figure(process, "memory_bytes") + " bytes");
  facts.add("links", joined(process.value("links", json::object())));
  facts.add("monitors", joined(process.value("monitors", json::object())));
  facts.add("monitored by", joined(process.value("monitored_by", json::object())));
  const json suspenders = process.value("suspended_by", json::object());
  if (figure(suspenders, "count") != "0") facts.add("suspended by", joined(suspenders));
  add_dictionary(facts, process.value("dictionary", json::array()));
}

// By reason, and whose they were: "refused 12, late 3", "<0.7.1> 11, <0.9.1> 1".
void add_drops(Facts& facts, const json& process) {
  std::string reasons;
  const json drops = process.value("drops", json::object());
  for (const auto& [reason, count] : drops.items()) {
    if (count == 0) continue;
    reasons += (reasons.empty() ? "" : ", ") + harmless(reason) + " " + brief(count);
  }
  if (reasons.empty()) return;
  facts.add("dropped", reasons);
  std::string senders;
  for (const json& sender : process.value("dropped_of", json::array())) {
    senders += (senders.empty() ? "" : ", ") + harmless(sender.value("pid", "")) + " " +
               figure(sender, "count");
  }
  if (!senders.empty()) facts.add("sent by", senders);
}

}  // namespace

std::string list_programs(bool clean, Output output, const Screen& screen) {
  const std::vector<Program> programs = find_programs();
  if (programs.empty()) throw Failure("no program of this user can be looked into");
  json entries = json::array();
  Table table({{"PROGRAM", Align::left},
               {"PROCESS", Align::right},
               {"PROCESSES", Align::right},
               {"SCHEDULERS", Align::right},
               {"SINCE", Align::left},
               {"SOCKET", Align::left}});
  for (const Program& program : programs) {
    const bool is_removed = clean && program.is_dead && remove_dead(program);
    entries.push_back(program_json(program, is_removed));
    if (program.hello) {
      const json& hello = *program.hello;
      table.add({harmless(hello.value("program", "")),
                 std::to_string(hello.value("process_id", 0)),
                 figure(hello, "processes"),
                 figure(hello, "schedulers"),
                 since(hello),
                 harmless(program.path)});
    } else {
      table.add(
          {is_removed ? "removed" : state_of(program), "-", "-", "-", "-", harmless(program.path)});
    }
  }
  return output == Output::json ? dumped(entries) : table.print(screen);
}

std::string list_processes(const Choice& choice,
                           const PsOptions& options,
                           Output output,
                           const Screen& screen) {
  Connection connection(choose(choice));
  std::vector<Process> processes = fetch_processes(connection);
  const auto rings = circles(processes);
  sort_by(processes, options.sort, options.is_reversed);
  const std::size_t shown =
      options.top == 0 ? processes.size() : std::min(options.top, processes.size());
  if (output == Output::json) {
    json answer{{"processes", json::array()}, {"count", processes.size()}, {"circles", rings}};
    for (std::size_t i = 0; i < shown; ++i) answer["processes"].push_back(processes[i].json);
    return dumped(answer);
  }
  Table table({{"PID", Align::left},
               {"NAME", Align::left},
               {"STATE", Align::left},
               {"MESSAGES", Align::right},
               {"BYTES", Align::right},
               {"DROPPED", Align::right},
               {"REDUCTIONS", Align::right},
               {"PARENT", Align::left},
               {"CODE", Align::left}});
  for (std::size_t i = 0; i < shown; ++i) {
    const Process& process = processes[i];
    table.add({process.pid,
               harmless(process.called()),
               harmless(process.doing()),
               brief(process.messages),
               brief(process.message_bytes),
               process.dropped == 0 ? "" : brief(process.dropped),
               brief(process.reductions),
               process.parent,
               harmless(process.code)});
  }
  std::string text = table.print(screen);
  if (shown < processes.size())
    text += screen.faint("... " + std::to_string(processes.size()) + " in all") + "\n";
  for (const auto& ring : rings) {
    std::string line = "they wait for one another:";
    for (const std::string& pid : ring) line += " " + harmless(pid) + " ->";
    text += screen.alarming(line + " " + harmless(ring.front())) + "\n";
  }
  return text;
}

std::string show_tree(const Choice& choice,
                      const TreeLimits& limits,
                      Output output,
                      const Screen& screen) {
  Connection connection(choose(choice));
  const std::vector<Process> processes = fetch_processes(connection);
  if (output == Output::json) return dumped(tree_json(processes, limits));
  return draw_tree(processes, limits, screen);
}

std::string show_process(const Choice& choice,
                         const std::string& who,
                         Output output,
                         const Screen& screen) {
  const auto request = inspector::parse_process(who);
  if (!request) throw Failure(request.error().text);
  const json process = Connection(choose(choice)).ask(*request).value("process", json::object());
  if (output == Output::json) return dumped(process);
  const Process row = process_of(process);
  const auto or_none = [](const std::string& text) { return text.empty() ? "none" : text; };
  Facts facts(screen);
  facts.add("pid", harmless(row.pid));
  facts.add("name", or_none(harmless(row.name)));
  if (!row.label.empty()) facts.add("label", harmless(row.label));
  facts.add("code", or_none(harmless(row.code)));
  facts.add("parent", or_none(harmless(row.parent)));
  facts.add("state", harmless(row.doing()));
  facts.add("reductions", brief(row.reductions));
  facts.add("messages", brief(row.messages) + ", " + brief(row.message_bytes) + " bytes");
  if (process.value("overloaded", false)) facts.add("mailbox", screen.alarming("overloaded"));
  add_drops(facts, process);
  if (process.value("asked", "") == "answered") {
    add_own_words(facts, process);
  } else {
    facts.add("asked", "busy: it did not answer in time, so its links are not known");
  }
  return facts.take();
}

std::string list_schedulers(const Choice& choice, Output output, const Screen& screen) {
  const json answer = Connection(choose(choice)).ask({.verb = inspector::Verb::schedulers});
  const json schedulers = answer.value("schedulers", json::array());
  if (output == Output::json) return dumped(schedulers);
  const std::vector<const char*> figures{
      "id", "queued", "turns", "reductions", "steals", "sleeps", "timers", "hand_overs"};
  Table table({{"SCHEDULER", Align::right},
               {"QUEUED", Align::right},
               {"TURNS", Align::right},
               {"REDUCTIONS", Align::right},
               {"STEALS", Align::right},
               {"SLEEPS", Align::right},
               {"TIMERS", Align::right},
               {"HAND-OVERS", Align::right},
               {"BUSY", Align::right}});
  for (const json& scheduler : schedulers) {
    std::vector<std::string> cells;
    cells.reserve(figures.size());
    for (const char* key : figures) cells.push_back(figure(scheduler, key));
    cells.push_back(share(scheduler.value("busy_ns", 0.0), scheduler.value("total_ns", 0.0)));
    table.add(std::move(cells));
  }
  return table.print(screen);
}

}  // namespace airssys::rt::inspect
