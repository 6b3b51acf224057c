// utf8_test.cpp: text that may be anything becomes one line that people can read.
//
// Method: texts against what they must become; json_test.cpp has every way not to be UTF-8.
#include "base/utf8.hpp"

#include <gtest/gtest.h>
#include <string>

namespace airssys::rt::base::utf8_test {
namespace {

TEST(Utf8, a_character_has_one_to_four_bytes_or_is_none) {
  EXPECT_EQ(character_bytes("a"), 1U);
  EXPECT_EQ(character_bytes("ä!"), 2U);
  EXPECT_EQ(character_bytes("€"), 3U);
  EXPECT_EQ(character_bytes("😀"), 4U);
  EXPECT_EQ(character_bytes("\x80"), 0U);
  EXPECT_EQ(character_bytes("\xE2\x82"), 0U);
}

TEST(Utf8, a_line_keeps_what_can_be_read) {
  EXPECT_EQ(one_line("it's \"so\" \\ ~", 100), "it's \"so\" \\ ~");
  EXPECT_EQ(one_line("Größe €\u00A0😀", 100), "Größe €\u00A0😀");
  EXPECT_EQ(one_line("", 100), "");
}

TEST(Utf8, whatever_ends_a_line_or_controls_a_terminal_becomes_a_space) {
  EXPECT_EQ(one_line("a\nb\r\tc\x7F!", 100), "a b  c !");
  EXPECT_EQ(one_line("\x1B[0m", 100), " [0m");
  EXPECT_EQ(one_line("next\u0085line\u009B0m\u2028\u2029", 100), "next line 0m  ");
  EXPECT_EQ(one_line(std::string("a\0b", 3), 100), "a b");
}

TEST(Utf8, what_is_none_becomes_replacement_characters) {
  EXPECT_EQ(one_line("a\x85\xFF\xE2\x82", 100), "a\uFFFD\uFFFD\uFFFD\uFFFD");
}

TEST(Utf8, a_line_that_is_too_long_is_cut_between_characters) {
  EXPECT_EQ(one_line("12345", 5), "12345");
  EXPECT_EQ(one_line("123456", 5), "12345...");
  EXPECT_EQ(one_line("äää", 5), "ää...");
  EXPECT_EQ(one_line("\xFF\xFF", 5), "\uFFFD...");
}

}  // namespace
}  // namespace airssys::rt::base::utf8_test
