// blocking_test.cpp: work that blocks the thread under it (D17–D20, E5).
//
// Jobs block on a latch of their own until the test lets them go on, so that each order of events
// is made and not waited for.
#include <airssys/rt.hpp>
#include <atomic>
#include <chrono>
#include <memory>
#include <numeric>
#include <semaphore>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "runtime/call.hpp"
#include "tests/support/in_runtime.hpp"
#include "tests/support/stress.hpp"

namespace airssys::rt::blocking_test {
namespace {

using namespace std::chrono_literals;
using Gate = std::binary_semaphore;

class Blocking : public support::InRuntime {};
RT_WITH_SCHEDULERS(Blocking);

struct Go {};

// A job outlives its process, and so must what it uses.
struct Shared {
  Gate begun{0};
  Gate may_end{0};
  Gate is_gone{0};
  std::atomic<bool> was_cancelled = false;
  std::atomic<int> runs = 0;

  void job() {
    ++runs;
    begun.release();
    may_end.acquire();
    was_cancelled = blocking_is_cancelled();
  }
};

template <class Body>
Pid spawn_watched(Body body) {
  return spawn_monitor(std::move(body)).pid;
}

// As anybody sees it; one that is being ended answers no questions.
runtime::WaitReason wait_reason_of(Pid pid) {
  const runtime::Call call;
  const runtime::Process* const process = call.system().find(pid);
  if (process == nullptr) throw std::logic_error("it has ended");
  return process->wait_reason.load(std::memory_order_relaxed);
}

void await_down() {
  receive<Down>();
}

void await_begin(Shared& shared) {
  while (!shared.begun.try_acquire()) yield();
}

// D17
TEST_P(Blocking, a_job_runs_on_another_thread_and_its_result_comes_back) {
  run([] {
    const auto here = std::this_thread::get_id();
    EXPECT_NE(blocking([] { return std::this_thread::get_id(); }), here);
    EXPECT_EQ(blocking([] { return std::string("result"); }), "result");
    EXPECT_EQ(*blocking([p = std::make_unique<int>(7)]() mutable { return std::move(p); }), 7);
    int touched = 0;
    blocking_ref([&touched] { touched = 1; });
    EXPECT_EQ(touched, 1);
  });
}

// D17
TEST_P(Blocking, jobs_that_wait_for_a_thread_begin_in_their_order) {
  options.blocking_threads_max = 1;
  run([] {
    const auto first = std::make_shared<Shared>();
    spawn_watched([first] { blocking([first] { first->job(); }); });
    await_begin(*first);
    constexpr int count = 20;
    const auto order = std::make_shared<std::vector<int>>();  // of the pool's one thread
    for (int i = 0; i < count; ++i) {
      const Pid next = spawn_watched([order, i] { blocking([order, i] { order->push_back(i); }); });
      while (wait_reason_of(next) != runtime::WaitReason::blocking_job) yield();
    }
    first->may_end.release();
    for (int i = 0; i <= count; ++i) await_down();
    std::vector<int> in_order(count);
    std::iota(in_order.begin(), in_order.end(), 0);
    EXPECT_EQ(*order, in_order);
  });
}

// D20
TEST_P(Blocking, what_a_job_throws_is_thrown_in_its_process) {
  run([] {
    EXPECT_THROW(blocking([]() -> int { throw std::runtime_error("no"); }), std::runtime_error);
    EXPECT_THROW(blocking([] { throw 7; }), int);
  });
}

// D17
TEST_P(Blocking, more_jobs_than_threads_all_run) {
  options.blocking_threads_max = 2;
  run([] {
    const Pid me = self();
    for (int i = 0; i < 50; ++i) {
      spawn([me, i] { send(me, blocking([i] { return i; })); });
    }
    int sum = 0;
    for (int i = 0; i < 50; ++i) sum += receive<int>();
    EXPECT_EQ(sum, 49 * 50 / 2);
  });
}

// D17, D18
TEST_P(Blocking, others_run_and_mail_is_served_while_a_job_blocks) {
  run([] {
    const auto shared = std::make_shared<Shared>();
    const Pid pid = spawn_link([shared] {
      blocking([shared] { shared->job(); });
      EXPECT_EQ(receive<int>(0ms), 1);
    });
    await_begin(*shared);
    send(pid, 1);
    EXPECT_TRUE(is_alive(pid));
    while (process_info(pid)->state == ProcessState::running) yield();  // on its way to wait
    const auto info = process_info(pid);
    ASSERT_TRUE(info);
    EXPECT_EQ(info->state, ProcessState::blocking);
    EXPECT_EQ(info->message_queue_len, 1U);
    const MonitorRef ref = monitor(pid);
    shared->may_end.release();
    EXPECT_EQ(receive<Down>().ref, ref);
    EXPECT_FALSE(shared->was_cancelled);
  });
}

// D19, E5
TEST_P(Blocking, a_process_can_be_killed_while_its_job_goes_on) {
  const auto shared = std::make_shared<Shared>();
  run([shared] {
    const Pid pid = spawn_watched([shared] { blocking([shared] { shared->job(); }); });
    await_begin(*shared);
    send_exit(pid, ExitReason::kill());
    EXPECT_EQ(receive<Down>().reason, ExitReason::killed());
    EXPECT_FALSE(is_alive(pid));
    shared->may_end.release();
  });
  EXPECT_TRUE(shared->was_cancelled) << "the end of the runtime waits for the job";
}

// D19
TEST_P(Blocking, a_job_that_has_not_begun_never_begins_for_the_dead) {
  options.blocking_threads_max = 1;
  const auto first = std::make_shared<Shared>();
  const auto second = std::make_shared<Shared>();
  run([first, second] {
    spawn_watched([first] { blocking([first] { first->job(); }); });
    await_begin(*first);
    const Pid pid = spawn_watched([second] { blocking([second] { second->job(); }); });
    while (process_info(pid)->state != ProcessState::blocking) yield();
    send_exit(pid, ExitReason::kill());
    await_down();
    first->may_end.release();
    await_down();
  });
  EXPECT_EQ(second->runs, 0);
}

// A destructor of a job that refers to the caller's frame writes there, too.
// E5
TEST_P(Blocking, a_job_is_destroyed_before_its_result_is_there) {
  run([] {
    struct Marks {
      int* ends;
      explicit Marks(int& e) : ends(&e) {}
      Marks(Marks&& other) noexcept : ends(std::exchange(other.ends, nullptr)) {}
      Marks& operator=(Marks&&) = delete;
      ~Marks() {
        if (ends) ++*ends;
      }
      void operator()() const {}
    };
    for ([[maybe_unused]] const std::size_t i : support::rounds()) {
      int ends = 0;
      blocking_ref(Marks(ends));
      ASSERT_EQ(ends, 1);
    }
  });
}

// D19
TEST_P(Blocking, a_job_that_never_begins_is_gone_when_its_process_is) {
  options.blocking_threads_max = 1;
  run([] {
    const auto first = std::make_shared<Shared>();
    spawn_watched([first] { blocking([first] { first->job(); }); });
    await_begin(*first);
    const auto owned = std::make_shared<int>(1);
    const Pid pid = spawn_watched([owned] { blocking([owned] {}); });
    while (process_info(pid)->state != ProcessState::blocking) yield();
    send_exit(pid, ExitReason::kill());
    await_down();
    EXPECT_EQ(owned.use_count(), 1);
    first->may_end.release();
    await_down();
  });
}

// D19, S6
TEST_P(Blocking, the_destructor_of_a_job_that_runs_for_nobody_says_nothing_more) {
  const auto shared = std::make_shared<Shared>();
  run([shared] {
    struct Tells {
      Pid to;
      std::shared_ptr<Shared> owned;
      Tells(Pid listener, std::shared_ptr<Shared> state) : to(listener), owned(std::move(state)) {}
      Tells(Tells&&) noexcept = default;
      Tells& operator=(Tells&&) = delete;
      ~Tells() {
        if (!owned) return;
        send(to, Go());
        owned->is_gone.release();
      }
      void operator()() const { owned->job(); }
    };
    const Pid pid = spawn_watched([me = self(), shared] { blocking(Tells(me, shared)); });
    await_begin(*shared);
    send_exit(pid, ExitReason::kill());
    await_down();
    shared->may_end.release();
    while (!shared->is_gone.try_acquire()) yield();
    EXPECT_FALSE(receive<Go>(0ms));
  });
}

// E5
TEST_P(Blocking, a_process_whose_job_refers_to_its_frame_ends_after_it) {
  run([] {
    const auto shared = std::make_shared<Shared>();
    const Pid pid = spawn_watched([shared] {
      std::vector<int> frame(100, 1);
      blocking_ref([&] {
        shared->job();
        frame.assign(100, 2);
      });
    });
    await_begin(*shared);
    send_exit(pid, ExitReason::kill());
    // It has acted on the exit as soon as it waits for the wake alone.
    while (wait_reason_of(pid) != runtime::WaitReason::wake_on_way) yield();
    EXPECT_FALSE(receive<Down>(0ms));
    shared->may_end.release();
    EXPECT_EQ(receive<Down>().reason, ExitReason::killed());
  });
}

// Z3
TEST_P(Blocking, a_destructor_of_a_process_that_is_ended_cannot_wait_for_a_job) {
  run([] {
    struct Waits {
      bool& threw;
      ~Waits() {
        try {
          blocking([] {});
        } catch (const Unwinding&) {
          threw = true;
        }
      }
    };
    const auto threw = std::make_shared<bool>(false);
    const Pid pid = spawn_watched([threw] {
      const Waits waits{*threw};
      send(parent(), Go());
      receive<Go>();
    });
    receive<Go>();
    send_exit(pid, ExitReason::kill());
    await_down();
    EXPECT_TRUE(*threw);
  });
}

TEST_P(Blocking, a_plain_thread_has_no_jobs_and_nothing_to_cancel) {
  EXPECT_FALSE(blocking_is_cancelled());
  EXPECT_THROW(blocking([] {}), BadArgument);
}

// Kills race with jobs that end by themselves.
TEST_P(Blocking, kills_race_with_the_ends_of_jobs) {
  run([] {
    for (int i = 0; i < 300; ++i) {
      const Pid pid = spawn_watched([] {
        const auto value = std::make_unique<int>(1);
        EXPECT_EQ(blocking([] { return 1; }), 1);
        blocking_ref([&] { *value = 2; });
      });
      for (int n = i % 7; n > 0; --n) yield();
      send_exit(pid, ExitReason::kill());
      await_down();
    }
  });
}

}  // namespace
}  // namespace airssys::rt::blocking_test
