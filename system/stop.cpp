// stop.cpp: ending every process, in order (E3).
//
//   1. those without a living parent, newest first: exit `shutdown` as from their parent, one after
//      the other, each waited for; a supervisor takes its tree down meanwhile. Whoever loses its
//      parent that way is next.
//   2. for the last second, or half of the time if that is less: `shutdown` for all that are left
//   3. at the deadline: `kill`; what has not gone a second later is reported
//   4. the watchers, which end by themselves: plain threads wait for their news
//
// All of it is done by a process of the runtime's own, with monitors and time-outs as anybody's.
#include <airssys/rt/link.hpp>
#include <airssys/rt/receive.hpp>
#include <algorithm>
#include <string>
#include <vector>

#include "runtime/call.hpp"
#include "runtime/crash_report.hpp"
#include "runtime/signals.hpp"
#include "system/runtime_impl.hpp"

namespace airssys::rt::detail {

namespace {

constexpr std::int64_t out_of_order_ns = 1'000'000'000;
constexpr std::int64_t after_kill_ns = 1'000'000'000;

struct Living {
  Pid pid;
  Pid parent;
  std::uint64_t born;
};

std::vector<Living> living(RuntimeImpl& runtime) {
  std::vector<Living> found;
  const runtime::Call call;
  call.system().table.each([&](runtime::Process& process) {
    if (!runtime.is_own(process.pid()))
      found.push_back({process.pid(), process.parent, process.born});
  });
  return found;
}

std::vector<Living> without_parent(RuntimeImpl& runtime) {
  std::vector<Living> all = living(runtime);
  const runtime::Call call;
  std::erase_if(all, [&](const Living& each) {
    return each.parent && call.system().find(each.parent) && !runtime.is_own(each.parent);
  });
  std::sort(
      all.begin(), all.end(), [](const Living& a, const Living& b) { return a.born > b.born; });
  return all;
}

void send_exit_as_from_parent(const Living& to, ExitReason reason) {
  const runtime::Call call;
  runtime::send_signal(
      call.system(),
      to.pid,
      runtime::make_signal(mailbox::SignalKind::exit, to.parent, 0, 0, std::move(reason)));
}

// True when it has gone by then.
bool wait_for_end(Pid pid, Deadline until) {
  const MonitorRef ref = monitor(pid);
  const std::int64_t now = scheduler::Thread::current()->pool().clock.now_ns();
  const bool has_gone =
      receive(when([&](Down& down) { return down.ref == ref; }, [](Down&) { return true; }),
              after(Duration(std::max<std::int64_t>(until.ns() - now, 0)), [] { return false; }));
  if (!has_gone) demonitor(ref, Flush::yes);
  return has_gone;
}

bool shut_down_roots(RuntimeImpl& runtime, Deadline until) {
  for (;;) {
    const std::vector<Living> roots = without_parent(runtime);
    if (roots.empty()) return living(runtime).empty();
    for (const Living& root : roots) {
      send_exit_as_from_parent(root, ExitReason::shutdown());
      if (!wait_for_end(root.pid, until)) return false;
    }
  }
}

bool end_all(RuntimeImpl& runtime, const ExitReason& reason, Deadline until) {
  for (;;) {
    const std::vector<Living> left = living(runtime);
    if (left.empty()) return true;
    for (const Living& each : left) send_exit_as_from_parent(each, reason);
    for (const Living& each : left) {
      if (!wait_for_end(each.pid, until)) return false;
    }
  }
}

void report_what_is_left(RuntimeImpl& runtime) {
  std::vector<Pid> pids;
  for (const Living& each : living(runtime)) pids.push_back(each.pid);
  const runtime::Call call;
  for (const Pid pid : pids) {
    std::string line = runtime::title_of(call.system(), pid) + " does not end";
    if (const runtime::Process* process = call.system().find(pid)) {
      // relaxed: for show.
      const auto why = process->wait_reason.load(std::memory_order_relaxed);
      line += why == runtime::WaitReason::none ? ": it runs code that never calls the runtime"
                                               : std::string(": it waits for ") + to_string(why);
    }
    call.system().log(Report(Severity::error, "stuck", line).add("pid", pid.to_string()));
  }
}

bool end_others(RuntimeImpl& runtime, Deadline deadline, Deadline last) {
  const std::int64_t now = scheduler::Thread::current()->pool().clock.now_ns();
  const std::int64_t time = std::max<std::int64_t>(deadline.ns() - now, 0);
  const Deadline in_order = Deadline::at_ns(deadline.ns() - std::min(time / 2, out_of_order_ns));
  return shut_down_roots(runtime, in_order) || end_all(runtime, ExitReason::shutdown(), deadline) ||
         end_all(runtime, ExitReason::kill(), last);
}

}  // namespace

void end_all_processes(RuntimeImpl& runtime, Deadline deadline) {
  const Deadline last =
      deadline.is_never() ? deadline : Deadline::at_ns(deadline.ns() + after_kill_ns);
  if (!end_others(runtime, deadline, last)) report_what_is_left(runtime);
  for (const Pid watcher : runtime.own()) {
    if (watcher != self() && !wait_for_end(watcher, last)) return;
  }
}

}  // namespace airssys::rt::detail
