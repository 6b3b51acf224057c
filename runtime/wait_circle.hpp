// wait_circle.hpp: whether calls that wait for one another go round in a circle.
//
//   A ──▶ B ──▶ C ──▶ A       each waits for the answer of the next, and none will ever come
//
// States      Of a process, waits_in_call is: 0 = in no call that is looked at here | the number of
//             the call it waits in; waits_for is then whom it has called. The number is that of the
//             call's reference, so no process has the same one twice.
// Roles       show_call: the owner. take_out_of_circles: whoever takes its request, inside.
//             look_round: a process that has shown its call, inside.
// Invariants  C1 when a circle has come to be, the look of at least one of its members answers
//             closed or unsure. C2 closed is answered only if at one moment of the look each of the
//             others waited in its call and no answer to it was on its way.
// Orders      who calls shows its call, passes a full fence, and then looks; so do all others. Of
//             the fences in a circle one is the last, and its look sees every call (C1). Weaker,
//             and each could miss the next one's call, and all wait.
//             show_call releases, look_round acquires: a number and whom it calls belong together.
// Progress    wait-free, at most longest_circle steps; one load when the callee waits in no call
// Not here    when to look, and again: call_reply.cpp. Who stands in line at a full mailbox does not
//             look again before it has room.
// Proof       tests/model/wait_circle_model.cpp. In short for C2: the first walk reads each number;
//             the second finds each process at rest and then the same number. So each waited in one
//             call from the first to the second, and between them lies the moment. An answer that
//             was on its way then would have lain in an inbox which the second walk found empty.
//
// A process that is not at rest may have its answer already, so a look that meets one is unsure.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "base/atomic.hpp"

namespace airssys::rt::runtime {

inline constexpr std::size_t longest_circle = 64;

enum class Round : std::uint8_t {
  open,    // the calls behind this one do not lead back to it
  unsure,  // they do, but somebody is awake and may be about to go on: look again soon
  closed,  // they do, and nobody will
};

// Those who are called on the way round, and by which call each of them waits.
class RoundTrip {
 public:
  struct Step {
    std::uint64_t process;
    std::uint32_t call;
  };
  bool try_add(const Step& step) noexcept {
    if (count_ == steps_.size()) return false;
    steps_[count_++] = step;
    return true;
  }
  std::span<const Step> steps() const noexcept { return {steps_.data(), count_}; }

 private:
  std::array<Step, longest_circle> steps_;
  std::size_t count_ = 0;
};

// Of a wait that is no call the number is 0.
template <class Node>
void show_call(Node& owner, std::uint64_t whom, std::uint32_t number) noexcept {
  owner.waits_for.store(whom, std::memory_order_relaxed);  // relaxed: the number brings it along
  // release: pairs with look_round's acquire. Weaker, and a look goes on from whom an earlier call
  // was for.
  owner.waits_in_call.store(number, std::memory_order_release);
}

// Whoever takes the request of a call and may pass it on: the caller then waits for nobody in
// particular.
template <class Node>
void take_out_of_circles(Node& caller, std::uint32_t number) noexcept {
  // relaxed, twice: who takes it says so before its own next call, whose look or whose showing
  // brings this along. It may have gone on to another call: then nothing happens.
  caller.waits_in_call.compare_exchange_strong(
      number, 0, std::memory_order_relaxed, std::memory_order_relaxed);
}

// Whether this call, which its owner has shown, waits in a circle. `find` answers the process with
// these bits, or null. `trip` holds the others of the circle, unless it is open.
template <class Find>
Round look_round(std::uint64_t self, std::uint64_t callee, Find find, RoundTrip& trip) noexcept {
  for (std::uint64_t at = callee; at != self;) {
    const auto* node = find(at);
    if (!node) return Round::open;
    // acquire: pairs with show_call's release.
    const std::uint32_t call = node->waits_in_call.load(std::memory_order_acquire);
    if (call == 0 || !trip.try_add({at, call})) return Round::open;
    at = node->waits_for.load(std::memory_order_relaxed);  // relaxed: came with the number
  }
  for (const RoundTrip::Step& step : trip.steps()) {
    const auto* node = find(step.process);
    // Empty first: a number that is read afterwards belongs to a call without an answer.
    if (!node || !node->inbox.is_idle()) return Round::unsure;
    // acquire: as above.
    if (node->waits_in_call.load(std::memory_order_acquire) != step.call) return Round::unsure;
  }
  return Round::closed;
}

}  // namespace airssys::rt::runtime
