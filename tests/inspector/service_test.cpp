// service_test.cpp: the thread that serves clients, good and bad ones.
//
// Method: real clients on a real socket, and an answer that echoes the request. Clients that stall
// are given a patience of a few milliseconds; the test waits for the server to close the
// connection, never for a time to pass.
#include "inspector/service.hpp"

#include <gtest/gtest.h>
#include <sys/socket.h>

#include <chrono>
#include <list>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "tests/inspector/scratch.hpp"

namespace airssys::rt::inspector {
namespace {

using namespace std::chrono_literals;

constexpr auto endless = 1h;

class ServiceTest : public testing::Test {
 protected:
  const ScratchDirectory scratch;
  const Endpoint endpoint{scratch.file("s")};

  static std::expected<std::string, Refusal> echo(const Request& request) {
    return to_text(request);
  }
  std::unique_ptr<Service> service(std::chrono::milliseconds patience,
                                   const Service::Answer& answer = &echo) const {
    return std::make_unique<Service>(endpoint.listener(), answer, patience);
  }
  TestClient client() const { return TestClient(endpoint.path()); }
};

constexpr const char* hello = "airs-inspect/1 hello";

bool contains(const std::optional<std::string>& answer, std::string_view part) {
  return answer && answer->find(part) != std::string::npos;
}

TEST_F(ServiceTest, answers_one_request_after_the_other_on_a_connection) {
  const auto running = service(endless);
  TestClient client(endpoint.path());
  EXPECT_EQ(client.ask(hello), hello);
  EXPECT_EQ(client.ask("airs-inspect/1 ps 7"), "airs-inspect/1 ps 7");
}

TEST_F(ServiceTest, answers_requests_that_were_sent_all_at_once) {
  const auto running = service(endless);
  TestClient client(endpoint.path());
  std::string all;
  for (int i = 0; i < 100; ++i) all += make_frame("airs-inspect/1 ps " + std::to_string(i));
  ASSERT_TRUE(client.send(all));
  for (int i = 0; i < 100; ++i)
    EXPECT_EQ(client.receive(), "airs-inspect/1 ps " + std::to_string(i));
}

TEST_F(ServiceTest, answers_a_request_that_comes_byte_by_byte) {
  const auto running = service(endless);
  TestClient client(endpoint.path());
  for (const char byte : make_frame(hello)) ASSERT_TRUE(client.send({&byte, 1}));
  EXPECT_EQ(client.receive(), hello);
}

TEST_F(ServiceTest, serves_others_while_a_client_is_in_the_middle_of_a_request) {
  const auto running = service(endless);
  TestClient slow(endpoint.path());
  ASSERT_TRUE(slow.send(make_frame(hello).substr(0, 7)));
  TestClient other(endpoint.path());
  EXPECT_EQ(other.ask(hello), hello);
  ASSERT_TRUE(slow.send(make_frame(hello).substr(7)));
  EXPECT_EQ(slow.receive(), hello);
}

TEST_F(ServiceTest, serves_others_while_a_client_does_not_take_its_answer) {
  const std::string large(std::size_t{8} << 20, 'x');
  const auto running = service(endless, [&large](const Request& request) {
    return std::expected<std::string, Refusal>(request.verb == Verb::ps ? large : "small");
  });
  TestClient slow(endpoint.path());
  ASSERT_TRUE(slow.send(make_frame("airs-inspect/1 ps 0")));
  TestClient other(endpoint.path());
  EXPECT_EQ(other.ask(hello), "small");
  EXPECT_EQ(slow.receive(), large);
}

TEST_F(ServiceTest, tells_a_client_of_another_version_and_lets_it_go) {
  const auto running = service(endless);
  TestClient client(endpoint.path());
  EXPECT_TRUE(contains(client.ask("airs-inspect/9 hello"), R"("code":"version")"));
  EXPECT_FALSE(client.receive());
}

TEST_F(ServiceTest, refuses_a_frame_that_claims_to_be_huge) {
  const auto running = service(endless);
  TestClient client(endpoint.path());
  ASSERT_TRUE(client.send(std::string_view("\xFF\xFF\xFF\xFF", 4)));
  EXPECT_TRUE(contains(client.receive(), R"("code":"bad_request")"));
  EXPECT_FALSE(client.receive());
}

TEST_F(ServiceTest, survives_garbage) {
  const auto running = service(endless);
  for (std::size_t length = 1; length < 300; length += 13) {
    TestClient client(endpoint.path());
    std::string garbage = make_frame(std::string(length, '\x07'));
    for (std::size_t i = 4; i < garbage.size(); ++i) garbage[i] = static_cast<char>(i * length);
    client.send(garbage);
    EXPECT_TRUE(contains(client.receive(), R"("code":"bad_request")")) << length;
  }
  EXPECT_EQ(client().ask(hello), hello);
}

TEST_F(ServiceTest, drops_a_client_that_never_ends_its_request) {
  const auto running = service(20ms);
  TestClient client(endpoint.path());
  ASSERT_TRUE(client.send(std::string_view("\0\0", 2)));
  EXPECT_FALSE(client.receive());
}

TEST_F(ServiceTest, drops_a_client_that_never_asks) {
  const auto running = service(20ms);
  TestClient client(endpoint.path());
  EXPECT_FALSE(client.receive());
}

TEST_F(ServiceTest, drops_a_client_that_does_not_take_its_answer) {
  const std::string large(std::size_t{8} << 20, 'x');
  const auto running = service(
      20ms, [&large](const Request&) { return std::expected<std::string, Refusal>(large); });
  TestClient client(endpoint.path());
  ASSERT_TRUE(client.send(make_frame(hello)));
  // Nobody takes the rest of it: who reads on finds what was sent, and then the end. The other side
  // has gone when writing to it fails.
  while (client.send("x")) std::this_thread::yield();
  EXPECT_FALSE(client.receive());
}

TEST_F(ServiceTest, tells_one_client_too_many_that_it_is_busy) {
  const auto running = service(endless);
  std::list<TestClient> clients;
  for (std::size_t i = 0; i < Service::clients_max; ++i) {
    clients.emplace_back(endpoint.path());
    ASSERT_EQ(clients.back().ask(hello), hello);
  }
  EXPECT_TRUE(contains(client().receive(), R"("code":"busy")"));
  clients.pop_front();
  // The place is free once the server has seen that its client went.
  while (client().ask(hello) != hello) std::this_thread::yield();
}

TEST_F(ServiceTest, answers_what_an_answer_throws) {
  const auto running = service(endless, [](const Request&) -> std::expected<std::string, Refusal> {
    throw std::runtime_error("no such luck");
  });
  TestClient client(endpoint.path());
  EXPECT_TRUE(contains(client.ask(hello), "no such luck"));
  EXPECT_TRUE(contains(client.ask(hello), "no such luck"));
}

TEST_F(ServiceTest, goes_on_after_a_refusal_by_the_answer) {
  const auto running = service(endless, [](const Request&) -> std::expected<std::string, Refusal> {
    return std::unexpected(Refusal{"no_process", "nobody"});
  });
  TestClient client(endpoint.path());
  EXPECT_TRUE(contains(client.ask(hello), R"("code":"no_process")"));
  EXPECT_TRUE(contains(client.ask(hello), R"("code":"no_process")"));
}

TEST_F(ServiceTest, ends_at_once_whatever_its_clients_are_doing) {
  auto running = service(endless);
  TestClient idle(endpoint.path());
  TestClient slow(endpoint.path());
  ASSERT_TRUE(slow.send(std::string_view("\0", 1)));
  ASSERT_EQ(client().ask(hello), hello);
  running.reset();
  EXPECT_FALSE(idle.receive());
  EXPECT_FALSE(slow.receive());
}

TEST_F(ServiceTest, leaves_the_signal_mask_of_who_starts_it_alone) {
  sigset_t before{};
  sigset_t after{};
  ::pthread_sigmask(SIG_SETMASK, nullptr, &before);
  const auto running = service(endless);
  ::pthread_sigmask(SIG_SETMASK, nullptr, &after);
  EXPECT_EQ(::sigismember(&before, SIGTERM), ::sigismember(&after, SIGTERM));
}

}  // namespace
}  // namespace airssys::rt::inspector
