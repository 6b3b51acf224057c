// sys_test.cpp: a supervisor that is suspended. What all behaviours answer:
// tests/semantics/system_protocol_test.cpp.
#include <airssys/rt/sys.hpp>

#include "tests/supervision/support.hpp"

namespace airssys::rt::test::sys_test {
namespace {

WITH_SCHEDULERS(SysTest);

// Exits wait for the resume, in order.
// C2, V41
TEST_P(SysTest, a_suspended_supervisor_restarts_nobody_until_it_is_resumed) {
  run([] {
    Pid top = start_supervisor_link({.children = {worker("a")}});
    Pid first = up("a");
    sys::suspend(top);
    end_child(first);
    EXPECT_TRUE(sys::get_status(top).is_suspended);
    EXPECT_TRUE(nothing_came<Up>());
    sys::resume(top);
    EXPECT_NE(up("a"), first);
    stop(top, ExitReason::shutdown());
  });
}

}  // namespace
}  // namespace airssys::rt::test::sys_test
