// newborns_test.cpp: in what order those begin who are spawned faster than they run.
//
// Method: one scheduler, whatever the environment says, so that who is born on it runs there (D12).
#include <airssys/rt.hpp>
#include <algorithm>
#include <atomic>
#include <cstddef>
#include <functional>

#include "tests/support/ends.hpp"
#include "tests/support/in_runtime.hpp"

namespace airssys::rt::semantics::newborns_test {
namespace {

using support::await_downs;

class Newborns : public support::FixedSchedulers {};
INSTANTIATE_TEST_SUITE_P(With, Newborns, testing::Values(1U), support::schedulers_name);

constexpr std::size_t line = 1024;  // so many wait in the order in which they were born

struct Done {};

// More than one can spawn in a slice: by some who are all queued before the first of these.
void spawn_at_once(std::size_t count, const std::function<void()>& code) {
  constexpr std::size_t each = 256;
  for (std::size_t i = 0; i < count / each; ++i) {
    spawn_monitor([&code] {
      for (std::size_t n = 0; n < each; ++n) spawn(code);
    });
  }
  await_downs(count / each);
}

void await(const std::atomic<std::size_t>& figure, std::size_t value) {
  while (figure < value) yield();
}

// First come, first served would have all branches begun before the first leaf runs.
// D12
TEST_P(Newborns, a_tree_that_is_wider_than_the_queue_is_walked_branch_by_branch) {
  run([] {
    constexpr std::size_t branches = 4 * line;
    std::atomic<std::size_t> open = 0;
    std::atomic<std::size_t> open_at_most = 0;
    std::atomic<std::size_t> ended = 0;
    spawn_at_once(branches, [&] {
      open_at_most = std::max(open_at_most.load(), ++open);
      spawn([branch = self()] { send(branch, Done{}); });
      receive<Done>();
      --open;
      ++ended;
    });
    await(ended, branches);
    EXPECT_LT(open_at_most, 2 * line);
  });
}

// D12
TEST_P(Newborns, each_has_its_turn_though_more_are_born_all_the_time) {
  run([] {
    constexpr std::size_t waiting = 2 * line;
    std::atomic<std::size_t> begun = 0;
    std::atomic<std::size_t> more = 0;
    spawn_at_once(waiting, [&begun] { ++begun; });
    for (; begun < waiting && more < 1'000'000; ++more) {
      spawn([] {});
      spawn([] {});
      yield();
    }
    EXPECT_EQ(begun, waiting);
  });
}

}  // namespace
}  // namespace airssys::rt::semantics::newborns_test
