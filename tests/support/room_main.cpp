// room_main.cpp: main of a room's tests: runs those of one file, or all there are.
//
//   semantics_tests links_test.cpp
//
// A room's tests are one program, so that what all of them include is compiled once; each file is
// a test of its own all the same.
#include <gtest/gtest.h>

#include <cstdio>
#include <string>
#include <string_view>

namespace {

// "Suite.test:Suite.test", of all tests that this file has.
std::string tests_of(std::string_view file) {
  std::string filter;
  const testing::UnitTest& all = *testing::UnitTest::GetInstance();
  for (int i = 0; i < all.total_test_suite_count(); ++i) {
    const testing::TestSuite& suite = *all.GetTestSuite(i);
    for (int j = 0; j < suite.total_test_count(); ++j) {
      const testing::TestInfo& test = *suite.GetTestInfo(j);
      if (!std::string_view(test.file()).ends_with("/" + std::string(file))) continue;
      filter += (filter.empty() ? "" : ":") + std::string(suite.name()) + "." + test.name();
    }
  }
  return filter;
}

}  // namespace

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  const bool is_chosen_already = testing::GTEST_FLAG(filter) != "*";
  if (argc > 1 && !is_chosen_already) {
    testing::GTEST_FLAG(filter) = tests_of(argv[1]);
    if (testing::GTEST_FLAG(filter).empty()) {
      std::fprintf(stderr, "no test here is from a file %s\n", argv[1]);
      return 2;
    }
  }
  return RUN_ALL_TESTS();
}
