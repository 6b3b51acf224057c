// application_order_test.cpp: the order in which applications start, and why there may be none.
// Method: lists of names and needs.
#include "supervision/application_order.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <string>
#include <vector>

namespace airssys::rt::supervision::application_order_test {
namespace {

Application needing(std::string name, std::vector<std::string> needs = {}) {
  return {.name = std::move(name), .needs = std::move(needs)};
}

// "a b c", or what is wrong.
std::string order(const std::vector<Application>& applications) {
  const auto places = application_order(applications);
  if (!places) return places.error();
  std::string names;
  for (const std::size_t place : *places)
    names += (names.empty() ? "" : " ") + applications[place].name;
  return names;
}

TEST(ApplicationOrder, without_needs_it_is_the_lists) {
  EXPECT_EQ(order({}), "");
  EXPECT_EQ(order({needing("c"), needing("a"), needing("b")}), "c a b");
}

TEST(ApplicationOrder, each_comes_behind_what_it_needs_and_otherwise_as_in_the_list) {
  EXPECT_EQ(order({needing("a", {"c"}), needing("b"), needing("c")}), "c a b");
  EXPECT_EQ(order({needing("a", {"c", "b"}), needing("b", {"d"}), needing("c"), needing("d")}),
            "c d b a");
  EXPECT_EQ(order({needing("a"), needing("b", {"a"}), needing("c", {"a", "b", "a"})}), "a b c");
}

TEST(ApplicationOrder, a_circle_is_named) {
  EXPECT_EQ(order({needing("a", {"a"})}), R"(applications need each other: "a" -> "a")");
  EXPECT_EQ(
      order({needing("x", {"a"}), needing("a", {"b"}), needing("b", {"c"}), needing("c", {"a"})}),
      R"(applications need each other: "a" -> "b" -> "c" -> "a")");
}

TEST(ApplicationOrder, a_need_that_is_not_there_is_named) {
  EXPECT_EQ(order({needing("http", {"storage"})}),
            R"(application "http" needs "storage", which is not there)");
}

TEST(ApplicationOrder, names_are_given_and_different) {
  EXPECT_EQ(order({needing("a"), needing("b"), needing("a")}), R"(application "a" is there twice)");
  EXPECT_EQ(order({needing("")}), "an application has no name");
}

TEST(ApplicationOrder, of_any_needs_without_a_circle_all_are_met) {
  std::mt19937 random(1);
  for (int round = 0; round < 200; ++round) {
    const std::size_t count = 1 + random() % 20;
    std::vector<Application> applications;
    for (std::size_t i = 0; i < count; ++i) {
      applications.push_back(needing(std::to_string(i)));
      for (std::size_t other = 0; other < i; ++other) {
        if (random() % 4 == 0) applications[i].needs.push_back(std::to_string(other));
      }
    }
    std::ranges::shuffle(applications, random);
    const auto places = application_order(applications);
    ASSERT_TRUE(places);
    EXPECT_EQ(places->size(), count);
    std::vector<std::string> started;
    for (const std::size_t place : *places) {
      for (const std::string& need : applications[place].needs)
        EXPECT_NE(std::ranges::find(started, need), started.end());
      started.push_back(applications[place].name);
    }
  }
}

}  // namespace
}  // namespace airssys::rt::supervision::application_order_test
