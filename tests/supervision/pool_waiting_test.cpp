// pool_waiting_test.cpp: pools whose members have a limit: who waits, in which order, and what ends
// do to those who wait.
// Method: members that wait until the test lets them go on; then callers and members that are
// killed at random, after which every place has to be free again.
#include <airssys/rt/pool.hpp>
#include <algorithm>
#include <atomic>
#include <random>
#include <set>
#include <vector>

#include "tests/supervision/pool_worker.hpp"
#include "tests/supervision/support.hpp"

namespace airssys::rt::test::pool_waiting_test {
namespace {

WITH_SCHEDULERS(PoolWaitingTest);

TEST_P(PoolWaitingTest, a_caller_waits_for_room_and_gets_it_in_its_turn) {
  run([] {
    const Pool<Worker> pool({.size = 2, .limit = 1});
    const Pid top = start_pool_link(pool);
    holder(pool);
    holder(pool);
    const Pid first = held();
    const Pid second = held();
    std::vector<Pid> waiting;
    for (std::size_t i = 1; i <= 3; ++i) {
      waiting.push_back(holder(pool));
      await_waiting(pool, i);
    }
    // Its request is there; it may still be on its way to wait.
    while (!process_info(waiting[0])->waits_for) yield();
    EXPECT_EQ(process_info(waiting[0])->waits_for, top);
    EXPECT_EQ(load(pool), 2U);
    let_go(second);
    EXPECT_EQ(held(), second);
    EXPECT_EQ(pool.info().waiting, 2U);
    EXPECT_FALSE(is_alive(waiting[0]) && !process_info(waiting[0])->waits_for);
    EXPECT_EQ(process_info(waiting[0])->waits_for, second) << "first come, first served";
    let_go(first);
    EXPECT_EQ(held(), first);
    let_go(first);
    EXPECT_EQ(held(), first);
    let_go(first);
    let_go(second);
    for (int i = 0; i < 5; ++i) EXPECT_FALSE(next<Came>()->error);
    await_load(pool, 0);
    stop(top);
  });
}

TEST_P(PoolWaitingTest, a_member_never_has_more_than_its_limit) {
  struct Busy : Server<Busy> {
    struct Work {
      using Reply = void;
    };
    explicit Busy(std::atomic<int>* working) : working_(working) {}
    void handle(Work) {
      EXPECT_LE(++*working_, 3);
      yield();
      --*working_;
    }
    std::atomic<int>* working_;
  };
  run([] {
    std::atomic<int> working = 0;
    const Pool<Busy> pool({.size = 3, .limit = 1});
    const Pid top = start_pool_link(pool, &working);
    std::vector<Pid> callers;
    for (int i = 0; i < 20; ++i) {
      callers.push_back(spawn_link([&] {
        for (int n = 0; n < 100; ++n) call(pool, typename Busy::Work(), infinite);
      }));
    }
    for (const Pid caller : callers) EXPECT_EQ(exit_of(caller), ExitReason::normal());
    stop(top);
  });
}

TEST_P(PoolWaitingTest, when_too_many_wait_a_caller_fails_at_once) {
  run([] {
    const Pool<Worker> pool({.size = 1, .limit = 1, .waiting = 1});
    const Pid top = start_pool_link(pool);
    holder(pool);
    const Pid member = held();
    holder(pool);
    await_waiting(pool, 1);
    EXPECT_EQ(try_call(pool, Worker::Who(), infinite).error().kind(), CallError::overloaded);
    EXPECT_THROW(cast(pool, Worker::Note{self(), 1}), CallError);
    let_go(member);
    EXPECT_EQ(held(), member);
    let_go(member);
    await_load(pool, 0);
    EXPECT_EQ(call(pool, Worker::Who()), member);
    stop(top);
  });
}

TEST_P(PoolWaitingTest, who_waits_in_vain_times_out_and_takes_no_room) {
  run([] {
    const Pool<Worker> pool({.size = 1, .limit = 1});
    const Pid top = start_pool_link(pool);
    holder(pool);
    const Pid member = held();
    EXPECT_EQ(try_call(pool, Worker::Who(), 1ms).error().kind(), CallError::timeout);
    EXPECT_EQ(try_cast(pool, Worker::Note{self(), 1}, 0s).error().kind(), CallError::timeout);
    EXPECT_EQ(pool.info().waiting, 0U);
    let_go(member);
    EXPECT_EQ(call(pool, Worker::Who()), member);
    stop(top);
  });
}

TEST_P(PoolWaitingTest, a_cast_waits_for_room_too) {
  run([] {
    const Pool<Worker> pool({.size = 1, .limit = 1});
    const Pid top = start_pool_link(pool);
    holder(pool);
    const Pid member = held();
    spawn_link([&, owner = self()] { cast(pool, Worker::Note{owner, 7}, infinite); });
    await_waiting(pool, 1);
    let_go(member);
    EXPECT_EQ(next<Worker::Noted>()->n, 7);
    stop(top);
  });
}

// B2: the members' mailboxes are bounded, the places in the pool are not.
TEST_P(PoolWaitingTest, a_cast_that_finds_no_room_in_a_mailbox_ends_in_time) {
  run([] {
    for (const Overflow overflow : {Overflow::block, Overflow::reject}) {
      const Pool<Worker> pool({.size = 1});
      const Pid top = start_pool_link(
          pool, {.member = {.start = {.mailbox = {.capacity = 1, .overflow = overflow}}}});
      const Pid member = call(pool, Worker::Who());
      sys::suspend(member);
      cast(pool, Worker::Note{self(), 1});
      const auto cast_in_vain = try_cast(pool, Worker::Note{self(), 2}, 20ms);
      ASSERT_FALSE(cast_in_vain);
      EXPECT_EQ(cast_in_vain.error().kind(),
                overflow == Overflow::block ? CallError::timeout : CallError::overloaded);
      EXPECT_EQ(load(pool), 1U) << "it weighs nothing";
      sys::resume(member);
      EXPECT_EQ(next<Worker::Noted>()->n, 1);
      EXPECT_TRUE(try_cast(pool, Worker::Note{self(), 3}, infinite));
      EXPECT_EQ(next<Worker::Noted>()->n, 3);
      stop(top);
    }
  });
}

TEST_P(PoolWaitingTest, callers_wait_for_a_member_that_is_being_restarted) {
  run([] {
    const Pool<Worker> pool({.size = 1});
    const Pid top = start_pool_link(
        pool, {.intensity = 1000, .member = {.backoff = {.first = 1ms, .longest = 1ms}}});
    for (int round = 0; round < 20; ++round) {
      const auto crashes = pool.info().members[0].pid;
      EXPECT_EQ(try_call(pool, Worker::Crash()).error().kind(), CallError::exited);
      while (pool.info().members[0].pid == crashes) yield();  // it may be back before one looks
      call(pool, Worker::Who());
      call(pool, by_key(3), Worker::Who());
    }
    stop(top);
  });
}

TEST_P(PoolWaitingTest, who_waits_hears_of_the_end_of_the_tree) {
  run([] {
    for (const ExitReason& how : {ExitReason::shutdown(), ExitReason::kill()}) {
      const Pool<Worker> pool({.size = 1, .limit = 1});
      const Pid top = start_pool_link(pool, {.member = {.shutdown = Shutdown::brutal_kill()}});
      holder(pool);
      held();
      holder(pool);
      await_waiting(pool, 1);
      send_exit(top, how);
      std::set<CallError::Kind> errors;
      for (int i = 0; i < 2; ++i) errors.insert(*next<Came>()->error);
      EXPECT_EQ(errors, (std::set{CallError::exited, CallError::noproc}));
      end_of(top);
      EXPECT_EQ(try_call(pool, Worker::Who()).error().kind(), CallError::noproc);
    }
  });
}

TEST_P(PoolWaitingTest, no_room_is_lost_when_callers_and_members_are_killed_at_any_moment) {
  run([] {
    const Pool<Worker> pool({.size = 3, .limit = 2, .waiting = 8});
    const Pid top = start_pool_link(pool, {.intensity = 1'000'000});
    auto caller = [pool] {
      for (unsigned n = 0;; ++n) {
        if (n % 3 == 0) static_cast<void>(try_cast(pool, Worker::Note{self(), 1}, 1ms));
        if (n % 3 == 1) static_cast<void>(try_call(pool, by_key(n), Worker::Who(), 1ms));
        if (!try_call(pool, Worker::Who(), 1s)) yield();
        while (receive<Worker::Noted>(0s)) {
        }
      }
    };
    std::mt19937 random(GetParam());
    std::vector<Pid> callers;
    std::set<Pid> killed;  // members
    for (int i = 0; i < 16; ++i) callers.push_back(spawn(caller));
    for (int round = 0; round < 300; ++round) {
      Pid& pid = callers[random() % callers.size()];
      send_exit(pid, ExitReason::kill());
      if (round % 4 == 0) {
        const PoolInfo info = pool.info();
        const Pid member = info.members[random() % info.members.size()].pid;
        killed.insert(member);
        send_exit(member, ExitReason::kill());
      }
      pid = spawn(caller);
      yield();
    }
    for (const Pid pid : callers) send_exit(pid, ExitReason::kill());
    for (const Pid pid : callers) end_of(pid);
    // Nobody below shall meet a kill that is still on its way.
    const auto will_be_replaced = [&](const PoolMember& member) {
      return !member.pid || killed.contains(member.pid);
    };
    while (std::ranges::any_of(pool.info().members, will_be_replaced)) yield();
    await_load(pool, 0);
    EXPECT_EQ(pool.info().waiting, 0U);
    for (int i = 0; i < 6; ++i) holder(pool);
    std::vector<Pid> members;
    for (int i = 0; i < 3; ++i) members.push_back(held());
    await_load(pool, 6);
    for (const Pid member : members) let_go(member);
    for (int i = 0; i < 3; ++i) let_go(held());
    for (int i = 0; i < 6; ++i) EXPECT_FALSE(next<Came>()->error);
    stop(top);
  });
}

}  // namespace
}  // namespace airssys::rt::test::pool_waiting_test
