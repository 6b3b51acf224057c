// cpp_rules_test.cpp: safe points, unwinding, and errors that stay where they are (Z).
//
// Method: a plain thread kills a process that waits for this in memory, at no safe point; so what
// the process calls next is where it must end.
#include <airssys/rt.hpp>
#include <atomic>
#include <chrono>
#include <functional>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "tests/support/ends.hpp"
#include "tests/support/in_runtime.hpp"
#include "tests/support/stress.hpp"

namespace airssys::rt::cpp_rules_test {

using support::reason_of;

namespace {

using namespace std::chrono_literals;

class CppRules : public support::InRuntime {
 protected:
  CppRules() {
    options.log = [](std::string_view) {};
  }
};
RT_WITH_SCHEDULERS(CppRules);

struct Go {};

struct Silent : Server<Silent> {
  struct Ask {
    using Reply = int;
  };
  struct Tell {};
  int handle(Ask) { return 0; }
  void handle(Tell) {}
};

// A process that is killed, while it runs and calls nothing, before it goes on with `body`.
template <class Body>
Pid spawn_and_kill(Runtime& runtime, Body body) {
  std::atomic<bool> runs = false;
  std::atomic<bool> was_killed = false;
  std::atomic<bool> has_seen = false;
  const Pid pid = runtime.spawn([&, body = std::move(body)]() mutable {
    runs = true;
    while (!was_killed) std::this_thread::yield();
    has_seen = true;
    body();
  });
  while (!runs) std::this_thread::yield();
  runtime.send_exit(pid, ExitReason::kill());
  was_killed = true;
  while (!has_seen) std::this_thread::yield();
  return pid;
}

// Z1
TEST_P(CppRules, each_verb_is_a_safe_point) {
  const std::vector<std::pair<const char*, void (*)()>> verbs = {
      {"receive", [] { receive<Go>(0ms); }},
      {"receive of what is there", [] { receive<int>(); }},
      {"sleep", [] { sleep(0ms); }},
      {"yield", [] { yield(); }},
      {"reductions", [] { reductions(0); }},
      {"send", [] { send(Pid(), 1); }},
      {"send to a name", [] { send("nobody", 1); }},
      {"send through an alias", [] { send(Alias(), 1); }},
      {"try_send", [] { try_send(Pid(), 1); }},
      {"send_exit", [] { send_exit(Pid(), ExitReason::kill()); }},
      {"spawn", [] { spawn([] {}); }},
      {"spawn_link", [] { spawn_link([] {}); }},
      {"spawn_monitor", [] { spawn_monitor([] {}); }},
      {"link", [] { link(parent()); }},
      {"unlink", [] { unlink(parent()); }},
      {"monitor", [] { monitor(parent()); }},
      {"demonitor", [] { demonitor({}); }},
      {"register_name", [] { register_name("name", self()); }},
      {"unregister_name", [] { unregister_name("nobody"); }},
      {"whereis", [] { whereis("nobody"); }},
      {"send_after", [] { send_after(1h, "nobody", 1); }},
      {"cancel_timer", [] { cancel_timer({}); }},
      {"read_timer", [] { read_timer({}); }},
      {"process_info", [] { process_info(self()); }},
      {"is_alive", [] { is_alive(Pid()); }},
      {"call",
       [] { static_cast<void>(try_call(ServerRef<Silent>(Pid(1, 12'345)), Silent::Ask())); }},
      {"cast", [] { cast(ServerRef<Silent>(Pid()), Silent::Tell()); }},
      {"trap_exit", [] { trap_exit(true); }},
      {"set_priority", [] { set_priority(Priority::high); }},
      {"blocking", [] { blocking([] {}); }},
  };
  for (const auto& [name, verb] : verbs) {
    std::atomic<bool> survived = false;
    with_runtime([&](Runtime& runtime) {
      spawn_and_kill(runtime, [&survived, call = verb] {
        call();
        survived = true;
      });
    });
    EXPECT_FALSE(survived) << name;
  }
}

// Z2, Z7
TEST_P(CppRules, an_unwind_runs_every_destructor_and_no_handler_keeps_the_process) {
  struct Count {
    std::atomic<int>& destroyed;
    ~Count() { ++destroyed; }
  };
  for (const bool traps : {false, true}) {
    std::atomic<int> destroyed = 0;
    std::atomic<int> handled = 0;
    run([&] {
      const Spawned process = spawn_monitor([&] {
        trap_exit(traps);
        const Count outer{destroyed};
        const std::function<void(int)> deeper = [&](int depth) {
          const Count inner{destroyed};
          try {
            if (depth > 0) return deeper(depth - 1);
            send(parent(), Go());
            for (;;) receive<Go>();
          } catch (...) {
            ++handled;
          }
        };
        for (;;) deeper(20);
      });
      receive<Go>();
      send_exit(process.pid, ExitReason::kill());
      EXPECT_EQ(reason_of(process), ExitReason::killed());
    });
    EXPECT_EQ(destroyed, 22);
  }
}

// Z3
TEST_P(CppRules, a_destructor_in_an_unwind_sends_and_does_not_wait) {
  struct Waits {
    Pid tester;
    IntervalRef interval;
    ~Waits() {
      EXPECT_FALSE(receive<int>(1h));
      EXPECT_THROW(receive<int>(), Unwinding);
      EXPECT_THROW(blocking([] {}), Unwinding);
      const auto answer = try_call(ServerRef<Silent>(tester), Silent::Ask(), infinite);
      EXPECT_EQ(answer.error().kind(), CallError::unwinding);
      sleep(1h);
      EXPECT_THROW(is_alive(tester), Unwinding);
      EXPECT_FALSE(process_info(tester)->has_answered);
      EXPECT_TRUE(cancel_interval(interval));
      send(tester, 1);
    }
  };
  run([] {
    const Spawned process = spawn_monitor([tester = self()] {
      const Waits waits{tester, send_interval(1h, tester, 2)};
      send(tester, Go());
      receive<Go>();
    });
    receive<Go>();
    send_exit(process.pid, ExitReason::shutdown());
    EXPECT_EQ(receive<int>(), 1);
    EXPECT_EQ(reason_of(process), ExitReason::shutdown());
  });
}

// Z5
TEST_P(CppRules, an_end_is_heard_of_when_the_last_destructor_has_returned) {
  struct Slow {
    std::atomic<bool>& done;
    ~Slow() {
      std::this_thread::yield();
      done = true;
    }
  };
  run([] {
    for (const std::size_t i : support::rounds()) {
      std::atomic<bool> done = false;
      const Spawned process = spawn_monitor({.name = "slow"}, [&done] {
        const Slow slow{done};
        receive<Go>();
      });
      while (process_info(process.pid)->wait_reason != "receive") yield();
      send_exit(process.pid, ExitReason::kill());
      if (i % 3 == 0) {
        EXPECT_FALSE(is_alive(process.pid));
        EXPECT_TRUE(done);
      } else if (i % 3 == 1) {
        while (whereis("slow")) yield();
        EXPECT_TRUE(done);
      }
      EXPECT_EQ(reason_of(process), ExitReason::killed());
      EXPECT_TRUE(done);
    }
  });
}

// Z8
TEST_P(CppRules, a_process_is_unwound_by_itself_and_never_by_who_kills_it) {
  struct Witness {
    Pid& who;
    std::thread::id& where;
    ~Witness() {
      who = self();
      where = std::this_thread::get_id();
    }
  };
  Pid who;
  std::thread::id where;
  Pid pid;
  with_runtime([&](Runtime& runtime) {
    pid = spawn_and_kill(runtime, [&] {
      const Witness witness{who, where};
      receive<Go>();
    });
  });
  EXPECT_EQ(who, pid);
  EXPECT_NE(where, std::this_thread::get_id());
}

// Z6, P4
TEST_P(CppRules, what_leaves_a_body_is_its_reason) {
  struct Odd {};
  run([] {
    EXPECT_EQ(reason_of(spawn_monitor([] { throw ExitException(ExitReason::of(4)); })),
              ExitReason::of(4));
    EXPECT_EQ(reason_of(spawn_monitor([] { call(ServerRef<Silent>(Pid()), Silent::Ask()); })),
              ExitReason::noproc());
    const ExitReason error = reason_of(spawn_monitor([] { throw std::out_of_range("far"); }));
    EXPECT_EQ(error.type(), "std::out_of_range");
    EXPECT_EQ(error.what(), "far");
    const ExitReason odd = reason_of(spawn_monitor([] { throw Odd(); }));
    EXPECT_EQ(odd.kind(), ExitReason::Kind::error);
    EXPECT_NE(odd.to_string().find("nocatch"), std::string::npos) << odd.to_string();
  });
}

// Z14
TEST_P(CppRules, an_error_reaches_nobody_but_links_and_monitors) {
  run([] {
    std::vector<Spawned> bystanders;
    for (int i = 0; i < 20; ++i) {
      bystanders.push_back(spawn_monitor([] {
        while (receive<int>() != 0) {
        }
      }));
    }
    const Spawned linked = spawn_monitor([tester = self()] {
      link(receive<Pid>());
      send(tester, Go());
      receive<Go>();
    });
    std::vector<Spawned> failing;
    for (int i = 0; i < 60; ++i) {
      failing.push_back(spawn_monitor([i, bystanders] {
        for (const Spawned& other : bystanders) send(other.pid, i + 1);
        receive<Go>();
        if (i % 3 == 0) throw std::runtime_error("boom");
        if (i % 3 == 1) exit(ExitReason::of(i));
        throw i;
      }));
    }
    send(linked.pid, failing[0].pid);
    receive<Go>();
    for (const Spawned& process : failing) {
      send(process.pid, Go());
      EXPECT_FALSE(reason_of(process).is_orderly());
    }
    EXPECT_EQ(reason_of(linked).what(), "boom");
    for (const Spawned& process : bystanders) {
      EXPECT_TRUE(is_alive(process.pid));
      send(process.pid, 0);
      EXPECT_EQ(reason_of(process), ExitReason::normal());
    }
  });
}

}  // namespace
}  // namespace airssys::rt::cpp_rules_test
