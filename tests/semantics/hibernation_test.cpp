// hibernation_test.cpp: long waits, and the memory that they give back (P16, G20).
//
// Which pages are resident is asked of the kernel. A process notes an address far down its stack,
// which it has used and needs no more.
#include <alloca.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <airssys/rt.hpp>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <exception>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "tests/semantics/targets.hpp"

namespace airssys::rt::semantics::hibernation_test {
namespace {

using namespace std::chrono_literals;

class Hibernations : public QuietRules {};
RT_WITH_SCHEDULERS(Hibernations);

bool is_resident(std::uintptr_t address) {
  const auto page = static_cast<std::uintptr_t>(::sysconf(_SC_PAGESIZE));
  unsigned char answer = 0;
  // NOLINTNEXTLINE(performance-no-int-to-ptr): rounding an address down
  EXPECT_EQ(::mincore(reinterpret_cast<void*>(address / page * page), page, &answer), 0);
  return (answer & 1U) != 0;
}

// Uses much of the stack, and answers an address in the middle of that.
[[gnu::noinline]] std::uintptr_t use_stack() {
  constexpr std::size_t bytes = std::size_t{24} << 10;
  auto* used = static_cast<char*>(alloca(bytes));
  std::memset(used, 1, bytes);
  asm volatile("" : : "r"(used) : "memory");
  return reinterpret_cast<std::uintptr_t>(used + bytes / 2);
}

ProcessInfo info_when_hibernating(Pid pid) {
  for (;;) {
    const ProcessInfo info = process_info(pid).value();
    if (info.wait_reason == "hibernation") return info;
    yield();
  }
}

// P16
TEST_P(Hibernations, it_waits_until_there_is_mail_and_receives_nothing) {
  run([] {
    for (const std::size_t i : rounds()) {
      const Spawned process = spawn_monitor([tester = self()] {
        hibernate();
        EXPECT_EQ(process_info(self())->message_queue_len, 1U);
        hibernate();  // there is mail
        send(tester, receive<int>());
      });
      if (i % 2) info_when_hibernating(process.pid);
      // Signals that are no mail change nothing.
      link(process.pid);
      unlink(process.pid);
      EXPECT_FALSE(receive<int>(0ms));
      send(process.pid, 7);
      EXPECT_EQ(receive<int>(), 7);
      reason_of(process);
    }
  });
}

// P16
TEST_P(Hibernations, pages_of_the_stack_that_hold_nothing_are_given_back) {
  run([] {
    std::vector<Spawned> processes;
    std::vector<std::uintptr_t> used;
    for (int i = 0; i < 50; ++i) {
      processes.push_back(spawn_monitor([tester = self()] {
        const std::string kept = "what lies above is kept, as ever";
        const std::uintptr_t address = use_stack();
        EXPECT_TRUE(is_resident(address));
        send(tester, address);
        hibernate();
        EXPECT_EQ(kept, "what lies above is kept, as ever");
        EXPECT_NE(use_stack(), 0U);  // and it can be used again
        receive<Go>();
      }));
      used.push_back(receive<std::uintptr_t>());
      info_when_hibernating(processes.back().pid);
    }
    for (const Spawned& process : processes) {
      // Behind its answer it may still be on its way to rest.
      while (is_resident(used[static_cast<std::size_t>(&process - processes.data())])) yield();
      EXPECT_EQ(end(process), ExitReason::normal());
    }
  });
}

// P16, X13
TEST_P(Hibernations, an_exit_ends_it_and_its_destructors_run) {
  run([] {
    for (const std::size_t i : rounds()) {
      auto owned = std::make_shared<int>(1);
      const Spawned process = spawn_monitor([owned, i] {
        const auto unwound = owned;
        if (i % 2) hibernate();
        hibernate([owned] { ADD_FAILURE() << "nobody has sent it anything"; });
      });
      if (i % 3) info_when_hibernating(process.pid);
      send_exit(process.pid, ExitReason::of(1));
      EXPECT_EQ(reason_of(process), ExitReason::of(1));
      EXPECT_EQ(owned.use_count(), 1);
    }
  });
}

constexpr Local<int> kept("kept");

struct SaysWhenItEnds {
  Pid to;
  ~SaysWhenItEnds() { send(to, std::string("unwound")); }
};

// P16
TEST_P(Hibernations, with_an_entry_it_unwinds_and_begins_there_when_there_is_mail) {
  run([] {
    for (const std::size_t i : rounds()) {
      const Spawned process = spawn_monitor({.name = "hibernates"}, [tester = self()] {
        kept.put(5);
        set_label("kept as well");
        link(tester);
        const SaysWhenItEnds in_the_way{tester};
        try {
          hibernate([tester, before = self()] {
            EXPECT_EQ(self(), before);
            EXPECT_EQ(*kept.get(), 5);
            const int got = receive<int>();
            unlink(tester);
            send(tester, got);
          });
        } catch (const std::exception&) {
          ADD_FAILURE() << "no handler sees it";
        } catch (...) {
          // It goes on from here.
        }
      });
      EXPECT_EQ(receive<std::string>(), "unwound");
      if (i % 2) {
        const ProcessInfo info = info_when_hibernating(process.pid);
        EXPECT_LT(info.memory_bytes, 2048U) << "it has no stack";
        EXPECT_EQ(info.name, "hibernates");
        EXPECT_EQ(info.label, "kept as well");
        EXPECT_EQ(info.links, std::vector{self()});
        EXPECT_TRUE(is_alive(process.pid));
        EXPECT_FALSE(receive<int>(0ms));
      }
      send(process.pid, 7);
      EXPECT_EQ(receive<int>(), 7);
      EXPECT_EQ(reason_of(process), ExitReason::normal());
    }
  });
}

struct Turns {
  Pid tester;
  int left;
  void operator()() const {
    receive<Go>();
    if (left == 0) return send(tester, Ready());
    hibernate(Turns{tester, left - 1});
  }
};

// P16
TEST_P(Hibernations, it_may_begin_anew_any_number_of_times) {
  run([] {
    const int turns = static_cast<int>(stress_size(3000));
    const Spawned process = spawn_monitor(Turns{self(), turns});
    for (int i = 0; i <= turns; ++i) send(process.pid, Go());
    receive<Ready>();
    EXPECT_EQ(reason_of(process), ExitReason::normal());
  });
}

// P16, Z4
TEST_P(Hibernations, one_that_cannot_be_unwound_ends) {
  options.containment = HostHook::on;
  run([] {
    const Spawned process = spawn_monitor([] {
      const auto go = []() noexcept { hibernate([] { ADD_FAILURE() << "begins anew"; }); };
      go();
    });
    EXPECT_EQ(reason_of(process), ExitReason::error("noexcept_violation"));
  });
}

struct Asks : Server<Asks> {
  struct Deep {
    using Reply = std::uintptr_t;
  };
  struct Hibernate {
    using Reply = bool;
  };
  static std::uintptr_t handle(Deep) { return use_stack(); }
  static bool handle(Hibernate) {
    try {
      hibernate([] {});
    } catch (const BadArgument&) {
      return true;
    }
  }
};

struct AsksInStates : StateMachine<AsksInStates> {
  enum class State { asked };
  using Deep = Asks::Deep;
  static std::uintptr_t handle(State, Deep) { return use_stack(); }
};

template <class Asked>
void expect_to_rest_without_a_stack(const ServerRef<Asked>& asked) {
  for (std::size_t i = 0; i < stress_size(100); ++i) {
    EXPECT_NE(call(asked, Asks::Deep{}), 0U);
    if (i % 2) sys::get_status(asked.pid());
    while (process_info(asked.pid())->state != ProcessState::waiting) yield();
    EXPECT_LT(process_info(asked.pid())->memory_bytes, 1024U);
  }
  stop(asked);
}

// At rest it is as small as it can be, however deep its handlers went; any message wakes it, and
// after a look from outside it rests again.
// G20, P16
TEST_P(Hibernations, servers_and_state_machines_at_rest_have_no_stack_to_give_back) {
  run([] {
    const ServerRef<Asks> server = start<Asks>();
    EXPECT_TRUE(call(server, Asks::Hibernate{}));
    expect_to_rest_without_a_stack(server);
    expect_to_rest_without_a_stack(start<AsksInStates>());
  });
}

}  // namespace
}  // namespace airssys::rt::semantics::hibernation_test
