// disposal_test.cpp: messages laid aside are destroyed once, by a thread of the pool or at the end.
//
// A pool of its own, or a runtime's; what has been destroyed is counted, and waited for.
#include "runtime/disposal.hpp"

#include <gtest/gtest.h>
#include <airssys/rt.hpp>
#include <airssys/rt/detail/payload.hpp>
#include <atomic>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "scheduler/blocking_pool.hpp"
#include "tests/support/failing_messages.hpp"
#include "tests/support/kept_reports.hpp"

namespace airssys::rt::runtime::disposal_test {
namespace {

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

TEST(Disposal, a_thread_of_the_pool_destroys_what_is_laid_aside) {
  std::atomic<int> destroyed = 0;
  scheduler::BlockingPool pool({});
  Disposal disposal(pool);
  std::vector<std::jthread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (int n = 0; n < 1000; ++n) disposal.dispose(detail::make_payload(Tracked(destroyed)));
    });
  }
  while (destroyed < 4000) std::this_thread::yield();
  EXPECT_TRUE(pool.stop());
  EXPECT_EQ(destroyed, 4000);
}

TEST(Disposal, what_the_pool_does_not_take_is_destroyed_at_the_end) {
  std::atomic<int> destroyed = 0;
  scheduler::BlockingPool pool({});
  EXPECT_TRUE(pool.stop());
  {
    Disposal disposal(pool);
    disposal.dispose(detail::make_payload(Tracked(destroyed)));
    disposal.dispose(detail::make_payload(Tracked(destroyed)));
    EXPECT_EQ(destroyed, 0);
  }
  EXPECT_EQ(destroyed, 2);
}

TEST(Disposal, what_needs_no_destructor_needs_no_thread) {
  scheduler::BlockingPool pool({});
  Disposal disposal(pool);
  disposal.dispose(detail::make_payload(7));
  EXPECT_EQ(pool.counters().threads, 0U);
}

class Failing : public support::KeptReports {
 protected:
  Failing() { options.containment = HostHook::on; }
};
RT_WITH_SCHEDULERS(Failing);

// Z13
TEST_P(Failing, a_message_whose_destructor_fails_is_cut_off_alone_and_reported) {
  with_runtime([this](Runtime& runtime) {
    Disposal& disposal = runtime.impl().system().disposal;
    std::atomic<int> destroyed = 0;
    for (int i = 0; i < 3; ++i) {
      disposal.dispose(detail::make_payload(support::Explosive()));
      disposal.dispose(detail::make_payload(support::Deep()));
      disposal.dispose(detail::make_payload(Tracked(destroyed)));
    }
    while (destroyed < 3 || reports_of("cut_off").size() < 6) std::this_thread::yield();
  });
  int overflows = 0;
  for (const Report& report : reports_of("cut_off")) {
    const bool is_deep = support::field(report, "message").ends_with("Deep");
    EXPECT_EQ(support::field(report, "why"), is_deep ? "stack overflow" : "noexcept violation");
    overflows += is_deep ? 1 : 0;
  }
  EXPECT_EQ(overflows, 3);
}

// Fails while it speaks for another runtime, in which nobody is called so.
class Astray {
 public:
  Astray(Runtime& other, std::atomic<int>& strangers) : other_(&other), strangers_(strangers) {}
  Astray(Astray&& other) noexcept
      : other_(std::exchange(other.other_, nullptr)), strangers_(other.strangers_) {}
  Astray& operator=(Astray&&) = delete;
  ~Astray() {
    if (!other_) return;
    if (!whereis("here")) ++strangers_;
    const Runtime::Guest guest(*other_);
    support::violate();
  }

 private:
  Runtime* other_;
  std::atomic<int>& strangers_;
};

// Z13, P11
TEST_P(Failing, what_is_destroyed_after_one_that_failed_speaks_for_its_own_runtime) {
  constexpr int count = 100;
  std::atomic<int> strangers = 0;
  Runtime other({.schedulers = 1});
  with_runtime([&](Runtime& runtime) {
    const Pid here = runtime.spawn({.name = "here"}, [] { receive<int>(); });
    Disposal& disposal = runtime.impl().system().disposal;
    for (int i = 0; i < count; ++i)
      disposal.dispose(detail::make_payload(Astray(other, strangers)));
    while (reports_of("cut_off").size() < count) std::this_thread::yield();
    runtime.send(here, 0);
  });
  EXPECT_EQ(strangers, 0);
}

// Is cut off at the door of a verb, where no stack is noted.
class DeepAtDoor {
 public:
  DeepAtDoor() = default;
  DeepAtDoor(DeepAtDoor&& other) noexcept : is_armed_(std::exchange(other.is_armed_, false)) {}
  DeepAtDoor& operator=(DeepAtDoor&&) = delete;
  ~DeepAtDoor() {
    if (is_armed_) go_deep(0);
  }

 private:
  // NOLINTNEXTLINE(misc-no-recursion): that is the point.
  [[gnu::noinline]] static int go_deep(int depth) {
    volatile char frame[4096];
    frame[0] = static_cast<char>(depth);
    read_timer({});
    return depth == 1'000'000 ? 0 : go_deep(depth + 1) + frame[0];
  }

  bool is_armed_ = true;
};

// Z13
TEST_P(Failing, a_report_shows_no_stack_of_another_message) {
  constexpr int count = 20;
  with_runtime([this](Runtime& runtime) {
    Disposal& disposal = runtime.impl().system().disposal;
    for (int i = 0; i < count; ++i) {
      disposal.dispose(detail::make_payload(support::Explosive()));
      disposal.dispose(detail::make_payload(DeepAtDoor()));
    }
    while (reports_of("cut_off").size() < 2U * count) std::this_thread::yield();
  });
  for (const Report& report : reports_of("cut_off")) {
    const bool has_stack = !support::field<std::vector<std::string>>(report, "stack").empty();
    EXPECT_EQ(has_stack, support::field(report, "message").ends_with("Explosive"));
  }
}

}  // namespace
}  // namespace airssys::rt::runtime::disposal_test
