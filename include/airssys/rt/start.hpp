// start.hpp: processes that are started in step: `start` returns when the process says so.
//
// A plain spawn answers before its process runs. Here the starter waits until the new process has
// acknowledged its start, and learns why if it could not (G1, G3, G24):
//
//   rt::Pid pid = rt::start_body_link([](rt::Starter starter) {
//     Device device = open_device();  // what is thrown here is the starter's StartError
//     starter.acknowledge();
//     for (;;) device.handle(rt::receive<Command>());
//   });
//
// When a start fails, the process is gone altogether before its starter hears of it: the name is
// free, and the starter finds no Exit of it if it traps exits, and no Down, whose ref it was never
// given. One that does not trap exits ends with it through the link, unless the reason is normal
// (G3). Servers and supervisors start like this.
#pragma once

#include <airssys/rt/detail/program.hpp>
#include <airssys/rt/error.hpp>
#include <airssys/rt/exit_reason.hpp>
#include <airssys/rt/message.hpp>
#include <airssys/rt/pid.hpp>
#include <airssys/rt/process.hpp>
#include <airssys/rt/ref.hpp>
#include <airssys/rt/time.hpp>
#include <airssys/rt/via.hpp>
#include <concepts>
#include <cstddef>
#include <expected>
#include <functional>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>

namespace airssys::rt {

struct StartOptions {
  std::string name = {};  // registered before the process runs; taken: already_started (N11)
  std::shared_ptr<Registry> registry = {};  // whom to have the name with; null: the runtime (N10)
  Duration timeout = infinite;              // a start that takes longer is killed (G4)
  Priority priority = Priority::normal;
  MailboxOptions mailbox = {};
  MailboxLimit limit = {};
  unsigned scheduler = 0;
  std::size_t stack_bytes = 0;
};

namespace detail {
class PendingStart;
}
namespace supervision {
class NamedProgram;
}

// To whom a process answers that it has started. Moves and copies; only the first answer counts.
// From the process that was started; none of them suspends.
class Starter {
 public:
  // Lets `start` return.
  void acknowledge() const;
  // The process chooses not to run, and ends: an exit with normal, which may be caught (X1), but
  // `start` fails with StartError::ignore only when it has ended; at its time-out it is killed.
  [[noreturn]] void ignore() const;
  // The start has failed: `start` fails with `why`, when the process has ended in the same way, by
  // an exit with `end` (G24).
  [[noreturn]] void fail(const ExitReason& why, ExitReason end = ExitReason::normal()) const;

 private:
  friend class detail::PendingStart;
  friend class supervision::NamedProgram;
  template <class T>
  friend class StarterOf;

  explicit Starter(Alias address) noexcept : address_(address) {}
  void acknowledge_with(Message value) const;
  // Its name could not be had; a null pid: nobody else has it either.
  void refuse_name(Pid holder) const;

  Alias address_;
};

// The same, of a process that acknowledges with a value for its starter.
template <class T>
class StarterOf {
 public:
  explicit StarterOf(Starter starter) noexcept : starter_(starter) {}
  void acknowledge(T value) const { starter_.acknowledge_with(Message::of(std::move(value))); }
  [[noreturn]] void ignore() const { starter_.ignore(); }
  [[noreturn]] void fail(const ExitReason& why, ExitReason end = ExitReason::normal()) const {
    starter_.fail(why, std::move(end));
  }

 private:
  Starter starter_;
};

// What it has acknowledged with, of start_body and start_body_monitor.
template <class T>
struct StartedWith {
  Pid pid;
  T value;
};

template <class T>
struct MonitoredWith {
  Pid pid;
  MonitorRef ref;
  T value;
};

namespace detail {

enum class Linked : bool { no, yes };

SpawnOptions spawn_options(const StartOptions& options);

// One start, from the starter's side: owns the address for the answer.
class PendingStart {
 public:
  PendingStart();
  PendingStart(const PendingStart&) = delete;
  PendingStart& operator=(const PendingStart&) = delete;
  ~PendingStart();

  Starter starter() const noexcept { return Starter(address_); }

  // Spawns the program, taking it over, and waits for its answer. The new process is monitored.
  std::expected<Spawned, StartError> run(Program* program,
                                         const StartOptions& options,
                                         Linked linked);
  // What it has acknowledged with.
  Message take_value() noexcept { return std::move(value_); }

 private:
  Alias address_;
  Message value_;
};

// The same, without a monitor.
std::expected<Pid, StartError> start_unmonitored(PendingStart& pending,
                                                 Program* program,
                                                 const StartOptions& options,
                                                 Linked linked);

// Tells the verbs whose options stand in front of other arguments from those without options.
template <class Options, class...>
inline constexpr bool begins_with = false;
template <class Options, class First, class... Rest>
inline constexpr bool begins_with<Options, First, Rest...> =
    std::is_same_v<std::remove_cvref_t<First>, Options>;

template <class T, class E>
T value_or_throw(std::expected<T, E>&& result) {
  if (!result) throw std::move(result).error();
  if constexpr (!std::is_void_v<T>) return *std::move(result);
}

// The program of a body that is started in step. What it returns says what becomes of it.
template <class F, class S, class Result = std::invoke_result_t<F&, S>>
struct StartedBody {
  static Program* make(F f, Starter starter) {
    return make_body([f = std::move(f), starter = S(starter)]() mutable {
      static_cast<void>(std::invoke(f, starter));
    });
  }
};

template <class S, class F>
std::expected<Pid, StartError> start_body(PendingStart& pending,
                                          F&& f,
                                          const StartOptions& options,
                                          Linked linked) {
  Program* body = StartedBody<std::decay_t<F>, S>::make(std::forward<F>(f), pending.starter());
  return start_unmonitored(pending, body, options, linked);
}

template <class F>
std::expected<Pid, StartError> start_body(F&& f, const StartOptions& options, Linked linked) {
  PendingStart pending;
  return start_body<Starter>(pending, std::forward<F>(f), options, linked);
}

template <class T, class F>
std::expected<StartedWith<T>, StartError> start_body_with(F&& f,
                                                          const StartOptions& options,
                                                          Linked linked) {
  PendingStart pending;
  std::expected<Pid, StartError> pid =
      start_body<StarterOf<T>>(pending, std::forward<F>(f), options, linked);
  if (!pid) return std::unexpected(std::move(pid).error());
  return StartedWith<T>{*pid, pending.take_value().template take<T>()};
}

template <class S, class F>
std::expected<Spawned, StartError> start_body_monitored(PendingStart& pending,
                                                        F&& f,
                                                        const StartOptions& options) {
  Program* body = StartedBody<std::decay_t<F>, S>::make(std::forward<F>(f), pending.starter());
  return pending.run(body, options, Linked::no);
}

}  // namespace detail

// Starts f(starter) as a process and waits until it acknowledges. If it ends before that, its
// reason is the StartError's. No link, linked to the caller, or monitored by it. For processes;
// suspends.
template <std::invocable<Starter> F>
[[nodiscard]] std::expected<Pid, StartError> try_start_body(F&& f,
                                                            const StartOptions& options = {}) {
  return detail::start_body(std::forward<F>(f), options, detail::Linked::no);
}
template <std::invocable<Starter> F>
[[nodiscard]] std::expected<Pid, StartError> try_start_body_link(F&& f,
                                                                 const StartOptions& options = {}) {
  return detail::start_body(std::forward<F>(f), options, detail::Linked::yes);
}
template <std::invocable<Starter> F>
[[nodiscard]] std::expected<Spawned, StartError> try_start_body_monitor(
    F&& f, const StartOptions& options = {}) {
  detail::PendingStart pending;
  return detail::start_body_monitored<Starter>(pending, std::forward<F>(f), options);
}

// The same; throw the StartError.
template <std::invocable<Starter> F>
Pid start_body(F&& f, const StartOptions& options = {}) {
  return detail::value_or_throw(try_start_body(std::forward<F>(f), options));
}
template <std::invocable<Starter> F>
Pid start_body_link(F&& f, const StartOptions& options = {}) {
  return detail::value_or_throw(try_start_body_link(std::forward<F>(f), options));
}
template <std::invocable<Starter> F>
Spawned start_body_monitor(F&& f, const StartOptions& options = {}) {
  return detail::value_or_throw(try_start_body_monitor(std::forward<F>(f), options));
}

// The same, with a value that comes with the acknowledgement: start_body_link<Port>(f).
template <class T, std::invocable<StarterOf<T>> F>
[[nodiscard]] std::expected<StartedWith<T>, StartError> try_start_body(
    F&& f, const StartOptions& options = {}) {
  return detail::start_body_with<T>(std::forward<F>(f), options, detail::Linked::no);
}
template <class T, std::invocable<StarterOf<T>> F>
[[nodiscard]] std::expected<StartedWith<T>, StartError> try_start_body_link(
    F&& f, const StartOptions& options = {}) {
  return detail::start_body_with<T>(std::forward<F>(f), options, detail::Linked::yes);
}
template <class T, std::invocable<StarterOf<T>> F>
[[nodiscard]] std::expected<MonitoredWith<T>, StartError> try_start_body_monitor(
    F&& f, const StartOptions& options = {}) {
  detail::PendingStart pending;
  auto started = detail::start_body_monitored<StarterOf<T>>(pending, std::forward<F>(f), options);
  if (!started) return std::unexpected(std::move(started).error());
  return MonitoredWith<T>{started->pid, started->ref, pending.take_value().template take<T>()};
}
template <class T, std::invocable<StarterOf<T>> F>
StartedWith<T> start_body(F&& f, const StartOptions& options = {}) {
  return detail::value_or_throw(try_start_body<T>(std::forward<F>(f), options));
}
template <class T, std::invocable<StarterOf<T>> F>
StartedWith<T> start_body_link(F&& f, const StartOptions& options = {}) {
  return detail::value_or_throw(try_start_body_link<T>(std::forward<F>(f), options));
}
template <class T, std::invocable<StarterOf<T>> F>
MonitoredWith<T> start_body_monitor(F&& f, const StartOptions& options = {}) {
  return detail::value_or_throw(try_start_body_monitor<T>(std::forward<F>(f), options));
}

}  // namespace airssys::rt
