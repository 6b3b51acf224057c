// group_scope_test.cpp: process groups: who is a member, who hears of it, and what ends do to it.
// Method: whole scopes; then members that join, leave and are killed at random, while a subscriber
// keeps its own list from the news.
#include "supervision/group_scope.hpp"

#include <airssys/rt/sys.hpp>
#include <algorithm>
#include <atomic>
#include <memory>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "fiber/sanitizer.hpp"
#include "tests/supervision/support.hpp"

namespace airssys::rt::test::group_scope_test {
namespace {

WITH_SCHEDULERS(GroupScopeTest);

struct Note {
  int n;
};

std::vector<Pid> list(const GroupMembers& members) {
  return {members.begin(), members.end()};
}

// A process that waits for its end.
Pid idler() {
  return spawn([] { receive<End>(); });
}
void kill(Pid pid) {
  send_exit(pid, ExitReason::kill());
}

// Waits until the group has so many members.
void await_size(const Group& group, std::size_t size) {
  while (members(group).size() != size) yield();
}

TEST_P(GroupScopeTest, members_are_there_in_the_order_in_which_they_joined) {
  run([] {
    const Pid scope = start_group_scope_link();
    const Group workers = group("workers");
    EXPECT_TRUE(members(workers).empty());
    EXPECT_EQ(workers.name(), "workers");
    EXPECT_EQ(workers.scope(), scope);
    const Pid a = idler();
    const Pid b = idler();
    join(workers, {a, b});
    join(workers);
    EXPECT_EQ(list(members(workers)), (std::vector{a, b, self()}));
    EXPECT_TRUE(leave(workers, a));
    EXPECT_EQ(list(members(workers)), (std::vector{b, self()}));
    EXPECT_EQ(members(workers)[0], b);
    kill(a);
    kill(b);
    stop(scope);
  });
}

TEST_P(GroupScopeTest, who_joins_twice_is_there_twice_and_leaves_twice) {
  run([] {
    const Pid scope = start_group_scope_link();
    const Group workers = group("workers");
    const Pid a = idler();
    join(workers, a);
    join(workers, {self(), a});
    EXPECT_EQ(list(members(workers)), (std::vector{a, self(), a}));
    EXPECT_TRUE(leave(workers, a));
    EXPECT_EQ(list(members(workers)), (std::vector{self(), a}));
    EXPECT_TRUE(leave(workers, a));
    EXPECT_FALSE(leave(workers, a));
    join(workers, {a, a, a});
    kill(a);
    await_size(workers, 1);
    EXPECT_EQ(list(members(workers)), std::vector{self()});
    stop(scope);
  });
}

TEST_P(GroupScopeTest, a_process_may_be_in_several_groups_and_its_end_takes_it_out_of_all) {
  run([] {
    const Pid scope = start_group_scope_link();
    const Group red = group("red");
    const Group blue = group("blue");
    for (int round = 0; round < 50; ++round) {
      const Pid a = idler();
      join(red, {a, self()});
      join(blue, a);
      std::vector<std::string> names = which_groups();
      std::ranges::sort(names);
      EXPECT_EQ(names, (std::vector<std::string>{"blue", "red"}));
      kill(a);
      await_size(red, 1);
      await_size(blue, 0);
      EXPECT_EQ(which_groups(), std::vector<std::string>{"red"});
      leave(red);
    }
    stop(scope);
  });
}

TEST_P(GroupScopeTest, one_who_is_dead_already_is_removed_again) {
  run([] {
    const Pid scope = start_group_scope_link();
    const Group workers = group("workers");
    const Pid a = idler();
    kill(a);
    end_of(a);
    join(workers, a);
    await_size(workers, 0);
    stop(scope);
  });
}

TEST_P(GroupScopeTest, each_scope_has_groups_of_its_own) {
  run([] {
    const Pid one = start_group_scope_link();
    const Pid other = start_group_scope_link("other");
    join(group("workers"));
    EXPECT_TRUE(members(group("workers", "other")).empty());
    EXPECT_TRUE(members(group("workers", other)).empty());
    EXPECT_EQ(list(members(group("workers", one))), std::vector{self()});
    EXPECT_EQ(try_start_group_scope_link().error().kind(), StartError::already_started);
    stop(one);
    stop(other);
  });
}

TEST_P(GroupScopeTest, a_list_that_was_read_stays_what_it_is) {
  run([] {
    const Pid scope = start_group_scope_link();
    const Group workers = group("workers");
    join(workers);
    const GroupMembers before = members(workers);
    leave(workers);
    EXPECT_EQ(list(before), std::vector{self()});
    EXPECT_TRUE(members(workers).empty());
    stop(scope);
  });
}

// What it sends itself finds the mailbox full again.
TEST_P(GroupScopeTest, a_scope_with_a_bounded_mailbox_settles_all_the_same) {
  run([] {
    for (const Overflow overflow : {Overflow::block, Overflow::reject}) {
      const Pid top = start_supervisor_link(
          {.children = {child_group_scope(
               "scope", {.start = {.mailbox = {.capacity = 1, .overflow = overflow}}})}});
      const Group workers = group("workers");
      sys::suspend(workers.scope());
      std::vector<Pid> joiners;
      for (int i = 0; i < 3; ++i) {
        joiners.push_back(spawn_link([workers, owner = self()] {
          send(owner, Note{try_join(workers, {self()}) ? 1 : 0});
          receive<End>();
        }));
      }
      for (const Pid joiner : joiners)
        while (process_info(joiner)->wait_reason.empty()) yield();
      sys::resume(workers.scope());
      int joined = 0;
      for (int i = 0; i < 3; ++i) joined += receive<Note>().n;
      EXPECT_EQ(joined, overflow == Overflow::block ? 3 : 1);
      EXPECT_EQ(members(workers).size(), static_cast<std::size_t>(joined));
      for (const Pid joiner : joiners) send(joiner, End());
      stop(top);
    }
  });
}

TEST_P(GroupScopeTest, joining_nobody_is_no_change) {
  run([] {
    const Pid scope = start_group_scope_link();
    const Group workers = group("workers");
    monitor_groups();
    join(workers, std::vector<Pid>());
    EXPECT_TRUE(nothing_came<GroupChange>());
    stop(scope);
  });
}

TEST_P(GroupScopeTest, a_broadcast_reaches_each_member_as_often_as_it_joined) {
  run([] {
    const Pid scope = start_group_scope_link();
    const Group workers = group("workers");
    join(workers, {self(), self()});
    broadcast(workers, Note{7});
    EXPECT_EQ(next<Note>()->n, 7);
    EXPECT_EQ(next<Note>()->n, 7);
    EXPECT_TRUE(nothing_came<Note>());
    stop(scope);
  });
}

TEST_P(GroupScopeTest, a_subscriber_hears_of_joins_and_leaves_and_finds_them_done) {
  run([] {
    const Pid scope = start_group_scope_link();
    const Group workers = group("workers");
    join(workers);
    const GroupMonitor monitor = monitor_group(workers);
    EXPECT_EQ(list(monitor.members), std::vector{self()});
    for (int round = 0; round < 50; ++round) {
      const Pid a = spawn([&] {
        join(workers, {self(), self()});
        receive<End>();
      });
      GroupChange change = *next<GroupChange>();
      EXPECT_EQ(change.ref, monitor.ref);
      EXPECT_EQ(change.group, "workers");
      EXPECT_EQ(change.kind, GroupChange::joined);
      EXPECT_EQ(change.members, (std::vector{a, a}));
      EXPECT_EQ(members(workers).size(), 3U);
      kill(a);
      change = *next<GroupChange>();
      EXPECT_EQ(change.kind, GroupChange::left);
      EXPECT_EQ(change.members, (std::vector{a, a}));
      EXPECT_EQ(members(workers).size(), 1U);
    }
    stop(scope);
  });
}

TEST_P(GroupScopeTest, a_subscriber_of_all_groups_hears_of_those_to_come) {
  run([] {
    const Pid scope = start_group_scope_link();
    const Ref ref = monitor_groups();
    join(group("red"));
    join(group("blue"));
    EXPECT_EQ(next<GroupChange>()->group, "red");
    const GroupChange blue = *next<GroupChange>();
    EXPECT_EQ(blue.group, "blue");
    EXPECT_EQ(blue.ref, ref);
    stop(scope);
  });
}

TEST_P(GroupScopeTest, after_demonitor_nothing_comes_and_nothing_is_left) {
  run([] {
    const Pid scope = start_group_scope_link();
    const Group workers = group("workers");
    const GroupMonitor gone = monitor_group(workers);
    const GroupMonitor stays = monitor_group(workers);
    join(workers);
    demonitor_group(gone.ref);
    leave(workers);
    for (int i = 0; i < 2; ++i) EXPECT_EQ(next<GroupChange>()->ref, stays.ref);
    EXPECT_TRUE(nothing_came<GroupChange>());
    demonitor_group(gone.ref);
    stop(scope);
    demonitor_group(stays.ref);
  });
}

TEST_P(GroupScopeTest, subscribers_that_end_are_forgotten) {
  run([] {
    const Pid scope = start_group_scope_link();
    const Group workers = group("workers");
    for (int round = 0; round < 50; ++round) {
      const Pid subscriber = spawn_link([&] {
        monitor_group(workers);
        monitor_groups();
        exit(ExitReason::shutdown());
      });
      exit_of(subscriber);
    }
    join(workers);
    while (process_info(scope)->monitors.size() > 1) yield();
    EXPECT_EQ(process_info(scope)->monitors, std::vector{self()});
    stop(scope);
  });
}

TEST_P(GroupScopeTest, without_a_scope_the_verbs_fail_with_noproc) {
  run([] {
    EXPECT_EQ(try_group("workers").error().kind(), CallError::noproc);
    EXPECT_THROW(group("workers", "nobody"), CallError);
    EXPECT_THROW(which_groups(), CallError);
    EXPECT_THROW(monitor_groups(), CallError);
  });
}

TEST_P(GroupScopeTest, the_groups_of_a_scope_that_has_ended_are_empty_for_ever) {
  run([] {
    for (const ExitReason& how : {ExitReason::normal(), ExitReason::kill()}) {
      const Pid scope = start_group_scope_link();
      const Group workers = group("workers");
      join(workers);
      how == ExitReason::kill() ? kill(scope) : stop(scope);
      end_of(scope);
      EXPECT_TRUE(members(workers).empty());
      broadcast(workers, Note{1});
      EXPECT_EQ(try_join(workers, {self()}).error().kind(), CallError::noproc);
      EXPECT_EQ(try_leave(workers).error().kind(), CallError::noproc);
      EXPECT_TRUE(nothing_came<Note>());
    }
  });
}

TEST_P(GroupScopeTest, a_scope_in_a_tree_comes_back_with_those_that_join_it) {
  run([] {
    auto member = [owner = self()] {
      join(group("workers"));
      send(owner, Up{"member", self()});
      receive<End>();
    };
    const Pid top =
        start_supervisor_link({.strategy = Strategy::rest_for_one,
                               .intensity = 100,
                               .children = {child_group_scope("groups"), child("member", member)}});
    for (int round = 0; round < 20; ++round) {
      const Pid pid = up("member");
      EXPECT_EQ(list(members(group("workers"))), std::vector{pid});
      kill(whereis("groups").value());
    }
    up("member");
    stop(top);
  });
}

TEST_P(GroupScopeTest, a_plain_thread_may_read) {
  run([] {
    const Pid scope = start_group_scope_link();
    const Group workers = group("workers");
    join(workers);
    std::size_t seen = 0;
    std::thread([&] { seen = members(workers).size(); }).join();
    EXPECT_EQ(seen, 1U);
    stop(scope);
  });
}

TEST_P(GroupScopeTest, groups_that_nobody_uses_are_forgotten) {
  run([] {
    const Pid scope = start_group_scope_link();
    const Group held = group("held");
    join(group("joined"));
    for (int i = 0; i < 1000; ++i) {
      const Group room = group("room " + std::to_string(i));
      join(room);
      leave(room);
    }
    const auto known =
        sys::get_state(server_ref<supervision::GroupScope>(scope),
                       [](const supervision::GroupScope& state) { return state.groups(); });
    EXPECT_LE(known, 32U);
    join(held);
    EXPECT_EQ(members(group("held")).size(), 1U);
    EXPECT_EQ(members(group("joined")).size(), 1U);
    stop(scope);
  });
}

// A list that is made from the news alone.
class Known {
 public:
  bool empty() const { return pids_.empty(); }

  void take_news() {
    while (auto change = receive<GroupChange>(Duration::zero())) {
      for (const Pid pid : change->members) take(change->kind, pid);
    }
  }

 private:
  void take(GroupChange::Kind kind, Pid pid) {
    if (kind == GroupChange::joined) return pids_.push_back(pid);
    const auto place = std::ranges::find(pids_, pid);
    ASSERT_NE(place, pids_.end()) << "somebody left who had not joined";
    pids_.erase(place);
  }

  std::vector<Pid> pids_;
};

TEST_P(GroupScopeTest, the_news_tell_all_while_members_join_leave_and_are_killed) {
  run([] {
    const Pid scope = start_group_scope_link();
    const Group workers = group("workers");
    monitor_group(workers);
    // How often the group has changed since its news were read: who reads may be the slowest here.
    constexpr int unread_max = 500;
    const auto unread = std::make_shared<std::atomic<int>>(0);
    // What it holds is its own: those that are killed on the way may end after the test.
    auto member = [workers, unread] {
      std::mt19937 random(static_cast<unsigned>(self().bits()));
      for (;;) {
        while (unread->fetch_add(1) >= unread_max) yield();
        random() % 2 == 0 ? join(workers) : static_cast<void>(leave(workers));
      }
    };
    std::mt19937 random(GetParam());
    std::vector<Pid> pids;
    for (int i = 0; i < 16; ++i) pids.push_back(spawn(member));
    Known known;
    for (int round = 0; round < 500; ++round) {
      Pid& pid = pids[random() % pids.size()];
      kill(pid);
      known.take_news();
      *unread = 0;
      pid = spawn(member);
      yield();
    }
    for (const Pid pid : pids) kill(pid);
    for (const Pid pid : pids) end_of(pid);
    await_size(workers, 0);
    EXPECT_TRUE(which_groups().empty());
    known.take_news();
    EXPECT_TRUE(known.empty());
    stop(scope);
  });
}

TEST_P(GroupScopeTest, very_many_members_join_and_end_together) {
  run([] {
    // ThreadSanitizer keeps a thread's worth of memory for each stack.
    constexpr std::size_t count = fiber::sanitizer::thread ? 500 : 20'000;
    const Pid scope = start_group_scope_link();
    const Group workers = group("workers");
    const Pid parent = spawn([&] {
      struct Joined {};
      constexpr std::size_t joining_at_once = 500;  // a join is a call with a time-out
      for (std::size_t i = 0; i < count; ++i) {
        spawn_link([&, parent = self()] {
          join(workers);
          send(parent, Joined());
          receive<End>();
        });
        if (i >= joining_at_once) receive<Joined>();
      }
      receive<End>();
    });
    await_size(workers, count);
    kill(parent);
    await_size(workers, 0);
    stop(scope);
  });
}

}  // namespace
}  // namespace airssys::rt::test::group_scope_test
