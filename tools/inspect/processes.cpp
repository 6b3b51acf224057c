// processes.cpp: rows out of JSON, their order, their circles.
#include "tools/inspect/processes.hpp"

#include <algorithm>
#include <cstdlib>
#include <functional>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "inspector/protocol.hpp"

namespace airssys::rt::inspect {

namespace {

// The server class behind every supervisor, static or dynamic.
constexpr std::string_view supervisor_code = "airssys::rt::supervision::SupervisorServer";

std::string text(const nlohmann::json& json, const char* key) {
  const auto found = json.find(key);
  return found != json.end() && found->is_string() ? found->get<std::string>() : std::string();
}

std::uint64_t number(const nlohmann::json& json, const char* key) {
  const auto found = json.find(key);
  return found != json.end() && found->is_number_unsigned() ? found->get<std::uint64_t>() : 0;
}

// What it says it has dropped, for all reasons together.
std::uint64_t dropped(const nlohmann::json& json) {
  std::uint64_t sum = 0;
  const auto drops = json.find("drops");
  if (drops == json.end() || !drops->is_object()) return 0;
  for (const auto& count : *drops)
    sum += count.is_number_unsigned() ? count.get<std::uint64_t>() : 0;
  return sum;
}

// The part of a type's name behind its namespaces. Angles, brackets and braces hold colons of their
// own: "ns::Pool<std::string>" is "Pool<std::string>".
std::string_view without_namespaces(std::string_view name) {
  const std::size_t end = std::min(name.find_first_of("<({"), name.size());
  const std::size_t colons = name.substr(0, end).rfind("::");
  return colons == std::string_view::npos ? name : name.substr(colons + 2);
}

using Before = std::function<bool(const Process&, const Process&)>;

template <class Member>
Before largest_first(Member member) {
  return [member](const Process& a, const Process& b) { return a.*member > b.*member; };
}
template <class Member>
Before alphabetically(Member member) {
  return [member](const Process& a, const Process& b) { return a.*member < b.*member; };
}

const std::vector<std::pair<std::string, Before>>& orders() {
  static const std::vector<std::pair<std::string, Before>> all{
      {"pid", alphabetically(&Process::slot)},
      {"age", alphabetically(&Process::born)},
      {"name", alphabetically(&Process::name)},
      {"state", alphabetically(&Process::state)},
      {"messages", largest_first(&Process::messages)},
      {"bytes", largest_first(&Process::message_bytes)},
      {"dropped", largest_first(&Process::dropped)},
      {"reductions", largest_first(&Process::reductions)},
      {"code", alphabetically(&Process::code)},
  };
  return all;
}

}  // namespace

std::string Process::doing() const {
  if (wait_reason.empty()) return state;
  return state + ": " + wait_reason + (waits_for.empty() ? "" : " of " + waits_for);
}

std::string Process::called() const {
  if (!name.empty() || label.empty()) return name;
  return std::string("(").append(label).append(")");
}

std::string Process::title() const {
  std::string words = called();
  return words.empty() ? std::string(without_namespaces(code)) : words;
}

bool Process::is_supervisor() const {
  return code == supervisor_code;
}

Process process_of(const nlohmann::json& json) {
  Process process{.pid = text(json, "pid"),
                  .parent = text(json, "parent"),
                  .name = text(json, "name"),
                  .label = text(json, "label"),
                  .code = text(json, "code"),
                  .state = text(json, "state"),
                  .wait_reason = text(json, "wait_reason"),
                  .waits_for = text(json, "waits_for"),
                  .born = number(json, "born"),
                  .reductions = number(json, "reductions"),
                  .messages = number(json, "messages"),
                  .message_bytes = number(json, "message_bytes"),
                  .dropped = dropped(json),
                  .json = json};
  if (const auto parsed = inspector::parse_process(process.pid)) process.slot = parsed->slot;
  return process;
}

std::vector<Process> fetch_processes(Connection& connection) {
  std::vector<Process> processes;
  inspector::Request request{.verb = inspector::Verb::ps};
  do {
    const nlohmann::json page = connection.ask(request);
    for (const auto& json : page.value("processes", nlohmann::json::array()))
      processes.push_back(process_of(json));
    const std::uint64_t next = number(page, "next");
    // A program that sends us back would keep us for ever.
    if (next != 0 && next <= request.slot) throw Failure("the program's pages do not advance");
    request.slot = static_cast<std::uint32_t>(next);
  } while (request.slot != 0);
  return processes;
}

const std::vector<std::string>& sort_keys() {
  static const std::vector<std::string> keys = [] {
    std::vector<std::string> names;
    for (const auto& [name, before] : orders()) names.push_back(name);
    return names;
  }();
  return keys;
}

void sort_by(std::vector<Process>& processes, const std::string& key, bool is_reversed) {
  for (const auto& order : orders()) {
    if (order.first != key) continue;
    const Before& before = order.second;
    std::ranges::sort(processes, [&](const Process& a, const Process& b) {
      if (before(a, b)) return !is_reversed;
      if (before(b, a)) return is_reversed;
      return a.slot < b.slot;
    });
  }
}

std::vector<std::vector<std::string>> circles(const std::vector<Process>& processes) {
  std::unordered_map<std::string, std::string> waits_for;
  for (const Process& process : processes) {
    if (!process.waits_for.empty()) waits_for[process.pid] = process.waits_for;
  }
  // Each waits for one at most, so a walk meets a circle when it meets itself.
  std::vector<std::vector<std::string>> found;
  std::unordered_map<std::string, std::size_t> walk_of;
  std::size_t walk = 0;
  for (const Process& process : processes) {
    ++walk;
    std::vector<std::string> path;
    std::string pid = process.pid;
    while (waits_for.contains(pid) && walk_of.emplace(pid, walk).second) {
      path.push_back(pid);
      pid = waits_for[pid];
    }
    const auto begin = std::ranges::find(path, pid);
    if (begin != path.end()) found.emplace_back(begin, path.end());
  }
  return found;
}

}  // namespace airssys::rt::inspect
