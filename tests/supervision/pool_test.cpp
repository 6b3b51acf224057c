// pool_test.cpp: pools as their users see them: who answers, and what becomes of the members.
// Method: whole pools in their trees; members that wait until the test lets them go on.
#include <airssys/rt/pool.hpp>
#include <algorithm>
#include <atomic>
#include <map>
#include <set>
#include <stdexcept>
#include <string>
#include <vector>

#include "tests/supervision/pool_worker.hpp"
#include "tests/supervision/support.hpp"

namespace airssys::rt::test::pool_test {
namespace {

WITH_SCHEDULERS(PoolTest);

TEST_P(PoolTest, calls_and_casts_go_round) {
  run([] {
    const Pool<Worker> pool({.size = 3});
    const Pid top = start_pool_link(pool);
    std::map<Pid, int> seen;
    for (int i = 0; i < 30; ++i) ++seen[call(pool, Worker::Who())];
    EXPECT_EQ(seen.size(), 3U);
    for (const auto& [pid, times] : seen) EXPECT_EQ(times, 10);
    for (int i = 0; i < 30; ++i) cast(pool, Worker::Note{self(), i});
    for (int i = 0; i < 30; ++i) ++seen[next<Worker::Noted>()->member];
    for (const auto& [pid, times] : seen) EXPECT_EQ(times, 20);
    await_load(pool, 0);
    EXPECT_EQ(pool.info().supervisor, top);
    stop(top);
  });
}

TEST_P(PoolTest, members_are_made_of_the_arguments_and_options) {
  run([] {
    const Pool<Worker> pool({.size = 2});
    const Pid top =
        start_pool_link(pool, {.name = "workers", .intensity = 3, .member = {.shutdown = 1s}}, 7);
    EXPECT_EQ(whereis("workers"), top);
    EXPECT_EQ(children_of(top), "1:running 0:running");
    EXPECT_EQ(get_childspec(top, "1").shutdown, Shutdown(1s));
    const Pid asker =
        spawn_link([&] { exit(ExitReason::of(call(pool, by_key(1), Worker::Later()))); });
    await_load(pool, 0);
    while (!process_info(asker)->waits_for) yield();
    cast(pool, by_key(1), Worker::Note{self(), 0});
    EXPECT_EQ(exit_of(asker), ExitReason::of(7));
    stop(top);
  });
}

TEST_P(PoolTest, a_key_stays_with_its_member_through_restarts) {
  run([] {
    const Pool<Worker> pool({.size = 5});
    const Pid top = start_pool_link(pool, {.intensity = 1000});
    std::vector<std::size_t> place_of_key;
    for (int round = 0; round < 20; ++round) {
      for (std::size_t key = 0; key < 20; ++key) {
        const Pid pid = call(pool, by_key(key), Worker::Who());
        const PoolInfo info = pool.info();
        const auto place = static_cast<std::size_t>(
            std::ranges::find(info.members, pid, &PoolMember::pid) - info.members.begin());
        if (round == 0) place_of_key.push_back(place);
        EXPECT_EQ(place_of_key[key], place);
      }
      EXPECT_EQ(try_call(pool, Worker::Crash()).error().reason().what(), "crash");
    }
    stop(top);
  });
}

TEST_P(PoolTest, the_least_loaded_member_is_asked) {
  run([] {
    const Pool<Worker> pool({.size = 3, .routing = Routing::least_loaded});
    const Pid top = start_pool_link(pool);
    holder(pool);
    const Pid busy = held();
    holder(pool);
    const Pid other = held();
    EXPECT_NE(busy, other);
    const Pid idle = call(pool, Worker::Who());
    for (int i = 0; i < 10; ++i) {
      await_load(pool, 2);
      EXPECT_EQ(call(pool, Worker::Who()), idle);
    }
    let_go(busy);
    let_go(other);
    for (int i = 0; i < 2; ++i) EXPECT_FALSE(next<Came>()->error);
    stop(top);
  });
}

TEST_P(PoolTest, a_crashed_member_fails_its_callers_alone_and_comes_back_into_its_place) {
  run([] {
    const Pool<Worker> pool({.size = 2});
    const Pid top = start_pool_link(pool, {.intensity = 1000});
    for (int round = 0; round < 50; ++round) {
      const std::set<Pid> before = {call(pool, Worker::Who()), call(pool, Worker::Who())};
      const CallError error = try_call(pool, Worker::Crash()).error();
      EXPECT_EQ(error.kind(), CallError::exited);
      EXPECT_EQ(error.reason().what(), "crash");
      while (!is_complete(pool)) yield();
      await_load(pool, 0);
      const std::set<Pid> after = {call(pool, Worker::Who()), call(pool, Worker::Who())};
      EXPECT_EQ(std::ranges::count_if(after, [&](Pid pid) { return before.contains(pid); }), 1);
    }
    stop(top);
  });
}

TEST_P(PoolTest, what_a_killed_member_had_not_handled_fails_and_weighs_no_more) {
  run([] {
    const Pool<Worker> pool({.size = 1});
    const Pid top = start_pool_link(pool, {.intensity = 1000});
    for (int round = 0; round < 20; ++round) {
      for (int i = 0; i < 3; ++i) holder(pool);
      const Pid member = held();
      await_load(pool, 3);
      send_exit(member, ExitReason::kill());
      // A request weighs before it is on its way: to who is gone by then it fails with noproc.
      for (int i = 0; i < 3; ++i) {
        const auto error = next<Came>()->error;
        EXPECT_TRUE(error == CallError::exited || error == CallError::noproc);
      }
      await_load(pool, 0);
    }
    stop(top);
  });
}

TEST_P(PoolTest, a_request_weighs_until_it_is_handled_even_if_its_caller_is_gone) {
  run([] {
    const Pool<Worker> pool({.size = 1});
    const Pid top = start_pool_link(pool);
    const Pid caller = holder(pool);
    const Pid member = held();
    send_exit(caller, ExitReason::kill());
    end_of(caller);
    EXPECT_EQ(load(pool), 1U);
    let_go(member);
    await_load(pool, 0);
    stop(top);
  });
}

// --- the tree ---

TEST_P(PoolTest, without_a_tree_requests_fail_with_noproc) {
  run([] {
    const Pool<Worker> pool;
    EXPECT_EQ(try_call(pool, Worker::Who()).error().kind(), CallError::noproc);
    EXPECT_EQ(try_cast(pool, Worker::Note{self(), 1}).error().kind(), CallError::noproc);
    const Pid top = start_pool_link(pool);
    call(pool, Worker::Who());
    stop(top);
    EXPECT_EQ(try_call(pool, Worker::Who()).error().kind(), CallError::noproc);
    EXPECT_FALSE(pool.info().supervisor);
  });
}

TEST_P(PoolTest, a_pool_in_a_tree_comes_back_with_as_many_members_as_it_had) {
  run([] {
    const Pool<Worker> pool({.size = 2});
    const Pid top =
        start_supervisor_link({.intensity = 1000, .children = {child_pool("pool", pool)}});
    resize(pool, 3);
    for (int round = 0; round < 20; ++round) {
      const Pid old = pool.info().supervisor;
      send_exit(old, ExitReason::kill());
      end_of(old);
      while (!pool.info().supervisor || !is_complete(pool)) yield();
      std::set<Pid> seen;
      for (int i = 0; i < 3; ++i) seen.insert(call(pool, Worker::Who()));
      EXPECT_EQ(seen.size(), 3U);
    }
    stop(top);
  });
}

TEST_P(PoolTest, a_pool_has_one_supervisor_at_a_time) {
  run([] {
    const Pool<Worker> pool;
    const Pid top = start_pool_link(pool);
    const StartError error = try_start_pool_link(pool, {}).error();
    EXPECT_EQ(error.kind(), StartError::already_started);
    EXPECT_EQ(error.pid(), top);
    stop(top);
    stop(start_pool_link(pool));
  });
}

TEST_P(PoolTest, of_two_that_start_it_at_once_one_is_told_of_the_other) {
  struct Slow : Server<Slow> {
    struct Ask {
      using Reply = int;
    };
    explicit Slow(Pid tester) {
      send(tester, Worker::Held{self()});
      receive<Worker::LetGo>();
    }
    int handle(Ask) { return 7; }
  };
  run([] {
    const Pool<Slow> pool({.size = 1});
    const Pid first = spawn_link([pool, tester = self()] {
      start_pool_link(pool, tester);
      receive<Message>();
    });
    const Pid member = held();
    const auto second = try_start_pool_link(pool, {}, self());
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error().kind(), StartError::already_started);
    let_go(member);
    EXPECT_EQ(call(pool, typename Slow::Ask()), 7);
    send_exit(first, ExitReason::shutdown());
    end_of(pool.info().supervisor);
    EXPECT_EQ(try_call(pool, typename Slow::Ask()).error().kind(), CallError::noproc);
  });
}

TEST_P(PoolTest, however_many_start_it_at_the_same_moment_it_has_one_supervisor) {
  run([] {
    const Pool<Worker> pool({.size = 2});
    for (int round = 0; round < 50; ++round) {
      std::vector<Pid> starters;
      for (int i = 0; i < 4; ++i) {
        starters.push_back(spawn_link([pool, tester = self()] {
          trap_exit(true);
          const auto top = try_start_pool_link(pool, {});
          send(tester, top.value_or(Pid()));
          if (!top) exit(ExitReason::of(int{top.error().kind()}));
          receive<Worker::LetGo>();
        }));
      }
      Pid only;
      for (int i = 0; i < 4; ++i) {
        if (const Pid top = *next<Pid>()) {
          EXPECT_FALSE(only);
          only = top;
        }
      }
      EXPECT_EQ(pool.info().supervisor, only);
      call(pool, Worker::Who());
      stop(only);
      for (const Pid starter : starters) let_go(starter);
      int refused = 0;
      for (const Pid starter : starters) {
        const ExitReason end = exit_of(starter);
        if (end == ExitReason::normal()) continue;
        EXPECT_EQ(end, ExitReason::of(int{StartError::already_started}));
        ++refused;
      }
      EXPECT_EQ(refused, 3);
    }
  });
}

TEST_P(PoolTest, a_member_that_does_not_start_fails_the_pools_start) {
  struct Picky : Server<Picky> {
    struct Ask {};
    explicit Picky(std::atomic<int>* left) {
      if (--*left < 0) throw std::runtime_error("no more");
    }
    void handle(Ask) {}
  };
  run([] {
    std::atomic<int> left = 2;
    const Pool<Picky> pool({.size = 3});
    const StartError error = try_start_pool_link(pool, {}, &left).error();
    EXPECT_NE(error.reason().what().find("no more"), std::string_view::npos);
    EXPECT_FALSE(pool.info().supervisor);
    left = 3;
    const Pid top = start_pool_link(pool, &left);
    EXPECT_EQ(try_resize(pool, 4).error().reason().what(), "no more");
    EXPECT_EQ(pool.info().members.size(), 3U);
    stop(top);
  });
}

TEST_P(PoolTest, it_can_be_made_larger_and_smaller) {
  run([] {
    const Pool<Worker> pool({.size = 2});
    const Pid top = start_pool_link(pool);
    for (const std::size_t size : {5U, 1U, 3U, 3U, 1U, 8U}) {
      resize(pool, size);
      std::set<Pid> seen;
      for (std::size_t i = 0; i < 2 * size; ++i) seen.insert(call(pool, Worker::Who()));
      EXPECT_EQ(seen.size(), size);
      EXPECT_EQ(count_children(top).active, size);
      EXPECT_EQ(count_children(top).specs, size);
    }
    EXPECT_EQ(try_resize(pool, 0).error().kind(), StartError::bad_spec);
    stop(top);
    EXPECT_EQ(try_resize(pool, 2).error().kind(), StartError::no_supervisor);
  });
}

TEST_P(PoolTest, it_can_be_made_smaller_when_members_are_never_started_again) {
  run([] {
    const Pool<Worker> pool({.size = 4});
    const Pid top = start_pool_link(pool, {.member = {.restart = Restart::temporary}});
    resize(pool, 3);
    EXPECT_EQ(try_call(pool, by_key(1), Worker::Crash()).error().kind(), CallError::exited);
    while (count_children(top).specs != 2) yield();
    resize(pool, 1);
    EXPECT_EQ(pool.info().members.size(), 1U);
    EXPECT_LE(count_children(top).specs, 1U);
    stop(top);
  });
}

// C5
TEST_P(PoolTest, a_member_that_is_watched_has_answered_what_it_was_asked_through_the_pool) {
  run([] {
    const Pool<Worker> pool({.size = 1});
    const Pid top = start_pool_link(pool);
    const Pid member = call(pool, Worker::Who());
    sys::statistics(member, true);
    sys::log(member);
    call(pool, Worker::Who());
    cast(pool, Worker::Note{self(), 1});
    EXPECT_EQ(sys::get_statistics(member)->messages_in, 2U);
    EXPECT_EQ(sys::get_statistics(member)->messages_out, 1U);
    const std::vector<std::string> log = sys::get_log(member);
    ASSERT_EQ(log.size(), 4U);
    EXPECT_TRUE(log[1].starts_with("reply to ")) << log[1];
    EXPECT_TRUE(log[3].starts_with("no reply to ")) << log[3];
    stop(top);
  });
}

TEST_P(PoolTest, a_member_that_is_taken_out_by_hand_is_passed_by) {
  run([] {
    const Pool<Worker> pool({.size = 2});
    const Pid top = start_pool_link(pool);
    terminate_child(top, "0");
    const Pid other = pool.info().members[1].pid;
    for (int i = 0; i < 4; ++i) EXPECT_EQ(call(pool, Worker::Who()), other);
    restart_child(top, "0");
    std::set<Pid> seen;
    for (int i = 0; i < 4; ++i) seen.insert(call(pool, Worker::Who()));
    EXPECT_EQ(seen.size(), 2U);
    stop(top);
  });
}

TEST_P(PoolTest, state_machines_make_a_pool) {
  struct Lamp : StateMachine<Lamp> {
    enum class State { off, on };
    struct Press {
      using Reply = bool;
    };
    struct Fuse {};
    void handle(State, Fuse) {}
    void handle(State state, Press, From<bool> caller) {
      caller.reply(state == State::on);
      next_state(state == State::on ? State::off : State::on);
    }
  };
  run([] {
    const Pool<Lamp> lamps({.size = 2});
    const Pid top = start_pool_link(lamps);
    for (const bool was_on : {false, false, true, true, false})
      EXPECT_EQ(call(lamps, typename Lamp::Press()), was_on);
    cast(lamps, typename Lamp::Fuse());
    stop(top);
  });
}

TEST_P(PoolTest, options_that_make_no_sense_are_refused) {
  EXPECT_THROW(Pool<Worker>({.size = 0}), BadArgument);
  EXPECT_THROW(Pool<Worker>({.size = pool_size_max + 1}), BadArgument);
  run([] {
    const Pool<Worker> pool;
    EXPECT_EQ(try_start_pool_link(pool, {.period = 0s}).error().kind(), StartError::bad_spec);
    EXPECT_EQ(try_start_pool_link(pool, {.member = {.shutdown = -1s}}).error().kind(),
              StartError::bad_spec);
  });
}

}  // namespace
}  // namespace airssys::rt::test::pool_test
