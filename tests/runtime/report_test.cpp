// report_test.cpp: a report as a line and as JSON, and the sink that gets it.
//
// Method: reports made by the test, read as JSON where a member's value counts; runtimes whose sink
// keeps what it is given.
#include <airssys/rt/report.hpp>

#include <gtest/gtest.h>
#include <airssys/rt.hpp>
#include <string>
#include <vector>

#include "tests/support/kept_reports.hpp"

namespace airssys::rt::report_test {
namespace {

Report sample(std::string line = "it happened") {
  return {Severity::warning, "sample", std::move(line)};
}

TEST(Report, json_has_time_severity_kind_and_text_and_then_the_fields) {
  Report report = sample("a \"line\"");
  report.add("pid", "<0.1.1>").add("count", std::uint64_t{7}).add("is_so", true);
  report.add("all", std::vector<std::string>{"x", "y"}).add("none", std::vector<std::string>());
  const std::string json = report.to_json();
  EXPECT_TRUE(json.starts_with("{\"time\":\"2")) << json;
  EXPECT_TRUE(json.ends_with(
      R"(Z","severity":"warning","kind":"sample","text":"a \"line\"","pid":"<0.1.1>",)"
      R"("count":7,"is_so":true,"all":["x","y"],"none":[]})"))
      << json;
}

TEST(Report, its_time_is_when_it_was_made) {
  const auto before = std::chrono::system_clock::now();
  const Report report = sample();
  EXPECT_GE(report.time(), before);
  EXPECT_LE(report.time(), std::chrono::system_clock::now());
}

TEST(Report, a_line_is_one_line_of_a_length_that_people_read) {
  EXPECT_EQ(sample("one\ntwo\r\x1b[0m").line(), "one two  [0m");
  EXPECT_EQ(sample("Größe").line(), "Größe");
  const std::string line = sample(std::string(100'000, 'x')).line();
  EXPECT_EQ(line.size(), 2003U);
  EXPECT_TRUE(line.ends_with("x..."));
}

TEST(Report, a_sink_for_text_gets_the_line) {
  const Report report = sample();
  const std::string_view text = report;
  EXPECT_EQ(text, "it happened");
}

using Sink = support::KeptReports;
RT_WITH_SCHEDULERS(Sink);

TEST_P(Sink, a_programs_own_line_is_a_notice) {
  run([] { report("hello"); });
  ASSERT_EQ(reports().size(), 1U);
  EXPECT_EQ(reports()[0].kind(), "note");
  EXPECT_EQ(reports()[0].severity(), Severity::notice);
  EXPECT_EQ(reports()[0].line(), "hello");
}

TEST_P(Sink, what_is_below_log_from_goes_nowhere) {
  options.log_from = Severity::warning;
  run([] {
    EXPECT_FALSE(is_reported(Severity::notice));
    EXPECT_TRUE(is_reported(Severity::warning));
    report(Report(Severity::info, "sample", "info"));
    report("a notice");
    report(Report(Severity::warning, "sample", "a warning"));
    report(Report(Severity::error, "sample", "an error"));
  });
  EXPECT_EQ(lines(), (std::vector<std::string>{"a warning", "an error"}));
}

TEST_P(Sink, by_default_all_but_info_is_reported) {
  run([] {
    EXPECT_FALSE(is_reported(Severity::info));
    EXPECT_TRUE(is_reported(Severity::notice));
  });
}

}  // namespace
}  // namespace airssys::rt::report_test
