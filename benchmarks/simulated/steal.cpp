// steal.cpp: counts how often a scheduler looks at the others for work, where the linker has let
// itself be told to come by here (--wrap).
#include "benchmarks/simulated/machine.hpp"
#include "scheduler/scheduler.hpp"

namespace airssys::rt::simulated {

namespace {
std::uint64_t searches_so_far = 0;
}

std::uint64_t searches() noexcept {
  return searches_so_far;
}

extern "C" scheduler::Task* real_steal(scheduler::Scheduler*, std::int64_t, bool&) asm(
    "__real__ZN7airssys2rt9scheduler9Scheduler5stealElRb");
extern "C" scheduler::Task* counted_steal(scheduler::Scheduler*, std::int64_t, bool&) asm(
    "__wrap__ZN7airssys2rt9scheduler9Scheduler5stealElRb");

scheduler::Task* counted_steal(scheduler::Scheduler* thief, std::int64_t now_ns, bool& had_stood) {
  ++searches_so_far;
  return real_steal(thief, now_ns, had_stood);
}

}  // namespace airssys::rt::simulated
