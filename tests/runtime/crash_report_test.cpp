// crash_report_test.cpp: what is reported of a process that did not end in order.
//
// Method: processes that end in every way, in a runtime whose reports the test keeps.
#include "runtime/crash_report.hpp"

#include <gtest/gtest.h>
#include <airssys/rt.hpp>
#include <cerrno>
#include <functional>
#include <nlohmann/json.hpp>
#include <regex>
#include <stdexcept>
#include <string>
#include <vector>

#include "base/symbol.hpp"
#include "fiber/throw_site.hpp"
#include "scheduler/thread.hpp"
#include "tests/support/ends.hpp"
#include "tests/support/kept_reports.hpp"

namespace airssys::rt::runtime::crash_report_test {
namespace {

using support::field;
using support::reason_of;

using Crashes = support::KeptReports;
RT_WITH_SCHEDULERS(Crashes);

// Runs body as a process until it has ended; answers its pid.
template <class Body>
std::string ended(Body body, const SpawnOptions& options = {}) {
  const Spawned process = spawn_monitor(options, std::move(body));
  receive([](Down) {});
  return process.pid.to_string();
}

[[gnu::noinline]] void leave_by_exit() {
  exit(ExitReason::error("no"));
}

[[gnu::noinline]] void leave_by_throw() {
  throw std::runtime_error("boom");
}

struct Careful : Server<Careful> {
  struct Fail {};
  void handle(Fail) { leave_by_throw(); }
};

// Whether the innermost call of a stack lies in this function.
bool begins_in(const std::vector<std::string>& stack, void (*function)()) {
  if (stack.empty()) return false;
  const auto begin = base::symbol_at(reinterpret_cast<const void*>(function)).offset;
  const auto offset = std::stoull(stack[0].substr(stack[0].find("+0x") + 3), nullptr, 16);
  return offset >= begin && offset < begin + 400;
}

TEST_P(Crashes, a_report_names_the_process_and_the_reason) {
  std::string pid;
  run([&pid] { pid = ended([] { exit(ExitReason::error("no")); }, {.name = "store"}); });
  ASSERT_EQ(reports().size(), 1U);
  const Report crash = reports()[0];
  EXPECT_EQ(crash.kind(), "crash");
  EXPECT_EQ(crash.severity(), Severity::error);
  EXPECT_EQ(crash.line(), "process " + pid + " \"store\" crashed: error: no");
  EXPECT_EQ(field(crash, "pid"), pid);
  EXPECT_EQ(field(crash, "name"), "store");
  EXPECT_EQ(field(crash, "reason"), "error: no");
}

// A reason whose words are hard to come by.
struct Unspeakable {
  bool throws_a_number = false;
  bool operator==(const Unspeakable&) const = default;
  std::string to_string() const {
    if (throws_a_number) throw 5;
    throw std::runtime_error("no words");
  }
};

[[gnu::noinline]] void leave_without_words() {
  exit(ExitReason::of(Unspeakable{}));
}

// Z15
TEST_P(Crashes, a_reason_that_does_not_print_is_told_all_the_same) {
  run([] {
    EXPECT_TRUE(reason_of(spawn_monitor([] { leave_without_words(); })) ==
                ExitReason::of(Unspeakable{}));
    ended([] { exit(ExitReason::of(Unspeakable{.throws_a_number = true})); });
  });
  ASSERT_EQ(reports().size(), 2U);
  EXPECT_EQ(field(reports()[0], "reason"), "its to_string() threw no words");
  const auto stack = field<std::vector<std::string>>(reports()[0], "stack");
  EXPECT_TRUE(begins_in(stack, &leave_without_words)) << reports()[0].to_json();
  EXPECT_EQ(field(reports()[1], "reason"), "(its to_string() failed)");
  EXPECT_EQ(ExitReason::shutdown(Unspeakable{}).to_string(),
            "shutdown: its to_string() threw no words");
}

TEST_P(Crashes, an_exception_is_told_with_the_stack_that_threw_it) {
  run([] { ended([] { static_cast<void>(std::vector<int>().at(7)); }); });
  ASSERT_EQ(reports().size(), 1U);
  const Report crash = reports()[0];
  const auto stack = field<std::vector<std::string>>(crash, "stack");
  ASSERT_GE(stack.size(), 2U);
  EXPECT_TRUE(stack[0].contains("libstdc++")) << stack[0];
  EXPECT_TRUE(stack[1].contains(std::string(program_invocation_short_name) + "+0x")) << stack[1];
  // People are told of what called the library.
  EXPECT_TRUE(crash.line().ends_with(", thrown at " + stack[1])) << crash.line();
  EXPECT_TRUE(crash.to_json().contains(R"("stack":[")" + stack[0] + R"(",")" + stack[1]))
      << crash.to_json();
}

TEST_P(Crashes, an_exit_is_told_with_the_stack_that_called_it) {
  run([] { ended([] { leave_by_exit(); }); });
  ASSERT_EQ(reports().size(), 1U);
  const auto stack = field<std::vector<std::string>>(reports()[0], "stack");
  EXPECT_TRUE(begins_in(stack, &leave_by_exit)) << reports()[0].to_json();
}

struct Fragile : EventHandler<Fragile, int, bool> {
  struct Ask {
    using Reply = int;
  };
  void handle(int) { leave_by_throw(); }
  void handle(bool) { leave_by_exit(); }
  int handle(Ask) {
    leave_by_throw();
    return 0;
  }
};

TEST_P(Crashes, a_handler_of_events_that_fails_is_told_with_its_stack) {
  run([] {
    const EventManagerRef manager = start_event_manager_link();
    add_handler<Fragile>(manager);
    sync_notify(manager, 5);
    add_handler<Fragile>(manager);
    sync_notify(manager, true);
    EXPECT_FALSE(try_call(add_handler<Fragile>(manager), Fragile::Ask()));
    stop(manager.pid());
  });
  ASSERT_EQ(reports().size(), 3U);
  for (const Report& crash : reports()) {
    EXPECT_EQ(crash.kind(), "handler_crash");
    const bool is_exit = field(crash, "message") == "bool";
    const auto stack = field<std::vector<std::string>>(crash, "stack");
    ASSERT_TRUE(begins_in(stack, is_exit ? &leave_by_exit : &leave_by_throw)) << crash.to_json();
    EXPECT_EQ(crash.line().ends_with(", thrown at " + stack[0]), !is_exit) << crash.line();
  }
}

// How many calls are noted on this stack as those of a failure.
std::size_t noted() {
  return fiber::throw_site(scheduler::Thread::current()->fiber()).size();
}

struct Ending : Server<Ending> {
  struct End {
    ExitReason reason;
  };
  explicit Ending(std::size_t& at_end) : noted_at_end(at_end) {}
  void handle(End end) { exit(std::move(end.reason)); }
  void terminate(const ExitReason&) { noted_at_end = noted(); }
  std::size_t& noted_at_end;
};

TEST_P(Crashes, an_orderly_exit_makes_no_report_and_notes_no_stack) {
  run([] {
    std::size_t calls = 0;
    for (const ExitReason& reason :
         {ExitReason::normal(), ExitReason::shutdown(), ExitReason::shutdown("enough")}) {
      ended([reason] { exit(reason); });
      const auto server = start_monitor<Ending>(std::ref(calls)).server;
      cast(server, Ending::End{reason});
      receive([&](const Down& down) { EXPECT_EQ(down.reason, reason); });
      EXPECT_EQ(calls, 0U) << reason.to_string();
    }
    const auto stopped = start_monitor<Ending>(std::ref(calls)).server;
    stop(stopped);
    receive([](Down) {});
    EXPECT_EQ(calls, 0U);
  });
  EXPECT_TRUE(reports().empty());
  run([] {
    std::size_t calls = 0;
    cast(start_monitor<Ending>(std::ref(calls)).server, Ending::End{ExitReason::error("no")});
    receive([](Down) {});
    EXPECT_GT(calls, 0U) << "of an exit that will be reported";
  });
}

TEST_P(Crashes, a_crash_behind_an_orderly_exit_that_was_caught_has_its_own_stack) {
  run([] {
    ended([] {
      try {
        exit(ExitReason::normal());
      } catch (const ExitException&) {
        leave_by_exit();
      }
    });
  });
  ASSERT_EQ(reports().size(), 1U);
  EXPECT_EQ(field(reports()[0], "reason"), "error: no");
  EXPECT_FALSE(field<std::vector<std::string>>(reports()[0], "stack").empty());
}

TEST_P(Crashes, the_message_in_hand_is_named) {
  run([] {
    cast(start_monitor<Careful>().server, Careful::Fail());
    receive([](Down) {});
  });
  ASSERT_EQ(reports().size(), 1U);
  const Report crash = reports()[0];
  EXPECT_TRUE(field(crash, "message").ends_with("Careful::Fail")) << field(crash, "message");
  EXPECT_TRUE(
      crash.line().contains(" crashed in handle on " + field(crash, "message") + ": error: "))
      << crash.line();
}

TEST_P(Crashes, a_handlers_exception_is_told_with_the_stack_that_threw_it) {
  run([] {
    cast(start_monitor<Careful>().server, Careful::Fail());
    receive([](Down) {});
  });
  ASSERT_EQ(reports().size(), 1U);
  const auto stack = field<std::vector<std::string>>(reports()[0], "stack");
  EXPECT_TRUE(begins_in(stack, &leave_by_throw)) << reports()[0].to_json();
}

// A process that waits for its end.
Pid sleeper(const SpawnOptions& options = {}) {
  return spawn(options, [] { receive<int>(); });
}

TEST_P(Crashes, the_links_at_the_end_are_told_with_their_names) {
  std::vector<std::string> expected;
  run([&expected] {
    const Pid named = sleeper({.name = "peer"});
    const Pid nameless = sleeper();
    const Pid unlinked = sleeper();
    expected = {named.to_string() + " peer", nameless.to_string()};
    ended([=] {
      for (const Pid peer : {named, nameless, unlinked}) link(peer);
      unlink(unlinked);
      leave_by_throw();
    });
    send(unlinked, 0);
  });
  ASSERT_EQ(reports().size(), 1U);
  EXPECT_EQ(field<std::vector<std::string>>(reports()[0], "links"), expected);
  EXPECT_EQ(field<std::uint64_t>(reports()[0], "other_links"), 0U);
}

TEST_P(Crashes, of_many_links_some_are_told_and_the_others_counted) {
  run([] {
    ended([] {
      for (int i = 0; i < 100; ++i) link(sleeper());
      leave_by_throw();
    });
  });
  ASSERT_EQ(reports().size(), 1U);
  const auto links = field<std::vector<std::string>>(reports()[0], "links");
  EXPECT_EQ(links.size() + field<std::uint64_t>(reports()[0], "other_links"), 100U);
  EXPECT_EQ(links.size(), 16U);
}

TEST_P(Crashes, what_has_no_name_or_links_or_message_says_so) {
  run([] { ended([] { leave_by_throw(); }); });
  ASSERT_EQ(reports().size(), 1U);
  const auto json = nlohmann::json::parse(reports()[0].to_json());
  EXPECT_TRUE(json.at("links").empty());
  for (const char* absent : {"name", "label", "message", "client", "callback", "state"})
    EXPECT_FALSE(json.contains(absent)) << absent;
}

TEST_P(Crashes, whatever_an_exception_says_the_line_is_one_and_the_object_is_json) {
  run([] {
    ended([] { throw std::runtime_error("a \"b\"\n\tc\\ \xFF\xC2\x85 \u2028 d"); },
          {.name = "a\nb"});
  });
  ASSERT_EQ(reports().size(), 1U);
  const std::string line = reports()[0].line();
  EXPECT_TRUE(line.contains("\"a b\" crashed: error: std::runtime_error: a \"b\"  c\\ \uFFFD    d"))
      << line;
  const std::string text = reports()[0].to_json();
  EXPECT_EQ(text.find('\n'), std::string::npos);
  const auto json = nlohmann::json::parse(text);
  EXPECT_EQ(json.at("text"), line);
  EXPECT_EQ(json.at("name"), "a\nb");
  EXPECT_EQ(json.at("type"), "std::runtime_error");
  EXPECT_EQ(json.at("what"), "a \"b\"\n\tc\\ \uFFFD\u0085 \u2028 d");
  EXPECT_EQ(json.at("kind"), "crash");
  EXPECT_EQ(json.at("severity"), "error");
  EXPECT_TRUE(json.at("stack").is_array());
  const std::regex rfc3339("\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d\\.\\d{3}Z");
  EXPECT_TRUE(std::regex_match(json.at("time").get<std::string>(), rfc3339)) << text;
}

TEST_P(Crashes, who_is_ended_by_a_signal_makes_no_report) {
  run([] {
    ended([] { send_exit(self(), ExitReason::kill()); });
    ended([] { send_exit(self(), ExitReason::error("from outside")); });
  });
  EXPECT_TRUE(reports().empty());
}

}  // namespace
}  // namespace airssys::rt::runtime::crash_report_test
