// server_test.cpp: a runtime with an inspector, seen from its socket.
//
// Aim: it is there as long as the runtime is, and it answers when no scheduler can. Method: clients
// on the socket of a real runtime; "no scheduler can" is one busy loop for each of them.
#include "inspector/server.hpp"

#include <gtest/gtest.h>
#include <airssys/rt.hpp>
#include <atomic>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <system_error>
#include <thread>

#include "tests/inspector/scratch.hpp"
#include "tests/support/in_runtime.hpp"

namespace airssys::rt::inspector {
namespace {

using nlohmann::json;

class ServerTest : public support::InRuntime {
 protected:
  ServerTest() { options.inspector = scratch.file("s"); }

  static json asked(TestClient& client, const Request& request) {
    return json::parse(client.ask(request).value_or("null"));
  }

  // Before what the processes refer to is gone.
  static void wait_for_all_ends(Runtime& runtime) {
    while (runtime.impl().system().table.alive() != 0) std::this_thread::yield();
  }

  const ScratchDirectory scratch;
};
RT_WITH_SCHEDULERS(ServerTest);

TEST_P(ServerTest, is_there_as_long_as_the_runtime_is) {
  with_runtime([this](Runtime&) {
    TestClient client(options.inspector);
    EXPECT_EQ(asked(client, {.verb = Verb::hello})["process_id"], ::getpid());
  });
  EXPECT_FALSE(std::filesystem::exists(options.inspector));
}

TEST_P(ServerTest, a_runtime_does_not_start_where_another_one_listens) {
  with_runtime([this](Runtime&) { EXPECT_THROW(Runtime second(options), std::system_error); });
}

TEST_P(ServerTest, answers_while_every_scheduler_is_stuck) {
  with_runtime([this](Runtime& runtime) {
    std::atomic<unsigned> stuck{0};
    std::atomic<bool> may_end{false};
    Pid last;
    for (unsigned i = 0; i < GetParam(); ++i) {
      last = runtime.spawn({.name = "hog " + std::to_string(i)}, [&] {
        ++stuck;
        while (!may_end) {
        }
      });
    }
    while (stuck != GetParam()) std::this_thread::yield();
    TestClient client(options.inspector);
    unsigned hogs = 0;
    const json page = asked(client, {.verb = Verb::ps});
    for (const json& process : page["processes"])
      hogs += process["name"].get<std::string>().starts_with("hog ") ? 1 : 0;
    EXPECT_EQ(hogs, GetParam());
    EXPECT_EQ(asked(client, {.verb = Verb::schedulers})["schedulers"].size(), GetParam());
    const Request about_last{.verb = Verb::info, .slot = last.slot(), .pid = last};
    EXPECT_EQ(asked(client, about_last)["process"]["asked"], "busy");
    may_end = true;
    wait_for_all_ends(runtime);
  });
}

TEST_P(ServerTest, many_clients_ask_at_the_same_time) {
  with_runtime([this](Runtime& runtime) {
    std::vector<std::thread> threads;
    const Pid pid = runtime.spawn([] { receive([](int) {}); });
    for (int i = 0; i < 8; ++i) {
      threads.emplace_back([&] {
        TestClient client(options.inspector);
        for (int k = 0; k < 50; ++k) {
          EXPECT_EQ(asked(client, {.verb = Verb::ps})["next"], 0);
          EXPECT_EQ(asked(client, {.verb = Verb::info, .slot = pid.slot()})["process"]["pid"],
                    pid.to_string());
        }
      });
    }
    for (auto& thread : threads) thread.join();
    runtime.send_exit(pid, ExitReason::kill());
  });
}

TEST_P(ServerTest, processes_may_come_and_go_while_they_are_listed) {
  with_runtime([this](Runtime& runtime) {
    std::atomic<bool> may_end{false};
    const Pid maker = runtime.spawn([&] {
      while (!may_end) {
        for (int i = 0; i < 100; ++i) spawn_link([] { yield(); });
        yield();
      }
    });
    TestClient client(options.inspector);
    for (int i = 0; i < 200; ++i) {
      bool is_listed = false;
      Request request{.verb = Verb::ps};
      do {
        const json page = asked(client, request);
        for (const json& process : page["processes"])
          is_listed = is_listed || process["pid"] == maker.to_string();
        request.slot = page["next"];
      } while (request.slot != 0);
      EXPECT_TRUE(is_listed);
    }
    may_end = true;
    wait_for_all_ends(runtime);
  });
}

}  // namespace
}  // namespace airssys::rt::inspector
