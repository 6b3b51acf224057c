// from.hpp: to whom a reply goes.
//
// A handler that takes a From answers later: it keeps the From, or sends it to another process, and
// whoever has it may reply (G8). Only the first reply counts; one that comes after the caller has
// given up is dropped (G6). A caller whose From is lost waits for its time-out; one whose server
// ends is told at once.
#pragma once

#include <airssys/rt/error.hpp>
#include <airssys/rt/exit_reason.hpp>
#include <airssys/rt/message.hpp>
#include <airssys/rt/ref.hpp>
#include <airssys/rt/send.hpp>
#include <concepts>
#include <type_traits>
#include <utility>

namespace airssys::rt {

namespace detail {
// The reply of a request that answers nothing but that it was handled.
struct Done {};
// What a process answers that is not such a server, or that waits for its caller's end (G7).
struct Refusal {
  bool awaits_caller = false;
};

template <class T>
using ReplyValue = std::conditional_t<std::is_void_v<T>, Done, T>;

// The caller with this address may be answered by anybody from now on: who waits for whom does not
// tell any more whether it waits in a circle (G7). For processes; does not suspend.
void let_others_answer(const Alias& caller);
}  // namespace detail

template <class T>
class From {
 public:
  From() noexcept = default;  // nobody: replies are dropped
  explicit From(Alias caller) noexcept : caller_(caller) {}
  From(From&& other) noexcept : caller_(std::exchange(other.caller_, Alias())) {}
  From& operator=(From&& other) noexcept {
    caller_ = std::exchange(other.caller_, Alias());
    return *this;
  }
  ~From() = default;

  // Sends the reply. For any process, and for a Runtime::Guest; does not suspend and does not fail.
  template <std::convertible_to<detail::ReplyValue<T>> V = detail::ReplyValue<T>>
    requires(!std::is_void_v<T>)
  void reply(V&& value) {
    send_once(detail::ReplyValue<T>(std::forward<V>(value)));
  }
  void reply()
    requires(std::is_void_v<T>)
  {
    send_once(detail::Done());
  }

  // The process that waits, or a null pid when this has replied.
  Pid caller() const noexcept { return caller_.owner; }

  // For the library: the address; and gives it away, and is nobody's then.
  const Alias& address() const noexcept { return caller_; }
  Alias release() noexcept { return std::exchange(caller_, Alias()); }
  // For the library: this process is not the server that the caller took it for.
  void refuse() { send_once(detail::Refusal()); }

 private:
  template <class V>
  void send_once(V&& value) {
    if (const Alias caller = std::exchange(caller_, Alias())) send(caller, std::forward<V>(value));
  }

  Alias caller_;
};

namespace detail {

struct LastReply {
  Alias caller;
  Message value;
};

// What exit_with_reply throws. The server takes the reply and keeps it until it has terminated.
class ExitWithReply : public ExitException {
 public:
  ExitWithReply(ExitReason reason, Alias caller, Message reply) noexcept
      : ExitException(std::move(reason)), reply_{caller, std::move(reply)} {}
  LastReply take_reply() noexcept { return std::move(reply_); }

 private:
  LastReply reply_;
};

}  // namespace detail

// From a callback of a server or state machine: ends it with this reason. `terminate` runs first,
// then the reply is sent, also when terminate failed, and then the process ends (G16).
template <class T, std::convertible_to<detail::ReplyValue<T>> V = detail::ReplyValue<T>>
  requires(!std::is_void_v<T>)
[[noreturn]] void exit_with_reply(From<T> caller, V&& reply, ExitReason reason) {
  throw detail::ExitWithReply(std::move(reason),
                              caller.release(),
                              Message::of(detail::ReplyValue<T>(std::forward<V>(reply))));
}
[[noreturn]] inline void exit_with_reply(From<void> caller, ExitReason reason) {
  throw detail::ExitWithReply(std::move(reason), caller.release(), Message::of(detail::Done()));
}

}  // namespace airssys::rt
