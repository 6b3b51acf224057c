// tree_test.cpp: who stands under whom.
//
// Method: trees drawn from rows written by hand, against the picture that they must give.
#include "tools/inspect/tree.hpp"

#include <gtest/gtest.h>
#include <string>
#include <vector>

namespace airssys::rt::inspect {
namespace {

const Screen plain(false, 0);

Process row(int slot, int parent, const std::string& name, unsigned born) {
  nlohmann::json json{{"pid", "<0." + std::to_string(slot) + ".1>"},
                      {"name", name},
                      {"state", "runnable"},
                      {"born", born}};
  if (parent != 0) json["parent"] = "<0." + std::to_string(parent) + ".1>";
  return process_of(json);
}

TEST(Tree, children_stand_under_their_parent_in_the_order_of_their_births) {
  EXPECT_EQ(draw_tree({row(3, 1, "young", 30),
                       row(1, 0, "root", 10),
                       row(5, 1, "old", 20),
                       row(4, 5, "grandchild", 40)},
                      {},
                      plain),
            "<0.1.1> root  runnable\n"
            "|- <0.5.1> old  runnable\n"
            "|  `- <0.4.1> grandchild  runnable\n"
            "`- <0.3.1> young  runnable\n");
}

TEST(Tree, who_has_lost_its_parent_is_a_root_and_says_so) {
  EXPECT_EQ(draw_tree({row(2, 9, "orphan", 1)}, {}, plain),
            "<0.2.1> orphan  runnable  (its parent <0.9.1> is gone)\n");
}

TEST(Tree, a_supervisor_is_marked) {
  Process supervisor = row(1, 0, "top", 1);
  supervisor.code = "airssys::rt::supervision::SupervisorServer";
  EXPECT_EQ(draw_tree({supervisor}, {}, plain), "<0.1.1> top [supervisor]  runnable\n");
}

TEST(Tree, long_families_are_cut_and_counted) {
  std::vector<Process> family{row(1, 0, "root", 0)};
  for (int i = 2; i < 12; ++i) family.push_back(row(i, 1, "child", static_cast<unsigned>(i)));
  EXPECT_EQ(draw_tree(family, {.depth = 9, .children = 2}, plain),
            "<0.1.1> root  runnable\n"
            "|- <0.2.1> child  runnable\n"
            "|- <0.3.1> child  runnable\n"
            "`- ... 8 more\n");
}

TEST(Tree, deep_families_are_cut_and_counted) {
  EXPECT_EQ(draw_tree({row(1, 0, "a", 1), row(2, 1, "b", 2), row(3, 2, "c", 3)},
                      {.depth = 1, .children = 9},
                      plain),
            "<0.1.1> a  runnable\n"
            "`- <0.2.1> b  runnable\n"
            "   `- ... 1 more\n");
}

TEST(Tree, as_json_children_are_inside_their_parent) {
  const auto json =
      tree_json({row(1, 0, "a", 1), row(2, 1, "b", 2), row(3, 2, "c", 3)}, {.depth = 1});
  ASSERT_EQ(json.size(), 1U);
  EXPECT_EQ(json[0]["name"], "a");
  EXPECT_EQ(json[0]["is_supervisor"], false);
  ASSERT_EQ(json[0]["children"].size(), 1U);
  EXPECT_EQ(json[0]["children"][0]["name"], "b");
  EXPECT_EQ(json[0]["children"][0]["children_count"], 1);
  EXPECT_TRUE(json[0]["children"][0]["children"].empty());
}

}  // namespace
}  // namespace airssys::rt::inspect
