// resp_parser_test.cpp: does the parser find the same commands however the bytes are cut?
//
// Method: feed inputs whole, byte by byte, and cut at every place; compare arguments and errors
// with what Redis 7 answers (the wording was taken from a running one; compare_test.py checks it
// live).
#include "examples/kvd/resp_parser.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "examples/kvd/limits.hpp"

namespace {

using kvd::RespParser;
using Commands = std::vector<std::vector<std::string>>;

struct Outcome {
  Commands commands;
  std::string error;

  bool operator==(const Outcome&) const = default;
};

constexpr std::size_t value_max = 1024;

// Parses what is in `input` so far; false after an error.
bool parse(RespParser& parser, std::string& input, Outcome& outcome) {
  for (;;) {
    switch (parser.next(input)) {
      case RespParser::Result::incomplete:
        return true;
      case RespParser::Result::error:
        outcome.error = parser.error();
        return false;
      case RespParser::Result::command: {
        std::vector<std::string> words;
        for (const kvd::Slice& word : parser.arguments()) words.emplace_back(word.of(input));
        outcome.commands.push_back(words);
      }
    }
  }
}

// `step` bytes arrive at a time, and what is done with is cut off each time, as a connection does.
Outcome parse_in_steps(const std::string& bytes, std::size_t step) {
  RespParser parser(value_max);
  Outcome outcome;
  std::string input;
  for (std::size_t at = 0; at < bytes.size(); at += step) {
    input += bytes.substr(at, step);
    if (!parse(parser, input, outcome)) return outcome;
    std::size_t done = parser.command_begin();
    input.erase(0, done);
    parser.forget(done);
  }
  return outcome;
}

Outcome parse_whole(const std::string& bytes) {
  return parse_in_steps(bytes, bytes.size());
}

std::string error_of(const std::string& bytes) {
  return parse_whole(bytes).error;
}

TEST(RespParser, arrays_inline_commands_and_empty_ones_mix) {
  std::string bytes =
      "*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$5\r\na\r\nb\n\r\nGET k\r\n\r\n*0\r\n*-1\r\n"
      "set 'it''s' \"a\\x41\\n\\\"\"\nPING\r\n*1\r\n$0\r\n\r\n";
  Outcome outcome = parse_whole("*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$5\r\na\r\nb\n\r\nGET k\r\n");
  EXPECT_EQ(outcome.commands, (Commands{{"SET", "k", "a\r\nb\n"}, {"GET", "k"}}));
  EXPECT_EQ(parse_whole(bytes).error, "ERR Protocol error: unbalanced quotes in request");
}

TEST(RespParser, where_the_bytes_are_cut_does_not_matter) {
  std::string bytes =
      "*2\r\n$3\r\nGET\r\n$11\r\nhello world\r\n\r\n*0\r\nSET a \"b \\x41\\t\"\r\n"
      "*-1\r\n*1\r\n$0\r\n\r\n  ping  'x y'\n*1\r\n$4\r\nQUIT\r\n*x\r\n";
  Outcome whole = parse_whole(bytes);
  EXPECT_EQ(
      whole.commands,
      (Commands{{"GET", "hello world"}, {"SET", "a", "b A\t"}, {""}, {"ping", "x y"}, {"QUIT"}}));
  EXPECT_EQ(whole.error, "ERR Protocol error: invalid multibulk length");
  for (std::size_t step = 1; step < bytes.size(); ++step)
    EXPECT_EQ(parse_in_steps(bytes, step), whole) << "in steps of " << step;
}

TEST(RespParser, quotes_follow_the_rules_of_the_inline_grammar) {
  auto words = [](const std::string& line) { return parse_whole(line + "\r\n").commands.at(0); };
  using Words = std::vector<std::string>;
  EXPECT_EQ(words("a 'b c' \"d e\""), (Words{"a", "b c", "d e"}));
  EXPECT_EQ(words("'it\\'s'"), (Words{"it's"}));
  EXPECT_EQ(words("'\\n'"), (Words{"\\n"}));
  EXPECT_EQ(words("\"\\n\\r\\t\\b\\a\\q\\\\\""), (Words{"\n\r\t\b\aq\\"}));
  EXPECT_EQ(words("\"\\x00\\xfF\\xg1\""), (Words{std::string("\0\xff", 2) + "xg1"}));
  EXPECT_EQ(words("x'y z'"), (Words{"xy z"}));
  EXPECT_EQ(words("\"\" ''"), (Words{"", ""}));
  for (const char* bad : {"\"a", "'a", "\"a\"b", "'a'b", "\"a\\\""})
    EXPECT_EQ(error_of(std::string(bad) + "\r\n"),
              "ERR Protocol error: unbalanced quotes in request");
}

TEST(RespParser, broken_lengths_are_named) {
  for (const char* bad : {"*\r\n",
                          "*abc\r\n",
                          "*1x\r\n",
                          "* 1\r\n",
                          "*+1\r\n",
                          "*01\r\n",
                          "*99999999999999999999\r\n",
                          "*2147483648\r\n"})
    EXPECT_EQ(error_of(bad), "ERR Protocol error: invalid multibulk length") << bad;
  for (const char* bad : {"*1\r\n$\r\n",
                          "*1\r\n$-1\r\n",
                          "*1\r\n$x\r\n",
                          "*1\r\n$1025\r\n",
                          "*1\r\n$99999999999999999999\r\n"})
    EXPECT_EQ(error_of(bad), "ERR Protocol error: invalid bulk length") << bad;
  EXPECT_EQ(error_of("*1\r\nfoo\r\n"), "ERR Protocol error: expected '$', got 'f'");
  EXPECT_EQ(error_of("*2\r\n$1\r\na\r\n*1\r\n"), "ERR Protocol error: expected '$', got '*'");
}

TEST(RespParser, lines_without_an_end_have_a_limit) {
  std::string many(kvd::line_bytes_max + 1, '1');
  EXPECT_EQ(error_of(many), "ERR Protocol error: too big inline request");
  EXPECT_EQ(error_of("*" + many), "ERR Protocol error: too big mbulk count string");
  EXPECT_EQ(error_of("*1\r\n$" + many), "ERR Protocol error: too big bulk count string");
  std::string just_fits(kvd::line_bytes_max, '1');
  EXPECT_EQ(parse_whole(just_fits), Outcome());
}

TEST(RespParser, it_says_how_many_bytes_a_value_still_needs) {
  RespParser parser(value_max);
  std::string input = "*1\r\n$100\r\nabc";
  EXPECT_EQ(parser.next(input), RespParser::Result::incomplete);
  EXPECT_EQ(parser.missing_bytes(), 99u);
  input += std::string(99, 'x');
  EXPECT_EQ(parser.next(input), RespParser::Result::command);
}

TEST(RespParser, a_thousand_random_cuts_agree) {
  // Random, but the same each time: a linear congruence from a fixed seed.
  std::string bytes;
  for (int n = 0; n < 50; ++n) {
    std::string value(static_cast<std::size_t>(n * 7 % 40), static_cast<char>('a' + n % 26));
    bytes += "*2\r\n$4\r\nECHO\r\n$" + std::to_string(value.size()) + "\r\n" + value + "\r\n";
    if (n % 5 == 0) bytes += "PING " + std::to_string(n) + "\r\n";
  }
  Outcome whole = parse_whole(bytes);
  ASSERT_EQ(whole.commands.size(), 60u);
  std::uint32_t seed = 1;
  for (int round = 0; round < 1000; ++round) {
    RespParser parser(value_max);
    Outcome outcome;
    std::string input;
    for (std::size_t at = 0; at < bytes.size();) {
      seed = seed * 1664525 + 1013904223;
      std::size_t step = 1 + (seed >> 16) % 60;
      input += bytes.substr(at, step);
      at += step;
      ASSERT_TRUE(parse(parser, input, outcome));
      if (seed % 3 != 0) continue;  // sometimes nothing is cut off
      std::size_t done = parser.command_begin();
      input.erase(0, done);
      parser.forget(done);
    }
    ASSERT_EQ(outcome, whole) << "round " << round;
  }
}

}  // namespace
