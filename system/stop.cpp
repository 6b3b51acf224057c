// stop.cpp: ending every process, in order (E3).
//
//   1. those without a living parent, newest first: exit `shutdown` as from their parent, one after
//      the other, each waited for; a supervisor takes its tree down meanwhile. Whoever loses its
//      parent that way is next.
//   2. for the last second, or half of the time if that is less: `shutdown` for all who are left
//   3. at the deadline: a report of each, and `kill`; what has not gone a second later is reported
//      once more
//   4. the watchers, which end by themselves: plain threads wait for their news
//
// All of it is done by a process of the runtime's own, with monitors and time-outs as anybody's.
#include <airssys/rt/detail/survivors.hpp>
#include <airssys/rt/link.hpp>
#include <airssys/rt/receive.hpp>
#include <airssys/rt/report.hpp>
#include <algorithm>
#include <string_view>
#include <vector>

#include "runtime/call.hpp"
#include "runtime/signals.hpp"
#include "system/runtime_impl.hpp"

namespace airssys::rt::detail {

namespace {

constexpr std::int64_t out_of_order_ns = 1'000'000'000;
constexpr std::int64_t after_kill_ns = 1'000'000'000;
constexpr std::size_t told_max = 100;  // of what is left

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

// What each of them waits for: before it is killed, or when that has not helped.
void report_what_is_left(RuntimeImpl& runtime, std::string_view kind, std::string_view what) {
  std::vector<Pid> pids;
  for (const Living& each : living(runtime)) pids.push_back(each.pid);
  if (pids.size() > told_max) pids.resize(told_max);
  for (const ProcessInfo& process : ask_survivors(pids))
    report(survivor_report(kind, process, what));
}

bool end_others(RuntimeImpl& runtime, Deadline deadline, Deadline last, bool tells) {
  const std::int64_t now = scheduler::Thread::current()->pool().clock.now_ns();
  const std::int64_t time = std::max<std::int64_t>(deadline.ns() - now, 0);
  const Deadline in_order = Deadline::at_ns(deadline.ns() - std::min(time / 2, out_of_order_ns));
  if (shut_down_roots(runtime, in_order) || end_all(runtime, ExitReason::shutdown(), deadline))
    return true;
  if (tells) report_what_is_left(runtime, "survivor", "has not stopped in time");
  return end_all(runtime, ExitReason::kill(), last);
}

}  // namespace

bool end_all_processes(RuntimeImpl& runtime, Deadline deadline, bool tells) {
  const Deadline last =
      Deadline::at_ns(deadline.ns() + std::min(after_kill_ns, Deadline::never_ns - deadline.ns()));
  const bool others_ended = end_others(runtime, deadline, last, tells);
  if (!others_ended) report_what_is_left(runtime, "stuck", "does not end");
  for (const Pid watcher : runtime.own()) {
    if (watcher != self() && !wait_for_end(watcher, last)) return false;
  }
  return others_ended;
}

}  // namespace airssys::rt::detail
