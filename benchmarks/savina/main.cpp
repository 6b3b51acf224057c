// main.cpp: airssys-savina: runs programs of the Savina suite, a line of JSON for each iteration.
//
//   airssys-savina first --schedulers 1,2      the twelve that are measured first
//   airssys-savina bank_transaction --size scaled
//
// An iteration's clock runs from before the first spawn until all its processes are gone; starting
// the runtime is outside. Exit codes: 0, 1 when a check failed, 2 for a command line that makes no
// sense.
#include <sys/resource.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <iostream>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "programs.hpp"

namespace {

using savina::Program;
using savina::Setting;
using savina::Size;
namespace rt = airssys::rt;

enum class Set : std::uint8_t { first, second, variant };

struct Entry {
  std::string_view name;
  savina::Maker make;
  Set set;
};

constexpr Entry entries[] = {
    {"pingpong", savina::make_pingpong, Set::first},
    {"counting", savina::make_counting, Set::first},
    {"counting_bounded", savina::make_counting_bounded, Set::variant},
    {"fork_join_throughput", savina::make_fork_join_throughput, Set::first},
    {"fork_join_foreign", savina::make_fork_join_foreign, Set::variant},
    {"fork_join_creation", savina::make_fork_join_creation, Set::first},
    {"chameneos", savina::make_chameneos, Set::first},
    {"big", savina::make_big, Set::first},
    {"big_wide", savina::make_big_wide, Set::variant},
    {"bounded_buffer", savina::make_bounded_buffer, Set::first},
    {"bounded_mailbox", savina::make_bounded_mailbox, Set::variant},
    {"bank_transaction", savina::make_bank_transaction, Set::first},
    {"sieve", savina::make_sieve, Set::first},
    {"cobwebbed_tree", savina::make_cobwebbed_tree, Set::first},
    {"cobwebbed_tree_cut", savina::make_cobwebbed_tree_cut, Set::variant},
    {"quicksort", savina::make_quicksort, Set::first},
    {"queens", savina::make_queens, Set::first},
    {"dictionary", savina::make_dictionary, Set::second},
    {"sorted_list", savina::make_sorted_list, Set::second},
    {"sleeping_barber", savina::make_sleeping_barber, Set::second},
    {"cigarette_smokers", savina::make_cigarette_smokers, Set::second},
    {"filter_bank", savina::make_filter_bank, Set::second},
    {"filter_bank_narrow", savina::make_filter_bank_narrow, Set::variant},
    {"filter_bank_short", savina::make_filter_bank_short, Set::variant},
    {"facility_location", savina::make_facility_location, Set::second},
    {"facility_location_short", savina::make_facility_location_short, Set::variant},
    {"trapezoid", savina::make_trapezoid, Set::second},
    {"precise_pi", savina::make_precise_pi, Set::second},
    {"matrix_multiplication", savina::make_matrix_multiplication, Set::second},
    {"over_relaxation", savina::make_over_relaxation, Set::second},
    {"guided_search", savina::make_guided_search, Set::second},
    {"guided_search_priority", savina::make_guided_search_priority, Set::variant},
    {"bitonic_sort", savina::make_bitonic_sort, Set::second},
    {"bitonic_sort_short", savina::make_bitonic_sort_short, Set::variant},
};

struct Wish {
  std::vector<std::string> names;
  std::vector<unsigned> schedulers = {1, 2};
  std::string size = "suite";
  int warm_up = 2;
  int iterations = 10;
};

double cpu_seconds() {
  rusage used{};
  getrusage(RUSAGE_SELF, &used);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
  };
  return seconds(used.ru_utime) + seconds(used.ru_stime);
}

// Linux keeps the highest RSS since the last time that somebody wrote a 5 there.
void forget_peak() {
  std::ofstream("/proc/self/clear_refs") << 5;
}
std::int64_t peak_kb() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with("VmHWM:")) return std::stoll(line.substr(6));
  }
  return 0;
}

nlohmann::json object_of(const savina::Figures& figures) {
  auto object = nlohmann::json::object();
  for (const auto& [name, value] : figures) object[name] = value;
  return object;
}

// To look at all processes takes time; it may not take more than a tenth from who is looked at.
void wait_until_alive(std::size_t count) {
  for (;;) {
    const std::int64_t begin = savina::now_ns();
    if (rt::processes().size() <= count) return;
    rt::sleep(std::chrono::nanoseconds(10 * (savina::now_ns() - begin)));
  }
}

// The whole of an iteration, as its line.
nlohmann::json iterate(const Entry& entry, const Setting& setting) {
  const std::unique_ptr<Program> program = entry.make(setting);
  double ms = 0;
  forget_peak();
  const double cpu_before = cpu_seconds();
  const rt::ExitReason reason = setting.runtime.run([&] {
    const std::size_t alive_before = rt::processes().size();
    const std::int64_t begin = savina::now_ns();
    program->run();
    wait_until_alive(alive_before);
    ms = savina::as_double(savina::now_ns() - begin) / 1e6;
  });
  const double cpu = cpu_seconds() - cpu_before;
  savina::check(reason == rt::ExitReason::normal(), "the first process ended as it should");
  const savina::Outcome outcome = program->outcome();
  return {{"bench", entry.name},
          {"params", object_of(outcome.parameters)},
          {"ms", ms},
          {"msgs", outcome.messages},
          {"procs", outcome.processes},
          {"rss_peak_kb", peak_kb()},
          {"cpu_s", cpu},
          {"reported", object_of(outcome.reported)},
          {"check", "ok"}};
}

void measure(const Entry& entry, unsigned schedulers, const Wish& wish) {
  rt::Runtime runtime({.schedulers = schedulers});
  const Setting setting{wish.size == "scaled" ? Size::scaled : Size::suite, runtime};
  for (int i = -wish.warm_up; i < wish.iterations; ++i) {
    nlohmann::json line = iterate(entry, setting);
    if (i < 0) continue;
    line["size"] = wish.size;
    line["workers"] = schedulers;
    line["iter"] = i;
    std::cout << line.dump() << '\n' << std::flush;
  }
}

std::vector<Entry> chosen(const std::vector<std::string>& names) {
  std::vector<Entry> found;
  for (const std::string& name : names) {
    const std::size_t before = found.size();
    std::ranges::copy_if(entries, std::back_inserter(found), [&](const Entry& entry) {
      return name == entry.name || name == "all" || (name == "first" && entry.set == Set::first) ||
             (name == "second" && entry.set == Set::second);
    });
    if (found.size() == before)
      throw CLI::ValidationError("program", "there is none called " + name + "; see --list");
  }
  return found;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Runs programs of the Savina actor benchmarks; a line of JSON for each iteration.");
  Wish wish;
  app.add_option("program", wish.names, "names; `first` or `second`: twelve each; `all`")
      ->default_str("first");
  app.add_option("--schedulers", wish.schedulers, "how many, one series each")
      ->delimiter(',')
      ->check(CLI::Range(1U, 128U))
      ->capture_default_str();
  app.add_option("--size", wish.size, "suite, or scaled")
      ->check(CLI::IsMember({"suite", "scaled"}))
      ->capture_default_str();
  app.add_option("--warm-up", wish.warm_up, "iterations that are not printed")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str();
  app.add_option("--iterations", wish.iterations)
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  bool list = false;
  app.add_flag("--list", list, "the programs by name, and nothing else");
  try {
    app.parse(argc, argv);
    if (list) {
      for (const Entry& entry : entries) std::cout << entry.name << '\n';
      return 0;
    }
    if (wish.names.empty()) wish.names = {"first"};
    for (const Entry& entry : chosen(wish.names)) {
      for (const unsigned schedulers : wish.schedulers) measure(entry, schedulers, wish);
    }
    return 0;
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
}
