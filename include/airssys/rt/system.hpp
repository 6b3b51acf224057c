// system.hpp: a runtime: started, used from outside, stopped.
//
// `rt::run` is for a program that is a daemon: it owns the process, takes SIGTERM and SIGINT, and
// contains crashes (E4). `Runtime` is for a host with a main loop and threads of its own: it takes
// no signal and installs no handler unless its options say so. Two runtimes in one program do not
// know of each other.
#pragma once

#include <airssys/rt/process.hpp>
#include <airssys/rt/ref.hpp>
#include <airssys/rt/registry.hpp>
#include <airssys/rt/report.hpp>
#include <airssys/rt/send.hpp>
#include <airssys/rt/time.hpp>
#include <chrono>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

namespace airssys::rt::runtime {
class Guest;
}

namespace airssys::rt {

// On or off, or what suits the way of starting: on in rt::run, off in a Runtime.
enum class HostHook : std::uint8_t { automatic, on, off };

struct Options {
  // 0: as many as the CPUs that this program may really use (affinity and the cgroup's quota).
  // AIRSSYS_RT_SCHEDULERS overrides it. At most 128.
  unsigned schedulers = 0;
  // Where the inspector listens: empty: nowhere; "auto": $XDG_RUNTIME_DIR or /tmp, in a directory
  // of the user's own, by this program's name and process id; else the path of a Unix socket.
  std::string inspector = {};
  // Processes at the same time; spawn throws SpawnError beyond. Who hears of an end finds room.
  std::size_t max_processes = 16'777'216;
  // Threads of the blocking pool.
  unsigned blocking_threads_max = 64;
  // How long a scheduler without work looks for some before its thread sleeps; at most one does at
  // a time. Who is woken runs some tens of microseconds later, what is found within about one.
  // Longer than the default costs a CPU for that time, hours: always. Not negative.
  Duration spin = std::chrono::microseconds(20);
  // How long a plain thread waits for room in a bounded mailbox that blocks (B2).
  std::chrono::milliseconds send_timeout = std::chrono::milliseconds(5000);
  // For how long a process that may hibernate (SpawnOptions::hibernates) waits for mail, at least,
  // before its stack is put away; at most about twice as long. 0: none ever is.
  std::chrono::milliseconds hibernate_after = std::chrono::milliseconds(1000);
  // How long rt::run's end, a signal's or main's, may take before what is left is killed (E1).
  std::chrono::milliseconds stop_timeout = std::chrono::milliseconds(5000);
  // SIGTERM and SIGINT stop the runtime in order (E4), also where every thread of the program
  // blocks them. Their handlers are the only trace: no thread's mask changes but that of one of the
  // runtime's own, so programs that are started from here get the signals as they always would.
  HostHook stop_signals = HostHook::automatic;
  // noexcept violations and stack overflows end one process instead of the program (Z4, Z10).
  HostHook containment = HostHook::automatic;
  // Processes that compute for long without a call go on beside their schedulers, each on a thread
  // of its own (2048 at most), and of many as many run at a time as schedulers sleep, at least one,
  // some 10 ms each; so others run within milliseconds. Who has to wait is held in a handler of
  // SIGURG, which does nothing else, in the middle of whatever it does, also with a lock of yours:
  // for a second or two at most, unless other programs keep the machine busy. Off: such processes
  // go on at idle priority, and it is not promised how soon others run beside many of them.
  HostHook hog_signal = HostHook::automatic;
  // A child made by fork that uses this runtime, of which it has no thread, is ended at once with a
  // sentence on stderr, where it would otherwise wait for ever; ~Runtime does nothing there, and no
  // handler of the runtime's is left. exec, exit and a runtime of the child's own are as ever.
  HostHook forked_children = HostHook::automatic;
  // Where reports go (report.hpp); default: to stderr, a line each. Called on any thread that has
  // something to report, also on several at once; must not block for long, throw, or call the
  // runtime.
  std::function<void(const Report& report)> log = {};
  // The least severity that is reported. At `info` each start of a child is.
  Severity log_from = Severity::notice;
};

namespace detail {
class RuntimeImpl;
Pid spawn_from_outside(RuntimeImpl& runtime, Program* program, const SpawnOptions* options);
SendResult send_from_outside(RuntimeImpl& runtime, Pid to, void* payload, WhenFull when_full);
void send_named_from_outside(RuntimeImpl& runtime, std::string_view name, void* payload);
void send_alias_from_outside(RuntimeImpl& runtime,
                             const Ref& alias,
                             void* payload,
                             SendOptions options);
int run_program(const Options& options, Program* program, const int* result);
}  // namespace detail

class Runtime {
 public:
  // Starts the schedulers' threads. Throws BadArgument for options that make no sense, and
  // std::system_error when the system refuses what it needs.
  explicit Runtime(const Options& options = {});
  Runtime(const Runtime&) = delete;
  Runtime& operator=(const Runtime&) = delete;
  // Stops, with Options::stop_timeout, if `stop` has not been called.
  ~Runtime();

  // Any thread. As rt::spawn; the process has no parent, and cannot be linked: BadArgument. Throws
  // SpawnError once `stop` has begun.
  template <std::invocable F>
  Pid spawn(F&& f) {
    return detail::spawn_from_outside(*impl_, detail::make_body(std::forward<F>(f)), nullptr);
  }
  template <std::invocable F>
  Pid spawn(const SpawnOptions& options, F&& f) {
    return detail::spawn_from_outside(*impl_, detail::make_body(std::forward<F>(f)), &options);
  }

  // Any thread. Order holds per thread (P11). A full mailbox that blocks makes the thread wait, at
  // most Options::send_timeout (B2).
  template <Sendable T>
  void send(Pid to, T&& message) {
    detail::send_from_outside(
        *impl_, to, detail::payload_of(std::forward<T>(message)), detail::WhenFull::follow_policy);
  }
  template <Sendable T>
  SendResult try_send(Pid to, T&& message) {
    return detail::send_from_outside(
        *impl_, to, detail::payload_of(std::forward<T>(message)), detail::WhenFull::answer);
  }
  template <Sendable T>
  void send(std::string_view name, T&& message) {
    detail::send_named_from_outside(*impl_, name, detail::payload_of(std::forward<T>(message)));
  }
  template <Sendable T>
  void send(const Alias& alias, T&& message, SendOptions options = {}) {
    detail::send_alias_from_outside(
        *impl_, alias, detail::payload_of(std::forward<T>(message)), options);
  }

  // While one stands on a plain thread, that thread may call the verbs of processes that need no
  // mailbox: rt::send in all its forms, From::reply, cast, send_exit, spawn, whereis, cancel_timer,
  // read_timer and scheduler_statistics. They act for this runtime, whoever wrote the code that
  // calls them. Ends on its thread, before the runtime. In a process it changes nothing.
  class Guest {
   public:
    explicit Guest(Runtime& runtime);
    Guest(const Guest&) = delete;
    Guest& operator=(const Guest&) = delete;
    ~Guest();

   private:
    const std::unique_ptr<const runtime::Guest> guest_;
  };

  // Any thread. An exit signal from nobody (X3).
  void send_exit(Pid to, ExitReason reason);
  // Any thread.
  std::optional<Pid> whereis(std::string_view name);
  // Any thread, whoever made the timer, in this runtime (T4, T6). As rt::cancel_timer and
  // rt::read_timer.
  std::optional<Duration> cancel_timer(TimerRef timer);
  std::optional<Duration> read_timer(TimerRef timer);

  // Runs f as a process and waits for its end; the runtime goes on (E2). Answers why it ended. Any
  // thread, but not a process.
  template <std::invocable F>
  ExitReason run(F&& f) {
    return run_and_wait(detail::make_body(std::forward<F>(f)));
  }

  // Asks every process to shut down, waits, and kills what is left at the deadline (E3). Every
  // thread of the runtime has ended when it returns, but for those that never leave a process's
  // code or a blocking job: some seconds behind the deadline these are reported and left to
  // themselves, and must not use this Runtime any more. Once; any thread, but no process and no
  // blocking job.
  void stop(Duration deadline);

  detail::RuntimeImpl& impl() noexcept { return *impl_; }

 private:
  ExitReason run_and_wait(detail::Program* program);

  std::unique_ptr<detail::RuntimeImpl, void (*)(detail::RuntimeImpl*)> impl_;
};

// Starts a runtime, runs f as its first process, and stops the runtime when f ends, or when SIGTERM
// or SIGINT comes. Answers the program's exit code: the int that f answers, else 0 for normal,
// shutdown and shutdown(x), 1 for every other reason, with its report on stderr (E1). A second
// signal while it stops ends it at once.
template <std::invocable F>
int run(const Options& options, F&& f) {
  if constexpr (std::is_convertible_v<std::invoke_result_t<std::decay_t<F>&>, int>) {
    int result = 0;
    auto body = [&result, f = std::forward<F>(f)]() mutable { result = static_cast<int>(f()); };
    return detail::run_program(options, detail::make_body(std::move(body)), &result);
  } else {
    return detail::run_program(options, detail::make_body(std::forward<F>(f)), nullptr);
  }
}
template <std::invocable F>
int run(F&& f) {
  return run(Options{}, std::forward<F>(f));
}

}  // namespace airssys::rt
