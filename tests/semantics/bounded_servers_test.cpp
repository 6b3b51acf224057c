// bounded_servers_test.cpp: what comes through to a server whose mailbox is full (B1, C2, G17).
//
// Method: a server is held in a handler, or suspended, and its mailbox filled by each policy before
// and behind what must come through. A request whose time-out is zero has been sent when the verb
// returns, so it stands where the test wants it.
#include <airssys/rt.hpp>
#include <chrono>
#include <cstddef>

#include "tests/semantics/servers.hpp"

namespace airssys::rt::semantics::bounded_servers_test {
namespace {

using namespace std::chrono_literals;

class BoundedServerRules : public ServerRules {
 protected:
  template <class Body>
  void run_with_each_policy(Body body) {
    run([&body] {
      for (const Overflow overflow :
           {Overflow::block, Overflow::reject, Overflow::drop_newest, Overflow::drop_oldest})
        body(overflow);
    });
  }
};
RT_WITH_SCHEDULERS(BoundedServerRules);

constexpr std::size_t capacity = 2;

struct Filler {};

// More than the mailbox takes by any policy.
void fill(Pid pid) {
  for (std::size_t i = 0; i < 3 * capacity; ++i) try_send(pid, Filler());
}

// Holds itself in a handler until something comes through its gate, which no bound counts.
struct Holding : Server<Holding> {
  struct Hold {
    Pid tester;
  };
  void handle(Hold hold) {
    send(hold.tester, alias());
    receive<Go>();
  }
  void handle_info(Message& /*filler*/) {}

  int number = 7;
};

struct Held {
  Pid pid;
  Alias gate;

  explicit Held(Overflow overflow) {
    const ServerRef<Holding> server =
        start<Holding>({.mailbox = {.capacity = capacity, .overflow = overflow}});
    pid = server.pid();
    cast(server, Holding::Hold{self()});
    gate = receive<Alias>();
    fill(pid);
  }

  void go_on() const { send(gate, Go()); }
};

// Sends the request of a system verb, without waiting for its reply.
template <class Verb>
void send_only(Verb verb) {
  try {
    verb(0ms);
    ADD_FAILURE() << "it was answered in no time";
  } catch (const CallError& error) {
    EXPECT_EQ(error.kind(), CallError::timeout);
  }
}

// B1, G17
TEST_P(BoundedServerRules, a_stop_comes_through_to_a_full_mailbox_and_is_not_dropped) {
  run_with_each_policy([](Overflow overflow) {
    const Held held(overflow);
    const MonitorRef end = monitor(held.pid);
    EXPECT_EQ(failure_of(try_stop(held.pid, ExitReason::of(1), 0ms)), CallError::timeout);
    fill(held.pid);
    held.go_on();
    EXPECT_EQ(reason_in_down(end), ExitReason::of(1));
  });
}

// B1, C2, C3
TEST_P(BoundedServerRules, a_full_mailbox_keeps_nobody_from_suspending_and_looking) {
  run_with_each_policy([](Overflow overflow) {
    const Held held(overflow);
    send_only([&](Duration timeout) { sys::suspend(held.pid, timeout); });
    fill(held.pid);
    held.go_on();
    EXPECT_TRUE(sys::get_status(held.pid).is_suspended);
    fill(held.pid);
    const ServerRef<Holding> server(held.pid);
    EXPECT_EQ(sys::get_state(server, [](const Holding& holding) { return holding.number; }), 7);
    sys::resume(held.pid);
    EXPECT_FALSE(sys::get_status(held.pid).is_suspended);
    stop(held.pid);
  });
}

// C2, G17
TEST_P(BoundedServerRules, a_suspended_server_can_be_stopped_when_its_mailbox_is_full) {
  run_with_each_policy([](Overflow overflow) {
    const ServerRef<Holding> server =
        start<Holding>({.mailbox = {.capacity = capacity, .overflow = overflow}});
    sys::suspend(server.pid());
    fill(server.pid());
    stop(server);
    EXPECT_FALSE(is_alive(server.pid()));
  });
}

// Counts what reaches it, which is held as above.
struct Counting : Server<Counting> {
  struct Count {
    using Reply = int;
  };
  struct Hold {
    Pid tester;
  };
  int handle(Count) { return ++count; }
  void handle(Hold hold) {
    send(hold.tester, alias());
    receive<Go>();
  }
  void handle_info(Message& /*filler*/) {}

  int count = 0;
};

struct HeldCounting {
  ServerRef<Counting> server;
  Alias gate;

  explicit HeldCounting(Overflow overflow)
      : server(start<Counting>({.mailbox = {.capacity = capacity, .overflow = overflow}})) {
    cast(server, Counting::Hold{self()});
    gate = receive<Alias>();
    fill(server.pid());
  }

  void go_on() const { send(gate, Go()); }
};

// G5, B2: what has not been let in by then is taken back.
TEST_P(BoundedServerRules, a_call_that_waits_for_room_ends_in_time_and_is_not_heard_later) {
  run([] {
    const HeldCounting held(Overflow::block);
    for (const Duration timeout : {Duration(0ms), Duration(20ms)})
      EXPECT_EQ(failure_of(try_call(held.server, Counting::Count{}, timeout)), CallError::timeout);
    held.go_on();
    EXPECT_EQ(call(held.server, Counting::Count{}, infinite), 1);
    stop(held.server);
  });
}

// G5, B2: room comes in time.
TEST_P(BoundedServerRules, a_call_that_waits_for_room_is_answered_when_there_is_some) {
  run([] {
    const HeldCounting held(Overflow::block);
    const Spawned caller = spawn_monitor(
        [server = held.server] { EXPECT_EQ(call(server, Counting::Count{}, 1h), 1); });
    while (process_info(caller.pid)->wait_reason != "mailbox room") yield();
    held.go_on();
    EXPECT_EQ(reason_in_down(caller.ref), ExitReason::normal());
    stop(held.server);
  });
}

// G5, B3
TEST_P(BoundedServerRules, a_call_that_is_refused_fails_at_once) {
  run([] {
    for (const Overflow overflow : {Overflow::reject, Overflow::drop_newest}) {
      const HeldCounting held(overflow);
      EXPECT_EQ(failure_of(try_call(held.server, Counting::Count{}, infinite)),
                CallError::overloaded);
      PendingReply<int> pending = send_request(held.server, Counting::Count{});
      send(self(), Go());
      Message other = receive<Message>();
      EXPECT_FALSE(pending.check(other));
      const auto answer = pending.wait(0ms);  // it is over: there is no use in asking again
      EXPECT_TRUE(answer && failure_of(*answer) == CallError::overloaded);
      held.go_on();
      stop(held.server);
    }
  });
}

// G21, B2
TEST_P(BoundedServerRules, who_has_no_room_neither_holds_up_a_multi_call_nor_takes_others_time) {
  run([] {
    const HeldCounting full(Overflow::block);
    const HeldCounting refusing(Overflow::reject);
    const ServerRef<Counting> free = start<Counting>();
    for (int round = 1; round <= 2; ++round) {
      const auto replies = multi_call(
          std::vector{full.server, free, refusing.server, free}, Counting::Count{}, 50ms);
      EXPECT_EQ(failure_of(replies[0]), CallError::timeout);
      EXPECT_EQ(replies[1], 2 * round - 1);
      EXPECT_EQ(failure_of(replies[2]), CallError::timeout);
      EXPECT_EQ(replies[3], 2 * round);
    }
    full.go_on();
    EXPECT_EQ(call(full.server, Counting::Count{}, infinite), 1) << "it was not heard later";
    refusing.go_on();
    for (const ServerRef<Counting>& server : {full.server, refusing.server, free}) stop(server);
  });
}

// G21, B2: room comes in time.
TEST_P(BoundedServerRules, a_multi_call_waits_for_room) {
  run([] {
    const HeldCounting full(Overflow::block);
    const Spawned caller = spawn_monitor([server = full.server] {
      EXPECT_EQ(multi_call(std::vector{server, server}, Counting::Count{}, 1h)[1], 2);
    });
    while (process_info(caller.pid)->wait_reason != "mailbox room") yield();
    full.go_on();
    EXPECT_EQ(reason_in_down(caller.ref), ExitReason::normal());
    stop(full.server);
  });
}

}  // namespace
}  // namespace airssys::rt::semantics::bounded_servers_test
