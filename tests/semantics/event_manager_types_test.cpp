// event_manager_types_test.cpp: a handler that takes events of any type.
#include <airssys/rt.hpp>
#include <stdexcept>
#include <string>

#include "tests/semantics/servers.hpp"

namespace airssys::rt::semantics::event_manager_types_test {
namespace {

class EventTypes : public ServerRules {};
RT_WITH_SCHEDULERS(EventTypes);

struct Alarm {};

// Takes alarms, and looks at everything else.
struct Watcher : EventHandler<Watcher, Alarm> {
  explicit Watcher(Pid to) : owner(to) {}
  void handle(const Alarm&) const { send(owner, Said{"alarm"}); }
  void handle_info(const Message& event) const {
    const auto* number = event.get_if<int>();
    send(owner, Said{number ? std::to_string(*number) : std::string(event.type_name())});
    if (event.is<Down>()) throw std::runtime_error("as asked");
  }

  Pid owner;
};
// Has no types of its own.
struct Recorder : EventHandler<Recorder> {
  explicit Recorder(Pid to) : owner(to) {}
  void handle_info(const Message& event) const {
    send(owner, Said{"recorded " + std::string(event.type_name())});
  }

  Pid owner;
};

// G10
TEST_P(EventTypes, a_handler_may_take_events_of_any_type) {
  run([] {
    EventManagerRef manager = start_event_manager_link();
    add_handler<Watcher>(manager, self());
    add_handler<Recorder>(manager, self());
    const std::string alarm(detail::type_name<Alarm>());
    notify(manager, Alarm{});
    EXPECT_EQ(said(2), "alarm, recorded " + alarm);
    sync_notify(manager, 7);
    EXPECT_EQ(said(2), "7, recorded int");
    notify(manager, Down{});
    EXPECT_EQ(said(2), "airssys::rt::Down, recorded airssys::rt::Down");
    EXPECT_EQ(which_handlers(manager).size(), 1U) << "one that fails there is removed as well";
  });
}

}  // namespace
}  // namespace airssys::rt::semantics::event_manager_types_test
