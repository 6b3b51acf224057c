// processes_test.cpp: rows out of JSON, their order, and the circles of those that wait.
//
// Method: JSON as a program would answer it, written by hand.
#include "tools/inspect/processes.hpp"

#include <gtest/gtest.h>
#include <string>
#include <vector>

namespace airssys::rt::inspect {
namespace {

Process row(const std::string& pid, const std::string& waits_for = {}) {
  nlohmann::json json{{"pid", pid}, {"state", "waiting"}, {"wait_reason", "reply"}};
  if (!waits_for.empty()) json["waits_for"] = waits_for;
  return process_of(json);
}

std::vector<std::string> pids_of(const std::vector<Process>& processes) {
  std::vector<std::string> pids;
  for (const Process& process : processes) pids.push_back(process.pid);
  return pids;
}

using Pids = std::vector<std::string>;

TEST(Processes, a_row_that_lacks_everything_is_an_empty_row) {
  const Process process = process_of(nlohmann::json{{"pid", 7}, {"parent", nullptr}});
  EXPECT_EQ(process.pid, "");
  EXPECT_EQ(process.parent, "");
  EXPECT_EQ(process.reductions, 0U);
}

TEST(Processes, what_a_process_does_is_said_in_one_phrase) {
  EXPECT_EQ(row("<0.1.1>", "<0.2.1>").doing(), "waiting: reply of <0.2.1>");
  EXPECT_EQ(row("<0.1.1>").doing(), "waiting: reply");
  EXPECT_EQ(process_of({{"state", "runnable"}}).doing(), "runnable");
}

TEST(Processes, one_without_a_name_is_titled_by_the_type_it_runs) {
  EXPECT_EQ(process_of({{"name", "store"}, {"code", "a::Store"}}).title(), "store");
  EXPECT_EQ(process_of({{"code", "a::b::Store"}}).title(), "Store");
  EXPECT_EQ(process_of({{"code", "a::Pool<std::string>"}}).title(), "Pool<std::string>");
  EXPECT_EQ(process_of({{"code", "main()::<lambda()>"}}).title(), "main()::<lambda()>");
}

TEST(Processes, one_without_a_name_is_called_by_its_label) {
  EXPECT_EQ(process_of({{"name", "store"}, {"label", "of a.txt"}}).called(), "store");
  EXPECT_EQ(process_of({{"label", "of a.txt"}, {"code", "a::Store"}}).called(), "(of a.txt)");
  EXPECT_EQ(process_of({{"label", "of a.txt"}, {"code", "a::Store"}}).title(), "(of a.txt)");
  EXPECT_EQ(process_of({{"code", "a::Store"}}).called(), "");
}

TEST(Processes, figures_come_largest_first_and_text_alphabetically) {
  std::vector<Process> processes;
  for (const unsigned i : {2U, 11U, 5U}) {
    processes.push_back(
        process_of({{"pid", "<0." + std::to_string(i) + ".1>"},
                    {"name", std::string(1, static_cast<char>('z' - static_cast<char>(i)))},
                    {"reductions", i}}));
  }
  sort_by(processes, "reductions", false);
  EXPECT_EQ(pids_of(processes), (Pids{"<0.11.1>", "<0.5.1>", "<0.2.1>"}));
  sort_by(processes, "pid", false);
  EXPECT_EQ(pids_of(processes), (Pids{"<0.2.1>", "<0.5.1>", "<0.11.1>"}));
  sort_by(processes, "name", false);
  EXPECT_EQ(pids_of(processes), (Pids{"<0.11.1>", "<0.5.1>", "<0.2.1>"}));
  sort_by(processes, "name", true);
  EXPECT_EQ(pids_of(processes), (Pids{"<0.2.1>", "<0.5.1>", "<0.11.1>"}));
}

TEST(Processes, equal_ones_stay_in_the_order_of_their_slots) {
  std::vector<Process> processes{row("<0.3.1>"), row("<0.1.1>"), row("<0.2.1>")};
  sort_by(processes, "reductions", false);
  EXPECT_EQ(pids_of(processes), (Pids{"<0.1.1>", "<0.2.1>", "<0.3.1>"}));
}

TEST(Processes, every_sort_key_sorts) {
  for (const std::string& key : sort_keys()) {
    std::vector<Process> processes{row("<0.2.1>"), row("<0.1.1>")};
    sort_by(processes, key, false);
    EXPECT_EQ(processes.front().pid, "<0.1.1>") << key;
  }
}

TEST(Circles, a_chain_is_none) {
  EXPECT_TRUE(
      circles({row("<0.1.1>", "<0.2.1>"), row("<0.2.1>", "<0.3.1>"), row("<0.3.1>")}).empty());
}

TEST(Circles, who_waits_for_itself_is_one) {
  EXPECT_EQ(circles({row("<0.1.1>", "<0.1.1>")}), (std::vector<Pids>{{"<0.1.1>"}}));
}

TEST(Circles, each_is_found_once_without_those_that_only_lead_to_it) {
  const auto found = circles({row("<0.9.1>", "<0.2.1>"),
                              row("<0.1.1>", "<0.2.1>"),
                              row("<0.2.1>", "<0.1.1>"),
                              row("<0.8.1>", "<0.9.1>"),
                              row("<0.4.1>", "<0.5.1>"),
                              row("<0.5.1>", "<0.6.1>"),
                              row("<0.6.1>", "<0.4.1>")});
  EXPECT_EQ(found, (std::vector<Pids>{{"<0.2.1>", "<0.1.1>"}, {"<0.4.1>", "<0.5.1>", "<0.6.1>"}}));
}

}  // namespace
}  // namespace airssys::rt::inspect
