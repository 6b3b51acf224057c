// pool.hpp: several servers of one class behind one address.
//
//   rt::Pool<Resizer> resizers({.size = 4, .routing = rt::Routing::least_loaded});
//   ... .children = {rt::child_pool("resizers", resizers, quality)} ...  // in the tree
//   Image small = rt::call(resizers, Resizer::Shrink{image});            // from any process
//   Row row = rt::call(stores, rt::by_key(user), Store::Get{user});      // always one member
//
// The pool object is the address: its copies share the places of the members, and a request goes
// from the caller straight to one of them. `child_pool` makes the supervisor that fills the places:
// a member that ends is restarted into its own. A member's load is the requests that have been sent
// to it through the pool and are not handled yet; one that was postponed counts, one whose reply
// comes later does not. As servers, so state machines.
//
// Where no member has room, or all are just being restarted, a caller waits, first come first
// served, within its time-out; when too many wait already, it fails at once. Without a tree there
// is nobody to wait for: noproc.
#pragma once

#include <airssys/rt/child.hpp>
#include <airssys/rt/detail/routed.hpp>
#include <airssys/rt/error.hpp>
#include <airssys/rt/pid.hpp>
#include <airssys/rt/server.hpp>
#include <airssys/rt/time.hpp>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <functional>
#include <memory>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

namespace airssys::rt {

enum class Routing : std::uint8_t {
  round_robin,   // one after the other
  least_loaded,  // whoever has the fewest requests
};

struct PoolOptions {
  std::size_t size = 4;  // members; at least one, at most pool_size_max
  Routing routing = Routing::round_robin;
  std::size_t limit = 0;       // requests that a member may have at a time; 0: any number
  std::size_t waiting = 1000;  // callers that may wait at a time
};
inline constexpr std::size_t pool_size_max = 1024;

// How its supervisor treats the members: as SupervisorOptions, one for one.
struct PoolChildOptions {
  std::string name = {};  // the supervisor's
  unsigned intensity = 1;
  Duration period = std::chrono::seconds(5);
  ChildOptions member = {};  // without a name: there are several
};

struct PoolMember {
  Pid pid;  // null: it is not there at the moment
  std::size_t load = 0;
};
struct PoolInfo {
  Pid supervisor;  // null: there is none
  std::vector<PoolMember> members;
  std::size_t waiting = 0;  // callers
};

namespace detail {
class Router;
}

// What a request is about, so that all with the same key go to the same member. When the number of
// members changes, as few keys as possible move: from n to n + 1, one of n + 1.
class ByKey {
 public:
  explicit constexpr ByKey(std::uint64_t hash) noexcept : hash_(hash) {}
  constexpr std::uint64_t hash() const noexcept { return hash_; }

 private:
  std::uint64_t hash_;
};
template <class K>
ByKey by_key(const K& key) {
  return ByKey(std::hash<K>{}(key));
}

namespace detail {

using MemberMaker = std::function<ChildSpec(std::string id)>;

std::shared_ptr<Router> make_router(const PoolOptions& options);
PoolInfo info_of(Router& router);
// A seat at some member, or at that of the key if there is one. Waits until then: suspends.
std::expected<Seat, CallError> take_seat(const std::shared_ptr<Router>& router,
                                         const ByKey* key,
                                         Deadline deadline);
void call_failed(Router& router, Pid member, const CallError& error);
std::expected<Pid, StartError> start_pool(const std::shared_ptr<Router>& router,
                                          const PoolChildOptions& options,
                                          const MemberMaker& maker);
std::expected<void, StartError> resize_pool(const std::shared_ptr<Router>& router,
                                            std::size_t size);

}  // namespace detail

// The address of a pool of servers of class S. Any process may hold a copy.
template <class S>
class Pool {
 public:
  // Throws BadArgument for options that make no sense. Any thread.
  explicit Pool(const PoolOptions& options = {}) : router_(detail::make_router(options)) {}

  // Any thread; does not suspend.
  PoolInfo info() const { return detail::info_of(*router_); }

  // For the library.
  const std::shared_ptr<detail::Router>& router() const noexcept { return router_; }

 private:
  std::shared_ptr<detail::Router> router_;
};

namespace detail {

template <class S, class... Args>
MemberMaker member_maker(const ChildOptions& options, Args&&... args) {
  return [options,
          args = std::tuple<std::decay_t<Args>...>(std::forward<Args>(args)...)](std::string id) {
    return std::apply(
        [&](const auto&... each) { return child<S>(std::move(id), options, each...); }, args);
  };
}

template <class S, class R>
std::expected<typename R::Reply, CallError> call_pool(const Pool<S>& pool,
                                                      const ByKey* key,
                                                      R request,
                                                      Duration timeout) {
  const Deadline deadline = Deadline::after(timeout);
  std::expected<Seat, CallError> seat = take_seat(pool.router(), key, deadline);
  if (!seat) return std::unexpected(std::move(seat).error());
  const Pid member = seat->member();
  CallOnItsWay<R> call = make_routed_call<S>(std::move(request), *std::move(seat));
  Exchange exchange(
      member, type_name<S>(), std::move(call.message), *call.caller, CallUse::call, deadline);
  std::expected<Message, CallError> reply = exchange.wait(deadline);
  if (!reply) call_failed(*pool.router(), member, reply.error());
  return reply_as<typename R::Reply>(std::move(reply));
}

template <class S, class R>
std::expected<void, CallError> cast_pool(const Pool<S>& pool,
                                         const ByKey* key,
                                         R request,
                                         Duration timeout) {
  static_assert(!Called<R>, "this request names a Reply: use rt::call");
  const Deadline deadline = Deadline::after(timeout);
  std::expected<Seat, CallError> seat = take_seat(pool.router(), key, deadline);
  if (!seat) return std::unexpected(std::move(seat).error());
  const Pid member = seat->member();
  return cast_by(member, make_routed_cast<S>(std::move(request), *std::move(seat)), deadline);
}

}  // namespace detail

// --- the tree ---

// Starts the supervisor of the pool, linked to the caller, and its members, each made of copies of
// these arguments; options, if any, stand in front of them. For processes; suspends. A pool has one
// supervisor at a time.
template <class S, class... Args>
[[nodiscard]] std::expected<Pid, StartError> try_start_pool_link(const Pool<S>& pool,
                                                                 const PoolChildOptions& options,
                                                                 Args&&... args) {
  return detail::start_pool(
      pool.router(), options, detail::member_maker<S>(options.member, std::forward<Args>(args)...));
}
template <class S, class... Args>
Pid start_pool_link(const Pool<S>& pool, const PoolChildOptions& options, Args&&... args) {
  return detail::value_or_throw(try_start_pool_link(pool, options, std::forward<Args>(args)...));
}
template <class S, class... Args>
  requires(!detail::begins_with<PoolChildOptions, Args...>)
Pid start_pool_link(const Pool<S>& pool, Args&&... args) {
  return start_pool_link(pool, PoolChildOptions(), std::forward<Args>(args)...);
}

// The same as a child. Its members have the ids "0", "1", … When it is started again there are as
// many as the pool had last.
template <class S, class... Args>
ChildSpec child_pool(std::string id,
                     const Pool<S>& pool,
                     const PoolChildOptions& options,
                     Args&&... args) {
  return child_started_by(
      std::move(id),
      [router = pool.router(),
       options,
       maker = detail::member_maker<S>(options.member, std::forward<Args>(args)...)] {
        return detail::start_pool(router, options, maker);
      },
      {.type = ChildType::supervisor});
}
template <class S, class... Args>
  requires(!detail::begins_with<PoolChildOptions, Args...>)
ChildSpec child_pool(std::string id, const Pool<S>& pool, Args&&... args) {
  return child_pool(std::move(id), pool, PoolChildOptions(), std::forward<Args>(args)...);
}

// Makes the pool larger or smaller, from its end; a member that goes is stopped as its options say,
// and callers whose requests it had not handled fail with exited. By one process at a time;
// suspends. A member that does not start is the StartError, and those before it stay.
template <class S>
[[nodiscard]] std::expected<void, StartError> try_resize(const Pool<S>& pool, std::size_t size) {
  return detail::resize_pool(pool.router(), size);
}
template <class S>
void resize(const Pool<S>& pool, std::size_t size) {
  detail::value_or_throw(try_resize(pool, size));
}

// --- requests ---

// As call and cast to a server, to a member of the pool. `timeout` is for all of it, waiting for
// room, in the pool and in a mailbox, and for the reply. Besides what a call may fail with:
// overloaded when too many callers wait, timeout when there was no room in time, noproc when the
// pool has no tree; a cast fails with these, and with overloaded when the member's mailbox refuses
// it. For processes; suspend, a cast only while there is no room.
template <class S, class R>
[[nodiscard]] std::expected<typename R::Reply, CallError> try_call(
    const Pool<S>& pool, R request, Duration timeout = detail::Requests<S>::call_timeout) {
  return detail::call_pool(pool, nullptr, std::move(request), timeout);
}
template <class S, class R>
typename R::Reply call(const Pool<S>& pool,
                       R request,
                       Duration timeout = detail::Requests<S>::call_timeout) {
  return detail::value_or_throw(try_call(pool, std::move(request), timeout));
}
template <class S, class R>
[[nodiscard]] std::expected<void, CallError> try_cast(const Pool<S>& pool,
                                                      R request,
                                                      Duration timeout = std::chrono::seconds(5)) {
  return detail::cast_pool(pool, nullptr, std::move(request), timeout);
}
template <class S, class R>
void cast(const Pool<S>& pool, R request, Duration timeout = std::chrono::seconds(5)) {
  detail::value_or_throw(try_cast(pool, std::move(request), timeout));
}

// The same to the member of a key.
template <class S, class R>
[[nodiscard]] std::expected<typename R::Reply, CallError> try_call(
    const Pool<S>& pool,
    ByKey key,
    R request,
    Duration timeout = detail::Requests<S>::call_timeout) {
  return detail::call_pool(pool, &key, std::move(request), timeout);
}
template <class S, class R>
typename R::Reply call(const Pool<S>& pool,
                       ByKey key,
                       R request,
                       Duration timeout = detail::Requests<S>::call_timeout) {
  return detail::value_or_throw(try_call(pool, key, std::move(request), timeout));
}
template <class S, class R>
[[nodiscard]] std::expected<void, CallError> try_cast(const Pool<S>& pool,
                                                      ByKey key,
                                                      R request,
                                                      Duration timeout = std::chrono::seconds(5)) {
  return detail::cast_pool(pool, &key, std::move(request), timeout);
}
template <class S, class R>
void cast(const Pool<S>& pool, ByKey key, R request, Duration timeout = std::chrono::seconds(5)) {
  detail::value_or_throw(try_cast(pool, key, std::move(request), timeout));
}

}  // namespace airssys::rt
