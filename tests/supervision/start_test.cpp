// start_test.cpp: what a start costs its starter.
#include <airssys/rt/server.hpp>
#include <airssys/rt/start.hpp>

#include "tests/supervision/support.hpp"

namespace airssys::rt::test::start_test {
namespace {

WITH_SCHEDULERS(StartTest);

struct Idle : Server<Idle> {};

// The answer cannot be in the mailbox yet, so what is there is not looked at.
// R10
TEST_P(StartTest, a_full_mailbox_makes_a_start_no_dearer) {
  run([] {
    constexpr int mail = 100'000;
    for (int i = 0; i < mail; ++i) send(self(), i);
    yield();
    std::uint64_t before = process_info(self())->reductions;
    for (int i = 0; i < 10; ++i) start_link<Idle>();
    EXPECT_LT(process_info(self())->reductions - before, mail);
  });
}

}  // namespace
}  // namespace airssys::rt::test::start_test
