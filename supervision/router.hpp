// router.hpp: the places of a pool's members: who gets a request, who waits for room.
//
// A request takes a seat at a slot and gives it back when it is done with. A slot outlives its
// members; each member that fills it begins a new generation with no load, and a seat of an earlier
// one gives nothing back: a member whose stack was cut off may have kept its seat for ever.
//
// Without a limit a request costs a look at the slots and one atomic addition. With a limit, and
// whenever somebody has to wait, seats are taken and given back under a mutex that is held for
// nanoseconds and never over a safe point.
// Invariant: while it is free, no slot has room that somebody waits for.
// Whoever makes room sends the seat to the first caller who may use it. Should that one have been
// killed or given up, the message is dropped, the seat with it, and so it goes to the next.
#pragma once

#include <airssys/rt/detail/routed.hpp>
#include <airssys/rt/error.hpp>
#include <airssys/rt/pid.hpp>
#include <airssys/rt/pool.hpp>
#include <airssys/rt/ref.hpp>
#include <airssys/rt/time.hpp>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

namespace airssys::rt::detail {

// Which of so many members a key belongs to (Lamping and Veach, jump consistent hash).
std::size_t member_of_key(ByKey key, std::size_t members) noexcept;

struct alignas(64) RouterSlot {
  std::atomic<std::uint64_t> pid = 0;   // bits of the member's; 0: it is not there
  std::atomic<std::uint64_t> word = 0;  // generation, above 32 bits of seats taken
  Router* router = nullptr;             // of a pool with a limit
  std::size_t index = 0;

  std::size_t taken() const noexcept;
  void give_back(std::uint32_t generation) noexcept;
};

class Router : public std::enable_shared_from_this<Router> {
 public:
  // Requires: options that make sense.
  explicit Router(const PoolOptions& options);

  // A seat at some slot, or at that of the key if there is one; nothing when there is no room. Any
  // thread; does not suspend.
  std::optional<Seat> try_take(const ByKey* key);
  // Waits for one. For processes; suspends.
  std::expected<Seat, CallError> take(const ByKey* key, Deadline deadline);
  // A call to this member failed so. If it is gone the place is empty: the caller may hear of that
  // before the supervisor does, and should not be sent there again.
  void failed(Pid member, const CallError& error);
  // A seat of a pool with a limit comes back. Any thread.
  void give_back(RouterSlot& slot, std::uint32_t generation);

  // From the tree's processes.
  // Makes this process the one that may start the pool, or answers who is that already.
  Pid claim(Pid owner);
  // The claim of its starter is the supervisor's from now on. False: it had been lost.
  bool begin(Pid starter, Pid supervisor, MemberMaker maker);
  void end(Pid owner);
  void fill(std::size_t index, Pid member);
  void clear(Pid member);
  void set_size(std::size_t size);

  // Any thread.
  Pid supervisor() const;
  MemberMaker maker() const;
  std::size_t size() const noexcept;
  PoolInfo info() const;

 private:
  struct Waiter {
    std::optional<ByKey> key;
    Alias address;
  };
  struct Granted {
    Seat seat;
  };
  struct Grant {
    Alias address;
    Seat seat;
  };
  class Place;

  bool has_room(const RouterSlot& slot) const noexcept;
  RouterSlot* choose(const ByKey* key) noexcept;
  std::optional<Seat> take_if_room(const ByKey* key);

  // Under mutex_: seats for those who wait, at most so many; to be sent after it.
  std::vector<Grant> grant(std::size_t seats);
  static void send_out(std::vector<Grant> grants);

  const Routing routing_;
  const std::size_t limit_;
  const std::size_t waiting_max_;

  // Any thread. The slots lie in a room for all there may ever be, so none of them moves.
  std::vector<std::shared_ptr<RouterSlot>> slots_;
  std::atomic<std::size_t> size_ = 0;  // so many of them are used
  std::atomic<std::size_t> turn_ = 0;

  // Under mutex_.
  mutable std::mutex mutex_;
  std::map<std::uint64_t, Waiter> waiters_;  // by ticket: first come, first served
  std::uint64_t tickets_ = 0;
  Pid owner_;  // who starts it or has started it; null: nobody
  Pid supervisor_;
  MemberMaker maker_;
};

}  // namespace airssys::rt::detail
