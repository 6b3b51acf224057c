// error_test.cpp: errors carry the reason that their process ends with, and say what is wrong.
//
// Plain values: no runtime is started.
#include <gtest/gtest.h>
#include <airssys/rt/error.hpp>
#include <string>

namespace airssys::rt::error_test {
namespace {

TEST(Error, a_refused_name_says_which_and_who_has_it) {
  const NameError error(NameError::taken, "logger", Pid(3, 1));
  EXPECT_EQ(error.kind(), NameError::taken);
  EXPECT_EQ(error.holder(), Pid(3, 1));
  EXPECT_STREQ(error.what(), "the name \"logger\" is taken by <0.3.1>");
  EXPECT_EQ(error.reason().what(), error.what());
  EXPECT_EQ(error.reason().type(), "airssys::rt::NameError");
}

TEST(Error, every_kind_of_refused_name_has_its_own_words) {
  const auto text = [](NameError::Kind kind) { return std::string(NameError(kind, "x").what()); };
  EXPECT_NE(text(NameError::already_named).find("another name"), std::string::npos);
  EXPECT_NE(text(NameError::no_process).find("dead"), std::string::npos);
  EXPECT_NE(text(NameError::not_registered).find("nobody"), std::string::npos);
  EXPECT_NE(text(NameError::bad_name).find("reserved"), std::string::npos);
}

TEST(Error, a_process_error_keeps_reason_and_words_apart) {
  const ProcessError error(ExitReason::timeout(), "no answer in time");
  EXPECT_EQ(error.reason(), ExitReason::timeout());
  EXPECT_STREQ(error.what(), "no answer in time");
}

}  // namespace
}  // namespace airssys::rt::error_test
