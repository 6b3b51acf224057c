// system_protocol_states_test.cpp: the states of event managers' handlers and of supervisors, and
// what a process keeps beside its state (C).
//
// The states of servers and state machines: system_protocol_test.cpp.
#include <airssys/rt.hpp>
#include <functional>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "tests/semantics/servers.hpp"

namespace airssys::rt::semantics::system_protocol_states_test {
namespace {

class SystemStateRules : public ServerRules {};
RT_WITH_SCHEDULERS(SystemStateRules);

struct Tally : EventHandler<Tally, long> {
  struct Sum {
    using Reply = long;
  };
  void handle(const long& by) { sum += by; }
  long handle(Sum) const { return sum; }
  long sum = 0;
};

struct Quiet : EventHandler<Quiet, long> {
  void handle(const long& /*by*/) {}
};

struct Idle : Server<Idle> {};

long sum_of(HandlerRef<Tally> tally) {
  return sys::get_state(tally, [](const Tally& t) { return t.sum; });
}

// Why a request failed, if it did.
std::optional<CallError::Kind> kind_of(const std::function<void()>& ask) {
  try {
    ask();
    return std::nullopt;
  } catch (const CallError& error) {
    return error.kind();
  }
}

// C3
TEST_P(SystemStateRules, the_state_of_each_handler_is_read_and_replaced_alone) {
  run([] {
    const EventManagerRef manager = start_event_manager_link();
    const HandlerRef<Tally> one = add_handler<Tally>(manager);
    const HandlerRef<Tally> other = add_handler<Tally>(manager);
    notify(manager, 5L);
    EXPECT_EQ(sum_of(one), 5);
    sys::replace_state(one, [](Tally& t) { t.sum *= 2; });
    sys::suspend(manager.pid());
    notify(manager, 1L);
    EXPECT_EQ(sum_of(one), 10);
    EXPECT_EQ(sum_of(other), 5);
    sys::resume(manager.pid());
    EXPECT_EQ(call(one, Tally::Sum{}), 11);
    EXPECT_EQ(call(other, Tally::Sum{}), 6);
  });
}

// C3
TEST_P(SystemStateRules, a_function_that_throws_leaves_the_handler_as_it_was) {
  run([] {
    const EventManagerRef manager = start_event_manager_link();
    const HandlerRef<Tally> tally = add_handler<Tally>(manager);
    const auto fail = [tally] {
      sys::replace_state(tally, [](Tally& t) {
        t.sum = 7;
        throw std::runtime_error("no");
      });
    };
    EXPECT_EQ(kind_of(fail), CallError::callback_failed);
    EXPECT_EQ(sum_of(tally), 0);
  });
}

// C3
TEST_P(SystemStateRules, a_handler_that_is_not_there_is_refused_and_harms_nobody) {
  run([] {
    const EventManagerRef manager = start_event_manager_link();
    const HandlerRef<Tally> gone = add_handler<Tally>(manager);
    remove_handler(gone);
    EXPECT_EQ(kind_of([=] { sum_of(gone); }), CallError::noproc);
    const HandlerRef<Quiet> quiet = add_handler<Quiet>(manager);
    const HandlerRef<Tally> mistaken(manager.pid(), quiet.id());
    EXPECT_EQ(kind_of([=] { sum_of(mistaken); }), CallError::noproc);
    const HandlerRef<Tally> nowhere(start_link<Idle>().pid(), quiet.id());
    EXPECT_EQ(kind_of([=] { sum_of(nowhere); }), CallError::wrong_type);
    EXPECT_EQ(which_handlers(manager).size(), 1U);
  });
}

// C4
TEST_P(SystemStateRules, the_status_of_a_manager_names_its_handlers) {
  run([] {
    const EventManagerRef manager = start_event_manager_link();
    EXPECT_EQ(sys::get_status(manager.pid()).state, "no handlers");
    add_handler<Tally>(manager);
    add_handler<Quiet>(manager);
    const std::string state = sys::get_status(manager.pid()).state;
    EXPECT_TRUE(state.starts_with("handlers: ")) << state;
    EXPECT_LT(state.find("Tally"), state.find("Quiet")) << state;
    EXPECT_TRUE(state.ends_with("Quiet")) << state;
  });
}

// C4
TEST_P(SystemStateRules, the_status_of_a_supervisor_counts_its_children) {
  run([] {
    const Pid ordered = start_supervisor_link({.children = {child<Idle>("a"), child<Idle>("b")}});
    EXPECT_EQ(sys::get_status(ordered).state, "children: 2, running: 2");
    terminate_child(ordered, "a");
    EXPECT_EQ(sys::get_status(ordered).state, "children: 2, running: 1");
    const Pid dynamic = start_dynamic_supervisor_link({});
    EXPECT_EQ(sys::get_status(dynamic).state, "children: 0, running: 0");
    start_child(dynamic, child<Idle>("any"));
    EXPECT_EQ(sys::get_status(dynamic).state, "children: 1, running: 1");
  });
}

constexpr Local<int> own_value("own value");

// C4, P12
TEST_P(SystemStateRules, the_status_shows_the_values_of_the_process) {
  run([] {
    const ServerRef<Told> told = start_told({.at_info = [](Told&) { own_value.put(42); }});
    EXPECT_TRUE(sys::get_status(told.pid()).dictionary.empty());
    send(told.pid(), Said{"put"});
    const std::vector<LocalInfo> dictionary = sys::get_status(told.pid()).dictionary;
    ASSERT_EQ(dictionary.size(), 1U);
    EXPECT_EQ(dictionary[0].name, "own value");
    EXPECT_EQ(dictionary[0].value, "42");
  });
}

}  // namespace
}  // namespace airssys::rt::semantics::system_protocol_states_test
