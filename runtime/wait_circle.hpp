// wait_circle.hpp: whether calls that wait for one another go round in a circle.
//
//   A ──▶ B ──▶ C ──▶ A       each waits for the answer of the next, and none will ever come
//
// A start and a stop that are waited for are calls here; the answer is that it has started, or its
// end. A circle that a stop closes is not noticed here: supervision/child_stop.cpp notices one of
// two processes; a longer one ends by the time that the stop gives.
//
// States      Of a process, waits_in_call is: 0 = in no call that is looked at here | the number of
//             the call it waits in; waits_for is then whom it has called. The number is that of the
//             call's reference, so no process has the same one twice.
// Roles       show_call: the owner; of a start, before the process that it waits for can run.
//             take_out_of_circles: whoever takes its request, inside.
//             look_round: a process that has shown its call, inside.
// Invariants  C1 when a circle has come to be, the look of at least one of its members answers
//             closed or unsure. C2 closed is answered only if at one moment of the look each of the
//             others waited in its call and no answer to it was on its way or unread. Whether its
//             own answer has come is for the looker to see, when it looks again.
// Orders      who calls shows its call, passes a full fence, and then looks; so do all others. Of
//             the fences in a circle one is the last, and its look sees every call (C1). Weaker,
//             and each could miss the next one's call, and all wait. Who starts another shows that
//             before it launches it, so before the other's fence, and need not look.
//             show_call releases twice, look_round acquires as often: a number and whom it calls
//             belong together, and who has gone on from a call is not found at rest in it.
// Progress    wait-free, at most longest_circle steps; a load when the callee waits in no call
// Not here    when to look, and again: call_reply.cpp. Who stands in line at a full mailbox
//             does not look again before it has room.
// Proof       tests/model/wait_circle_model.cpp. In short for C2: the first walk reads each number;
//             the second finds each process at rest for its answer and then the same number. So
//             each waited in one call from the first to the second, and between them lies the
//             moment. An answer that was on its way then would have lain in an inbox which the
//             second walk found empty; one that was taken from there is read before its owner
//             rests for an answer again. Who is suspended reads nothing, and so is in no call.
//
// A process that is not at rest may have its answer already, so a look that meets one is unsure.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "base/atomic.hpp"
#include "runtime/wait_reason.hpp"

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

// A reference as the number of a call. One in 2^32 is 0, and its call is not looked at.
constexpr std::uint32_t call_number(std::uint64_t ref) noexcept {
  return static_cast<std::uint32_t>(ref);
}

// Of a wait that is no call the number is 0.
template <class Node>
void show_call(Node& owner, std::uint64_t whom, std::uint32_t number) noexcept {
  // release: pairs with look_round's acquire. Weaker, and whom it waits for next could be seen
  // while it still seems to rest in the call before.
  owner.waits_for.store(whom, std::memory_order_release);
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

// Whether it is at rest because no answer has come to this call of its.
template <class Node>
bool rests_in_call(const Node& node, std::uint32_t call) noexcept {
  // Empty first: what is read afterwards belongs to this rest, or to a later time.
  if (!node.inbox.is_idle()) return false;
  // relaxed: is_idle has brought it along. At rest for anything else it may have the answer in its
  // mail; once it has, it rests for an answer only in a later call.
  const WaitReason reason = node.wait_reason.load(std::memory_order_relaxed);
  if (reason != WaitReason::reply && reason != WaitReason::mailbox_room) return false;
  // relaxed: nothing is read after it; that it is not older than the rest, is_idle has seen to.
  return node.waits_in_call.load(std::memory_order_relaxed) == call;
}

// Whether this call, which its owner has shown, waits in a circle. `find` answers the process with
// these bits, or null. `trip` holds the others of the circle, unless it is open.
template <class Node, class Find>
Round look_round(const Node& self,
                 const RoundTrip::Step& own,
                 std::uint64_t callee,
                 Find find,
                 RoundTrip& trip) noexcept {
  for (std::uint64_t at = callee; at != own.process;) {
    const Node* node = find(at);
    if (!node) return Round::open;
    // acquire: pairs with show_call's release.
    const std::uint32_t call = node->waits_in_call.load(std::memory_order_acquire);
    if (call == 0 || !trip.try_add({at, call})) return Round::open;
    // acquire: pairs with show_call's release.
    at = node->waits_for.load(std::memory_order_acquire);
  }
  // relaxed: who has taken this call out said so before the calls that were read above.
  if (self.waits_in_call.load(std::memory_order_relaxed) != own.call) return Round::open;
  for (const RoundTrip::Step& step : trip.steps()) {
    const Node* node = find(step.process);
    if (!node || !rests_in_call(*node, step.call)) return Round::unsure;
  }
  return Round::closed;
}

}  // namespace airssys::rt::runtime
