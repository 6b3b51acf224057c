// process_info_test.cpp: what a process says about itself (P13, P14).
//
// tests/runtime/info_test.cpp has the questions that race with ends and with starving processes.
#include <gtest/gtest.h>
#include <airssys/rt.hpp>
#include <atomic>
#include <chrono>
#include <mutex>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "tests/semantics/targets.hpp"

namespace airssys::rt::semantics::process_info_test {
namespace {

using namespace std::chrono_literals;

class ProcessInfoRules : public QuietRules {
 protected:
  // The reports of crashes; under mutex.
  std::mutex mutex;
  std::vector<std::string> reports;

  ProcessInfoRules() {
    options.log = [this](std::string_view line) {
      const std::lock_guard lock(mutex);
      reports.emplace_back(line);
    };
  }
};
RT_WITH_SCHEDULERS(ProcessInfoRules);

// P13
TEST_P(ProcessInfoRules, a_label_shows_what_a_process_is_about_and_finds_nobody) {
  run([] {
    const Spawned first = spawn_monitor([tester = self()] {
      set_label("reader of a.txt");
      send(tester, Ready());
      receive<Go>();
      set_label("");
      send(tester, Ready());
      receive<Go>();
    });
    receive<Ready>();
    EXPECT_EQ(process_info(first.pid)->label, "reader of a.txt");
    EXPECT_FALSE(whereis("reader of a.txt"));
    set_label("reader of a.txt");  // need not be unique
    EXPECT_EQ(process_info(self())->label, "reader of a.txt");
    send(first.pid, Go());
    receive<Ready>();
    EXPECT_EQ(process_info(first.pid)->label, "");
    end(first);
    EXPECT_EQ(process_info(spawn_target().pid)->label, "") << "nobody inherits it";
    for (const Pid pid : processes())
      if (pid != self()) send(pid, Go());
  });
}

// P13, X16
TEST_P(ProcessInfoRules, a_label_stands_in_the_report_of_a_crash) {
  run([] {
    reason_of(spawn_monitor({.name = "somebody"}, [] {
      set_label("connection of 10.0.0.1");
      throw std::runtime_error("boom");
    }));
  });
  const std::lock_guard lock(mutex);
  ASSERT_EQ(reports.size(), 1U);
  EXPECT_NE(reports[0].find("\"somebody\" (connection of 10.0.0.1) crashed"), std::string::npos)
      << reports[0];
}

struct Ping {};
struct Pong {
  char bytes[100];
};

// P13, P14
TEST_P(ProcessInfoRules, the_list_of_messages_is_as_long_as_their_number_and_in_their_order) {
  run([] {
    const Spawned target = spawn_target();
    // Others go on sending, so the number changes all the time.
    std::atomic<bool> is_over = false;
    std::vector<Spawned> senders;
    for (int i = 0; i < 2; ++i) {
      senders.push_back(spawn_monitor([&is_over, pid = target.pid] {
        for (int n = 0; n < 20'000 && !is_over; ++n) send(pid, Pong{});
      }));
    }
    std::size_t pings = 0;
    for (std::size_t i = 0; i < stress_size(100); ++i) {
      send(target.pid, Ping());
      ++pings;
      const ProcessInfo info = process_info(target.pid, {.messages = true}).value();
      EXPECT_EQ(info.messages.size(), info.message_queue_len);
      std::size_t found = 0;
      for (const std::string_view type : info.messages) found += type.ends_with("Ping") ? 1 : 0;
      EXPECT_EQ(found, pings);
      EXPECT_TRUE(info.messages.back().ends_with("Ping") || !is_over);
      EXPECT_GE(info.message_bytes, info.message_queue_len * sizeof(Ping));
    }
    is_over = true;
    for (const Spawned& sender : senders) reason_of(sender);
    const ProcessInfo info = process_info(target.pid).value();
    EXPECT_TRUE(info.messages.empty()) << "not asked for";
    EXPECT_GE(info.message_queue_len, pings);
    end(target);
  });
}

// P13, P14
TEST_P(ProcessInfoRules, the_list_has_every_kind_of_mail_of_oneself_too) {
  run([] {
    trap_exit(true);
    send(self(), Ping());
    const Spawned child = spawn_monitor({.link = true}, [] {});
    while (process_info(self())->message_queue_len != 3) yield();
    const std::vector<std::string_view> types = process_info(self(), {.messages = true})->messages;
    ASSERT_EQ(types.size(), 3U);
    EXPECT_TRUE(types[0].ends_with("Ping")) << types[0];
    EXPECT_EQ(types[1], "airssys::rt::Exit");
    EXPECT_EQ(types[2], "airssys::rt::Down");
    reason_of(child);
  });
}

// P13
TEST_P(ProcessInfoRules, what_a_process_runs_is_told_by_the_type_of_its_code) {
  struct Work {
    void operator()() const { receive<Go>(); }
  };
  run([] {
    const Spawned process = spawn_monitor(Work());
    EXPECT_TRUE(process_info(process.pid)->code.ends_with("Work"));
    end(process);
  });
}

}  // namespace
}  // namespace airssys::rt::semantics::process_info_test
