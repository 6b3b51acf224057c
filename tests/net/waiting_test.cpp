// waiting_test.cpp: processes that wait for descriptors can be ended, are fair, and move about.
//
// A process is known to wait when the runtime says so, never because some time has passed.
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>
#include <airssys/rt.hpp>
#include <airssys/rt/io.hpp>
#include <airssys/rt/net.hpp>

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <functional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace airssys::rt::net {
namespace {

using namespace std::chrono_literals;

struct Go {};

class WaitingTest : public testing::Test {
 protected:
  // Runs f as a process of a runtime with this many schedulers.
  static void run(unsigned schedulers, const std::function<void()>& f) {
    Runtime runtime({.schedulers = schedulers});
    EXPECT_EQ(runtime.run(f), ExitReason::normal());
    runtime.stop(5s);
  }

  static std::pair<io::Handle, io::Handle> socket_pair() {
    std::array<int, 2> ends{};
    EXPECT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends.data()), 0);
    return {io::Handle(ends[0]), io::Handle(ends[1])};
  }

  // Ends the process and answers why it ended.
  static ExitReason kill(const Spawned& spawned) {
    send_exit(spawned.pid, ExitReason::kill());
    return receive<Down>().reason;
  }
};

TEST_F(WaitingTest, a_process_that_waits_in_accept_can_be_killed_and_its_port_is_free) {
  run(2, [] {
    const Pid root = self();
    const Spawned server = spawn_monitor([root] {
      TcpListener listener = TcpListener::bind("127.0.0.1:0").value();
      send(root, listener.local_address());
      (void)listener.accept();
      FAIL() << "nobody connected";
    });
    const std::string address = receive<std::string>();
    for (int i = 0; i < 100; ++i) yield();  // most likely it waits by now; either way it must end
    EXPECT_EQ(kill(server), ExitReason::killed());
    EXPECT_TRUE(TcpListener::bind(address)) << "its descriptor was closed before its Down";
  });
}

TEST_F(WaitingTest, processes_are_killed_at_any_moment_of_a_wait) {
  run(2, [] {
    for (int i = 0; i < 300; ++i) {
      auto [mine, theirs] = socket_pair();
      const Spawned reader = spawn_monitor(
          [handle = std::move(theirs)]() mutable { (void)io::wait_readable(handle); });
      for (int j = 0; j < i % 7; ++j) yield();
      // The edge and the kill race; each time the process ends, once.
      if (i % 2 == 0) {
        ASSERT_EQ(write(mine.fd(), "x", 1), 1);
      }
      const ExitReason reason = kill(reader);
      EXPECT_TRUE(reason == ExitReason::killed() || reason == ExitReason::normal());
    }
  });
}

TEST_F(WaitingTest, time_outs_and_edges_race_and_a_wait_ends_once) {
  run(2, [] {
    auto [reader, writer] = socket_pair();
    spawn_link([&writer] {
      for (int i = 0; i < 500; ++i) {
        while (write(writer.fd(), "x", 1) != 1) {  // full, for its reader had no processor for long
          ASSERT_EQ(errno, EAGAIN);
          yield();
        }
        if (i % 3 == 0) sleep(30us);
      }
    });
    for (int got = 0; got < 500;) {
      char byte = 0;
      if (::read(reader.fd(), &byte, 1) == 1) {
        ++got;
        continue;
      }
      const auto waited = io::wait_readable(reader, Deadline::after(20us));
      ASSERT_TRUE(waited || waited.error() == std::errc::timed_out);
    }
  });
}

TEST_F(WaitingTest, a_process_whose_reads_never_wait_lets_others_run_and_can_be_killed) {
  std::atomic<bool> is_over{false};
  auto [reader, writer] = socket_pair();
  // A plain thread keeps the socket full.
  std::thread feeder([&is_over, fd = writer.fd()] {
    const std::vector<std::byte> much(100'000);
    while (!is_over.load())
      if (send(fd, much.data(), much.size(), MSG_NOSIGNAL) < 0) std::this_thread::yield();
  });
  run(1, [&reader] {
    const Spawned busy = spawn_monitor([&reader] {
      for (;;) {
        io::checkpoint();
        char byte = 0;
        (void)!::read(reader.fd(), &byte, 1);
      }
    });
    for (int i = 0; i < 20; ++i) yield();
    EXPECT_EQ(kill(busy), ExitReason::killed());
  });
  is_over.store(true);
  feeder.join();
}

TEST_F(WaitingTest, only_one_process_can_wait_in_a_direction) {
  run(1, [] {
    auto [mine, theirs] = socket_pair();
    io::Handle& handle = mine;
    const Pid root = self();
    const Spawned first = spawn_monitor([&handle, root] {
      (void)io::wait_writable(handle);  // registers it; it is writable at once
      send(root, Go{});
      EXPECT_TRUE(io::wait_readable(handle));
    });
    receive<Go>();
    sleep(1us);  // the only scheduler runs the other one until it waits
    EXPECT_EQ(io::wait_readable(handle).error(), std::errc::device_or_resource_busy);
    ASSERT_EQ(write(theirs.fd(), "x", 1), 1);
    EXPECT_EQ(receive<Down>().reason, ExitReason::normal());
    (void)first;
  });
}

TEST_F(WaitingTest, a_stream_may_move_between_processes) {
  TcpListener listener = TcpListener::bind("127.0.0.1:0").value();  // before any runtime
  run(2, [&listener] {
    TcpStream client = TcpStream::connect(listener.local_address()).value();
    TcpStream server = listener.accept().value();
    std::array<std::byte, 4> buffer;
    EXPECT_EQ(server.read_some(buffer, 0ms).error(), std::errc::timed_out);  // registered here
    spawn_monitor([stream = std::move(server)]() mutable {
      std::array<std::byte, 4> got;
      EXPECT_EQ(stream.read_some(got), 4U);  // waits there
      EXPECT_TRUE(stream.write_all(got));
    });
    ASSERT_TRUE(client.write_all(buffer));
    EXPECT_EQ(client.read_some(buffer), 4U);
    EXPECT_EQ(client.read_some(buffer), 0U) << "the stream closed with its last owner";
    EXPECT_EQ(receive<Down>().reason, ExitReason::normal());
  });
  listener
      .close();  // before the runtime is gone? it is gone: the listener outlived it, closed late
}

// The one scheduler looks at its descriptors when this process waits: by then everything has come,
// and one edge tells of it.
TEST_F(WaitingTest, the_end_that_comes_with_the_last_bytes_is_read) {
  TcpListener listener = TcpListener::bind("127.0.0.1:0").value();
  run(1, [&listener] {
    TcpStream client = TcpStream::connect(listener.local_address()).value();
    spawn_monitor([stream = listener.accept().value()]() mutable {
      std::array<std::byte, 8> got;
      EXPECT_EQ(stream.read_some(got), 3U);
      EXPECT_EQ(stream.read_some(got), 0U);
    });
    yield();  // it waits
    const std::array<std::byte, 3> last{};
    ASSERT_TRUE(client.write_all(last));
    ASSERT_TRUE(client.shutdown_write());
    EXPECT_EQ(receive<Down>().reason, ExitReason::normal());
  });
}

TEST_F(WaitingTest, what_lies_behind_an_urgent_byte_is_read) {
  TcpListener listener = TcpListener::bind("127.0.0.1:0").value();
  run(1, [&listener] {
    TcpStream client = TcpStream::connect(listener.local_address()).value();
    spawn_monitor([stream = listener.accept().value()]() mutable {
      std::array<std::byte, 8> got;
      EXPECT_EQ(stream.read_some(got), 2U) << "a read ends at the urgent byte";
      EXPECT_EQ(stream.read_some(got), 3U);
    });
    yield();  // it waits
    ASSERT_EQ(::send(client.handle().fd(), "ab", 2, 0), 2);
    ASSERT_EQ(::send(client.handle().fd(), "!", 1, MSG_OOB), 1);
    ASSERT_EQ(::send(client.handle().fd(), "cde", 3, 0), 3);
    EXPECT_EQ(receive<Down>().reason, ExitReason::normal());
  });
}

TEST_F(WaitingTest, a_short_read_of_a_tcp_stream_empties_it_until_the_next_wait) {
  TcpListener listener = TcpListener::bind("127.0.0.1:0").value();
  run(1, [&listener] {
    TcpStream client = TcpStream::connect(listener.local_address()).value();
    TcpStream server = listener.accept().value();
    std::array<std::byte, 4> buffer;
    ASSERT_TRUE(client.write_all(buffer));
    EXPECT_EQ(server.read_some(std::span(buffer).first(3)), 3U);
    EXPECT_FALSE(server.handle().is_empty()) << "it filled its buffer";
    EXPECT_EQ(server.read_some(buffer), 1U);
    EXPECT_TRUE(server.handle().is_empty());
    EXPECT_EQ(server.read_some({}), 0U) << "nothing to read into, nothing to wait for";
    EXPECT_EQ(server.read_some(buffer, 0ms).error(), std::errc::timed_out);
    EXPECT_FALSE(server.handle().is_empty());
    ASSERT_TRUE(client.write_all(buffer));
    EXPECT_EQ(server.read_some(buffer, 0ms), 4U) << "tried, although no edge has been seen";
  });
}

TEST_F(WaitingTest, a_listener_outlives_a_runtime_and_serves_in_the_next) {
  TcpListener listener = TcpListener::bind("127.0.0.1:0").value();
  for (int i = 0; i < 3; ++i)
    run(1, [&listener] {
      EXPECT_EQ(listener.accept(1ms).error(), std::errc::timed_out);
      TcpStream client;
      spawn_link([&] { client = TcpStream::connect(listener.local_address()).value(); });
      EXPECT_TRUE(listener.accept());
    });
}

TEST_F(WaitingTest, a_wait_in_the_destructor_of_a_killed_process_does_not_wait) {
  run(2, [] {
    struct Farewell {
      io::Handle& handle;
      std::error_code* answer;
      ~Farewell() { *answer = io::wait_readable(handle).error(); }
    };
    auto [mine, theirs] = socket_pair();
    std::error_code answer;
    const Pid root = self();
    const Spawned dying = spawn_monitor([&handle = mine, &answer, root] {
      const Farewell farewell{handle, &answer};
      send(root, Go{});
      receive<Go>();
    });
    receive<Go>();
    EXPECT_EQ(kill(dying), ExitReason::killed());
    EXPECT_EQ(answer, std::errc::operation_canceled);
  });
}

}  // namespace
}  // namespace airssys::rt::net
