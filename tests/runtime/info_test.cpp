// info_test.cpp: process_info, is_alive, processes: asked, and answered in order (P9, P13, P19).
//
// A process is brought into the state that is asked about by messages, never by waiting some time.
#include "runtime/info.hpp"

#include <airssys/rt.hpp>
#include <algorithm>
#include <atomic>
#include <chrono>
#include <memory>
#include <thread>
#include <vector>

#include "tests/support/in_runtime.hpp"

struct Go {};

// Functions whose names the program exports, as it would with -rdynamic.
[[gnu::noinline, gnu::visibility("default")]] void wait_in_here() {
  airssys::rt::receive<Go>();
  asm volatile("");  // what is behind the call keeps the frame
}
[[gnu::noinline, gnu::visibility("default")]] void wait_in_here_from(
    const airssys::rt::MailMark& mark) {
  airssys::rt::receive(mark, [](Go) {});
  asm volatile("");  // as above
}
[[gnu::noinline, gnu::visibility("default")]] void work_in_here(const std::atomic<bool>& is_over) {
  // relaxed: it is only waited for.
  while (!is_over.load(std::memory_order_relaxed)) airssys::rt::reductions(1);
  asm volatile("");
}

namespace airssys::rt::info_test {
namespace {

using namespace std::chrono_literals;

class Info : public support::InRuntime {};
RT_WITH_SCHEDULERS(Info);

// The info, once it shows what is wanted.
template <class Wanted>
ProcessInfo info_when(Pid pid, Wanted wanted) {
  for (;;) {
    auto info = process_info(pid);
    if (info && wanted(*info)) return *info;
    yield();
  }
}

void await_end(Pid pid) {
  const MonitorRef ref = monitor(pid);
  receive(when([&](Down& down) { return down.ref == ref; }, [](Down&) {}));
}

bool has_wait_in_here(const std::vector<std::string>& stack) {
  return std::ranges::any_of(
      stack, [](const std::string& call) { return call.starts_with("wait_in_here("); });
}

// How many calls a process that waits by `wait` shows within a function of that name.
template <class Wait>
std::ptrdiff_t calls_within(std::string_view name, Wait wait) {
  const Pid waiting = spawn(wait);
  info_when(waiting, [](const ProcessInfo& info) { return info.wait_reason == "receive"; });
  const std::vector<std::string> stack = process_info(waiting, {.stack = true})->stack;
  send(waiting, Go());
  await_end(waiting);
  const auto place =
      std::ranges::find_if(stack, [&](const std::string& call) { return call.starts_with(name); });
  EXPECT_NE(place, stack.end());
  return place - stack.begin();
}

bool contains(const std::vector<Pid>& pids, Pid pid) {
  return std::find(pids.begin(), pids.end(), pid) != pids.end();
}

// P13
TEST_P(Info, of_oneself_is_immediate_and_complete) {
  run([] {
    register_name("me", self());
    trap_exit(true);
    send(self(), 1);
    send(self(), 2);
    const Pid watched = spawn_link([] { receive<Go>(); });
    monitor(watched);
    const auto info = process_info(self());
    ASSERT_TRUE(info);
    EXPECT_EQ(info->pid, self());
    EXPECT_EQ(info->name, "me");
    EXPECT_EQ(info->state, ProcessState::running);
    EXPECT_EQ(info->message_queue_len, 2U);
    EXPECT_TRUE(info->traps_exits);
    EXPECT_EQ(info->links, std::vector{watched});
    EXPECT_EQ(info->monitors, std::vector{watched});
    EXPECT_GT(info->reductions, 0U);
    EXPECT_GE(info->memory_bytes, sizeof(runtime::Process));
    send(watched, Go());
    receive<Down>();
  });
}

TEST_P(Info, of_another_includes_all_that_was_sent_to_it_before) {
  run([] {
    const Pid pid = spawn({.priority = Priority::high}, [] { receive<Go>(); });
    for (int i = 1; i <= 20; ++i) {
      send(pid, i);
      const auto info = process_info(pid);
      ASSERT_TRUE(info);
      EXPECT_EQ(info->message_queue_len, static_cast<std::size_t>(i));
      EXPECT_EQ(info->parent, self());
      EXPECT_EQ(info->priority, Priority::high);
    }
    const MonitorRef ref = monitor(pid);
    EXPECT_EQ(process_info(pid)->monitored_by, std::vector{self()});
    demonitor(ref);
    EXPECT_TRUE(process_info(pid)->monitored_by.empty());
    send(pid, Go());
    await_end(pid);
  });
}

// P13
TEST_P(Info, says_what_a_process_waits_for) {
  run([] {
    const Pid pid = spawn([] { receive<Go>(); });
    const ProcessInfo waiting =
        info_when(pid, [](const ProcessInfo& i) { return i.state == ProcessState::waiting; });
    EXPECT_EQ(waiting.wait_reason, "receive");
    EXPECT_FALSE(waiting.waits_for);
    EXPECT_GT(waiting.memory_bytes, 16U << 10) << "it keeps a stack";
    send(pid, Go());
    await_end(pid);
  });
}

TEST_P(Info, says_whose_answer_a_process_waits_for) {
  run([] {
    const Pid silent = spawn([] { receive<Go>(); });
    const Pid asking = spawn([silent] {
      detail::PendingCall pending(silent);
      static_cast<void>(pending.wait(Deadline::never()));
    });
    const ProcessInfo info =
        info_when(asking, [](const ProcessInfo& i) { return static_cast<bool>(i.waits_for); });
    EXPECT_EQ(info.waits_for, silent);
    EXPECT_EQ(info.wait_reason, "reply");
    send(silent, Go());
    await_end(asking);
  });
}

TEST_P(Info, a_behaviour_at_rest_waits_without_a_stack) {
  class Resting final : public Behaviour {
   public:
    void message(Message&) override { exit(ExitReason::normal()); }
  };
  run([] {
    const Pid pid = spawn_behaviour(std::make_unique<Resting>());
    const ProcessInfo info =
        info_when(pid, [](const ProcessInfo& i) { return i.state == ProcessState::waiting; });
    EXPECT_EQ(info.wait_reason, "receive");
    EXPECT_LT(info.memory_bytes, 1024U);
    send(pid, Go());
    await_end(pid);
  });
}

TEST_P(Info, of_the_dead_is_empty) {
  run([] {
    const Pid pid = spawn([] {});
    await_end(pid);
    EXPECT_FALSE(process_info(pid));
    EXPECT_FALSE(process_info(Pid()));
    EXPECT_FALSE(is_alive(pid));
    EXPECT_FALSE(is_alive(Pid()));
    EXPECT_TRUE(is_alive(self()));
  });
}

TEST_P(Info, who_was_killed_is_not_alive) {
  run([] {
    for (int i = 0; i < 300; ++i) {
      const Pid pid = spawn([] { receive<Go>(); });
      EXPECT_TRUE(is_alive(pid));
      send_exit(pid, ExitReason::kill());
      EXPECT_FALSE(is_alive(pid));
      EXPECT_FALSE(contains(processes(), pid));
    }
  });
}

TEST_P(Info, a_question_that_meets_the_end_is_answered) {
  run([] {
    for (int i = 0; i < 300; ++i) {
      const Pid pid = spawn([] {});
      process_info(pid);
      is_alive(pid);
    }
  });
}

TEST_P(Info, all_that_live_are_listed) {
  run([] {
    std::vector<Pid> pids;
    for (int i = 0; i < 100; ++i) pids.push_back(spawn([] { receive<Go>(); }));
    const std::vector<Pid> listed = processes();
    EXPECT_TRUE(contains(listed, self()));
    for (const Pid pid : pids) EXPECT_TRUE(contains(listed, pid));
    for (const Pid pid : pids) send(pid, Go());
    for (const Pid pid : pids) await_end(pid);
  });
}

TEST_P(Info, answers_do_not_touch_the_mailbox) {
  run([] {
    send(self(), 1);
    const Pid pid = spawn([] { receive<Go>(); });
    process_info(pid);
    is_alive(pid);
    EXPECT_EQ(process_info(self())->message_queue_len, 1U);
    receive<int>();
    send(pid, Go());
    await_end(pid);
    EXPECT_EQ(process_info(self())->message_queue_len, 0U);
  });
}

// Keeps every scheduler busy at high level until it is destroyed; who asks must be high as well.
class HighLoad {
 public:
  explicit HighLoad(unsigned schedulers) {
    for (unsigned i = 0; i < schedulers; ++i) {
      spinners_.push_back(spawn({.priority = Priority::high}, [this] {
        running_.fetch_add(1);
        while (!is_over_.load()) yield();
      }));
    }
    while (running_.load() != schedulers) yield();
  }
  HighLoad(const HighLoad&) = delete;
  HighLoad& operator=(const HighLoad&) = delete;
  ~HighLoad() {
    is_over_.store(true);
    for (const Pid pid : spinners_) await_end(pid);
  }

 private:
  std::atomic<unsigned> running_ = 0;
  std::atomic<bool> is_over_ = false;
  std::vector<Pid> spinners_;
};

// D9: a request that the requester waits for is executed at the requester's priority.
// X14, D9
TEST_P(Info, a_starving_process_answers_at_the_priority_of_who_asks) {
  run([schedulers = GetParam()] {
    std::atomic<bool> is_over = false;
    std::atomic<unsigned> begun = 0;
    std::vector<Pid> starving;
    for (const Priority priority : {Priority::low, Priority::normal}) {
      starving.push_back(spawn({.priority = priority}, [&] {
        begun.fetch_add(1);
        while (!is_over.load()) yield();
      }));
      starving.push_back(spawn({.priority = priority}, [&] {
        begun.fetch_add(1);
        receive<Go>();
      }));
    }
    while (begun.load() != 4) yield();
    set_priority(Priority::high);
    {
      const HighLoad load(schedulers);
      for (int round = 0; round < 20; ++round) {
        for (const Pid pid : starving) {
          EXPECT_TRUE(is_alive(pid));
          EXPECT_TRUE(process_info(pid));
        }
      }
      // X14: it dies only when it runs, and it runs because somebody waits for the answer.
      for (const Pid pid : starving) {
        send_exit(pid, ExitReason::kill());
        EXPECT_FALSE(is_alive(pid));
      }
    }
    is_over.store(true, std::memory_order_relaxed);
  });
}

// S8, P13
TEST_P(Info, a_busy_process_that_never_receives_answers_at_its_safe_points) {
  run([] {
    std::atomic<bool> is_over = false;
    const Pid busy = spawn([&is_over] {
      while (!is_over.load()) reductions(1);
    });
    for (int i = 0; i < 20; ++i) EXPECT_EQ(process_info(busy)->state, ProcessState::running);
    is_over.store(true);
    await_end(busy);
  });
}

// D18
TEST_P(Info, a_process_in_a_blocking_job_answers_at_once) {
  run([] {
    std::atomic<bool> begun = false;
    std::atomic<bool> is_over = false;
    const Pid asking = spawn([&] {
      blocking([&] {
        begun.store(true);
        while (!is_over.load()) std::this_thread::yield();
      });
    });
    while (!begun.load()) yield();
    while (process_info(asking)->state == ProcessState::running) yield();  // on its way to wait
    EXPECT_EQ(process_info(asking)->state, ProcessState::blocking);
    EXPECT_TRUE(is_alive(asking));
    is_over.store(true);
    await_end(asking);
  });
}

// P13
TEST_P(Info, who_does_not_answer_in_time_is_seen_from_outside) {
  run([] {
    std::atomic<bool> has_begun = false;
    std::atomic<bool> may_end = false;
    const Pid hog = spawn({.name = "hog"}, [&] {
      trap_exit(true);
      has_begun.store(true, std::memory_order_relaxed);  // relaxed, four times: only themselves
      while (!may_end.load(std::memory_order_relaxed)) std::this_thread::yield();
    });
    while (!has_begun.load(std::memory_order_relaxed)) yield();
    const auto info = process_info(hog, {.timeout = 1ms});
    ASSERT_TRUE(info);
    EXPECT_FALSE(info->has_answered);
    EXPECT_EQ(info->pid, hog);
    EXPECT_EQ(info->parent, self());
    EXPECT_EQ(info->name, "hog");
    EXPECT_EQ(info->state, ProcessState::runnable);
    EXPECT_FALSE(info->traps_exits) << "only the process itself knows";
    may_end.store(true, std::memory_order_relaxed);
    await_end(hog);
  });
}

// P13
TEST_P(Info, without_any_time_nobody_is_asked) {
  run([] {
    const Pid waiting = spawn([] { receive<Go>(); });
    info_when(waiting, [](const ProcessInfo& info) { return info.wait_reason == "receive"; });
    const auto seen = [&] { return process_info(waiting, {.timeout = 0s}); };
    EXPECT_FALSE(seen()->has_answered);
    EXPECT_TRUE(process_info(waiting, {.timeout = 1h})->has_answered);
    EXPECT_TRUE(process_info(self(), {.timeout = 0s})->has_answered);
    send(waiting, Go());
    await_end(waiting);
    while (seen()) yield();  // its end is told before its slot is free
    EXPECT_THROW(process_info(waiting, {.timeout = -1s}), BadArgument);
  });
}

// P13
TEST_P(Info, who_asks_for_the_stack_gets_the_calls_that_the_process_is_in) {
  run([] {
    const Pid waiting = spawn(&wait_in_here);
    info_when(waiting, [](const ProcessInfo& info) { return info.wait_reason == "receive"; });
    EXPECT_TRUE(process_info(waiting)->stack.empty());
    const std::vector<std::string> stack = process_info(waiting, {.stack = true})->stack;
    ASSERT_FALSE(stack.empty());
    EXPECT_TRUE(has_wait_in_here(stack)) << stack[0];
    EXPECT_FALSE(has_wait_in_here(process_info(self(), {.stack = true})->stack));
    send(waiting, Go());
    await_end(waiting);
  });
}

// P13
TEST_P(Info, how_mail_of_priority_is_looked_at_is_no_part_of_the_stack) {
  run([] {
    const auto plain = calls_within("wait_in_here(", [] { wait_in_here(); });
    EXPECT_EQ(plain, calls_within("wait_in_here(", [] {
                alias({.priority = true});
                wait_in_here();
              }));
    const auto marked = calls_within("wait_in_here_from(", [] { wait_in_here_from(MailMark()); });
    EXPECT_EQ(marked, calls_within("wait_in_here_from(", [] {
                alias({.priority = true});
                wait_in_here_from(MailMark());
              }));
  });
}

// P13
TEST_P(Info, a_busy_process_tells_where_it_is_at_its_safe_points) {
  run([] {
    std::atomic<bool> has_begun = false;
    std::atomic<bool> is_over = false;
    const Pid busy = spawn([&] {
      has_begun.store(true, std::memory_order_relaxed);  // relaxed, here and below: only waited for
      work_in_here(is_over);
    });
    while (!has_begun.load(std::memory_order_relaxed)) yield();
    EXPECT_TRUE(std::ranges::any_of(
        process_info(busy, {.stack = true})->stack,
        [](const std::string& call) { return call.starts_with("work_in_here("); }));
    is_over.store(true);
    await_end(busy);
  });
}

// P13
TEST_P(Info, a_wait_goes_on_whatever_else_wakes_the_process) {
  run([] {
    const Pid waiting = spawn([] { receive<Go>(); });
    while (process_info(waiting, {.timeout = 0ms})->wait_reason != "receive") yield();
    sleep(5ms);
    constexpr int more_than_a_slice = 5000;
    for (int i = 0; i < more_than_a_slice; ++i) send(waiting, i);
    for (int times = 0; times < 3; ++times) {
      const auto waits = [](const ProcessInfo& info) { return info.waited.has_value(); };
      EXPECT_GE(*info_when(waiting, waits).waited, 3ms) << "in units of about a millisecond";
    }
    send(waiting, Go());
    await_end(waiting);
    EXPECT_FALSE(process_info(self())->waited) << "it runs";
  });
}

}  // namespace
}  // namespace airssys::rt::info_test
