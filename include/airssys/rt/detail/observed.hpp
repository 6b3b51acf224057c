// observed.hpp: what servers and state machines have in common towards those who look at them.
//
// A system request is a message like any other, taken in its turn (C1); its function runs on the
// process and is given the behaviour. What is switched on for a behaviour (trace, log, statistics,
// hooks) lies in a block of its own: without one, a message costs one comparison more (C6). While a
// behaviour is suspended it waits inside the request for those that may still be heard (C2).
#pragma once

#include <airssys/rt/behaviour.hpp>
#include <airssys/rt/detail/payload.hpp>
#include <airssys/rt/detail/type_name.hpp>
#include <airssys/rt/message.hpp>
#include <airssys/rt/pid.hpp>
#include <airssys/rt/ref.hpp>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace airssys::rt::sys {
struct Event;
}

namespace airssys::rt::detail {

class Observed;
struct Watch;  // what is switched on; supervision/observed.cpp

// Of a call, who made it.
inline Pid caller_of(const Message& message) noexcept {
  void* payload = message.payload();
  if (!payload || !header_of(payload).type->is_call) return {};
  return static_cast<const Alias*>(payload)->owner;
}

// The identity that system requests compare to.
inline constexpr char system_identity = 0;

// One word: what a room holds, and who watches its behaviour, if anybody.
class RoomWord {
 public:
  enum class Holds : std::uint8_t { arguments, nothing, object };

  Holds holds() const noexcept { return static_cast<Holds>(bits_ & holds_mask); }
  void set_holds(Holds holds) noexcept {
    bits_ = (bits_ & ~holds_mask) | static_cast<std::uintptr_t>(holds);
  }
  bool is_watched() const noexcept { return bits_ > holds_mask; }
  Watch* watch() const noexcept { return reinterpret_cast<Watch*>(bits_ & ~holds_mask); }
  void set_watch(Watch* watch) noexcept {
    bits_ = (bits_ & holds_mask) | reinterpret_cast<std::uintptr_t>(watch);
  }

 private:
  static constexpr std::uintptr_t holds_mask = 3;
  std::uintptr_t bits_ = 0;
};

class Observed : public Behaviour {
 public:
  // The object, if this is the identity of its class, else null; of a state machine, its Machine.
  virtual void* object(const void* identity) noexcept = 0;
  virtual RoomWord& word() noexcept = 0;

  void describe(CrashContext& context) override;
  // For people: which behaviour this is.
  std::string title();
  bool is_suspended() noexcept;
  void suspend();  // returns when it has been resumed
  void resume() noexcept;
  Watch& watch();                      // made when it is not there
  void drop_watch_if_idle() noexcept;  // when nothing is switched on any more
  // For those who watch, if anybody: a request was answered by its handler's return.
  void replied(const MessageType& type, Pid caller);

 protected:
  // Does what a system request asks; false when it is none.
  bool obey_system_request(Message& message);
  void unwatch() noexcept;

  // For those who watch, if anybody: a message has been taken; its handler has returned.
  void saw(const MessageType& type, Pid caller);
  void handled(const MessageType& type);

 private:
  void happened(Watch& watch, const sys::Event& event);
};

// format_state() of the object's class if it has that, else nothing.
template <class S>
std::string state_text_of(S& object) {
  if constexpr (requires { std::string(object.format_state()); }) {
    return std::string(object.format_state());
  } else {
    return {};
  }
}

// Whether system requests to the calling process wait in its mailbox, as all requests to a
// behaviour do, or are refused.
void hear_system_requests(bool on);

// The address for the answer, of a call or a system request; else nobody's.
Alias asker_of(void* payload) noexcept;

struct SystemRequest {
  Alias caller;
  std::move_only_function<void(Observed& behaviour, Alias caller)> work;
};
// Sent to a process that is no behaviour of the library: tells the caller.
void refuse_system_request(void* nobody, void* payload);
inline constexpr MessageType system_request_type{.bytes = sizeof(SystemRequest),
                                                 .destroy = destroyer<SystemRequest>(),
                                                 .name = "system request",
                                                 .server = &system_identity,
                                                 .dispatch = &refuse_system_request,
                                                 .is_system = true};

}  // namespace airssys::rt::detail
