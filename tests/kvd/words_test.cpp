// words_test.cpp: integers, patterns, hashes, command names, cursors: the small readers.
//
// Method: tables of inputs and what Redis makes of them, corners first.
#include <gtest/gtest.h>

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "examples/kvd/command.hpp"
#include "examples/kvd/glob.hpp"
#include "examples/kvd/hash.hpp"
#include "examples/kvd/integer.hpp"
#include "examples/kvd/reply.hpp"
#include "examples/kvd/scan_cursor.hpp"

namespace {

TEST(Hash, values_are_pinned_because_logs_depend_on_them) {
  EXPECT_EQ(kvd::hash_of(""), 0x4E02C59EDFBFE64u);
  EXPECT_EQ(kvd::hash_of("a"), 0x5BC1EAD0CDEA0D19u);
  EXPECT_EQ(kvd::hash_of("key:000000000042"), 0x69F53E0361406E50u);
}

TEST(Hash, shards_and_tables_are_filled_evenly) {
  std::array<int, 4> shards{};
  std::array<int, 256> tables{};
  constexpr int keys = 256'000;
  for (int n = 0; n < keys; ++n) {
    std::uint64_t hash = kvd::hash_of("key:" + std::to_string(n));
    ++shards[(hash & 0xFFFFFFFF) % 4];
    ++tables[hash >> 56];
  }
  for (int count : shards) EXPECT_NEAR(count, keys / 4, keys / 40);
  for (int count : tables) EXPECT_NEAR(count, keys / 256, keys / 256 / 4);
}

TEST(Integer, only_the_shortest_decimal_form_is_a_number) {
  EXPECT_EQ(kvd::parse_integer("0"), 0);
  EXPECT_EQ(kvd::parse_integer("-1"), -1);
  EXPECT_EQ(kvd::parse_integer("9223372036854775807"), INT64_MAX);
  EXPECT_EQ(kvd::parse_integer("-9223372036854775808"), INT64_MIN);
  for (const char* text : {"",
                           "-",
                           "+1",
                           " 1",
                           "1 ",
                           "01",
                           "-01",
                           "-0",
                           "00",
                           "1.5",
                           "0x1",
                           "1a",
                           "9223372036854775808",
                           "-9223372036854775809"})
    EXPECT_EQ(kvd::parse_integer(text), std::nullopt) << text;
}

TEST(Glob, stars_marks_sets_and_escapes_match) {
  struct Case {
    const char* pattern;
    const char* text;
    bool matches;
  };
  for (const Case& c : std::vector<Case>{
           {"*", "", true},
           {"*", "abc", true},
           {"", "", true},
           {"", "a", false},
           {"a?c", "abc", true},
           {"a?c", "ac", false},
           {"a*c", "abbbc", true},
           {"a*c", "abcb", false},
           {"*a*b*", "xaxxbx", true},
           {"a*b*c", "aXbYbZc", true},
           {"h[ae]llo", "hello", true},
           {"h[ae]llo", "hillo", false},
           {"h[^e]llo", "hallo", true},
           {"h[^e]llo", "hello", false},
           {"h[a-c]", "hb", true},
           {"h[c-a]", "hb", true},
           {"h[a-c]", "hd", false},
           {"\\*", "*", true},
           {"\\*", "a", false},
           {"[\\]]", "]", true},
           {"[", "[", false},
           {"[abc", "c", true},
           {"a\\", "a\\", true},
           {"**", "x", true},
           {"*?", "", false},
           {"user:*:x", "user:1:y", false},
           {"[]", "a", false},
       })
    EXPECT_EQ(kvd::glob_matches(c.pattern, c.text), c.matches) << c.pattern << " on " << c.text;
}

TEST(Glob, a_hostile_pattern_is_answered_soon) {
  std::string pattern;
  for (int n = 0; n < 500; ++n) pattern += "a*";
  pattern += "b";
  EXPECT_FALSE(kvd::glob_matches(pattern, std::string(20'000, 'a')));
}

TEST(Command, every_name_is_found_in_any_case) {
  for (const kvd::CommandInfo& info : kvd::all_commands()) {
    EXPECT_EQ(kvd::find_command(info.name), &info);
    std::string upper(info.name);
    for (char& c : upper) c = static_cast<char>(c - 'a' + 'A');
    EXPECT_EQ(kvd::find_command(upper), &info);
  }
  for (const char* name : {"", "gett", "ge", "flushalll", "\0get", "zzz", "aaa"})
    EXPECT_EQ(kvd::find_command(name), nullptr) << name;
}

TEST(Command, arity_counts_the_name) {
  EXPECT_TRUE(kvd::find_command("get")->takes(2));
  EXPECT_FALSE(kvd::find_command("get")->takes(3));
  EXPECT_FALSE(kvd::find_command("set")->takes(2));
  EXPECT_TRUE(kvd::find_command("set")->takes(7));
}

TEST(Command, an_unknown_one_is_quoted_with_its_arguments) {
  std::string input = "fooab";
  std::vector<kvd::Slice> words{{0, 3}, {3, 1}, {4, 1}};
  EXPECT_EQ(kvd::unknown_command_error(input, words),
            "ERR unknown command 'foo', with args beginning with: 'a' 'b' ");
}

TEST(Reply, errors_stay_on_one_line) {
  std::string out;
  kvd::append_error(out, "ERR a\r\nb");
  kvd::append_bulk(out, "x\r\n");
  kvd::append_integer(out, INT64_MIN);
  kvd::append_null(out);
  EXPECT_EQ(out, "-ERR a  b\r\n$3\r\nx\r\n\r\n:-9223372036854775808\r\n$-1\r\n");
}

TEST(ScanCursor, the_end_of_one_shard_is_the_beginning_of_the_next) {
  EXPECT_EQ(kvd::cursor_after(0, 2, std::nullopt).to_number(), 1u);
  EXPECT_EQ(kvd::cursor_after(1, 2, std::nullopt).to_number(), 0u);
  kvd::ScanCursor cursor = kvd::cursor_after(1, 2, kvd::Keyspace::Position{77});
  EXPECT_EQ(kvd::parse_cursor(std::to_string(cursor.to_number()))->position, 77u);
  EXPECT_EQ(kvd::parse_cursor(std::to_string(cursor.to_number()))->shard, 1);
  for (const char* text : {"-1", "x", "1x", "99999999999999999999"})
    EXPECT_FALSE(kvd::parse_cursor(text)) << text;
  EXPECT_EQ(kvd::parse_cursor("")->to_number(), 0u);
}

}  // namespace
