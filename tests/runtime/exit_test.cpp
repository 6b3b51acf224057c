// exit_test.cpp: what destructors do in the end of their process, and where they run.
//
// A value runs some code when it is destroyed: as a message, in an exit's reason, in the
// dictionary. Afterwards processes are born until they have had all slots of the dead.
#include "runtime/exit.hpp"

#include <airssys/rt.hpp>
#include <atomic>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "tests/support/ends.hpp"
#include "tests/support/failing_messages.hpp"
#include "tests/support/kept_reports.hpp"

namespace airssys::rt::exit_test {

using support::reason_of;

namespace {

class Ends : public support::KeptReports {
 protected:
  Ends() { options.containment = HostHook::on; }
};
RT_WITH_SCHEDULERS(Ends);

constexpr int rounds = 1000;

struct Go {};

class Last {
 public:
  explicit Last(std::function<void()> act) : act_(std::move(act)) {}
  Last(Last&& other) noexcept : act_(std::exchange(other.act_, nullptr)) {}
  Last& operator=(Last&&) = delete;
  ~Last() {
    if (act_) act_();
  }
  bool operator==(const Last&) const { return true; }
  std::string to_string() const { return "last"; }  // so short that nothing of it is left behind

 private:
  std::function<void()> act_;
};

// A reason whose words nobody ever hears.
struct Unspeakable {
  bool operator==(const Unspeakable&) const = default;
  std::string to_string() const noexcept { return std::string(1, std::string().at(7)); }
};

// In another process than the test's, which may be the last owner, too.
Last failing() {
  return Last([tester = self()] {
    if (self() != tester) support::violate();
  });
}

Spawned spawn_target() {
  return spawn_monitor([] { receive<Go>(); });
}

// How many find, at their birth, what they should not.
int newborns_that(bool (*find)()) {
  int found = 0;
  for (int i = 0; i < 4 * rounds; ++i) {
    const Spawned newborn = spawn_monitor([find] { exit(ExitReason::shutdown(find())); });
    if (reason_of(newborn) == ExitReason::shutdown(true)) ++found;
  }
  return found;
}

// Until all those of the dead have been destroyed.
void expect_destroyed_by_their_owners(const std::atomic<int>& by_owner,
                                      const std::atomic<int>& destroyed) {
  while (destroyed < rounds) reason_of(spawn_monitor([] {}));
  EXPECT_EQ(by_owner, rounds);
}

// Z4
TEST_P(Ends, a_reason_that_breaks_its_promise_in_a_report_ends_nobody_else) {
  run([] {
    EXPECT_EQ(reason_of(spawn_monitor([] { exit(ExitReason::of(Unspeakable())); })),
              ExitReason::error("noexcept_violation"));
  });
  ASSERT_EQ(reports().size(), 1U);
  EXPECT_EQ(reports()[0].kind(), "cut_off");
}

// P3
TEST_P(Ends, nobody_is_born_with_the_mail_of_the_dead) {
  run([] {
    for (int i = 0; i < rounds; ++i) {
      const Spawned target = spawn_target();
      send(target.pid, Last([] {
             cancel_timer_async({});
             read_timer_async({});
           }));
      send(target.pid, Go());
      reason_of(target);
    }
    EXPECT_EQ(newborns_that([] { return receive<Message>(Duration::zero()).has_value(); }), 0);
  });
}

// P3
TEST_P(Ends, nobody_is_born_with_the_monitors_of_the_dead) {
  run([] {
    const Spawned other = spawn_target();
    for (int i = 0; i < rounds; ++i) {
      const Spawned target = spawn_target();
      send_exit(target.pid, ExitReason::kill());
      send_exit(target.pid, ExitReason::of(Last([other, tester = self()] {
                  if (self() != tester) monitor(other.pid);
                })));
      EXPECT_EQ(reason_of(target), ExitReason::killed());
      spawn([other] { exit(ExitReason::shutdown(Last([other] { monitor(other.pid); }))); });
    }
    EXPECT_EQ(newborns_that([] { return !process_info(self())->monitors.empty(); }), 0);
    send(other.pid, Go());
  });
}

// P12, P3
TEST_P(Ends, what_a_destructor_puts_into_the_dictionary_goes_with_its_process) {
  static const Local<Last> local("last");
  run([] {
    std::atomic<int> by_owner = 0;
    std::atomic<int> destroyed = 0;
    for (int i = 0; i < rounds; ++i) {
      const Spawned target = spawn_target();
      send(target.pid, Last([&] {
             local.put(Last([&, owner = self()] {
               if (self() == owner) ++by_owner;
               ++destroyed;
             }));
           }));
      send(target.pid, Go());
      reason_of(target);
    }
    expect_destroyed_by_their_owners(by_owner, destroyed);
  });
}

// Z14
TEST_P(Ends, the_value_of_a_reason_that_nobody_heard_is_destroyed_by_its_process) {
  run([] {
    std::atomic<int> by_owner = 0;
    std::atomic<int> destroyed = 0;
    for (int i = 0; i < rounds; ++i) {
      spawn([&] {
        exit(ExitReason::shutdown(Last([&, owner = self()] {
          if (self() == owner) ++by_owner;
          ++destroyed;
        })));
      });
    }
    expect_destroyed_by_their_owners(by_owner, destroyed);
  });
}

// Z12, Z13
TEST_P(Ends, a_value_that_fails_in_a_reason_ends_nothing_else) {
  run([] {
    const Spawned killed = spawn_target();
    send_exit(killed.pid, ExitReason::kill());
    send_exit(killed.pid, ExitReason::of(failing()));
    EXPECT_EQ(reason_of(killed), ExitReason::killed());

    const Spawned living = spawn_target();
    send_exit(Alias{{living.pid, 1U << 30U}}, ExitReason::of(failing()));
    EXPECT_EQ(reason_of(living), ExitReason::error("noexcept_violation"));

    spawn([] { exit(ExitReason::shutdown(failing())); });
  });
}

// Until none can be spawned any more.
std::size_t places_left() {
  std::vector<Spawned> spawned;
  while (auto next = try_spawn_monitor({}, [] { receive<Go>(); })) spawned.push_back(*next);
  for (const Spawned& one : spawned) send(one.pid, Go());
  for (const Spawned& one : spawned) reason_of(one);
  return spawned.size();
}

// The value fails behind all other steps, and so all of them are done anew.
// Z12
TEST_P(Ends, an_end_that_begins_anew_gives_its_place_back_once) {
  options.max_processes = 50;
  run([] {
    const std::size_t before = places_left();
    const std::size_t living = processes().size();
    for (int i = 0; i < 20; ++i) spawn([] { exit(ExitReason::shutdown(failing())); });
    while (processes().size() != living) yield();
    // The last of them may not have closed its mailbox yet.
    std::size_t after = 0;
    while ((after = places_left()) < before) yield();
    EXPECT_EQ(after, before);
  });
}

// G15, Z13
TEST_P(Ends, a_value_that_fails_in_a_reason_that_terminate_has_replaced_ends_nothing_else) {
  struct Fallen : Server<Fallen> {
    struct Fall {
      ExitReason reason;
    };
    void handle(Fall fall) { exit(std::move(fall.reason)); }
    void terminate(const ExitReason& /*reason*/) { exit(ExitReason::shutdown()); }
  };
  run([] {
    for (const bool is_orderly : {true, false}) {
      const auto [fallen, ref] = start_monitor<Fallen>();
      cast(fallen,
           Fallen::Fall{is_orderly ? ExitReason::shutdown(failing()) : ExitReason::of(failing())});
      EXPECT_EQ(reason_of({fallen.pid(), ref}), ExitReason::error("noexcept_violation"));
    }
  });
}

}  // namespace
}  // namespace airssys::rt::exit_test
