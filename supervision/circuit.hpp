// circuit.hpp: the rules of a circuit breaker: who may call, and what a failure does.
//
// Permission is given for a number: that of the change since which the circuit is as it is. A word
// about a call of another number comes too late and means nothing. What is half open stays so for
// at most probe_time while somebody probes; the next one who asks finds out. Plain data, to be used
// by one at a time; times come from outside.
#pragma once

#include <airssys/rt/circuit_breaker.hpp>
#include <airssys/rt/exit_reason.hpp>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <vector>

#include "supervision/backoff.hpp"

namespace airssys::rt::supervision {

class Circuit {
 public:
  // Requires: options that make sense. `seed` is any number.
  Circuit(const CircuitBreakerOptions& options, std::uint64_t seed);

  // The number for which a call may be made, or until when none may.
  std::expected<std::uint64_t, std::int64_t> ask(std::int64_t now_ns);

  // What became of a call that was allowed for this number.
  void succeeded(std::uint64_t number, std::int64_t now_ns);
  void failed(std::uint64_t number, const ExitReason& reason, std::int64_t now_ns);
  void not_made(std::uint64_t number);

  void reset(std::int64_t now_ns);

  CircuitState state() const noexcept { return state_; }
  std::uint64_t number() const noexcept { return number_; }  // one more with each change
  std::uint64_t opened() const noexcept { return opened_; }
  // Until when whoever asks is refused; the past when asking is worth while.
  std::int64_t refuses_until_ns() const noexcept;
  // How many failures count at this time.
  unsigned failures(std::int64_t now_ns) const noexcept;
  // Whether a success has failures to forget.
  bool minds_success() const noexcept { return is_in_a_row_ && failures_ > 0; }
  const ExitReason& last_failure() const noexcept { return last_failure_; }

 private:
  void enter(CircuitState state);
  void open(std::int64_t now_ns);
  void close(std::int64_t now_ns);
  bool is_full() const noexcept { return probing_ + succeeded_ >= probes_; }

  const RestartBackoff open_for_;
  const std::int64_t probe_ns_;
  const std::int64_t window_ns_;
  const bool is_in_a_row_;
  const unsigned probes_;

  CircuitState state_ = CircuitState::closed;
  std::uint64_t number_ = 1;
  std::uint64_t opened_ = 0;
  std::uint64_t chance_;
  Backoff backoff_;
  ExitReason last_failure_;

  // Closed: the times of the last failures, as many as open it; the oldest is at failures_ % size.
  std::vector<std::int64_t> failed_ns_;
  std::size_t failures_ = 0;
  // Open: until when. Half open, while there are probes: when they have taken too long.
  std::int64_t until_ns_ = 0;
  // Half open.
  unsigned probing_ = 0;
  unsigned succeeded_ = 0;
};

}  // namespace airssys::rt::supervision
