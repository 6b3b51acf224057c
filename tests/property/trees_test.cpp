// trees_test.cpp: random trees of supervisors do what the model of chapter V says, step by step.
//
// After each burst the tree is waited for until it is at rest, and then everything must be as in
// the model: who has started and who was asked to stop, in this order; what each request was
// answered; which children there are, in which order and state; and whether the tree has ended.
#include <algorithm>
#include <cstddef>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "tests/property/merge.hpp"
#include "tests/property/property.hpp"
#include "tests/property/tree_chaos.hpp"
#include "tests/property/tree_driver.hpp"
#include "tests/property/tree_model.hpp"
#include "tests/property/trees.hpp"

namespace airssys::rt::property {
namespace {

class Trees : public Properties {};
RT_PROPERTIES_WITH_SCHEDULERS(Trees);

TEST(Merge, follows_long_rows_whose_words_are_the_same) {
  EXPECT_TRUE(is_merge_of({"a", "a", "b", "c"}, {{"a", "c"}, {"a", "b"}}));
  EXPECT_FALSE(is_merge_of({"b", "a", "a", "c"}, {{"a", "c"}, {"a", "b"}}));
  EXPECT_FALSE(is_merge_of({"a", "a", "b"}, {{"a", "c"}, {"a", "b"}}));
  Row told(400, "a");
  const std::vector<Row> rows(2, Row(200, "a"));
  EXPECT_TRUE(is_merge_of(told, rows));
  told.back() = "b";
  EXPECT_FALSE(is_merge_of(told, rows));
}

// Empty when nothing differs.
std::string difference(const Happened& expected, const Happened& seen) {
  std::string text;
  if (expected.tree != seen.tree)
    text += "\n  the tree is " + seen.tree + "\n     and not " + expected.tree;
  if (expected.answers != seen.answers)
    text +=
        "\n  answered: " + text_of(seen.answers) + "\n     and not " + text_of(expected.answers);
  std::vector<Row> rows = expected.apart;
  rows.push_back(expected.told);
  if (!is_merge_of(seen.told, rows)) {
    text += "\n  told: " + text_of(seen.told) + "\n     and not " + text_of(expected.told);
    for (const Row& row : expected.apart) text += "\n    apart: " + text_of(row);
  }
  return text;
}

// What is wrong with this program when `real` is run in place of its tree.
std::string run(const TreeProgram& program, const Node& real, Duration time) {
  const std::vector<Pid> before = processes();
  TreeModel model(program.root);
  TreeDriver driver(real, time);
  Happened expected = model.start();
  std::string wrong = difference(expected, driver.start(expected));
  if (!wrong.empty()) return "at its start:" + wrong;
  for (std::size_t i = 0; i < program.bursts.size() && !model.is_over(); ++i) {
    const TreeModel::Plan plan = model.plan(program.bursts[i]);
    expected = model.perform(plan);
    wrong = difference(expected, driver.perform(plan, expected));
    if (!wrong.empty())
      return "at burst " + std::to_string(i) + ", for " + plan.supervisor + ':' + wrong;
  }
  if (!model.is_over()) {
    expected = model.stop();
    wrong = difference(expected, driver.stop(expected));
    if (!wrong.empty()) return "at its end:" + wrong;
  }
  const auto left =
      await(time, [&] { return newcomers(before); }, [](const auto& pids) { return pids.empty(); });
  return left.empty() ? "" : std::to_string(left.size()) + " processes are left behind";
}

// V8, V12, V20, V21, V22, V24, V27, V28, V29, V30, V31, V32, V33, V34, V35, V36, V37, V38, V39
TEST_P(Trees, a_tree_does_what_the_model_says) {
  EXPECT_TRUE(holds<TreeProgram>("a tree does what the model says", [](const TreeProgram& program) {
    return run(program, program.root, patience);
  }));
}

// --- all at once ---

std::string run_at_once(const TreeProgram& program, const Node& real, Duration time) {
  const std::vector<Pid> before = processes();
  TreeDriver driver(real, time);
  driver.start({});
  constexpr std::size_t shakers = 3;
  std::vector<Spawned> all;
  for (std::size_t i = 0; i < shakers; ++i) {
    std::vector<Burst> share;
    for (std::size_t n = i; n < program.bursts.size(); n += shakers)
      share.push_back(program.bursts[n]);
    const std::string name(1, static_cast<char>('x' + i));
    all.push_back(spawn_monitor(
        [=, top = driver.root(), moods = driver.moods()] { shake(top, share, moods, name); }));
  }
  for (const Spawned& shaker : all)
    receive(when([&](Down& down) { return down.ref == shaker.ref; }, [](Down&) {}));
  std::string wrong;
  if (driver.tree() != "shutdown") {
    // Those below a supervisor that was killed may still be on their way out.
    wrong = await(
        time,
        [&] { return wrong_with_tree(program.root, driver.root(), before); },
        [](const std::string& text) { return text.empty(); });
    // A crash that came last may be ending it just now.
    static_cast<void>(try_stop(driver.root()));
  }
  const auto left =
      await(time, [&] { return newcomers(before); }, [](const auto& pids) { return pids.empty(); });
  return left.empty() ? wrong : wrong + std::to_string(left.size()) + " processes are left behind";
}

// V7, V18, V24, V26, V27
TEST_P(Trees, whatever_shakes_a_tree_nobody_is_missing_or_left_over) {
  EXPECT_TRUE(holds<TreeProgram>(
      "whatever shakes a tree, nobody is missing or left over",
      [](const TreeProgram& program) { return run_at_once(program, program.root, patience); }));
}

// --- runtimes that are broken ---

Node change_all(Node node, const std::function<void(Node&)>& change) {
  change(node);
  for (Node& child : node.children) child = change_all(std::move(child), change);
  return node;
}

struct Broken {
  const char* how;
  std::function<void(Node&)> change;
};

const Broken broken[] = {
    {"one restart too many is allowed", [](Node& node) { ++node.intensity; }},
    {"one restart too few is allowed",
     [](Node& node) { node.intensity -= node.intensity == 0 ? 0 : 1; }},
    {"children start in another order", [](Node& node) { std::ranges::reverse(node.children); }},
    {"the rest is everybody",
     [](Node& node) {
       if (node.strategy == Strategy::rest_for_one) node.strategy = Strategy::one_for_all;
     }},
    {"nobody else is restarted", [](Node& node) { node.strategy = Strategy::one_for_one; }},
    {"a transient child is restarted after an orderly end",
     [](Node& node) {
       if (node.restart == Restart::transient && !node.is_significant)
         node.restart = Restart::permanent;
     }},
    {"a temporary child is kept",
     [](Node& node) {
       if (node.restart == Restart::temporary) node.restart = Restart::transient;
     }},
    {"no end ends a supervisor",
     [](Node& node) {
       node.auto_shutdown = AutoShutdown::never;
       node.is_significant = false;
     }},
    {"any end is the last",
     [](Node& node) {
       if (node.auto_shutdown == AutoShutdown::all_significant)
         node.auto_shutdown = AutoShutdown::any_significant;
     }},
    {"a child is not asked before it is killed",
     [](Node& node) { node.is_killed_at_once = !node.is_supervisor; }},
};

TEST_P(Trees, a_runtime_that_is_broken_is_caught) {
  for (const Broken& each : broken) {
    EXPECT_TRUE(is_caught<TreeProgram>([&](const TreeProgram& program) {
      return run(program, change_all(program.root, each.change), impatience);
    })) << each.how;
  }
}

const Broken broken_at_once[] = {
    {"children start in another order", [](Node& node) { std::ranges::reverse(node.children); }},
    {"a temporary child is kept",
     [](Node& node) {
       if (node.restart == Restart::temporary) node.restart = Restart::transient;
     }},
    {"a child is started twice", [](Node& node) { node.is_doubled = true; }},
};

TEST_P(Trees, a_runtime_that_is_broken_is_caught_when_it_is_shaken) {
  for (const Broken& each : broken_at_once) {
    EXPECT_TRUE(is_caught<TreeProgram>([&](const TreeProgram& program) {
      return run_at_once(program, change_all(program.root, each.change), impatience);
    })) << each.how;
  }
}

}  // namespace
}  // namespace airssys::rt::property
