// answers_test.cpp: what a program says about itself, and that it is true.
//
// Method: runtimes with processes in known states; the test's own thread asks, as the service's
// would. Where the state is reached by a process, the test asks until it shows: it is not told
// when.
#include "inspector/answers.hpp"

#include <gtest/gtest.h>
#include <airssys/rt.hpp>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <thread>
#include <utility>

#include "tests/support/in_runtime.hpp"

namespace airssys::rt::inspector {
namespace {

using nlohmann::json;

class AnswersTest : public support::InRuntime {
 protected:
  static json answered(Answers& answers, const Request& request) {
    const auto body = answers.answer(request);
    if (!body) return {{"refused", body.error().code}};
    return json::parse(*body);
  }
  static json info(Answers& answers, Pid pid) {
    return answered(answers, {.verb = Verb::info, .slot = pid.slot(), .pid = pid});
  }
  // Asks for a process until what it shows is so.
  template <class Is>
  static json info_when(Answers& answers, Pid pid, Is is) {
    for (;;) {
      json process = info(answers, pid).value("process", json::object());
      if (is(process)) return process;
      std::this_thread::yield();
    }
  }
  static bool was_answered(const json& process) { return process["asked"] == "answered"; }
  static bool waits(const json& process) {
    return was_answered(process) && process["state"] == "waiting";
  }
  static void end(Runtime& runtime, Pid pid) { runtime.send_exit(pid, ExitReason::kill()); }
};
RT_WITH_SCHEDULERS(AnswersTest);

void wait_for_ever() {
  receive([](int) {});
}

TEST_P(AnswersTest, hello_says_who_answers) {
  with_runtime([](Runtime& runtime) {
    Answers answers(runtime.impl().system());
    const Pid pid = runtime.spawn(&wait_for_ever);
    const json hello = answered(answers, {.verb = Verb::hello});
    EXPECT_EQ(hello["version"], protocol_version);
    EXPECT_EQ(hello["program"], program_invocation_short_name);
    EXPECT_EQ(hello["process_id"], ::getpid());
    EXPECT_EQ(hello["schedulers"], GetParam());
    EXPECT_EQ(hello["processes"], 1);
    end(runtime, pid);
  });
}

// D22
TEST_P(AnswersTest, schedulers_are_listed_with_what_they_did) {
  with_runtime([](Runtime& runtime) {
    Answers answers(runtime.impl().system());
    EXPECT_EQ(runtime.run([] { reductions(3000); }).to_string(), "normal");
    // Its end may be known before its last turn is counted.
    std::uint64_t all = 0;
    while (all < 3000) {
      const json answer = answered(answers, {.verb = Verb::schedulers});
      ASSERT_EQ(answer["schedulers"].size(), GetParam());
      all = 0;
      for (const json& scheduler : answer["schedulers"])
        all += scheduler["reductions"].get<std::uint64_t>();
    }
  });
}

// D22
TEST_P(AnswersTest, schedulers_say_for_how_long_they_were_busy) {
  with_runtime([](Runtime& runtime) {
    Answers answers(runtime.impl().system());
    const auto busy_ns = [&answers] {
      std::int64_t busy = 0;
      const json answer = answered(answers, {.verb = Verb::schedulers});
      for (const json& scheduler : answer["schedulers"]) {
        EXPECT_LE(scheduler["busy_ns"], scheduler["total_ns"]);
        busy += scheduler["busy_ns"].get<std::int64_t>();
      }
      return busy;
    };
    const std::int64_t before = busy_ns();
    constexpr std::chrono::milliseconds work(20);
    runtime.run([work] {
      const auto until = std::chrono::steady_clock::now() + work;
      while (std::chrono::steady_clock::now() < until) reductions(1);
    });
    EXPECT_GE(busy_ns() - before, std::chrono::nanoseconds(work).count());
    // While all sleep nobody is busy: some pair of looks finds that.
    std::int64_t last = busy_ns();
    for (;; std::this_thread::yield()) {
      if (const std::int64_t now = busy_ns(); std::exchange(last, now) == now) break;
    }
  });
}

TEST_P(AnswersTest, a_page_shows_name_parent_and_code) {
  with_runtime([](Runtime& runtime) {
    Answers answers(runtime.impl().system());
    std::atomic<std::uint64_t> child{0};
    const Pid parent = runtime.spawn({.name = "the parent"}, [&child] {
      child = spawn_link(&wait_for_ever).bits();
      wait_for_ever();
    });
    while (child == 0) std::this_thread::yield();
    const Pid child_pid = Pid::from_bits(child);
    json of_parent;
    json of_child;
    Request request{.verb = Verb::ps};
    const json answer = answered(answers, request);
    for (const json& process : answer["processes"]) {
      if (process["pid"] == parent.to_string()) of_parent = process;
      if (process["pid"] == child_pid.to_string()) of_child = process;
    }
    EXPECT_EQ(of_parent["name"], "the parent");
    EXPECT_EQ(of_parent["parent"], nullptr);
    EXPECT_EQ(of_child["name"], "");
    EXPECT_EQ(of_child["parent"], parent.to_string());
    EXPECT_NE(of_child["code"].get<std::string>().find("void"), std::string::npos);
    EXPECT_EQ(answer["next"], 0);
    end(runtime, parent);
  });
}

TEST_P(AnswersTest, pages_lead_through_all_processes_and_show_none_twice) {
  with_runtime([](Runtime& runtime) {
    Answers answers(runtime.impl().system());
    std::vector<Pid> pids;
    for (std::uint32_t i = 0; i < 2 * Answers::page_slots; ++i)
      pids.push_back(runtime.spawn(&wait_for_ever));
    std::multiset<std::string> seen;
    Request request{.verb = Verb::ps};
    unsigned pages = 0;
    do {
      const json page = answered(answers, request);
      for (const json& process : page["processes"]) seen.insert(process["pid"]);
      EXPECT_LE(page["processes"].size(), Answers::page_slots);
      request.slot = page["next"];
      ++pages;
    } while (request.slot != 0);
    EXPECT_GE(pages, 2U);
    for (const Pid pid : pids) {
      EXPECT_EQ(seen.count(pid.to_string()), 1U) << pid.to_string();
      end(runtime, pid);
    }
  });
}

TEST_P(AnswersTest, a_page_beyond_the_last_process_is_empty) {
  with_runtime([](Runtime& runtime) {
    Answers answers(runtime.impl().system());
    for (const std::uint32_t slot : {1U << 20, (1U << 24) - 1, 1U << 24, 0xFFFFFFFFU}) {
      const json page = answered(answers, {.verb = Verb::ps, .slot = slot});
      EXPECT_TRUE(page["processes"].empty()) << slot;
      EXPECT_EQ(page["next"], 0) << slot;
    }
  });
}

TEST_P(AnswersTest, a_process_that_waits_tells_its_links_and_monitors) {
  with_runtime([](Runtime& runtime) {
    Answers answers(runtime.impl().system());
    const Pid peer = runtime.spawn(&wait_for_ever);
    const Pid pid = runtime.spawn([peer] {
      trap_exit(true);
      link(peer);
      monitor(peer);
      wait_for_ever();
    });
    const json process = info_when(answers, pid, &waits);
    EXPECT_EQ(process["links"], (json{{"count", 1}, {"pids", {peer.to_string()}}}));
    EXPECT_EQ(process["monitors"]["pids"], json::array({peer.to_string()}));
    EXPECT_EQ(process["traps_exits"], true);
    EXPECT_EQ(process["priority"], "normal");
    EXPECT_GT(process["memory_bytes"], 0);
    EXPECT_EQ(info_when(answers, peer, &waits)["monitored_by"]["pids"],
              json::array({pid.to_string()}));
    end(runtime, pid);
    end(runtime, peer);
  });
}

constexpr Local<int> kept("kept");

TEST_P(AnswersTest, a_process_shows_its_label_and_what_it_keeps) {
  with_runtime([](Runtime& runtime) {
    Answers answers(runtime.impl().system());
    const Pid pid = runtime.spawn([] {
      set_label("reader");
      kept.put(3);
      wait_for_ever();
    });
    const json process = info_when(answers, pid, &waits);
    EXPECT_EQ(process["label"], "reader");
    EXPECT_EQ(process["dictionary"], json::array({{{"name", "kept"}, {"value", "3"}}}));
    EXPECT_EQ(answered(answers, {.verb = Verb::ps})["processes"][0]["label"], "reader");
    end(runtime, pid);
  });
}

TEST_P(AnswersTest, a_process_is_found_by_its_slot) {
  with_runtime([](Runtime& runtime) {
    Answers answers(runtime.impl().system());
    const Pid pid = runtime.spawn(&wait_for_ever);
    const json answer = answered(answers, {.verb = Verb::info, .slot = pid.slot()});
    EXPECT_EQ(answer["process"]["pid"], pid.to_string());
    end(runtime, pid);
  });
}

TEST_P(AnswersTest, who_is_gone_or_never_was_is_no_process) {
  with_runtime([](Runtime& runtime) {
    Answers answers(runtime.impl().system());
    const Pid pid = runtime.spawn([] {});
    while (info(answers, pid).contains("process")) std::this_thread::yield();
    EXPECT_EQ(info(answers, pid)["refused"], "no_process");
    EXPECT_EQ(info(answers, Pid(99'999, 1))["refused"], "no_process");
  });
}

// A server that never answers.
struct Never : rt::Server<Never> {
  struct Ask {
    using Reply = int;
  };
  void handle(Ask, From<int> from) { kept = std::move(from); }
  std::optional<From<int>> kept;
};

TEST_P(AnswersTest, a_wait_for_a_reply_shows_whose) {
  with_runtime([](Runtime& runtime) {
    Answers answers(runtime.impl().system());
    std::atomic<std::uint64_t> server{0};
    const Pid pid = runtime.spawn([&server] {
      const auto started = start_link<Never>();
      server = started.pid().bits();
      call(started, Never::Ask{}, infinite);
    });
    const json process = info_when(answers, pid, [](const json& shown) {
      return was_answered(shown) && shown["wait_reason"] == "reply" &&
             !shown["waits_for"].is_null();
    });
    EXPECT_EQ(process["waits_for"], Pid::from_bits(server).to_string());
    end(runtime, pid);
  });
}

TEST_P(AnswersTest, a_stuck_process_is_busy_and_what_is_published_is_shown) {
  with_runtime([](Runtime& runtime) {
    Answers answers(runtime.impl().system());
    std::atomic<bool> is_stuck{false};
    std::atomic<bool> may_end{false};
    const Pid pid = runtime.spawn({.name = "stuck"}, [&] {
      is_stuck = true;
      while (!may_end) std::this_thread::yield();
    });
    while (!is_stuck) std::this_thread::yield();
    for (int i = 0; i < 3; ++i) {
      const json process = info(answers, pid)["process"];
      EXPECT_EQ(process["asked"], "busy");
      EXPECT_EQ(process["name"], "stuck");
      EXPECT_FALSE(process.contains("links"));
    }
    // Whoever was asked in vain is gone some time after; then a question is answered again.
    may_end = true;
    const Pid other = runtime.spawn(&wait_for_ever);
    info_when(answers, other, &waits);
    end(runtime, other);
    // It refers to the flags.
    while (info(answers, pid).contains("process")) std::this_thread::yield();
  });
}

// B6
TEST_P(AnswersTest, a_bounded_mailbox_shows_its_drops_and_whose_they_were) {
  with_runtime([](Runtime& runtime) {
    Answers answers(runtime.impl().system());
    const Pid pid = runtime.spawn({.mailbox = {.capacity = 1, .overflow = Overflow::drop_newest}},
                                  [] { wait_for_ever(); });
    struct Ignored {};
    while (runtime.try_send(pid, Ignored{}) != SendResult::full) std::this_thread::yield();
    const Pid sender = runtime.spawn([pid] {
      for (int i = 0; i < 2; ++i) send(pid, Ignored{});
      wait_for_ever();
    });
    const auto has_sent = [](const json& process) {
      return was_answered(process) && process["drops"]["refused"] == 3;
    };
    const json process = info_when(answers, pid, has_sent);
    EXPECT_EQ(process["dropped_of"],
              json::parse(R"([{"pid":")" + sender.to_string() + R"(","count":2}])"));
    EXPECT_EQ(answered(answers, {.verb = Verb::hello})["drops"]["refused"], 3);
    end(runtime, sender);
    end(runtime, pid);
  });
}

}  // namespace
}  // namespace airssys::rt::inspector
