// child.hpp: what a supervisor knows of a child: how it is started, restarted and stopped.
//
// A specification is a plain value; `child` and its sisters make one. What it starts is made anew
// at every start: a copy of the function, or a server object from copies of its arguments. What
// cannot be copied can be started once, so such a child has to be temporary (bad_spec otherwise).
#pragma once

#include <airssys/rt/error.hpp>
#include <airssys/rt/pid.hpp>
#include <airssys/rt/process.hpp>
#include <airssys/rt/server.hpp>
#include <airssys/rt/start.hpp>
#include <airssys/rt/time.hpp>
#include <atomic>
#include <chrono>
#include <concepts>
#include <cstdint>
#include <expected>
#include <memory>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>

namespace airssys::rt {

// When a child that has ended is started again (V27).
enum class Restart : std::uint8_t {
  permanent,  // always
  transient,  // unless it ended with normal, shutdown or shutdown(x)
  temporary,  // never; its specification goes with it
};

enum class ChildType : std::uint8_t { worker, supervisor };

// How a child is stopped (V13): asked with exit `shutdown` and killed if it takes longer than so
// long; killed at once; or asked, and waited for as long as it takes. Made of any duration.
class Shutdown {
 public:
  enum class Kind : std::uint8_t {
    by_type,  // five seconds for a worker, infinity for a supervisor
    after,
    brutal_kill,
    infinity,
  };

  constexpr Shutdown() noexcept = default;
  template <class Rep, class Period>
  // NOLINTNEXTLINE(google-explicit-constructor): `.shutdown = 2s` is meant to work
  constexpr Shutdown(std::chrono::duration<Rep, Period> time) : kind_(Kind::after), time_(time) {}
  static constexpr Shutdown brutal_kill() noexcept { return Shutdown(Kind::brutal_kill); }
  static constexpr Shutdown infinity() noexcept { return Shutdown(Kind::infinity); }

  constexpr Kind kind() const noexcept { return kind_; }
  constexpr Duration time() const noexcept { return time_; }  // of `after`
  friend constexpr bool operator==(const Shutdown&, const Shutdown&) noexcept = default;

 private:
  constexpr explicit Shutdown(Kind kind) noexcept : kind_(kind) {}

  Kind kind_ = Kind::by_type;
  Duration time_{};
};

// How long a child that has ended waits for its restart, while its siblings go on; by default not
// at all. A restart counts when it happens (V28), so with waits a child that keeps failing need not
// take its supervisor down. A strategy that restarts siblings, too, does so after the wait; the
// restart of a sibling that takes the waiting child along (V31) ends its wait.
struct RestartBackoff {
  Duration first = {};  // after the first failure; zero: no wait
  Duration longest = std::chrono::minutes(1);
  double factor = 2.0;   // from one failure in a row to the next
  double jitter = 0.25;  // the share of each wait that is left to chance, which shortens it
  Duration stable_after = std::chrono::minutes(1);  // having run so long, it begins anew
};

struct ChildOptions {
  Restart restart = Restart::permanent;
  RestartBackoff backoff = {};
  Shutdown shutdown = {};
  bool significant = false;  // its end may end the supervisor: AutoShutdown (V37)
  ChildType type = ChildType::worker;
  StartOptions start = {};  // its name, its mailbox, how long its start may take
};

namespace detail {

// How a child is started: runs in the supervisor's process and answers a process that is linked to
// it (V7), or StartError::ignore. Shared by the copies of a specification, so it is never changed:
// each start works on a copy of f, or, once, on f itself.
class ChildStart {
 public:
  ChildStart() = default;
  ChildStart(const ChildStart&) = delete;
  ChildStart& operator=(const ChildStart&) = delete;
  virtual ~ChildStart() = default;
  virtual std::expected<Pid, StartError> start() = 0;
  virtual bool is_repeatable() const noexcept = 0;
};

StartError started_before();

template <class F>
class ChildStarter final : public ChildStart {
 public:
  explicit ChildStarter(F f) : f_(std::move(f)) {}
  std::expected<Pid, StartError> start() override {
    if constexpr (std::copy_constructible<F>) {
      return F(f_)();
    } else {
      // relaxed: it keeps a second start away from f_, and hands nothing over.
      if (was_started_.exchange(true, std::memory_order_relaxed)) {
        return std::unexpected(started_before());
      }
      return f_();
    }
  }
  bool is_repeatable() const noexcept override { return std::copy_constructible<F>; }

 private:
  F f_;
  std::atomic<bool> was_started_ = false;
};

}  // namespace detail

struct ChildSpec {
  std::string id;
  Restart restart = Restart::permanent;
  RestartBackoff backoff = {};
  Shutdown shutdown = {};  // never by_type in what get_childspec answers
  bool significant = false;
  ChildType type = ChildType::worker;
  std::shared_ptr<detail::ChildStart> start = {};
};

namespace detail {
template <class F>
ChildSpec make_child(std::string&& id, const ChildOptions& options, F f) {
  return {.id = std::move(id),
          .restart = options.restart,
          .backoff = options.backoff,
          .shutdown = options.shutdown,
          .significant = options.significant,
          .type = options.type,
          .start = std::make_shared<ChildStarter<F>>(std::move(f))};
}
}  // namespace detail

// A body: f runs as a process of its own, which is spawned and not waited for; but for its name, if
// that is in a registry of one's own. An f that takes an rt::Starter is waited for until it
// acknowledges (start.hpp).
template <class F>
  requires std::invocable<std::decay_t<F>&> || std::invocable<std::decay_t<F>&, Starter>
ChildSpec child(std::string id, F&& f, const ChildOptions& options = {}) {
  return detail::make_child(
      std::move(id),
      options,
      [f = std::forward<F>(f), start = options.start]() mutable -> std::expected<Pid, StartError> {
        if constexpr (std::invocable<std::decay_t<F>&, Starter>) {
          return try_start_body_link(std::move(f), start);
        } else if (start.registry) {
          return try_start_body_link(
              [f = std::move(f)](Starter starter) mutable {
                starter.acknowledge();
                f();
              },
              start);
        } else {
          return spawn_link(detail::spawn_options(start), std::move(f));
        }
      });
}

// A server of class S, made of these arguments; options, if any, stand in front of them:
// `child<Store>("store", {.restart = rt::Restart::transient}, path)`.
template <class S, class... Args>
ChildSpec child(std::string id, const ChildOptions& options, Args&&... args) {
  return detail::make_child(
      std::move(id),
      options,
      [args = std::tuple<std::decay_t<Args>...>(std::forward<Args>(args)...),
       start = options.start]() mutable -> std::expected<Pid, StartError> {
        std::expected<ServerRef<S>, StartError> server = std::apply(
            [&](auto&... each) { return try_start_link<S>(start, std::move(each)...); }, args);
        if (!server) return std::unexpected(std::move(server).error());
        return server->pid();
      });
}
template <class S, class... Args>
  requires(!detail::begins_with<ChildOptions, Args...>)
ChildSpec child(std::string id, Args&&... args) {
  return child<S>(std::move(id), ChildOptions(), std::forward<Args>(args)...);
}

// Whatever a start function of one's own starts: f runs in the supervisor's process, must link it
// with what it starts, and answers its pid; what it throws is why the start failed (V7). The name
// and the like in `options.start` are f's own business.
template <class F>
  requires std::is_invocable_r_v<std::expected<Pid, StartError>, std::decay_t<F>&>
ChildSpec child_started_by(std::string id, F&& f, const ChildOptions& options = {}) {
  return detail::make_child(std::move(id), options, std::decay_t<F>(std::forward<F>(f)));
}

}  // namespace airssys::rt
