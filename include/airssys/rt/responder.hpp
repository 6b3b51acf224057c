// responder.hpp: a hand-written process that takes part in the system protocol.
//
// A process with a loop of its own answers the requests of sys.hpp, `stop` and its parent's end
// like a behaviour, if it hands what it receives to a Responder first (C7):
//
//   rt::Pid meter = rt::start_body_link([](rt::Starter starter) {
//     Meter meter;
//     rt::sys::Responder<Meter> system(meter);
//     starter.acknowledge();
//     for (;;) {
//       rt::Message message = rt::receive<rt::Message>();
//       if (system.takes(message)) continue;
//       if (auto* reading = message.get_if<Reading>()) meter.add(*reading);
//     }
//   });
//   rt::sys::get_state(rt::server_ref<Meter>(meter), [](const Meter& m) { return m.sum; });
//
// What it hands over is what counts as its messages, in traces, logs and statistics. While it is
// suspended it waits in `takes`.
#pragma once

#include <airssys/rt/detail/observed.hpp>
#include <airssys/rt/detail/program.hpp>
#include <airssys/rt/detail/request_type.hpp>
#include <airssys/rt/detail/server_process.hpp>
#include <airssys/rt/message.hpp>
#include <string>
#include <string_view>

namespace airssys::rt::sys {

template <class S>
class Responder final : private detail::Observed {
 public:
  // From now on system requests wait in the process's mailbox; to others they are refused. The
  // state is what get_state and replace_state are about, and must outlive this.
  explicit Responder(S& state) : state_(state) { rt::detail::hear_system_requests(true); }
  Responder(const Responder&) = delete;
  Responder& operator=(const Responder&) = delete;
  ~Responder() override {
    unwatch();
    rt::detail::hear_system_requests(false);
  }

  // Whether this was a system request; it has been answered. A `stop`, and the exit of the parent
  // if it started this process with a link, end the process with their reason, by rt::exit. On the
  // process that made it; suspends while the process is suspended.
  bool takes(Message& message) {
    if (obey_system_request(message)) return true;
    const rt::detail::MessageType& type = *rt::detail::header_of(message.payload()).type;
    if (word_.is_watched()) saw(type, rt::detail::caller_of(message));
    rt::detail::obey_system_message(message);
    return false;
  }

 private:
  const std::string_view* name() const noexcept override { return &rt::detail::program_name<S>; }
  void* object(const void* identity) noexcept override {
    return identity == &rt::detail::server_identity<S> ? &state_ : nullptr;
  }
  std::string format_state() override { return rt::detail::state_text_of(state_); }
  rt::detail::RoomWord& word() noexcept override { return word_; }
  void message(Message& /*message*/) override {
  }  // it is no behaviour: the process has its own loop

  S& state_;
  rt::detail::RoomWord word_;
};

}  // namespace airssys::rt::sys
