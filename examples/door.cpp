// A state machine: a door with a code lock. A handler per state and event; what comes too early
// waits; the door locks itself again.
#include <airssys/rt.hpp>
#include <cstdio>
#include <string>
#include <utility>

namespace rt = airssys::rt;
using namespace std::chrono_literals;

class Door : public rt::StateMachine<Door> {
 public:
  enum class State { locked, open };
  using enum State;

  // As with a server: a request that names a Reply is called, one that names none is cast.
  struct Press {
    char digit;
  };
  struct Walk {
    using Reply = void;
  };
  struct AwaitLocked {
    using Reply = void;
  };

  explicit Door(std::string code) : code_(std::move(code)) {}

  void enter(In<locked>) {
    typed_.clear();
    std::puts("locked");
  }
  void handle(In<locked>, Press press) {
    typed_ += press.digit;
    if (typed_ == code_) return next_state(open);
    if (typed_.size() == code_.size()) return repeat_state();
    event_timeout(10s);  // until any next event
  }
  void handle(In<locked>, rt::EventTimeout) { repeat_state(); }
  // Nobody walks through a locked door: kept, and handled again once the state has changed.
  void handle(In<locked>, const Walk&) { postpone(); }

  void enter(In<open>) {
    std::puts("open");
    state_timeout(10ms);  // until the state changes
  }
  void handle(In<open>, rt::StateTimeout) { next_state(locked); }
  void handle(In<open>, Press) {}
  void handle(In<open>, Walk) { std::puts("somebody walks through"); }

  // What differs in one state only is said for all, and for that one.
  void handle(State, const AwaitLocked&) { postpone(); }
  void handle(In<locked>, AwaitLocked) {}

  void terminate(const rt::ExitReason&) {
    std::printf("closed for good, %s\n", state() == locked ? "locked" : "open");
  }

 private:
  std::string code_;
  std::string typed_;
};

int main() {
  return rt::run([] {
    rt::ServerRef<Door> door = rt::start_link<Door>("4711");
    for (char digit : std::string("1234")) rt::cast(door, Door::Press{digit});

    auto walk = rt::send_request(door, Door::Walk{});  // asked while it is locked
    for (char digit : std::string("4711")) rt::cast(door, Door::Press{digit});
    walk.get();
    rt::call(door, Door::AwaitLocked{});
    rt::stop(door);
  });
}
