// local_values_test.cpp: what a process keeps under keys, for itself (P12).
//
// Values count their own lives, so what is destroyed is known and not guessed.
#include <gtest/gtest.h>
#include <airssys/rt.hpp>
#include <algorithm>
#include <atomic>
#include <chrono>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "tests/semantics/targets.hpp"

namespace airssys::rt::semantics::local_values_test {
namespace {

using namespace std::chrono_literals;

class LocalValues : public QuietRules {};
RT_WITH_SCHEDULERS(LocalValues);

constexpr Local<int> depth("depth");
constexpr Local<int> width("width");
constexpr Local<std::string> user;
constexpr Local<std::shared_ptr<int>> shared;
constexpr Local<std::unique_ptr<int>> owned;

// P12
TEST_P(LocalValues, each_key_holds_a_value_or_none_and_a_put_answers_the_one_before) {
  run([] {
    EXPECT_EQ(depth.get(), nullptr);
    EXPECT_EQ(depth.put(1), std::nullopt);
    EXPECT_EQ(depth.put(2), 1);
    EXPECT_EQ(width.get(), nullptr);
    EXPECT_EQ(user.put("me"), std::nullopt);
    ASSERT_NE(depth.get(), nullptr);
    EXPECT_EQ(*depth.get(), 2);
    ++*depth.get();
    EXPECT_EQ(depth.erase(), 3);
    EXPECT_EQ(depth.erase(), std::nullopt);
    EXPECT_EQ(depth.get(), nullptr);
    EXPECT_EQ(*user.get(), "me");
    owned.put(std::make_unique<int>(7));
    EXPECT_EQ(**owned.put(nullptr), 7);
  });
}

// P12, P3
TEST_P(LocalValues, nobody_else_has_them_and_a_child_inherits_none) {
  run([] {
    depth.put(1);
    std::vector<Spawned> others;
    for (int i = 0; i < 8; ++i) {
      others.push_back(spawn_monitor([i] {
        EXPECT_EQ(depth.get(), nullptr);
        for (int round = 0; round < 200; ++round) {
          EXPECT_EQ(depth.put(i * 1000 + round).value_or(-1), round ? i * 1000 + round - 1 : -1);
          yield();  // to another thread, maybe
        }
      }));
    }
    for (const Spawned& other : others) EXPECT_EQ(reason_of(other), ExitReason::normal());
    EXPECT_EQ(*depth.get(), 1);
  });
}

// P12, P6
TEST_P(LocalValues, they_end_with_their_process_before_anybody_hears_of_its_end) {
  run([] {
    const std::vector<ExitReason> reasons = {
        ExitReason::normal(), ExitReason::of(1), ExitReason::kill()};
    for (const std::size_t i : rounds()) {
      auto value = std::make_shared<int>(1);
      const Spawned process = spawn_monitor([&] {
        shared.put(value);
        const ExitReason reason = receive<ExitReason>();
        if (reason == ExitReason::kill()) sleep(1h);
        exit(reason);
      });
      const ExitReason reason = reasons[i % reasons.size()];
      send(process.pid, reason);
      if (reason == ExitReason::kill()) send_exit(process.pid, reason);
      reason_of(process);
      EXPECT_EQ(value.use_count(), 1);
    }
  });
}

// Says, as it is destroyed, that it still has a process, and puts another value there.
struct Last {
  std::atomic<int>* destroyed = nullptr;

  explicit Last(std::atomic<int>& count) : destroyed(&count) {}
  Last(Last&& other) noexcept : destroyed(std::exchange(other.destroyed, nullptr)) {}
  ~Last() {
    if (!destroyed) return;
    ++*destroyed;
    if (self()) depth.put(1);
  }
};
constexpr Local<Last> last;

// P12
TEST_P(LocalValues, what_a_destructor_puts_is_destroyed_as_well) {
  run([] {
    std::atomic<int> destroyed = 0;
    const Spawned process = spawn_monitor([&destroyed] { last.put(Last(destroyed)); });
    reason_of(process);
    EXPECT_EQ(destroyed, 1);
  });
}

// A server's object may use them in all its callbacks and in its destructor.
struct Keeper : Server<Keeper> {
  struct Count {
    using Reply = int;
  };
  explicit Keeper(std::shared_ptr<int> value) { shared.put(std::move(value)); }
  Keeper(const Keeper&) = delete;
  Keeper& operator=(const Keeper&) = delete;
  ~Keeper() { EXPECT_NE(shared.get(), nullptr); }
  static int handle(Count) { return ++**shared.get(); }
};

// P12
TEST_P(LocalValues, a_server_keeps_them_from_message_to_message) {
  run([] {
    auto value = std::make_shared<int>(0);
    const ServerRef<Keeper> keeper = start<Keeper>(value);
    for (int i = 1; i <= 100; ++i) EXPECT_EQ(call(keeper, Keeper::Count{}), i);
    stop(keeper);
    EXPECT_EQ(value.use_count(), 1);
  });
}

// P12, P11
TEST_P(LocalValues, a_plain_thread_has_none) {
  EXPECT_THROW(depth.get(), BadArgument);
  EXPECT_THROW(depth.put(1), BadArgument);
  EXPECT_THROW(depth.erase(), BadArgument);
}

struct Point {
  int x;
  std::string to_string() const {
    if (x < 0) throw std::runtime_error("no text");
    return "x=" + std::to_string(x);
  }
};
constexpr Local<Point> point("point");

// P13
TEST_P(LocalValues, who_asks_for_them_gets_their_names_and_texts) {
  run([] {
    const Spawned process = spawn_monitor([tester = self()] {
      depth.put(3);
      user.put("me");
      point.put(Point{4});
      send(tester, Ready());
      receive<Go>();
    });
    receive<Ready>();
    EXPECT_TRUE(process_info(process.pid)->dictionary.empty()) << "not asked for";
    std::vector<std::pair<std::string, std::string>> told;
    const ProcessInfo info = process_info(process.pid, {.dictionary = true}).value();
    for (const LocalInfo& local : info.dictionary) told.emplace_back(local.name, local.value);
    std::ranges::sort(told);
    EXPECT_EQ(told,
              (std::vector<std::pair<std::string, std::string>>{
                  {"", "me"}, {"depth", "3"}, {"point", "x=4"}}));
    end(process);
    point.put(Point{-1});
    EXPECT_EQ(process_info(self(), {.dictionary = true})->dictionary.at(0).value, "?");
  });
}

}  // namespace
}  // namespace airssys::rt::semantics::local_values_test
