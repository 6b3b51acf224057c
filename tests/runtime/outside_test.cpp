// outside_test.cpp: what plain threads do to a runtime, and destructors that run on them (P11, T4).
//
// A message whose destructor tells a process of its end is destroyed in every place where the
// runtime destroys messages on a thread without a process.
#include "runtime/outside.hpp"

#include <gtest/gtest.h>
#include <airssys/rt.hpp>
#include <atomic>
#include <chrono>
#include <functional>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>

#include "tests/support/in_runtime.hpp"
#include "tests/support/stress.hpp"

namespace airssys::rt::outside_test {
namespace {

using namespace std::chrono_literals;

class Outside : public support::InRuntime {};
RT_WITH_SCHEDULERS(Outside);

struct Go {};
struct Returned {
  std::string what;
};

// Says to its owner that it is gone.
class Token {
 public:
  Token(Pid owner, std::string what) : owner_(owner), what_(std::move(what)) {}
  Token(Token&& other) noexcept
      : owner_(std::exchange(other.owner_, Pid())), what_(std::move(other.what_)) {}
  Token& operator=(Token&&) = delete;
  ~Token() {
    if (owner_) send(owner_, Returned{std::move(what_)});
  }

 private:
  Pid owner_;
  std::string what_;
};

Pid dead_process() {
  const Spawned spawned = spawn_monitor([] {});
  receive<Down>();
  return spawned.pid;
}

TEST_P(Outside, a_message_that_a_plain_thread_could_not_send_may_send_in_its_destructor) {
  with_runtime([](Runtime& runtime) {
    Pid pid;
    std::atomic<bool> is_ready = false;
    const Pid owner = runtime.spawn([&] {
      pid = dead_process();
      is_ready.store(true);
      EXPECT_EQ(receive<Returned>().what, "refused");
      EXPECT_EQ(receive<Returned>().what, "no name");
    });
    while (!is_ready.load()) std::this_thread::yield();
    runtime.send(pid, Token(owner, "refused"));
    EXPECT_THROW(runtime.send("nobody has this name", Token(owner, "no name")), NameError);
  });
}

TEST_P(Outside, a_message_laid_aside_may_send_in_its_destructor) {
  run([] {
    // To a name that nobody has when the timer fires: a thread of the pool destroys it (T10).
    send_after(0ms, "nobody has this name", Token(self(), "laid aside"));
    EXPECT_EQ(receive<Returned>().what, "laid aside");
  });
}

TEST_P(Outside, a_timer_that_a_plain_thread_takes_back_may_send_in_its_destructor) {
  with_runtime([](Runtime& runtime) {
    std::atomic<std::uint64_t> id = 0;
    runtime.spawn([&id] {
      id.store(send_after(1h, self(), Token(self(), "taken back")).id);
      EXPECT_EQ(receive<Returned>().what, "taken back");
    });
    while (id.load() == 0) std::this_thread::yield();
    const TimerRef timer{id.load()};
    const auto left = runtime.read_timer(timer);
    ASSERT_TRUE(left);
    EXPECT_GT(*left, 30min);
    EXPECT_TRUE(runtime.cancel_timer(timer));
    EXPECT_FALSE(runtime.cancel_timer(timer));
    EXPECT_FALSE(runtime.read_timer(timer));
  });
}

TEST_P(Outside, what_is_left_at_the_end_of_a_runtime_may_send_in_its_destructor) {
  std::atomic<int> sends = 0;
  struct Counting {
    std::atomic<int>* sends;
    Pid owner;
    Counting(std::atomic<int>* count, Pid pid) : sends(count), owner(pid) {}
    Counting(Counting&& other) noexcept
        : sends(std::exchange(other.sends, nullptr)), owner(other.owner) {}
    Counting& operator=(Counting&&) = delete;
    ~Counting() {
      if (!sends) return;
      send(owner, 1);
      sends->fetch_add(1);
    }
  };
  {
    Runtime ending(options);
    ending.run([&sends] { send_after(1h, "later", Counting(&sends, self())); });
  }
  EXPECT_EQ(sends.load(), 1);
}

TEST_P(Outside, a_refused_program_may_send_in_its_destructor) {
  with_runtime([](Runtime& runtime) {
    const Pid owner = runtime.spawn({.name = "owner"},
                                    [] { EXPECT_EQ(receive<Returned>().what, "not spawned"); });
    auto body = [token = Token(owner, "not spawned")] { static_cast<void>(token); };
    EXPECT_THROW(runtime.spawn({.name = "owner"}, std::move(body)), NameError);
  });
}

TEST_P(Outside, a_blocking_job_sends_and_spawns_as_nobody) {
  run([] {
    const Pid me = self();
    blocking([me] {
      send(me, 1);
      spawn([me] { send(me, std::string("spawned")); });
      EXPECT_THROW(self(), BadArgument);
      EXPECT_THROW(receive<Go>(), BadArgument);
    });
    EXPECT_EQ(receive<int>(), 1);
    EXPECT_EQ(receive<std::string>(), "spawned");
  });
}

// What a job sends when its process is gone is discarded; nothing comes behind its Down.
// D19, S6
TEST_P(Outside, a_job_whose_process_has_ended_says_nothing_more) {
  run([] {
    std::atomic<bool> begun = false;
    std::atomic<bool> may_send = false;
    std::atomic<bool> has_sent = false;
    register_name("asked", self());
    const Spawned asker = spawn_monitor([&, me = self(), address = alias()] {
      blocking([&, me] {
        begun.store(true);
        while (!may_send.load()) std::this_thread::yield();
        send(me, std::string("too late"));
        send("asked", std::string("too late"));
        send(address, std::string("too late"));
        send_exit(me, ExitReason::of(1));
        send_exit(address, ExitReason::of(1));
        has_sent.store(true);
      });
    });
    while (!begun.load()) yield();
    send_exit(asker.pid, ExitReason::kill());
    EXPECT_EQ(receive<Down>().reason, ExitReason::killed());
    may_send.store(true);
    while (!has_sent.load()) yield();
    EXPECT_FALSE(receive<std::string>(0ms));
  });
}

// P11, S12
TEST_P(Outside, a_plain_thread_sends_through_an_alias) {
  with_runtime([](Runtime& runtime) {
    std::promise<Alias> made;
    const Pid owner = runtime.spawn([&] {
      made.set_value(alias({.priority = true}));
      receive<Go>();
      EXPECT_EQ(receive<int>(), 2);
      EXPECT_EQ(receive<int>(), 1);
    });
    const Alias address = made.get_future().get();
    runtime.send(owner, 1);
    runtime.send(address, 2, {.priority = true});
    runtime.send(Alias{{owner, address.id + 1}}, 3);
    runtime.send(owner, Go());
  });
}

struct Adder : Server<Adder> {
  struct Add {
    using Reply = int;
    int a;
    int b;
  };
  struct Note {
    int n;
  };

  std::promise<std::pair<Add, From<int>>>& asked;
  int noted = 0;

  explicit Adder(std::promise<std::pair<Add, From<int>>>& promise) : asked(promise) {}
  void handle(Add add, From<int> caller) { asked.set_value({add, std::move(caller)}); }
  void handle(Note note) { noted = note.n; }
};

// P11, G8
TEST_P(Outside, a_guest_replies_to_a_call_that_a_server_has_left_to_its_thread) {
  with_runtime([](Runtime& runtime) {
    std::promise<std::pair<Adder::Add, From<int>>> asked;
    std::thread worker([&] {
      auto [add, caller] = asked.get_future().get();
      const Runtime::Guest guest(runtime);
      caller.reply(add.a + add.b);
    });
    runtime.run([&asked] {
      const auto adder = start_link<Adder>(std::ref(asked));
      EXPECT_EQ(call(adder, Adder::Add{3, 4}, infinite), 7);
      stop(adder);
    });
    worker.join();
  });
}

// P11
TEST_P(Outside, a_guest_uses_every_verb_that_needs_no_mailbox) {
  with_runtime([](Runtime& runtime) {
    std::promise<std::pair<Alias, TimerRef>> made;
    const Pid pid = runtime.spawn({.name = "host's"}, [&] {
      trap_exit(true);
      made.set_value({alias(), send_after(1h, self(), Go())});
      for (int n = 1; n <= 3; ++n) EXPECT_EQ(receive<int>(), n);
      EXPECT_EQ(receive<Exit>().reason, ExitReason::of(4));
      EXPECT_EQ(receive<Exit>().reason, ExitReason::of(5));
    });
    const auto [address, timer] = made.get_future().get();
    {
      const Runtime::Guest guest(runtime);
      EXPECT_EQ(whereis("host's"), pid);
      EXPECT_TRUE(cancel_timer(timer));
      send(pid, 1);
      send("host's", 2);
      send(address, 3);
      send_exit(pid, ExitReason::of(4));
      std::promise<void> spawned;
      spawn([&] { spawned.set_value(); });
      spawned.get_future().get();
      EXPECT_THROW(spawn({.link = true}, [] {}), BadArgument);
      send_exit(address, ExitReason::of(5));
      EXPECT_THROW(self(), BadArgument);
    }
    EXPECT_THROW(send(pid, 6), BadArgument);
    EXPECT_THROW(whereis("host's"), BadArgument);
  });
}

// P11
TEST_P(Outside, a_plain_thread_casts_and_the_server_handles_it) {
  with_runtime([](Runtime& runtime) {
    std::promise<std::pair<Adder::Add, From<int>>> unused;
    const Pid pid = runtime.spawn([&] {
      const auto adder = start_link<Adder>({.name = "adder"}, std::ref(unused));
      receive<Go>();
      EXPECT_EQ(sys::get_state(adder, [](const Adder& it) { return it.noted; }), 8);
      stop(adder);
    });
    std::optional<Pid> adder;
    while (!(adder = runtime.whereis("adder"))) std::this_thread::yield();
    cast(runtime, server_ref<Adder>(*adder), Adder::Note{8});
    runtime.send(pid, Go());
  });
}

TEST_P(Outside, a_process_that_a_plain_thread_spawns_cannot_be_linked) {
  with_runtime(
      [](Runtime& runtime) { EXPECT_THROW(runtime.spawn({.link = true}, [] {}), BadArgument); });
}

TEST_P(Outside, a_thread_that_is_nobodys_guest_is_told_to_use_the_runtime) {
  with_runtime([](Runtime& runtime) {
    const Pid pid = runtime.spawn([] { receive<Go>(); });
    EXPECT_THROW(send(pid, Go()), BadArgument);
    EXPECT_THROW(send_exit(pid, ExitReason::kill()), BadArgument);
    EXPECT_THROW(cancel_timer(TimerRef{1}), BadArgument);
    runtime.send(pid, Go());
  });
}

// T4: of "cancel answered a time" and "the message came", exactly one, also from a plain thread.
// T4, T6
TEST_P(Outside, a_timer_is_cancelled_by_a_thread_or_delivered_and_never_both) {
  with_runtime([](Runtime& runtime) {
    std::atomic<std::uint64_t> timer = 0;
    std::atomic<int> cancelled = -1;
    std::atomic<bool> is_over = false;
    std::thread canceller([&] {
      while (!is_over) {
        // acquire: pairs with the process's release; its -1 comes before our answer.
        const std::uint64_t id = timer.exchange(0, std::memory_order_acquire);
        if (id == 0) {
          std::this_thread::yield();
        } else {
          // release: pairs with the process's acquire; the cancelling is over.
          cancelled.store(runtime.cancel_timer(TimerRef{id}) ? 1 : 0, std::memory_order_release);
        }
      }
    });
    runtime.run([&] {
      for (const std::size_t round : support::rounds()) {
        cancelled.store(-1, std::memory_order_relaxed);  // relaxed: the timer's store releases it
        const auto delay = std::chrono::microseconds(20 * (round % 5));
        // release: pairs with the canceller's acquire.
        timer.store(send_after(delay, self(), round).id, std::memory_order_release);
        int answer = -1;
        // acquire: pairs with the canceller's release.
        while ((answer = cancelled.load(std::memory_order_acquire)) < 0) yield();
        const auto message = answer == 1 ? receive<std::size_t>(0ms) : receive<std::size_t>(60s);
        EXPECT_EQ(message.has_value(), answer == 0);
      }
    });
    is_over = true;
    canceller.join();
  });
}

}  // namespace
}  // namespace airssys::rt::outside_test
