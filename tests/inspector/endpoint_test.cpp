// endpoint_test.cpp: the socket file: who may open it, whose place it takes, and when it goes.
//
// Method: real sockets in a directory of the test's own. A stale socket is made by binding one and
// closing it, which leaves the file, as a killed program does.
#include "inspector/endpoint.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <airssys/rt/error.hpp>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string>
#include <system_error>

#include "inspector/protocol.hpp"
#include "tests/inspector/scratch.hpp"

namespace airssys::rt::inspector {
namespace {

void leave_a_stale_socket(const std::string& path) {
  const Descriptor socket(::socket(AF_UNIX, SOCK_STREAM, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
  ASSERT_EQ(::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)), 0);
}

mode_t mode_of(const std::string& path) {
  struct stat found{};
  EXPECT_EQ(::lstat(path.c_str(), &found), 0) << path;
  return found.st_mode;
}

std::string why_not(const std::string& path) {
  try {
    const Endpoint endpoint(path);
    return "it listens";
  } catch (const std::exception& error) {
    return error.what();
  }
}

TEST(Endpoint, listens_with_a_file_that_only_its_user_may_open) {
  const ScratchDirectory scratch;
  const mode_t before = ::umask(0);
  const Endpoint endpoint(scratch.file("s"));
  ::umask(before);
  EXPECT_EQ(mode_of(endpoint.path()), mode_t{S_IFSOCK | 0600});
  EXPECT_TRUE(TestClient(endpoint.path()).is_connected());
}

TEST(Endpoint, takes_its_file_away) {
  const ScratchDirectory scratch;
  {
    const Endpoint endpoint(scratch.file("s"));
  }
  EXPECT_TRUE(std::filesystem::is_empty(scratch.path()));
}

TEST(Endpoint, replaces_a_stale_socket) {
  const ScratchDirectory scratch;
  leave_a_stale_socket(scratch.file("s"));
  const Endpoint endpoint(scratch.file("s"));
  EXPECT_TRUE(TestClient(endpoint.path()).is_connected());
}

TEST(Endpoint, leaves_a_socket_alone_that_is_answered) {
  const ScratchDirectory scratch;
  const Endpoint first(scratch.file("s"));
  EXPECT_NE(why_not(first.path()).find("another program listens"), std::string::npos);
  EXPECT_TRUE(TestClient(first.path()).is_connected());
}

TEST(Endpoint, leaves_a_file_alone_that_is_no_socket) {
  const ScratchDirectory scratch;
  std::ofstream(scratch.file("s")) << "precious";
  EXPECT_NE(why_not(scratch.file("s")).find("no socket"), std::string::npos);
  EXPECT_EQ(std::filesystem::file_size(scratch.file("s")), 8U);
}

TEST(Endpoint, does_not_take_away_what_has_replaced_its_file) {
  const ScratchDirectory scratch;
  std::optional<Endpoint> first(scratch.file("s"));
  std::filesystem::rename(scratch.file("s"), scratch.file("moved"));
  const Endpoint second(scratch.file("s"));
  first.reset();
  EXPECT_TRUE(TestClient(second.path()).is_connected());
}

TEST(Endpoint, a_forked_child_does_not_take_its_parent_s_file_away) {
  const ScratchDirectory scratch;
  std::optional<Endpoint> endpoint(scratch.file("s"));
  const pid_t child = ::fork();
  if (child == 0) {
    endpoint.reset();
    ::_exit(0);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_TRUE(std::filesystem::exists(scratch.file("s")));
}

TEST(Endpoint, refuses_paths_that_no_socket_can_have) {
  EXPECT_THROW(Endpoint(""), BadArgument);
  EXPECT_THROW(Endpoint("/tmp/" + std::string(200, 'x')), BadArgument);
  EXPECT_THROW(Endpoint(std::string("/tmp/a\0b", 8)), BadArgument);
  EXPECT_THROW(Endpoint("/nowhere/at/all"), std::system_error);
}

// Points XDG_RUNTIME_DIR at a directory of the test's own.
class Automatic : public testing::Test {
 protected:
  Automatic() { ::setenv("XDG_RUNTIME_DIR", scratch.path().c_str(), 1); }
  ~Automatic() override { ::unsetenv("XDG_RUNTIME_DIR"); }

  const ScratchDirectory scratch;
  const std::string directory = scratch.file("airssys-rt");
};

TEST_F(Automatic, is_named_after_program_and_process_in_a_private_directory) {
  const Endpoint endpoint("auto");
  EXPECT_EQ(endpoint.path(),
            directory + "/" + socket_name(program_invocation_short_name, ::getpid()));
  EXPECT_EQ(mode_of(directory), mode_t{S_IFDIR | 0700});
}

TEST_F(Automatic, does_not_use_a_directory_that_others_may_enter) {
  ASSERT_EQ(::mkdir(directory.c_str(), 0700), 0);
  ASSERT_EQ(::chmod(directory.c_str(), 0755), 0);
  const Endpoint endpoint("auto");
  EXPECT_TRUE(endpoint.path().starts_with("/tmp/airssys-rt-")) << endpoint.path();
}

TEST_F(Automatic, does_not_follow_a_link_to_a_directory) {
  ASSERT_EQ(::mkdir(scratch.file("elsewhere").c_str(), 0700), 0);
  ASSERT_EQ(::symlink(scratch.file("elsewhere").c_str(), directory.c_str()), 0);
  const Endpoint endpoint("auto");
  EXPECT_TRUE(endpoint.path().starts_with("/tmp/airssys-rt-")) << endpoint.path();
}

TEST(Permission, is_given_to_this_user) {
  int pair[2];
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
  const Descriptor one(pair[0]);
  const Descriptor other(pair[1]);
  EXPECT_TRUE(is_permitted(one.get()));
}

TEST(Permission, is_not_given_without_credentials) {
  const Descriptor no_socket(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  EXPECT_FALSE(is_permitted(no_socket.get()));
}

}  // namespace
}  // namespace airssys::rt::inspector
