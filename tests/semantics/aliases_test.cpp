// aliases_test.cpp: addresses that their maker takes back (A).
//
// Method: messages that say when they are destroyed, so that "dropped" can be seen; races of
// senders with the end of the address, for many rounds.
#include <airssys/rt.hpp>
#include <atomic>
#include <chrono>
#include <optional>
#include <utility>
#include <vector>

#include "tests/support/ends.hpp"
#include "tests/support/in_runtime.hpp"
#include "tests/support/stress.hpp"

namespace airssys::rt::aliases_test {

using support::reason_in_down;

namespace {

using namespace std::chrono_literals;
using support::rounds;

class AliasRules : public support::InRuntime {};
RT_WITH_SCHEDULERS(AliasRules);

struct Go {};

// Says when it is destroyed.
class Tracked {
 public:
  explicit Tracked(std::atomic<int>& destroyed) : destroyed_(&destroyed) {}
  Tracked(Tracked&& other) noexcept : destroyed_(std::exchange(other.destroyed_, nullptr)) {}
  Tracked& operator=(Tracked&&) = delete;
  ~Tracked() {
    if (destroyed_) destroyed_->fetch_add(1);
  }

 private:
  std::atomic<int>* destroyed_;
};

Spawned spawn_waiting() {
  return spawn_monitor([] { receive<Go>(); });
}

void end(const Spawned& process) {
  send(process.pid, Go());
  reason_in_down(process.ref);
}

// How many of three messages through this address arrive now.
int arriving(const Alias& address) {
  for (int i = 0; i < 3; ++i) send(address, i);
  int arrived = 0;
  while (const auto number = receive<int>(0ms)) EXPECT_EQ(*number, arrived++);
  return arrived;
}

// A1, A3, A6
TEST_P(AliasRules, each_mode_ends_with_what_it_says) {
  run([] {
    EXPECT_EQ(arriving(alias()), 3);
    EXPECT_EQ(arriving(alias(AliasUse::once)), 1);

    const Spawned target = spawn_waiting();
    const MonitorRef plain = monitor(target.pid);
    EXPECT_EQ(arriving(plain), 0);
    const MonitorRef explicitly = monitor(target.pid, AliasMode::explicit_unalias);
    const MonitorRef stays = monitor(target.pid, AliasMode::explicit_unalias);
    const MonitorRef until_demonitor = monitor(target.pid, AliasMode::demonitor);
    const MonitorRef until_down = monitor(target.pid, AliasMode::demonitor);
    const MonitorRef replied = monitor(target.pid, AliasMode::reply_demonitor);
    const MonitorRef unreplied = monitor(target.pid, AliasMode::reply_demonitor);
    EXPECT_EQ(arriving(explicitly), 3);
    EXPECT_EQ(arriving(until_demonitor), 3);
    EXPECT_EQ(arriving(until_down), 3);
    EXPECT_EQ(arriving(replied), 1);
    EXPECT_FALSE(demonitor(replied)) << "the reply has ended the monitor";

    EXPECT_TRUE(demonitor(explicitly));
    EXPECT_EQ(arriving(explicitly), 3);
    EXPECT_TRUE(unalias(explicitly));
    EXPECT_EQ(arriving(explicitly), 0);
    EXPECT_TRUE(demonitor(until_demonitor));
    EXPECT_EQ(arriving(until_demonitor), 0);

    end(target);
    for (const MonitorRef& ref : {plain, stays, until_down, unreplied}) reason_in_down(ref);
    EXPECT_FALSE(receive<Down>(0ms)) << "of who was demonitored, or has replied";
    EXPECT_EQ(arriving(stays), 3);
    EXPECT_EQ(arriving(until_down), 0);
    EXPECT_EQ(arriving(unreplied), 0);
    EXPECT_TRUE(unalias(stays));
  });
}

// A2
TEST_P(AliasRules, what_comes_through_an_inactive_alias_is_dropped_and_its_sender_goes_on) {
  run([] {
    std::atomic<int> destroyed = 0;
    const Alias address = alias();
    unalias(address);
    spawn_monitor([&destroyed, address] {
      for (int i = 0; i < 10; ++i) send(address, Tracked(destroyed));
    });
    EXPECT_EQ(receive<Down>().reason, ExitReason::normal());
    EXPECT_EQ(destroyed, 10);
    EXPECT_EQ(process_info(self())->message_queue_len, 0U);
  });
}

// A4
TEST_P(AliasRules, unalias_answers_whether_it_was_active_and_the_callers) {
  run([] {
    const Alias address = alias();
    spawn_monitor([address] { EXPECT_FALSE(unalias(address)); });
    receive<Down>();
    EXPECT_TRUE(unalias(address));
    EXPECT_FALSE(unalias(address));
    EXPECT_FALSE(unalias(Alias()));
    EXPECT_FALSE(unalias(Alias{{self(), 1'000'000}}));
    const Spawned target = spawn_waiting();
    const MonitorRef plain = monitor(target.pid);
    EXPECT_FALSE(unalias(plain));
    const MonitorRef both = monitor(target.pid, AliasMode::demonitor);
    EXPECT_TRUE(unalias(both));
    EXPECT_FALSE(unalias(both));
    EXPECT_TRUE(demonitor(plain));
    EXPECT_TRUE(demonitor(both)) << "unalias leaves the monitor alone";
    end(target);
  });
}

// A4, A10
TEST_P(AliasRules, an_unalias_keeps_what_is_in_the_mailbox_and_drops_what_is_on_its_way) {
  run([] {
    std::atomic<int> destroyed = 0;
    const Alias address = alias();
    send(address, 1);
    EXPECT_EQ(process_info(self())->message_queue_len, 1U);
    send(address, Tracked(destroyed));  // on its way until the next safe point
    EXPECT_TRUE(unalias(address));
    EXPECT_EQ(receive<int>(0ms), 1);
    EXPECT_FALSE(receive<Message>(0ms));
    EXPECT_EQ(destroyed, 1);
  });
}

// Sends through the address until it is told to stop; a stream that its receiver cuts off.
class Stream {
 public:
  explicit Stream(const Alias& address)
      : sender_(spawn_monitor([this, address] {
          for (int n = 0; !is_over_; ++n) {
            send(address, n);
            ++sent_;
            if (n % 16 == 0) yield();
          }
        })) {}
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;
  ~Stream() {
    is_over_ = true;
    reason_in_down(sender_.ref);
  }
  int sent() const { return sent_; }

 private:
  std::atomic<bool> is_over_ = false;
  std::atomic<int> sent_ = 0;
  Spawned sender_;
};

// A5
TEST_P(AliasRules, after_an_unalias_or_demonitor_nothing_more_enters) {
  run([] {
    const Spawned target = spawn_waiting();
    for (const std::size_t i : rounds()) {
      const MonitorRef ref = monitor(target.pid, AliasMode::demonitor);
      {
        const Stream stream(ref);
        while (stream.sent() < static_cast<int>(i % 50)) yield();
        if (i % 2) {
          EXPECT_TRUE(unalias(ref));
        } else {
          EXPECT_TRUE(demonitor(ref));
        }
        const std::size_t entered = process_info(self())->message_queue_len;
        const int sent = stream.sent();
        while (stream.sent() < sent + 20) yield();
        EXPECT_EQ(process_info(self())->message_queue_len, entered);
      }
      int expected = 0;
      while (const auto number = receive<int>(0ms)) ASSERT_EQ(*number, expected++);
      demonitor(ref);
    }
    end(target);
  });
}

// A7
TEST_P(AliasRules, whoever_knows_an_alias_may_send_through_it) {
  run([] {
    const Spawned target = spawn_waiting();
    const MonitorRef ref = monitor(target.pid, AliasMode::demonitor);
    std::vector<MonitorRef> strangers;
    for (int i = 0; i < 5; ++i)
      strangers.push_back(spawn_monitor([address = ref, i] { send(address, i); }).ref);
    int sum = 0;
    for (int i = 0; i < 5; ++i) sum += receive<int>();
    EXPECT_EQ(sum, 10);
    for (const MonitorRef& stranger : strangers) reason_in_down(stranger);
    EXPECT_THROW(send("alias", 1), NameError);
    demonitor(ref);
    end(target);
  });
}

// A8
TEST_P(AliasRules, sends_by_several_aliases_and_by_pid_keep_their_order) {
  run([] {
    for ([[maybe_unused]] const std::size_t round : rounds()) {
      const Alias one = alias();
      const Alias other = alias();
      const Spawned sender = spawn_monitor([pid = self(), one, other] {
        for (int i = 0; i < 100; ++i) {
          if (i % 3 == 0) send(pid, i);
          if (i % 3 == 1) send(one, i);
          if (i % 3 == 2) send(other, i);
          if (i % 40 == 0) yield();
        }
      });
      for (int i = 0; i < 100; ++i) ASSERT_EQ(receive<Message>().take<int>(), i);
      reason_in_down(sender.ref);
      unalias(one);
      unalias(other);
    }
  });
}

// A9
TEST_P(AliasRules, the_alias_of_the_dead_drops_everything) {
  run([] {
    std::atomic<int> destroyed = 0;
    const Spawned owner = spawn_monitor([tester = self()] {
      send(tester, alias());
      receive<Go>();
    });
    const Alias theirs = receive<Alias>();
    end(owner);
    for (int i = 0; i < 10; ++i) send(theirs, Tracked(destroyed));
    EXPECT_EQ(destroyed, 10);
    // Nor does it lead to who lives in the same place of the table now.
    for (int i = 0; i < 200; ++i) {
      const Spawned next = spawn_monitor([] { EXPECT_FALSE(receive<int>(0ms)); });
      send(theirs, i);
      reason_in_down(next.ref);
    }
  });
}

}  // namespace
}  // namespace airssys::rt::aliases_test
