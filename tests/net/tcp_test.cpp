// tcp_test.cpp: what streams and listeners promise, over real sockets of this machine.
//
// Each test runs twice, with processes and with plain threads as actors. Times appear only where a
// time-out is what is tested, and then only as "not sooner".
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>
#include <airssys/rt/net.hpp>

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <numeric>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "tests/net/stage.hpp"

namespace airssys::rt::net {
namespace {

using namespace std::chrono_literals;

std::span<const std::byte> bytes_of(std::string_view text) {
  return std::as_bytes(std::span(text));
}

// Everything up to the end, as text.
std::string read_all(Stream& stream) {
  std::string text;
  std::array<std::byte, 1000> buffer;
  for (;;) {
    const auto got = stream.read_some(buffer);
    EXPECT_TRUE(got) << got.error().message();
    if (!got || *got == 0) return text;
    text.append(reinterpret_cast<const char*>(buffer.data()), *got);
  }
}

void echo(Stream stream) {
  std::array<std::byte, 512> buffer;
  for (;;) {
    const auto got = stream.read_some(buffer);
    if (!got || *got == 0) return;
    if (!stream.write_all(std::span(buffer).first(*got))) return;
  }
}

class TcpTest : public testing::TestWithParam<Stage> {
 protected:
  void play(const Act& act) { run_on(GetParam(), act); }
  void together(const std::vector<Act>& acts) { net::together(GetParam(), acts); }

  // A client and a server that are connected, each an act of its own.
  void play_pair(const std::function<void(TcpStream)>& server,
                 const std::function<void(TcpStream)>& client) {
    play([&] {
      TcpListener listener = TcpListener::bind("127.0.0.1:0").value();
      const std::string address = listener.local_address();
      together({[&] { server(listener.accept().value()); },
                [&] { client(TcpStream::connect(address).value()); }});
    });
  }
};

TEST_P(TcpTest, bytes_arrive_in_order_and_come_back) {
  play_pair([](TcpStream stream) { echo(std::move(stream)); },
            [](TcpStream stream) {
              for (int i = 0; i < 200; ++i) {
                const std::string said = "message " + std::to_string(i);
                ASSERT_TRUE(stream.write_all(bytes_of(said)));
                std::string heard;
                while (heard.size() < said.size()) {
                  std::array<std::byte, 7> buffer;
                  const auto got = stream.read_some(buffer);
                  ASSERT_TRUE(got && *got > 0);
                  heard.append(reinterpret_cast<const char*>(buffer.data()), *got);
                }
                ASSERT_EQ(heard, said);
              }
            });
}

TEST_P(TcpTest, many_connections_are_served_at_the_same_time) {
  constexpr std::size_t connections = 100;
  play([&] {
    TcpListener listener = TcpListener::bind("127.0.0.1:0").value();
    const std::string address = listener.local_address();
    const auto serve_all = [&] {
      std::vector<TcpStream> streams;
      while (streams.size() < connections) streams.push_back(listener.accept().value());
      // No one is served before all are connected: so they all wait at the same time.
      std::vector<Act> acts;
      for (TcpStream& stream : streams) acts.emplace_back([&] { echo(std::move(stream)); });
      together(acts);
    };
    std::vector<Act> acts{serve_all};
    for (std::size_t i = 0; i < connections; ++i)
      acts.emplace_back([&, i] {
        TcpStream stream = TcpStream::connect(address).value();
        const std::string said(10 + i, static_cast<char>('a' + i % 26));
        ASSERT_TRUE(stream.write_all(bytes_of(said)));
        ASSERT_TRUE(stream.shutdown_write());
        EXPECT_EQ(read_all(stream), said);
      });
    together(acts);
  });
}

TEST_P(TcpTest, one_side_may_end_its_writing_and_go_on_reading) {
  play_pair(
      [](TcpStream stream) {
        const std::string question = read_all(stream);
        ASSERT_TRUE(stream.write_all(bytes_of("you said " + question)));
      },
      [](TcpStream stream) {
        ASSERT_TRUE(stream.write_all(bytes_of("hello")));
        ASSERT_TRUE(stream.shutdown_write());
        EXPECT_EQ(read_all(stream), "you said hello");
        std::array<std::byte, 1> buffer;
        EXPECT_EQ(stream.read_some(buffer), 0U) << "an end stays an end";
      });
}

TEST_P(TcpTest, a_reset_is_an_error_to_who_reads_and_who_writes) {
  play_pair(
      [](TcpStream stream) {
        std::array<std::byte, 1> buffer;
        ASSERT_EQ(stream.read_some(buffer), 1U);
        const linger at_once{.l_onoff = 1, .l_linger = 0};
        ASSERT_EQ(setsockopt(stream.handle().fd(), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once),
                  0);
      },
      [](TcpStream stream) {
        ASSERT_TRUE(stream.write_all(bytes_of("x")));
        std::array<std::byte, 1> buffer;
        EXPECT_EQ(stream.read_some(buffer).error(), std::errc::connection_reset);
        EXPECT_EQ(stream.write_all(bytes_of("y")).error(), std::errc::broken_pipe);
      });
}

TEST_P(TcpTest, a_large_write_waits_for_its_reader_and_loses_nothing) {
  constexpr std::size_t words = 4'000'000;
  play_pair(
      [](TcpStream stream) {
        std::vector<std::uint32_t> sent(words);
        std::iota(sent.begin(), sent.end(), 1U);
        ASSERT_TRUE(stream.write_all(std::as_bytes(std::span(sent))));
      },
      [](TcpStream stream) {
        std::vector<std::uint32_t> got(words);
        std::span<std::byte> rest = std::as_writable_bytes(std::span(got));
        while (!rest.empty()) {
          const auto some =
              stream.read_some(rest.first(std::min<std::size_t>(rest.size(), 100'000)));
          ASSERT_TRUE(some && *some > 0);
          rest = rest.subspan(*some);
        }
        std::array<std::byte, 1> buffer;
        EXPECT_EQ(stream.read_some(buffer), 0U);
        for (std::size_t i = 0; i < words; ++i) ASSERT_EQ(got[i], i + 1);
      });
}

TEST_P(TcpTest, a_read_that_times_out_is_not_early_and_loses_nothing) {
  play_pair(
      [](TcpStream stream) {
        std::array<std::byte, 1> go;
        ASSERT_EQ(stream.read_some(go), 1U);
        ASSERT_TRUE(stream.write_all(bytes_of("late")));
      },
      [](TcpStream stream) {
        std::array<std::byte, 100> buffer;
        const std::int64_t start = base::steady_clock().now_ns();
        EXPECT_EQ(stream.read_some(buffer, 5ms).error(), std::errc::timed_out);
        EXPECT_GE(base::steady_clock().now_ns() - start, 5'000'000);
        EXPECT_EQ(stream.read_some(buffer, 0ms).error(), std::errc::timed_out);
        ASSERT_TRUE(stream.write_all(bytes_of("g")));
        EXPECT_EQ(read_all(stream), "late");
      });
}

TEST_P(TcpTest, a_write_to_a_reader_that_sleeps_times_out) {
  play([&] {
    TcpListener listener = TcpListener::bind("127.0.0.1:0").value();
    TcpStream client = TcpStream::connect(listener.local_address()).value();
    const TcpStream server = listener.accept().value();
    const std::vector<std::byte> much(64 << 20);
    EXPECT_EQ(client.write_all(much, 5ms).error(), std::errc::timed_out);
  });
}

TEST_P(TcpTest, an_accept_that_times_out_can_be_called_again) {
  play([&] {
    TcpListener listener = TcpListener::bind("127.0.0.1:0").value();
    EXPECT_EQ(listener.accept(3ms).error(), std::errc::timed_out);
    const TcpStream client = TcpStream::connect(listener.local_address()).value();
    EXPECT_TRUE(listener.accept(60s));
  });
}

TEST_P(TcpTest, a_connect_that_nobody_answers_times_out) {
  play([&] {
    TcpListener listener = TcpListener::bind("127.0.0.1:0", {.backlog = 0}).value();
    std::vector<TcpStream> waiting;
    for (int i = 0; i < 10; ++i) {  // until the queue is full
      auto stream = TcpStream::connect(listener.local_address(), 50ms);
      if (!stream) {
        EXPECT_EQ(stream.error(), std::errc::timed_out);
        return;
      }
      waiting.push_back(std::move(*stream));
    }
    FAIL() << "a queue of length 0 took ten connections";
  });
}

TEST_P(TcpTest, a_port_where_nobody_listens_refuses) {
  play([&] {
    TcpListener listener = TcpListener::bind("127.0.0.1:0").value();
    const std::string address = listener.local_address();
    listener.close();
    EXPECT_EQ(TcpStream::connect(address).error(), std::errc::connection_refused);
    EXPECT_EQ(TcpStream::connect("nonsense").error(), std::errc::invalid_argument);
  });
}

TEST_P(TcpTest, a_port_is_used_once_and_free_after_its_listener) {
  play([&] {
    TcpListener first = TcpListener::bind("127.0.0.1:0").value();
    const std::string address = first.local_address();
    EXPECT_EQ(TcpListener::bind(address).error(), std::errc::address_in_use);
    TcpStream client = TcpStream::connect(address).value();
    TcpStream server = first.accept().value();
    first.close();
    server.close();  // the side that closes first is the one whose port lingers
    client.close();
    EXPECT_TRUE(TcpListener::bind(address));
  });
}

TEST_P(TcpTest, both_sides_agree_on_their_addresses) {
  play([&] {
    TcpListener listener = TcpListener::bind(":0").value();
    const std::string port = listener.local_address().substr(listener.local_address().rfind(':'));
    const TcpStream client = TcpStream::connect("127.0.0.1" + port).value();
    const TcpStream server = listener.accept().value();
    EXPECT_EQ(client.peer_address(), "127.0.0.1" + port);
    EXPECT_EQ(client.peer_address(), server.local_address());
    EXPECT_EQ(client.local_address(), server.peer_address());
  });
}

TEST_P(TcpTest, nodelay_is_on_and_can_be_changed) {
  const auto is_on = [](TcpStream& stream) {
    int value = -1;
    socklen_t bytes = sizeof value;
    getsockopt(stream.handle().fd(), IPPROTO_TCP, TCP_NODELAY, &value, &bytes);
    return value != 0;
  };
  play([&] {
    TcpListener listener = TcpListener::bind("127.0.0.1:0").value();
    TcpStream client = TcpStream::connect(listener.local_address()).value();
    TcpStream server = listener.accept().value();
    EXPECT_TRUE(is_on(client));
    EXPECT_TRUE(is_on(server));
    ASSERT_TRUE(client.set_nodelay(false));
    EXPECT_FALSE(is_on(client));
  });
}

TEST_P(TcpTest, what_is_closed_answers_and_does_not_crash) {
  play([&] {
    TcpListener listener = TcpListener::bind("127.0.0.1:0").value();
    TcpStream stream = TcpStream::connect(listener.local_address()).value();
    TcpStream moved = std::move(stream);
    moved.close();
    moved.close();
    EXPECT_FALSE(moved.is_open());
    std::array<std::byte, 1> buffer;
    for (TcpStream* closed : {&stream, &moved}) {
      EXPECT_EQ(closed->read_some(buffer).error(), std::errc::bad_file_descriptor);
      EXPECT_EQ(closed->write_all(buffer).error(), std::errc::bad_file_descriptor);
      EXPECT_EQ(closed->shutdown_write().error(), std::errc::bad_file_descriptor);
      EXPECT_EQ(closed->peer_address(), "");
    }
    listener.close();
    EXPECT_EQ(listener.accept().error(), std::errc::bad_file_descriptor);
    EXPECT_EQ(listener.local_address(), "");
  });
}

TEST_P(TcpTest, unix_sockets_carry_bytes_by_path_and_by_abstract_name) {
  std::string directory = "/tmp/rt-net-test-XXXXXX";
  ASSERT_NE(mkdtemp(directory.data()), nullptr);
  const std::string path = directory + "/socket";
  for (const std::string& name : {path, "@" + path}) {
    play([&] {
      EXPECT_EQ(UnixStream::connect(path + "-none").error(), std::errc::no_such_file_or_directory);
      UnixListener listener = UnixListener::bind(name).value();
      EXPECT_EQ(UnixListener::bind(name).error(), std::errc::address_in_use);
      together({[&] { echo(listener.accept().value()); },
                [&] {
                  UnixStream stream = UnixStream::connect(name).value();
                  ASSERT_TRUE(stream.write_all(bytes_of("through the file system")));
                  ASSERT_TRUE(stream.shutdown_write());
                  EXPECT_EQ(read_all(stream), "through the file system");
                }});
    });
  }
  std::filesystem::remove_all(directory);
}

INSTANTIATE_TEST_SUITE_P(,
                         TcpTest,
                         testing::Values(Stage::threads, Stage::processes),
                         testing::PrintToStringParamName());

}  // namespace
}  // namespace airssys::rt::net
