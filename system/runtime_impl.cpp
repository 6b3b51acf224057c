// runtime_impl.cpp: starting, watching, and the doors for plain threads.
#include "system/runtime_impl.hpp"

#include <airssys/rt/error.hpp>
#include <airssys/rt/link.hpp>
#include <airssys/rt/receive.hpp>
#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <random>
#include <string>
#include <thread>
#include <utility>

#include "base/clock.hpp"
#include "base/os.hpp"
#include "runtime/call.hpp"
#include "runtime/outside.hpp"

namespace airssys::rt::detail {

using runtime::System;
using runtime::Visit;

namespace {

constexpr unsigned schedulers_max = scheduler::IdleSet::schedulers_max;

unsigned scheduler_count(unsigned wanted) {
  if (const char* text = std::getenv("AIRSSYS_RT_SCHEDULERS"); text && *text) {
    const char* end = text + std::strlen(text);
    const auto [rest, error] = std::from_chars(text, end, wanted);
    if (error != std::errc() || rest != end || wanted == 0 || wanted > schedulers_max)
      throw BadArgument("AIRSSYS_RT_SCHEDULERS is \"" + std::string(text) +
                        "\": it must be a number from 1 to 128");
  }
  if (wanted > schedulers_max) throw BadArgument("Options::schedulers is more than 128");
  return wanted != 0 ? wanted : std::min(base::usable_cpus(), schedulers_max);
}

bool is_on(HostHook hook, bool automatic) noexcept {
  return hook == HostHook::automatic ? automatic : hook == HostHook::on;
}

System::Config config_of(const Options& options, bool owns_program) {
  if (options.spin < Duration::zero()) throw BadArgument("Options::spin is negative");
  if (options.hibernate_after < std::chrono::milliseconds::zero())
    throw BadArgument("Options::hibernate_after is negative");
  return {.pool = {.schedulers = scheduler_count(options.schedulers),
                   .clock = &base::steady_clock(),
                   .seed = std::random_device{}(),
                   .blocking_threads_max = options.blocking_threads_max,
                   .spin_ns = options.spin.count(),
                   .hog_signal = is_on(options.hog_signal, owns_program)},
          .processes_max = static_cast<std::uint32_t>(
              std::min<std::size_t>(options.max_processes, runtime::ProcessTable::slots_max)),
          .send_timeout_ns = Duration(options.send_timeout).count(),
          .hibernate_after_ns = Duration(options.hibernate_after).count(),
          .log = options.log,
          .log_from = options.log_from};
}

// What threads that were left behind still use. No leak, for it can be reached from here.
void keep_for_good(std::unique_ptr<System> system) {
  static auto& mutex = *new std::mutex;
  static auto& kept = *new std::vector<std::unique_ptr<System>>;
  const std::lock_guard lock(mutex);
  kept.push_back(std::move(system));
}

}  // namespace

RuntimeImpl::RuntimeImpl(const Options& options, bool owns_program)
    : options_(options),
      owns_program_(owns_program),
      system_(std::make_unique<System>(config_of(options, owns_program))) {
  if (is_on(options.containment, owns_program)) containment_.emplace();
  if (is_on(options.hog_signal, owns_program)) hog_signal_.emplace();
  if (is_on(options.forked_children, owns_program)) {
    forked_children_.emplace([](void* system) noexcept { static_cast<System*>(system)->orphan(); },
                             system_.get());
  }
  // Before the threads, for it may be refused its socket.
  if (!options.inspector.empty())
    inspector_ = std::make_unique<inspector::Server>(*system_, options.inspector);
  system_->start();
  if (is_on(options.stop_signals, owns_program))
    stop_on_signal_.emplace([this] { stop(options_.stop_timeout); });
}

RuntimeImpl::~RuntimeImpl() {
  stop_on_signal_.reset();
  stop(options_.stop_timeout);
  if (is_left_behind_) keep_for_good(std::move(system_));
}

// A process that waited for its own runtime would hold the thread that this needs.
void RuntimeImpl::refuse_processes() const {
  system_->refuse_forked_child();
  const scheduler::Thread* thread = scheduler::Thread::current();
  if (thread && &thread->pool() == system_.get())
    throw BadArgument("Runtime::run and Runtime::stop are for plain threads, not for processes");
}

void RuntimeImpl::stop(Duration deadline) {
  refuse_processes();
  if (scheduler::BlockingPool::current() == &system_->blocking)
    throw BadArgument("Runtime::stop is not for blocking jobs, whose ends it waits for");
  std::call_once(stopped_, [&] { stop_once(deadline); });
}

void RuntimeImpl::stop_once(Duration deadline) {
  system_->refuse_spawns();
  const Deadline until = Deadline::after(deadline);
  const auto ending = std::make_shared<Ending>();
  start_own(make_body([this, ending, deadline, until] {
    const bool all_end = end_all_processes(*this, until, deadline > Duration::zero());
    ending->set(all_end ? ExitReason::normal() : ExitReason::killed());
  }));
  if (ending->wait() == ExitReason::normal()) wait_for_last_steps();
  inspector_.reset();
  is_left_behind_ = !system_->stop(until.ns()) || system_->table.alive() != 0;
  if (is_left_behind_)
    system_->log(Report(
        Severity::error,
        "left_behind",
        "left behind what does not end: its memory and its threads stay until the program ends"));
  const std::lock_guard lock(mutex_);
  for (const std::weak_ptr<Ending>& each : endings_) {
    if (const auto left = each.lock()) left->set(ExitReason::killed());
  }
}

// Whose end has been told has a few steps left, and may lose its turn before them; so may the
// process that has just told this thread. Not for ever: a spawn from outside that was just allowed
// may have come behind the last look for who lives.
void RuntimeImpl::wait_for_last_steps() {
  using namespace std::chrono_literals;
  const auto until = std::chrono::steady_clock::now() + 5s;
  while (system_->table.alive() != 0 && std::chrono::steady_clock::now() < until)
    std::this_thread::sleep_for(50us);
}

Pid RuntimeImpl::start_own(Program* program) {
  const Visit visit(*system_);
  runtime::Process& process = system_->create_own(program);
  const Pid pid = process.pid();
  {
    const std::lock_guard lock(mutex_);
    std::erase_if(own_, [this](Pid old) { return !system_->find(old); });
    own_.push_back(pid);
  }
  system_->launch(process);
  return pid;
}

bool RuntimeImpl::is_own(Pid pid) {
  const std::lock_guard lock(mutex_);
  return std::find(own_.begin(), own_.end(), pid) != own_.end();
}

std::vector<Pid> RuntimeImpl::own() {
  const std::lock_guard lock(mutex_);
  return own_;
}

namespace {

// A type of its own, for the inspector shows its name. It monitors the process before that begins.
struct EndWatcher {
  Pid pid;
  std::shared_ptr<RuntimeImpl::Ending> ending;

  void operator()() {
    const MonitorRef ref = monitor(pid);
    {
      const runtime::Call call;
      if (runtime::Process* process = call.system().find(pid)) call.system().launch(*process);
    }
    ending->set(receive(when([&](Down& down) { return down.ref == ref; },
                             [](Down& down) { return std::move(down.reason); })));
  }
};

}  // namespace

Pid RuntimeImpl::start_watched(Program* program, std::shared_ptr<Ending> ending) {
  std::unique_ptr<Program> owned(program);
  refuse_processes();
  Pid pid;
  {
    const Visit visit(*system_);
    {
      const std::lock_guard lock(mutex_);
      std::erase_if(endings_, [](const std::weak_ptr<Ending>& each) { return each.expired(); });
      endings_.push_back(ending);
    }
    runtime::Process& process = system_->create(owned.release(), nullptr, {});
    process.is_main = owns_program_;
    pid = process.pid();
  }
  start_own(make_body(EndWatcher{pid, std::move(ending)}));
  return pid;
}

ExitReason RuntimeImpl::Ending::wait() {
  // acquire: pairs with set.
  while (!is_set_.load(std::memory_order_acquire)) parker_.park();
  return reason_;
}

void RuntimeImpl::Ending::set(ExitReason reason) {
  // acquire: pairs with set; the second call may come from another thread.
  if (is_set_.load(std::memory_order_acquire)) return;
  reason_ = std::move(reason);
  // release: hands over the reason.
  is_set_.store(true, std::memory_order_release);
  parker_.unpark();
}

// --- The doors of system.hpp. --------------------------------------------------------------------

Pid spawn_from_outside(RuntimeImpl& runtime, Program* program, const SpawnOptions* options) {
  return runtime::spawn_from_outside(runtime.system(), program, options);
}

SendResult send_from_outside(RuntimeImpl& runtime, Pid to, void* payload, WhenFull when_full) {
  const runtime::Guest guest(runtime.system());  // what is not sent is destroyed here
  Message message(payload);
  return runtime::send_from_outside(runtime.system(), to, message, when_full);
}

void send_alias_from_outside(RuntimeImpl& runtime,
                             const Ref& alias,
                             void* payload,
                             SendOptions options) {
  const runtime::Guest guest(runtime.system());
  Message message(payload);
  runtime::send_alias_from_outside(runtime.system(), alias, message, options);
}

void send_named_from_outside(RuntimeImpl& runtime, std::string_view name, void* payload) {
  runtime.system().refuse_forked_child();
  const runtime::Guest guest(runtime.system());
  Message message(payload);
  runtime::send_named_from_outside(runtime.system(), name, message);
}

}  // namespace airssys::rt::detail

namespace airssys::rt {

Runtime::Runtime(const Options& options)
    : impl_(new detail::RuntimeImpl(options, false), [](detail::RuntimeImpl* impl) {
        if (!impl->is_orphaned()) delete impl;
      }) {}

Runtime::~Runtime() = default;

Runtime::Guest::Guest(Runtime& runtime)
    : guest_(std::make_unique<runtime::Guest>(runtime.impl().system())) {}

Runtime::Guest::~Guest() = default;

void Runtime::send_exit(Pid to, ExitReason reason) {
  runtime::send_exit_from_outside(impl_->system(), to, std::move(reason));
}

std::optional<Duration> Runtime::cancel_timer(TimerRef timer) {
  return runtime::cancel_timer_from_outside(impl_->system(), timer);
}

std::optional<Duration> Runtime::read_timer(TimerRef timer) {
  return runtime::read_timer_from_outside(impl_->system(), timer);
}

std::optional<Pid> Runtime::whereis(std::string_view name) {
  const runtime::Visit visit(impl_->system());
  return impl_->system().names.find(name);
}

ExitReason Runtime::run_and_wait(detail::Program* program) {
  const auto ending = std::make_shared<detail::RuntimeImpl::Ending>();
  impl_->start_watched(program, ending);
  return ending->wait();
}

void Runtime::stop(Duration deadline) {
  impl_->stop(deadline);
}

}  // namespace airssys::rt
