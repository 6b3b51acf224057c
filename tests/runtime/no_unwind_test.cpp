// no_unwind_test.cpp: verbs that act on no signal, for where nothing can be unwound.
// Method: a plain thread kills a process while it is in a destructor that sends. Without them the
// destructor would end the program.
#include <airssys/rt/io.hpp>
#include <airssys/rt/link.hpp>
#include <airssys/rt/no_unwind.hpp>
#include <airssys/rt/process.hpp>
#include <airssys/rt/receive.hpp>
#include <airssys/rt/send.hpp>
#include <atomic>
#include <thread>

#include "tests/support/in_runtime.hpp"

namespace airssys::rt::runtime::no_unwind_test {
namespace {

using NoUnwind = support::InRuntime;
RT_WITH_SCHEDULERS(NoUnwind);

enum class Stage : int { running, in_destructor, killed };

struct Word {
  int n;
};

class Talker {
 public:
  Talker(Pid listener, std::atomic<Stage>& stage) : listener_(listener), stage_(stage) {}
  Talker(const Talker&) = delete;
  Talker& operator=(const Talker&) = delete;
  ~Talker() {
    stage_ = Stage::in_destructor;
    while (stage_ != Stage::killed) std::this_thread::yield();
    without_unwind([&] {
      for (int n = 0; n < 3; ++n) send(listener_, Word{n});
    });
  }

 private:
  Pid listener_;
  std::atomic<Stage>& stage_;
};

// Z3
TEST_P(NoUnwind, a_killed_process_ends_behind_them_and_not_inside) {
  with_runtime([](Runtime& runtime) {
    for (int round = 0; round < 20; ++round) {
      std::atomic<Stage> stage = Stage::running;
      std::atomic<int> words = 0;
      std::atomic<bool> went_on = false;
      const Pid listener = runtime.spawn([&] {
        while (receive<Word>().n != 2) ++words;
      });
      const Pid talker = runtime.spawn([&] {
        {
          const Talker talks(listener, stage);
        }
        send(self(), Word{0});
        went_on = true;
      });
      while (stage != Stage::in_destructor) std::this_thread::yield();
      runtime.send_exit(talker, ExitReason::kill());
      stage = Stage::killed;
      EXPECT_EQ(runtime
                    .run([=] {
                      for (const Pid pid : {listener, talker}) {
                        monitor(pid);
                        receive<Down>();
                      }
                    })
                    .to_string(),
                "normal");
      EXPECT_EQ(words, 2);
      EXPECT_FALSE(went_on);
    }
  });
}

// The verbs that are a safe point behind their work, too, wait with that.
// Z3, X7
TEST_P(NoUnwind, nothing_takes_effect_before_the_last_of_them) {
  with_runtime([](Runtime& runtime) {
    const auto is_ended_behind = [&](auto verb) {
      bool went_on = false;
      bool came_through = false;
      runtime.run([&] {
        without_unwind([&] {
          send_exit(self(), ExitReason::kill());
          verb();
          went_on = true;
        });
        yield();
        came_through = true;
      });
      return went_on && !came_through;
    };
    EXPECT_TRUE(is_ended_behind([] {}));
    EXPECT_TRUE(is_ended_behind([] { yield(); }));
    EXPECT_TRUE(is_ended_behind([] { reductions(1); }));
    EXPECT_TRUE(is_ended_behind([] { io::checkpoint(); }));
    EXPECT_TRUE(is_ended_behind([] { set_scheduler(1); }));
    EXPECT_TRUE(is_ended_behind([] { send_exit(alias(), ExitReason::kill()); }));
  });
}

TEST_P(NoUnwind, on_a_plain_thread_they_are_what_they_are) {
  int calls = 0;
  without_unwind([&] { ++calls; });
  EXPECT_EQ(calls, 1);
}

}  // namespace
}  // namespace airssys::rt::runtime::no_unwind_test
