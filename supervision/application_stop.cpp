// application_stop.cpp: ask, wait, tell, kill.
#include "supervision/application_stop.hpp"

#include <airssys/rt/call.hpp>
#include <airssys/rt/exit_reason.hpp>
#include <airssys/rt/info.hpp>
#include <airssys/rt/link.hpp>
#include <airssys/rt/receive.hpp>
#include <airssys/rt/report.hpp>
#include <airssys/rt/send.hpp>
#include <chrono>
#include <string>
#include <unordered_map>
#include <vector>

#include "supervision/survivors.hpp"

namespace airssys::rt::supervision {

namespace {

constexpr Duration time_after_kill = std::chrono::seconds(1);

bool has_ended_by(Pid root, Deadline deadline) {
  detail::PendingCall end(root);  // its address is known to nobody: only the Down can come
  send_exit(root, ExitReason::shutdown());
  return end.wait(deadline).error().kind() != CallError::timeout;
}

void tell(std::string_view name,
          std::string_view what,
          const std::vector<ProcessInfo>& left,
          const std::vector<ProcessInfo>& all) {
  report("application \"" + std::string(name) + "\" " + std::string(what));
  for (const ProcessInfo& process : left) report("  still there: " + describe(process, all));
}

// Kills these, and answers those that are there for all that.
std::vector<Pid> kill(const std::vector<ProcessInfo>& processes) {
  std::unordered_map<Ref, Pid> left;
  for (const ProcessInfo& process : processes) {
    left.emplace(monitor(process.pid), process.pid);
    send_exit(process.pid, ExitReason::kill());
  }
  const Deadline deadline = Deadline::after(time_after_kill);
  bool is_time_left = true;
  while (is_time_left && !left.empty()) {
    is_time_left = receive(when([&](Down& down) { return left.contains(down.ref); },
                                [&](Down& down) {
                                  left.erase(down.ref);
                                  return true;
                                }),
                           after(deadline.remaining(), [] { return false; }));
  }
  std::vector<Pid> pids;
  for (const auto& [ref, pid] : left) {
    demonitor(MonitorRef{ref}, Flush::yes);
    pids.push_back(pid);
  }
  return pids;
}

}  // namespace

void stop_application(std::string_view name, Pid root, Deadline deadline) {
  if (has_ended_by(root, deadline)) return;
  const std::vector<ProcessInfo> all = snapshot_processes();
  const std::vector<ProcessInfo> tree = tree_of(all, root);
  tell(name, "has not stopped in time; it is killed", tree, all);
  const std::vector<Pid> left = kill(tree);
  if (left.empty()) return;
  std::vector<ProcessInfo> stuck;
  const std::vector<ProcessInfo> now = snapshot_processes();
  for (const ProcessInfo& process : now) {
    for (const Pid pid : left) {
      if (process.pid == pid) stuck.push_back(process);
    }
  }
  tell(name, "is left behind: these were killed, but never call the runtime", stuck, now);
}

}  // namespace airssys::rt::supervision
