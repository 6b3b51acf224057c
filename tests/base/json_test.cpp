// json_test.cpp: what is written is JSON, whatever the text in it.
//
// Method: written text against what it must be, byte for byte.
#include "base/json.hpp"

#include <gtest/gtest.h>
#include <string>

namespace airssys::rt::base::json_test {
namespace {

std::string written(std::string_view text) {
  return JsonWriter().text(text).take();
}

TEST(Json, objects_and_arrays_have_their_commas) {
  JsonWriter json;
  json.begin_object().key("a").number(1).key("b").begin_array().text("x").null().boolean(true);
  json.begin_object().end_object().end_array().key("c").begin_array().end_array();
  json.key("d").boolean(false).end_object();
  EXPECT_EQ(json.take(), R"({"a":1,"b":["x",null,true,{}],"c":[],"d":false})");
}

TEST(Json, numbers_keep_all_their_digits) {
  EXPECT_EQ(JsonWriter().number(18446744073709551615U).take(), "18446744073709551615");
}

TEST(Json, quotes_backslashes_and_controls_are_escaped) {
  EXPECT_EQ(written("a\"b\\c"), R"("a\"b\\c")");
  EXPECT_EQ(written(std::string("\x1B[0m\n\0", 6)), R"("\u001b[0m\u000a\u0000")");
}

TEST(Json, utf_8_is_kept) {
  EXPECT_EQ(written("Größe € 😀 \x7F"), "\"Größe € 😀 \x7F\"");
}

TEST(Json, bytes_that_are_no_utf_8_become_replacement_characters) {
  const std::string bad = "\xEF\xBF\xBD";
  EXPECT_EQ(written("\x80"), '"' + bad + '"');                                // no lead byte
  EXPECT_EQ(written("\xC3"), '"' + bad + '"');                                // cut short
  EXPECT_EQ(written("\xC3("), '"' + bad + "(\"");                             // not continued
  EXPECT_EQ(written("\xC0\xAF"), '"' + bad + bad + '"');                      // overlong
  EXPECT_EQ(written("\xE0\x80\xAF"), '"' + bad + bad + bad + '"');            // overlong
  EXPECT_EQ(written("\xED\xA0\x80"), '"' + bad + bad + bad + '"');            // a surrogate
  EXPECT_EQ(written("\xF4\x90\x80\x80"), '"' + bad + bad + bad + bad + '"');  // beyond the last
}

TEST(Json, long_text_is_cut_and_stays_utf_8) {
  const std::string umlauts = [] {
    std::string text = "x";
    for (std::size_t i = 0; i < JsonWriter::text_bytes_max; ++i) text += "ä";
    return text;
  }();
  const std::string text = written(umlauts);
  EXPECT_LE(text.size(), JsonWriter::text_bytes_max + 5);
  EXPECT_TRUE(text.ends_with("ä\xEF\xBF\xBD\""));
}

}  // namespace
}  // namespace airssys::rt::base::json_test
