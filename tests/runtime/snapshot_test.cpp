// snapshot_test.cpp: all processes from outside, without asking them.
//
// Taken on a plain thread, as the inspector does, of processes whose state is known.
#include "runtime/snapshot.hpp"

#include <airssys/rt.hpp>
#include <atomic>
#include <map>
#include <thread>

#include "tests/support/in_runtime.hpp"

namespace airssys::rt::snapshot_test {
namespace {

class Snapshot : public support::InRuntime {};
RT_WITH_SCHEDULERS(Snapshot);

struct Go {};

std::map<Pid, runtime::Row> take(Runtime& runtime) {
  std::map<Pid, runtime::Row> rows;
  runtime::snapshot(runtime.impl().system(), [&](const runtime::Row& row) { rows[row.pid] = row; });
  return rows;
}

// The row of this process, once it waits.
runtime::Row row_at_rest(Runtime& runtime, Pid pid) {
  for (;;) {
    const runtime::Row row = take(runtime)[pid];
    if (row.state == ProcessState::waiting) return row;
    std::this_thread::yield();
  }
}

TEST_P(Snapshot, shows_each_process_with_its_name_and_its_wait) {
  with_runtime([](Runtime& runtime) {
    const Pid pid = runtime.spawn({.name = "seen"}, [] { receive<Go>(); });
    const runtime::Row row = row_at_rest(runtime, pid);
    EXPECT_EQ(row.pid, pid);
    EXPECT_EQ(row.name, "seen");
    EXPECT_EQ(row.wait_reason, runtime::WaitReason::receive);
    EXPECT_FALSE(row.is_bounded);
    EXPECT_GT(row.born, 0U);
    runtime.send(pid, Go());
  });
}

TEST_P(Snapshot, counts_the_mail_that_its_owner_has_taken_in) {
  with_runtime([](Runtime& runtime) {
    const Pid pid = runtime.spawn([] { receive<Go>(); });
    for (int i = 0; i < 10; ++i) runtime.send(pid, i);
    runtime.run([pid] { process_info(pid); });
    const runtime::Row row = row_at_rest(runtime, pid);
    EXPECT_EQ(row.messages, 10U);
    EXPECT_GT(row.message_bytes, 0U);
    runtime.send(pid, Go());
  });
}

TEST_P(Snapshot, shows_the_drops_of_a_bounded_mailbox) {
  with_runtime([](Runtime& runtime) {
    const Pid pid = runtime.spawn({.mailbox = {.capacity = 1, .overflow = Overflow::reject}},
                                  [] { receive<Go>(); });
    EXPECT_EQ(runtime.try_send(pid, 1), SendResult::sent);
    EXPECT_EQ(runtime.try_send(pid, 2), SendResult::full);
    const runtime::Row row = take(runtime)[pid];
    EXPECT_TRUE(row.is_bounded);
    EXPECT_EQ(row.drops[DropReason::refused], 1U);
    runtime.send_exit(pid, ExitReason::kill());
  });
}

// The runtime changes under the snapshot: rows come and go, and none is torn.
TEST_P(Snapshot, may_be_taken_at_any_time) {
  with_runtime([](Runtime& runtime) {
    std::atomic<bool> is_over = false;
    std::thread onlooker([&] {
      while (!is_over) {
        for (const auto& [pid, row] : take(runtime)) EXPECT_TRUE(pid);
      }
    });
    runtime.run([] {
      for (int i = 0; i < 2000; ++i) {
        spawn_monitor({.name = "short", .mailbox = {.capacity = 2}}, [] {});
        receive<Down>();
      }
    });
    is_over = true;
    onlooker.join();
  });
}

}  // namespace
}  // namespace airssys::rt::snapshot_test
