// application_stop.cpp: ask, wait, tell, kill.
#include "supervision/application_stop.hpp"

#include <airssys/rt/detail/survivors.hpp>
#include <airssys/rt/info.hpp>
#include <airssys/rt/link.hpp>
#include <airssys/rt/receive.hpp>
#include <airssys/rt/report.hpp>
#include <airssys/rt/send.hpp>
#include <chrono>
#include <cstddef>
#include <string>
#include <unordered_map>
#include <vector>

#include "supervision/child_stop.hpp"

namespace airssys::rt::supervision {

namespace {

constexpr Duration time_after_kill = std::chrono::seconds(1);
constexpr std::size_t told_max = 100;  // of one tree: a hint, where a million would be none

void forget(Pid keeper) {
  unlink(keeper);
  receive(when([&](Exit& exit) { return exit.from == keeper; }, [](Exit&) {}),
          after(Duration::zero(), [] {}));
}

// The top and all that descends from it, parents first, so that no supervisor hears of a child's
// end before its own. What has lost its parent is not found.
std::vector<Pid> tree_of(Pid top) {
  std::unordered_map<Pid, std::vector<Pid>> children;
  for (const Pid pid : processes()) {
    const auto seen = process_info(pid, {.timeout = Duration::zero()});
    if (seen && seen->parent) children[seen->parent].push_back(pid);
  }
  std::vector<Pid> tree;
  if (process_info(top, {.timeout = Duration::zero()})) tree.push_back(top);
  const auto add_children = [&](Pid parent) {
    const std::vector<Pid>& found = children[parent];
    tree.insert(tree.end(), found.begin(), found.end());
  };
  if (tree.empty()) add_children(top);
  for (std::size_t at = 0; at < tree.size(); ++at) add_children(tree[at]);
  return tree;
}

void tell(std::string_view name, std::vector<Pid> tree) {
  const std::string count = std::to_string(tree.size());
  report(Report(Severity::error,
                "application",
                "application \"" + std::string(name) + "\" has not stopped in time; " + count +
                    (tree.size() == 1 ? " process is killed" : " processes are killed"))
             .add("application", std::string(name))
             .add("context", "late")
             .add("processes", std::uint64_t{tree.size()}));
  if (tree.size() > told_max) tree.resize(told_max);
  for (const ProcessInfo& process : detail::ask_survivors(tree)) {
    report(detail::survivor_report("survivor", process, "has not stopped in time")
               .add("application", std::string(name)));
  }
}

void kill(const std::vector<Pid>& tree) {
  for (const Pid pid : tree) send_exit(pid, ExitReason::kill());
  const Deadline deadline = Deadline::after(time_after_kill);
  for (const Pid pid : tree)
    static_cast<void>(end_by(pid, ExitReason::kill(), deadline.remaining(), {}));
}

}  // namespace

bool stop_application(std::string_view name, Pid keeper, bool has_root, Deadline deadline) {
  const bool is_in_time =
      end_by(keeper, ExitReason::shutdown(), deadline.remaining(), {}).has_value();
  if (!is_in_time) {
    std::vector<Pid> tree = tree_of(keeper);
    if (has_root) std::erase(tree, keeper);  // it only waits for that
    tell(name, tree);
    tree.push_back(keeper);
    kill(tree);
  }
  forget(keeper);
  return is_in_time;
}

}  // namespace airssys::rt::supervision
