// circuit.cpp: the rules of a circuit breaker.
#include "supervision/circuit.hpp"

#include <airssys/rt/time.hpp>
#include <algorithm>

namespace airssys::rt::supervision {

namespace {

std::int64_t later(std::int64_t now_ns, std::int64_t by_ns) noexcept {
  return by_ns >= Deadline::never_ns - now_ns ? Deadline::never_ns : now_ns + by_ns;
}

}  // namespace

Circuit::Circuit(const CircuitBreakerOptions& options, std::uint64_t seed)
    : open_for_(options.open),
      probe_ns_(options.probe_time.count()),
      window_ns_(options.window.count()),
      is_in_a_row_(options.window == Duration::zero()),
      probes_(options.probes),
      chance_(seed),
      failed_ns_(options.failures) {}

std::expected<std::uint64_t, std::int64_t> Circuit::ask(std::int64_t now_ns) {
  if (state_ == CircuitState::open && now_ns >= until_ns_) enter(CircuitState::half_open);
  if (state_ == CircuitState::half_open && probing_ > 0 && now_ns >= until_ns_)
    failed(number_, ExitReason::timeout(), now_ns);
  if (state_ == CircuitState::open || (state_ == CircuitState::half_open && is_full()))
    return std::unexpected(until_ns_);
  if (state_ == CircuitState::half_open && probing_++ == 0) until_ns_ = later(now_ns, probe_ns_);
  return number_;
}

void Circuit::succeeded(std::uint64_t number, std::int64_t now_ns) {
  if (number != number_) return;
  if (state_ == CircuitState::half_open) {
    --probing_;
    if (++succeeded_ == probes_) close(now_ns);
  } else if (is_in_a_row_) {
    failures_ = 0;
  }
}

void Circuit::failed(std::uint64_t number, const ExitReason& reason, std::int64_t now_ns) {
  if (number != number_) return;
  last_failure_ = reason;
  failed_ns_[failures_++ % failed_ns_.size()] = now_ns;
  if (state_ == CircuitState::half_open || failures(now_ns) == failed_ns_.size()) open(now_ns);
}

void Circuit::not_made(std::uint64_t number) {
  if (number == number_ && state_ == CircuitState::half_open) --probing_;
}

void Circuit::reset(std::int64_t now_ns) {
  if (state_ != CircuitState::closed) return close(now_ns);
  failures_ = 0;
}

void Circuit::enter(CircuitState state) {
  state_ = state;
  ++number_;
  failures_ = 0;
  probing_ = 0;
  succeeded_ = 0;
}

void Circuit::open(std::int64_t now_ns) {
  enter(CircuitState::open);
  ++opened_;
  chance_ = chance_ * 6364136223846793005U + 1442695040888963407U;
  until_ns_ = later(now_ns, backoff_.ended(open_for_, now_ns, chance_).count());
}

void Circuit::close(std::int64_t now_ns) {
  enter(CircuitState::closed);
  backoff_.started(now_ns);
}

std::int64_t Circuit::refuses_until_ns() const noexcept {
  const bool refuses =
      state_ == CircuitState::open || (state_ == CircuitState::half_open && is_full());
  return refuses ? until_ns_ : 0;
}

unsigned Circuit::failures(std::int64_t now_ns) const noexcept {
  const std::size_t known = std::min(failures_, failed_ns_.size());
  if (is_in_a_row_) return static_cast<unsigned>(known);
  return static_cast<unsigned>(
      std::count_if(failed_ns_.begin(),
                    failed_ns_.begin() + static_cast<std::ptrdiff_t>(known),
                    [&](std::int64_t at_ns) { return now_ns - at_ns <= window_ns_; }));
}

}  // namespace airssys::rt::supervision
