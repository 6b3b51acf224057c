// A gen_server retold: a lock, which whoever dies gives back.
#include <airssys/rt.hpp>
#include <algorithm>
#include <cstdio>
#include <deque>
#include <stdexcept>
#include <utility>

namespace rt = airssys::rt;
using namespace std::chrono_literals;

class Lock : public rt::Server<Lock> {
 public:
  struct Take {
    using Reply = void;
  };
  struct GiveBack {
    rt::Pid who;
  };

  void handle(Take, rt::From<void> caller) {
    const rt::Pid who = caller.caller();
    line_.push_back({who, rt::monitor(who), std::move(caller)});
    if (line_.size() == 1) line_.front().caller.reply();
  }
  void handle(GiveBack back) { leave(back.who); }
  void handle_info(rt::Message& message) {
    if (auto* down = message.get_if<rt::Down>()) leave(down->pid);
  }

 private:
  struct Place {
    rt::Pid who;
    rt::MonitorRef ref;
    rt::From<void> caller;
  };

  void leave(rt::Pid who) {
    auto place = std::ranges::find(line_, who, &Place::who);
    if (place == line_.end()) return;
    rt::demonitor(place->ref, rt::Flush::yes);
    line_.erase(place);
    if (!line_.empty()) line_.front().caller.reply();  // a From replies once, however often asked
  }

  std::deque<Place> line_;  // the first one has the lock
};

void take() {
  rt::call(rt::server_ref<Lock>("lock"), Lock::Take{}, rt::infinite);
}
void give_back() {
  rt::cast(rt::server_ref<Lock>("lock"), Lock::GiveBack{rt::self()});
}

struct Taken {};

int main() {
  rt::Options options;
  options.log = [](std::string_view) {};  // where the crash is reported
  return rt::run(options, [] {
    rt::start_link<Lock>({.name = "lock"});

    rt::spawn([me = rt::self()] {
      take();
      rt::send(me, Taken{});
      throw std::runtime_error("forgot to give it back");
    });
    rt::receive([](Taken) { std::puts("taken by another"); },
                rt::after(1min, [] { rt::exit(rt::ExitReason::timeout()); }));

    take();  // comes back when the other one's Down has reached the lock
    std::puts("taken by this one");
    give_back();
  });
}
