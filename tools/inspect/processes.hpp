// processes.hpp: all processes of a program, sorted, and the circles among those that wait.
#pragma once

#include <airssys/rt/pid.hpp>
#include <cstddef>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "tools/inspect/connection.hpp"

namespace airssys::rt::inspect {

struct Process {
  std::string pid;
  std::string parent;  // empty: none
  std::string name;
  std::string label;  // what it calls itself
  std::string code;   // what it runs
  std::string state;
  std::string wait_reason;
  std::string waits_for;  // a pid; empty: nobody
  std::uint64_t slot = 0;
  std::uint64_t born = 0;
  std::uint64_t reductions = 0;
  std::uint64_t messages = 0;
  std::uint64_t message_bytes = 0;
  std::uint64_t dropped = 0;  // messages, for whatever reason
  nlohmann::json json;        // all of it, as it came

  // "waiting: reply of <0.12.1>", and the like.
  std::string doing() const;
  // Its name, else its label in parentheses, else nothing.
  std::string called() const;
  // The same, else what it runs: the type's own name, without the namespaces around it.
  std::string title() const;
  bool is_supervisor() const;
};

Process process_of(const nlohmann::json& json);

// Page by page, in the order of their slots.
std::vector<Process> fetch_processes(Connection& connection);

// What `ps --sort` knows, in the order of its help.
const std::vector<std::string>& sort_keys();
// Figures: the largest first; text: alphabetically. Equal ones stay in the order of their slots.
void sort_by(std::vector<Process>& processes, const std::string& key, bool is_reversed);

// Each circle of processes that wait for one another, as pids, none twice.
std::vector<std::vector<std::string>> circles(const std::vector<Process>& processes);

}  // namespace airssys::rt::inspect
