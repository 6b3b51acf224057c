// screen_test.cpp: columns, widths, and text that a terminal would obey.
//
// Method: printed text against what it must be, on a screen that is no terminal and on one that is.
#include "tools/inspect/screen.hpp"

#include <gtest/gtest.h>
#include <string>

namespace airssys::rt::inspect {
namespace {

const Screen plain(false, 0);
const Screen coloured(true, 0);

TEST(Screen, colours_only_where_they_are_seen) {
  EXPECT_EQ(plain.bold("x"), "x");
  EXPECT_EQ(coloured.bold("x"), "\x1B[1mx\x1B[0m");
}

TEST(Screen, a_line_is_cut_by_characters) {
  EXPECT_EQ(Screen(false, 3).cut("äöüß"), "äöü");
  EXPECT_EQ(Screen(false, 4).cut("äöüß"), "äöüß");
  EXPECT_EQ(plain.cut("äöüß"), "äöüß");
}

TEST(Screen, what_a_terminal_would_obey_is_shown_as_a_question_mark) {
  EXPECT_EQ(harmless("a\x1B[2Jb\n\x7F\t"), "a?[2Jb???");
  EXPECT_EQ(harmless("\xC2\x9B"
                     "31m"),
            "?31m");
  EXPECT_EQ(harmless("Größe €"), "Größe €");
}

TEST(Screen, a_number_is_brief) {
  EXPECT_EQ(brief(0), "0");
  EXPECT_EQ(brief(9'999), "9999");
  EXPECT_EQ(brief(10'000), "10.0k");
  EXPECT_EQ(brief(99'949), "99.9k");
  EXPECT_EQ(brief(99'950), "100k");
  EXPECT_EQ(brief(999'499), "999k");
  EXPECT_EQ(brief(999'500), "1.0M");
  EXPECT_EQ(brief(18'446'744'073'709'551'615U), "18.4E");
}

TEST(Table, columns_are_as_wide_as_their_widest_cell) {
  Table table({{"NAME", Table::Align::left}, {"N", Table::Align::right}});
  table.add({"käse", "7"});
  table.add({"x", "1234"});
  EXPECT_EQ(table.print(plain),
            "NAME     N\n"
            "käse     7\n"
            "x     1234\n");
}

TEST(Table, no_line_ends_with_spaces) {
  Table table({{"A", Table::Align::left}, {"LONG HEADING", Table::Align::left}});
  table.add({"a", ""});
  EXPECT_EQ(table.print(plain), "A  LONG HEADING\na\n");
}

TEST(Table, lines_are_cut_to_the_screen) {
  Table table({{"A", Table::Align::left}, {"B", Table::Align::left}});
  table.add({"1234", "5678"});
  EXPECT_EQ(table.print(Screen(false, 7)), "A     B\n1234  5\n");
}

}  // namespace
}  // namespace airssys::rt::inspect
