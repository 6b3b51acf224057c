// protocol_test.cpp: requests, process names and frames, from text and back.
//
// Aim: what one side writes, the other reads; everything else is refused with a sentence, and no
// bytes make the reader hold more than it was told to. Method: tables of good and bad text, and
// frames given byte by byte.
#include "inspector/protocol.hpp"

#include <gtest/gtest.h>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

namespace airssys::rt::inspector {
namespace {

TEST(Protocol, every_request_reads_as_it_was_written) {
  for (const Request& request : {Request{.verb = Verb::hello},
                                 Request{.verb = Verb::schedulers},
                                 Request{.verb = Verb::ps, .slot = 4096},
                                 Request{.verb = Verb::info, .slot = 12},
                                 Request{.verb = Verb::info, .slot = 12, .pid = Pid(12, 3)}}) {
    const auto read = parse_request(to_text(request));
    ASSERT_TRUE(read) << to_text(request) << ": " << read.error().text;
    EXPECT_EQ(read->verb, request.verb);
    EXPECT_EQ(read->slot, request.slot);
    EXPECT_EQ(read->pid, request.pid);
  }
}

TEST(Protocol, a_request_of_another_version_is_told_which_one_is_spoken) {
  for (const char* text : {"airs-inspect/2 hello", "airs-inspect/0 ps 0", "airs-inspect/ hello"}) {
    const auto read = parse_request(text);
    ASSERT_FALSE(read) << text;
    EXPECT_EQ(read.error().code, "version");
    EXPECT_NE(read.error().text.find("version 1"), std::string::npos) << read.error().text;
  }
}

TEST(Protocol, what_is_no_request_is_refused_with_a_sentence) {
  for (const char* text : {"",
                           "GET / HTTP/1.1",
                           "airs-inspect/1",
                           "airs-inspect/1 kill <0.1.1>",
                           "airs-inspect/1 hello you",
                           "airs-inspect/1 ps",
                           "airs-inspect/1 ps -1",
                           "airs-inspect/1 ps 1 2",
                           "airs-inspect/1 ps 99999999999",
                           "airs-inspect/1 info",
                           "airs-inspect/1  hello"}) {
    const auto read = parse_request(text);
    ASSERT_FALSE(read) << text;
    EXPECT_EQ(read.error().code, "bad_request") << text;
    EXPECT_GT(read.error().text.size(), 20U) << text;
  }
}

TEST(Protocol, a_process_is_named_by_its_pid_or_by_its_slot) {
  for (const char* text : {"<0.12.1>", "0.12.1"}) {
    const auto read = parse_process(text);
    ASSERT_TRUE(read) << text;
    EXPECT_EQ(read->pid, Pid(12, 1));
    EXPECT_EQ(read->slot, 12U);
  }
  const auto slot = parse_process("12");
  ASSERT_TRUE(slot);
  EXPECT_FALSE(slot->pid);
  EXPECT_EQ(slot->slot, 12U);
}

TEST(Protocol, what_names_no_process_is_refused) {
  for (const char* text : {"",
                           "<>",
                           "<0.12.1",
                           "0.12",
                           "0.12.",
                           "1.12.1",
                           "0.12.1.5",
                           "0.-1.1",
                           "0.300000000.1",
                           "0.1.300000000",
                           "0.0.0",
                           " 12",
                           "name"})
    EXPECT_FALSE(parse_process(text)) << text;
}

TEST(FrameReader, collects_a_frame_that_comes_byte_by_byte) {
  FrameReader reader(100);
  const std::string frame = make_frame("hello");
  for (std::size_t i = 0; i < frame.size(); ++i) {
    EXPECT_FALSE(reader.is_complete()) << i;
    EXPECT_GT(reader.wants(), 0U) << i;
    reader.add(frame.substr(i, 1));
  }
  ASSERT_TRUE(reader.is_complete());
  EXPECT_EQ(reader.wants(), 0U);
  EXPECT_EQ(reader.take(), "hello");
}

TEST(FrameReader, never_wants_bytes_of_the_next_frame) {
  const std::string stream = make_frame("one") + make_frame("") + make_frame("three");
  FrameReader reader(100);
  std::vector<std::string> bodies;
  std::size_t at = 0;
  while (bodies.size() < 3) {
    const std::size_t wanted = reader.wants();
    reader.add(stream.substr(at, wanted));
    at += wanted;
    if (reader.is_complete()) bodies.push_back(reader.take());
  }
  EXPECT_EQ(bodies, (std::vector<std::string>{"one", "", "three"}));
  EXPECT_EQ(at, stream.size());
}

TEST(FrameReader, a_length_beyond_the_limit_asks_for_nothing_more) {
  FrameReader reader(100);
  reader.add(std::string_view("\xFF\xFF\xFF\xFF", 4));
  EXPECT_TRUE(reader.is_too_long());
  EXPECT_FALSE(reader.is_complete());
  EXPECT_EQ(reader.wants(), 0U);
}

TEST(FrameReader, a_body_of_exactly_the_limit_is_taken) {
  FrameReader reader(5);
  const std::string frame = make_frame("12345");
  reader.add(frame.substr(0, 4));
  EXPECT_FALSE(reader.is_too_long());
  reader.add(frame.substr(4));
  EXPECT_EQ(reader.take(), "12345");
}

TEST(Protocol, sockets_are_looked_for_in_the_session_s_directory_and_in_tmp) {
  ::setenv("XDG_RUNTIME_DIR", "/run/user/7", 1);
  const auto both = socket_directories();
  ASSERT_EQ(both.size(), 2U);
  EXPECT_EQ(both[0], "/run/user/7/airssys-rt");
  EXPECT_TRUE(both[1].starts_with("/tmp/airssys-rt-"));
  ::setenv("XDG_RUNTIME_DIR", "not/absolute", 1);
  EXPECT_EQ(socket_directories(), (std::vector<std::string>{both[1]}));
  ::unsetenv("XDG_RUNTIME_DIR");
  EXPECT_EQ(socket_directories(), (std::vector<std::string>{both[1]}));
}

TEST(Protocol, a_socket_s_name_fits_into_a_path_whatever_the_program_is_called) {
  EXPECT_EQ(socket_name("daemon", 42), "daemon-42.sock");
  EXPECT_LE(socket_name(std::string(200, 'x'), 4194304).size(), 60U);
}

}  // namespace
}  // namespace airssys::rt::inspector
