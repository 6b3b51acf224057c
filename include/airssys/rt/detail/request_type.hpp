// request_type.hpp: the messages that are requests to a class of servers or state machines.
//
// A request travels as a message type of its own, made for the pair of class and request. It holds
// the identity of the class and a function that calls the right `handle`. The process compares the
// identity before it calls: that is all there is to dispatch, and a foreign request is refused.
#pragma once

#include <airssys/rt/detail/payload.hpp>
#include <airssys/rt/detail/type_name.hpp>
#include <airssys/rt/ref.hpp>

namespace airssys::rt::detail {

template <class S>
inline constexpr char server_identity = 0;

template <class R>
concept Called = requires { typename R::Reply; };

// What a call's message holds.
template <class R>
struct CallMessage {
  Alias caller;
  R request;
};

// How the class S takes requests; chosen by what S is derived from (server_process.hpp,
// machine_process.hpp). It has
//   takes<R>                 whether there is a handler for R
//   cast<R>, call<R>         (void* target, void* payload): call it; a null target refuses
//   look, change             (void* target, f): f sees, or changes, the state (sys.hpp)
//   answers<R>               whether each handler of R returns the reply
//   call_timeout             the default of rt::call
//   Process<Args...>         the behaviour that holds an S
template <class S>
struct Requests;

// A process that is not of class S calls dispatch with a null target, which tells the caller, if
// there is one (G5).
template <class S, class R>
inline constexpr MessageType cast_type{
    sizeof(R), destroyer<R>(), type_name<R>(), &server_identity<S>, &Requests<S>::template cast<R>};
template <class S, class R>
inline constexpr MessageType call_type{sizeof(CallMessage<R>),
                                       destroyer<CallMessage<R>>(),
                                       type_name<R>(),
                                       &server_identity<S>,
                                       &Requests<S>::template call<R>,
                                       true,
                                       Requests<S>::template answers<R>};

}  // namespace airssys::rt::detail
