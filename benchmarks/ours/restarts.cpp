// restarts.cpp: a supervised server throws; how long until a call of its name is answered again?
//
// A child alone and with siblings, under each strategy. It stands first, so that rest_for_one and
// one_for_all restart all siblings: then also how long until each of them has answered. With linked
// helpers, which end with it and are made anew. Below three supervisors, the lowest of which gives
// up at once and is itself restarted. All children of a supervisor at the same moment.
// Checked each time: who has started, and in which order; that a name is that of who answers to it;
// that helpers are gone, and why supervisors ended.
#include <airssys/rt.hpp>
#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <numeric>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "bench.hpp"
#include "workloads.hpp"

namespace rt = airssys::rt;
using namespace std::chrono_literals;

namespace bench {

namespace {

struct Scale {
  int crashes;
  int group_crashes;  // of those that restart many
  int siblings;
  int helpers;
};
using Samples = std::vector<std::int64_t>;

// What the children of a supervisor say of their starts. They start one after the other, so no two
// write at once; a call to the supervisor is answered when the last of them has written.
struct Starts {
  std::vector<int> children;  // by number, in order
  std::vector<rt::Pid> helpers;
};

class Child : public rt::Server<Child> {
 public:
  struct Who {
    using Reply = rt::Pid;
  };
  struct Crash {};

  Child(int number, int helpers, Starts* starts) {
    for (int i = 0; i < helpers; ++i)
      starts->helpers.push_back(rt::spawn_link([] { rt::sleep(rt::infinite); }));
    starts->children.push_back(number);
  }
  rt::Pid handle(Who /*request*/) { return rt::self(); }
  void handle(Crash /*request*/) { throw std::runtime_error("as it was told"); }
};

std::string name_of(int child) {
  return "child " + std::to_string(child);
}

rt::ChildSpec child(int number, int helpers, Starts& starts) {
  rt::ChildOptions options;
  options.start.name = name_of(number);
  return rt::child<Child>(name_of(number), options, number, helpers, &starts);
}

// Calls this name until somebody answers, and says who.
rt::Pid answer_of(const std::string& name) {
  for (;;) {
    const auto pid = rt::whereis(name);
    if (!pid) {
      rt::yield();
    } else if (auto answer = rt::try_call(rt::server_ref<Child>(*pid), Child::Who())) {
      return *answer;
    }
  }
}

void crash(rt::Pid child) {
  rt::cast(rt::server_ref<Child>(child), Child::Crash());
}

// The supervisor answers when it is done with what it was at.
void await(rt::Pid supervisor) {
  static_cast<void>(rt::try_get_childspec(supervisor, ""));
}

std::vector<int> up_to(int end) {
  std::vector<int> numbers(static_cast<std::size_t>(end));
  std::iota(numbers.begin(), numbers.end(), 0);
  return numbers;
}

// --- one child, whoever comes along ---

// A supervisor of so many children that may crash as often as they like.
struct Tree {
  rt::Pid supervisor;
  int children;
  std::vector<int> restarted;  // with the first child, in this order
};

Tree start_ordered(rt::Strategy strategy, int children, int helpers, Starts& starts) {
  rt::SupervisorOptions options{
      .strategy = strategy, .intensity = std::numeric_limits<unsigned>::max(), .period = 1ms};
  for (int i = 0; i < children; ++i) options.children.push_back(child(i, helpers, starts));
  const bool is_alone = strategy == rt::Strategy::one_for_one;
  return {rt::start_supervisor_link(std::move(options)), children, up_to(is_alone ? 1 : children)};
}

Tree start_dynamic(int children, Starts& starts) {
  const rt::Pid supervisor = rt::start_dynamic_supervisor_link(
      {.intensity = std::numeric_limits<unsigned>::max(), .period = 1ms});
  for (int i = 0; i < children; ++i) rt::start_child(supervisor, child(i, 0, starts));
  return {supervisor, children, up_to(1)};
}

struct Times {
  Samples first_answer;
  Samples all_answers;  // of who restarts many
};

void check_restart(const Tree& tree, Starts& starts, const std::vector<rt::Pid>& old_helpers) {
  await(tree.supervisor);
  check(starts.children == tree.restarted, "each who has to restarts once, in order");
  for (const rt::Pid helper : old_helpers) {
    while (rt::is_alive(helper)) rt::yield();
  }
  check(starts.helpers.size() == old_helpers.size(), "each helper is made anew");
}

Times crash_first(const Tree& tree, Starts& starts, int crashes) {
  Times times;
  await(tree.supervisor);
  check(starts.children == up_to(tree.children), "the children start in order");
  rt::Pid child = answer_of(name_of(0));
  for (int i = 0; i < crashes; ++i) {
    const std::vector<rt::Pid> old_helpers = std::exchange(starts, {}).helpers;
    const std::int64_t begin = now_ns();
    crash(child);
    const rt::Pid next = answer_of(name_of(0));
    times.first_answer.push_back(now_ns() - begin);
    if (tree.restarted.size() > 1) {
      for (const int sibling : tree.restarted) answer_of(name_of(sibling));
      times.all_answers.push_back(now_ns() - begin);
    }
    check(next != std::exchange(child, next), "another one answers");
    check(rt::whereis(name_of(0)) == child, "who answers has the name");
    check_restart(tree, starts, old_helpers);
  }
  check(rt::count_children(tree.supervisor).active == static_cast<std::size_t>(tree.children),
        "all children run");
  rt::stop(tree.supervisor);
  for (int i = 0; i < tree.children; ++i) check(!rt::whereis(name_of(i)), "each name is free");
  return times;
}

void measure_strategies(const Scale& scale) {
  using Strategy = rt::Strategy;
  constexpr std::pair<Strategy, std::string_view> strategies[] = {
      {Strategy::one_for_one, "one_for_one"},
      {Strategy::rest_for_one, "rest_for_one"},
      {Strategy::one_for_all, "one_for_all"}};
  for (const auto& [strategy, word] : strategies) {
    const std::string metric = "restarts_" + std::string(word);
    Starts alone;
    report_quantiles(
        metric,
        crash_first(start_ordered(strategy, 1, 0, alone), alone, scale.crashes).first_answer);
    Starts many;
    const Tree tree = start_ordered(strategy, 1 + scale.siblings, 0, many);
    const bool is_group = tree.restarted.size() > 1;
    Times times = crash_first(tree, many, is_group ? scale.group_crashes : scale.crashes);
    report_quantiles(metric + "_siblings", std::move(times.first_answer));
    if (is_group) report_quantiles(metric + "_siblings_all", std::move(times.all_answers));
  }
}

void measure_dynamic(const Scale& scale) {
  for (const int siblings : {0, scale.siblings}) {
    Starts starts;
    Times times = crash_first(start_dynamic(1 + siblings, starts), starts, scale.crashes);
    report_quantiles(siblings == 0 ? "restarts_dynamic" : "restarts_dynamic_siblings",
                     std::move(times.first_answer));
  }
}

void measure_helpers(const Scale& scale) {
  Starts starts;
  const Tree tree = start_ordered(rt::Strategy::one_for_one, 1, scale.helpers, starts);
  report_quantiles("restarts_helpers", crash_first(tree, starts, scale.group_crashes).first_answer);
}

// The least of some rounds: what leaks does so in each, what is only warmed up does not.
void measure_leak(const Scale& scale) {
  double leaked = std::numeric_limits<double>::max();
  for (int round = 0; round < 4; ++round) {
    const double before = resident_bytes();
    Starts starts;
    crash_first(start_ordered(rt::Strategy::one_for_one, 1, 0, starts), starts, scale.crashes);
    leaked = std::min(leaked, (resident_bytes() - before) / scale.crashes);
  }
  constexpr double smallest_block = 16;
  constexpr int enough_for_pages = 10'000;
  check(leaked < smallest_block || scale.crashes < enough_for_pages, "no restart leaks a block");
  report("restarts_leak", leaked, "B/restart");
}

// --- a supervisor that restarts ---

void await_down(rt::MonitorRef ref, bool (*is_right)(const rt::ExitReason&)) {
  rt::receive(rt::when([&](rt::Down& down) { return down.ref == ref; },
                       [&](rt::Down& down) { check(is_right(down.reason), "ends as it should"); }));
}

void measure_nested(const Scale& scale) {
  constexpr unsigned often = std::numeric_limits<unsigned>::max();
  const std::string inner = "inner";
  Starts starts;
  const rt::SupervisorOptions lowest{
      .name = inner, .intensity = 0, .children = {child(0, 0, starts)}};
  const rt::SupervisorOptions middle{
      .intensity = often, .period = 1ms, .children = {rt::child_supervisor("inner", lowest)}};
  const rt::Pid top = rt::start_supervisor_link(
      {.intensity = 0, .children = {rt::child_supervisor("middle", middle)}});
  Samples samples;
  rt::Pid child = answer_of(name_of(0));
  for (int i = 0; i < scale.crashes; ++i) {
    starts = {};
    const rt::MonitorRef of_child = rt::monitor(child);
    const rt::MonitorRef of_inner = rt::monitor(inner);
    const std::int64_t begin = now_ns();
    crash(child);
    child = answer_of(name_of(0));
    samples.push_back(now_ns() - begin);
    await_down(of_child,
               [](const rt::ExitReason& reason) { return reason.what() == "as it was told"; });
    await_down(of_inner,
               [](const rt::ExitReason& reason) { return reason == rt::ExitReason::shutdown(); });
    check(starts.children == up_to(1), "the child restarts once");
  }
  check(rt::count_children(top).active == 1, "the others stand");
  rt::stop(top);
  report_quantiles("restarts_nested", std::move(samples));
}

// --- all at once ---

void measure_storm(const Scale& scale) {
  Starts starts;
  const Tree tree = start_ordered(rt::Strategy::one_for_one, scale.siblings, 0, starts);
  std::vector<rt::Pid> children;
  for (int i = 0; i < tree.children; ++i) children.push_back(answer_of(name_of(i)));
  Samples samples;
  for (int storm = 0; storm < scale.group_crashes; ++storm) {
    starts = {};
    const std::int64_t begin = now_ns();
    for (const rt::Pid child : children) crash(child);
    for (int i = 0; i < tree.children; ++i)
      children[static_cast<std::size_t>(i)] = answer_of(name_of(i));
    samples.push_back(now_ns() - begin);
    await(tree.supervisor);
    std::ranges::sort(starts.children);
    check(starts.children == up_to(tree.children), "each restarts once");
  }
  rt::stop(tree.supervisor);
  report_quantiles("restarts_storm", std::move(samples));
}

void measure(const Scale& scale) {
  measure_strategies(scale);
  measure_dynamic(scale);
  measure_helpers(scale);
  measure_nested(scale);
  measure_storm(scale);
  measure_leak(scale);
}

}  // namespace

void restarts() {
  measure({.crashes = 10'000, .group_crashes = 100, .siblings = 1000, .helpers = 100});
}

void restarts_tiny() {
  measure({.crashes = 20, .group_crashes = 3, .siblings = 10, .helpers = 5});
}

}  // namespace bench
