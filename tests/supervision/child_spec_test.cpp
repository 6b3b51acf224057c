// child_spec_test.cpp: specifications that make no sense are refused by name (V5), and whatever a
// start function does is an answer (V7).
// Method: start functions that start nothing.
#include "supervision/child_spec.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <stdexcept>
#include <string>

namespace airssys::rt::supervision::child_spec_test {
namespace {

using namespace std::chrono_literals;

const Pid somebody(7, 1);

ChildSpec fake(std::string id, const ChildOptions& options = {}) {
  return child_started_by(std::move(id), [] { return somebody; }, options);
}

std::string complaint(const ChildSpec& spec, AutoShutdown auto_shutdown = AutoShutdown::never) {
  auto checked = check_childspecs({spec}, auto_shutdown);
  if (checked) return "";
  EXPECT_EQ(checked.error().kind(), StartError::bad_spec);
  return checked.error().what();
}

TEST(ChildSpec, a_plain_specification_is_accepted) {
  EXPECT_EQ(complaint(fake("a")), "");
}

TEST(ChildSpec, a_complaint_names_the_child_and_what_is_wrong) {
  EXPECT_EQ(complaint(fake("")), "child 1 of the list: it has no id");
  EXPECT_EQ(complaint(ChildSpec{.id = "a"}), "child \"a\": it has no start");
  EXPECT_EQ(complaint(fake("a", {.shutdown = -1s})), "child \"a\": its shutdown is negative");
}

TEST(ChildSpec, the_same_id_twice_is_refused) {
  auto checked = check_childspecs({fake("a"), fake("b"), fake("a")});
  ASSERT_FALSE(checked);
  EXPECT_STREQ(checked.error().what(), "child \"a\": another child has the same id");
}

TEST(ChildSpec, a_dynamic_supervisors_ids_are_labels) {
  EXPECT_TRUE(check_childspec(fake(""), AutoShutdown::never, Ids::labels));
  EXPECT_FALSE(check_childspec(fake(""), AutoShutdown::never, Ids::required));
}

TEST(ChildSpec, significance_needs_an_end_that_can_count) {
  AutoShutdown any = AutoShutdown::any_significant;
  EXPECT_NE(complaint(fake("a", {.significant = true}), any), "");
  EXPECT_NE(complaint(fake("a", {.restart = Restart::transient, .significant = true})), "");
  EXPECT_EQ(complaint(fake("a", {.restart = Restart::transient, .significant = true}), any), "");
}

TEST(ChildSpec, what_can_run_once_only_has_to_be_temporary) {
  auto body = [owned = std::make_unique<int>(1)] { static_cast<void>(owned); };
  EXPECT_NE(complaint(child("a", std::move(body))), "");
  auto again = [owned = std::make_unique<int>(1)] { static_cast<void>(owned); };
  EXPECT_EQ(complaint(child("a", std::move(again), {.restart = Restart::temporary})), "");
}

TEST(ChildSpec, what_can_run_once_only_is_not_run_twice) {
  ChildSpec spec = child_started_by(
      "a", [owned = std::make_unique<int>(1)] { return owned ? somebody : Pid(); });
  ChildSpec copy = spec;
  EXPECT_EQ(run_start(spec).value(), somebody);
  std::expected<Pid, StartError> second = run_start(copy);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().kind(), StartError::error);
}

TEST(ChildSpec, each_start_works_on_a_copy) {
  ChildSpec spec = child_started_by("a", [n = 0U]() mutable { return Pid(++n, 1); });
  EXPECT_EQ(run_start(spec).value(), Pid(1, 1));
  EXPECT_EQ(run_start(spec).value(), Pid(1, 1));
}

TEST(ChildSpec, a_start_function_that_answers_ignore_answers_no_pid) {
  ChildSpec spec = child_started_by("a", []() -> std::expected<Pid, StartError> {
    return std::unexpected(StartError(StartError::ignore, {}, "not today"));
  });
  EXPECT_EQ(run_start(spec).value(), Pid());
}

TEST(ChildSpec, whatever_a_start_function_throws_is_why_it_failed) {
  auto reason_of = [](auto thrower) {
    return run_start(child_started_by("a", thrower)).error().reason();
  };
  EXPECT_EQ(reason_of([]() -> Pid { exit(ExitReason::shutdown("no")); }),
            ExitReason::shutdown("no"));
  EXPECT_EQ(reason_of([]() -> Pid { throw std::runtime_error("boom"); }),
            ExitReason::error("std::runtime_error", "boom"));
  EXPECT_EQ(reason_of([]() -> Pid { throw NameError(NameError::taken, "n"); }),
            NameError(NameError::taken, "n").reason());
  EXPECT_EQ(reason_of([]() -> Pid { throw 42; }), ExitReason::error("nocatch", "int"));
}

}  // namespace
}  // namespace airssys::rt::supervision::child_spec_test
