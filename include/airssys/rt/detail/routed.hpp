// routed.hpp: requests to a member of a pool, which count as its load until they are done with.
//
// A routed request travels as the request itself does, with a seat behind it in the same message.
// The message is destroyed when its handler has returned, or with its mailbox, and the seat with
// it. So whatever becomes of the caller or the member, the load is right.
#pragma once

#include <airssys/rt/detail/payload.hpp>
#include <airssys/rt/detail/request_type.hpp>
#include <airssys/rt/pid.hpp>
#include <airssys/rt/server.hpp>
#include <cstdint>
#include <memory>
#include <utility>

namespace airssys::rt::detail {

struct RouterSlot;  // supervision/router.hpp

// One request's place at one member. Any thread.
class Seat {
 public:
  Seat(Pid member, std::shared_ptr<RouterSlot> slot, std::uint32_t generation) noexcept
      : member_(member), slot_(std::move(slot)), generation_(generation) {}
  Seat(Seat&&) noexcept = default;
  Seat& operator=(Seat&& other) noexcept {
    std::swap(member_, other.member_);
    std::swap(slot_, other.slot_);
    std::swap(generation_, other.generation_);
    return *this;
  }
  ~Seat();

  Pid member() const noexcept { return member_; }

 private:
  Pid member_;
  std::shared_ptr<RouterSlot> slot_;  // null: moved on
  std::uint32_t generation_;
};

template <class Value>
struct Routed {
  Value value;  // first: whoever looks at the message finds what he would find without a seat
  Seat seat;
};

template <class S, class R>
inline constexpr MessageType routed_cast_type{
    sizeof(Routed<R>),
    destroyer<Routed<R>>(),
    type_name<R>(),
    &server_identity<S>,
    [](void* server, void* payload) {
      Requests<S>::template cast<R>(server, &static_cast<Routed<R>*>(payload)->value);
    }};
template <class S, class R>
inline constexpr MessageType routed_call_type{
    sizeof(Routed<CallMessage<R>>),
    destroyer<Routed<CallMessage<R>>>(),
    type_name<R>(),
    &server_identity<S>,
    [](void* server, void* payload) {
      Requests<S>::template call<R>(server, &static_cast<Routed<CallMessage<R>>*>(payload)->value);
    },
    true,
    Requests<S>::template answers<R>};

template <class S, class R>
Message make_routed_cast(R request, Seat seat) {
  return Message(make_payload_as<Routed<R>>(routed_cast_type<S, R>,
                                            Routed<R>{std::move(request), std::move(seat)}));
}

template <class S, class R>
CallOnItsWay<R> make_routed_call(R request, Seat seat) {
  using Call = Routed<CallMessage<R>>;
  void* payload = make_payload_as<Call>(routed_call_type<S, R>,
                                        Call{{Alias(), std::move(request)}, std::move(seat)});
  return {Message(payload), &static_cast<Call*>(payload)->value.caller};
}

}  // namespace airssys::rt::detail
