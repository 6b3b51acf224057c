// circuit_breaker.cpp: one circuit, shared by all who call through it.
//
// The rules (circuit.hpp) run under a mutex that is held for some nanoseconds and never over a safe
// point. Two words spare the lock wherever nothing changes, and decide nothing else:
//   gate_     closed: minus the number to call for, and the call goes out
//             else: until when to refuse; who comes later asks the rules
//   mind_     whether a success has failures to forget
// Both are written under the lock. Who reads an old value acts as if it had come a moment earlier,
// when that was true, and the number makes a word about it harmless.
#include <airssys/rt/circuit_breaker.hpp>
#include <airssys/rt/no_unwind.hpp>
#include <airssys/rt/process.hpp>
#include <airssys/rt/report.hpp>
#include <airssys/rt/send.hpp>
#include <airssys/rt/time.hpp>
#include <algorithm>
#include <atomic>
#include <chrono>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "supervision/backoff.hpp"
#include "supervision/circuit.hpp"

namespace airssys::rt {

namespace {

std::int64_t now_ns() {
  return Deadline::now().ns();
}

std::uint64_t milliseconds(Duration time) {
  return static_cast<std::uint64_t>(std::chrono::ceil<std::chrono::milliseconds>(time).count());
}
std::string in_milliseconds(Duration time) {
  return std::to_string(milliseconds(time)) + " ms";
}

std::string title(const std::string& name) {
  return name.empty() ? "circuit breaker" : "circuit breaker \"" + name + "\"";
}

void check(const CircuitBreakerOptions& options) {
  const auto refuse = [&](const std::string& what) {
    throw BadArgument(title(options.name) + ": " + what);
  };
  if (options.failures == 0) refuse("failures is zero: it would never be closed");
  if (options.probes == 0) refuse("probes is zero: it would never be closed again");
  if (options.window < Duration::zero()) refuse("window is negative");
  if (options.probe_time <= Duration::zero()) refuse("probe_time must be more than zero");
  if (options.open.first == Duration::zero()) refuse("open.first must be more than zero");
  if (const std::string_view wrong = supervision::wrong_in(options.open); !wrong.empty())
    refuse("open." + std::string(wrong));
  if (options.open.longest < options.open.first) refuse("open.longest is less than open.first");
}

}  // namespace

const char* to_string(CircuitState state) noexcept {
  switch (state) {
    case CircuitState::closed:
      return "closed";
    case CircuitState::open:
      return "open";
    case CircuitState::half_open:
      return "half open";
  }
  return "?";
}

CircuitOpen::CircuitOpen(const std::string& name, Duration retry_after)
    : ProcessError(ExitReason::error("airssys::rt::CircuitOpen", title(name) + " is open"),
                   title(name) + " is open: try again in " + in_milliseconds(retry_after)),
      retry_after_(retry_after) {}

namespace detail {

class SharedCircuit {
 public:
  explicit SharedCircuit(CircuitBreakerOptions options)
      : name_(std::move(options.name)), circuit_(options, static_cast<std::uint64_t>(now_ns())) {}

  // The number to call for.
  std::expected<std::uint64_t, CircuitOpen> ask() {
    // relaxed: the word is all that is read here.
    std::int64_t gate = gate_.load(std::memory_order_relaxed);
    if (gate < 0) return static_cast<std::uint64_t>(-gate);
    const std::int64_t now = now_ns();
    if (now >= gate) {
      auto answer = change([now](Circuit& circuit) { return circuit.ask(now); });
      if (answer) return *answer;
      gate = answer.error();
    }
    // relaxed: a statistic.
    refused_.fetch_add(1, std::memory_order_relaxed);
    return std::unexpected(CircuitOpen(name_, Duration(gate - now)));
  }

  void succeeded(std::uint64_t number) {
    // relaxed, twice: as above.
    const bool is_closed = gate_.load(std::memory_order_relaxed) < 0;
    if (is_closed && !mind_.load(std::memory_order_relaxed)) return;
    change([number, now = now_ns()](Circuit& circuit) { circuit.succeeded(number, now); });
  }
  void failed(std::uint64_t number, const ExitReason& reason) {
    change([&, now = now_ns()](Circuit& circuit) { circuit.failed(number, reason, now); });
  }
  void not_made(std::uint64_t number) {
    // relaxed: as above.
    if (gate_.load(std::memory_order_relaxed) < 0) return;
    change([number](Circuit& circuit) { circuit.not_made(number); });
  }
  void reset() {
    change([now = now_ns()](Circuit& circuit) { circuit.reset(now); });
  }

  CircuitInfo info() {
    const std::int64_t now = now_ns();
    const std::scoped_lock lock(mutex_);
    CircuitInfo info{.name = name_,
                     .state = circuit_.state(),
                     .failures = circuit_.failures(now),
                     .opened = circuit_.opened(),
                     // relaxed: a statistic.
                     .refused = refused_.load(std::memory_order_relaxed),
                     .last_failure = circuit_.last_failure()};
    if (info.state == CircuitState::open)
      info.retry_after = Duration(std::max<std::int64_t>(0, circuit_.refuses_until_ns() - now));
    return info;
  }

  void subscribe(Pid subscriber) {
    const std::scoped_lock lock(mutex_);
    if (std::ranges::find(subscribers_, subscriber) == subscribers_.end())
      subscribers_.push_back(subscriber);
  }
  void unsubscribe(Pid subscriber) {
    const std::scoped_lock lock(mutex_);
    std::erase(subscribers_, subscriber);
  }

 private:
  using Circuit = supervision::Circuit;

  // Lets f act on the circuit; then tells of what has changed.
  template <class F>
  std::invoke_result_t<F&, Circuit&> change(F f) {
    std::unique_lock lock(mutex_);
    const CircuitState before = circuit_.state();
    const auto finish = [&] {
      publish();
      if (circuit_.state() == before) return;
      CircuitChange change{
          name_, before, circuit_.state(), circuit_.number(), circuit_.last_failure()};
      const std::vector<Pid> subscribers = subscribers_;
      const Duration wait(std::max<std::int64_t>(0, circuit_.refuses_until_ns() - now_ns()));
      lock.unlock();
      // From destructors and handlers of exceptions, too.
      without_unwind([&] { tell(change, wait, subscribers); });
    };
    if constexpr (std::is_void_v<std::invoke_result_t<F&, Circuit&>>) {
      f(circuit_);
      finish();
    } else {
      auto answer = f(circuit_);
      finish();
      return answer;
    }
  }

  void publish() noexcept {
    const bool is_closed = circuit_.state() == CircuitState::closed;
    // relaxed, twice: nothing but the words is handed over.
    gate_.store(
        is_closed ? -static_cast<std::int64_t>(circuit_.number()) : circuit_.refuses_until_ns(),
        std::memory_order_relaxed);
    mind_.store(circuit_.minds_success(), std::memory_order_relaxed);
  }

  void tell(const CircuitChange& change, Duration wait, const std::vector<Pid>& subscribers) {
    const bool is_open = change.to == CircuitState::open;
    std::string line = title(name_) + ": " + to_string(change.from) + " -> " + to_string(change.to);
    if (is_open) line += " for " + in_milliseconds(wait) + ", after " + change.reason.to_string();
    Report told(is_open ? Severity::warning : Severity::notice, "circuit", std::move(line));
    told.add("name", name_).add("from", to_string(change.from)).add("to", to_string(change.to));
    told.add("number", change.number);
    if (is_open) told.add("reason", change.reason.to_string()).add("wait_ms", milliseconds(wait));
    report(told);
    for (const Pid subscriber : subscribers) {
      if (try_send(subscriber, change) == SendResult::no_process) unsubscribe(subscriber);
    }
  }

  const std::string name_;
  // Any thread; written under mutex_.
  std::atomic<std::int64_t> gate_ = -1;
  std::atomic<bool> mind_ = false;
  std::atomic<std::uint64_t> refused_ = 0;
  // Under mutex_.
  std::mutex mutex_;
  Circuit circuit_;
  std::vector<Pid> subscribers_;
};

}  // namespace detail

CircuitPermit::~CircuitPermit() {
  if (!circuit_) return;
  if (std::uncaught_exceptions() > exceptions_) {
    failed(ExitReason::error("nocatch", "an exception passed by"));
  } else {
    circuit_->not_made(number_);
  }
}

void CircuitPermit::succeeded() {
  if (auto* circuit = std::exchange(circuit_, nullptr)) circuit->succeeded(number_);
}

void CircuitPermit::failed(const ExitReason& reason) {
  if (auto* circuit = std::exchange(circuit_, nullptr)) circuit->failed(number_, reason);
}

CircuitBreaker::CircuitBreaker(CircuitBreakerOptions options) {
  check(options);
  circuit_ = std::make_shared<detail::SharedCircuit>(std::move(options));
}

std::expected<CircuitPermit, CircuitOpen> CircuitBreaker::try_permit() const {
  std::expected<CircuitPermit, CircuitOpen> permit = permit_here();
  if (permit) permit->owner_ = circuit_;
  return permit;
}

std::expected<CircuitPermit, CircuitOpen> CircuitBreaker::permit_here() const {
  std::expected<std::uint64_t, CircuitOpen> number = circuit_->ask();
  if (!number) return std::unexpected(std::move(number).error());
  return CircuitPermit(*circuit_, *number);
}

CircuitInfo CircuitBreaker::info() const {
  return circuit_->info();
}

void CircuitBreaker::reset() const {
  circuit_->reset();
}

void CircuitBreaker::subscribe(Pid subscriber) const {
  circuit_->subscribe(subscriber);
}

void CircuitBreaker::unsubscribe(Pid subscriber) const {
  circuit_->unsubscribe(subscriber);
}

}  // namespace airssys::rt
