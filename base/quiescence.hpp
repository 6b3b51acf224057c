// quiescence.hpp: grace periods: when may memory that others look at be used again?
//
// States      an Announcement is 0 (its thread is outside: holds no shared pointer) or the epoch
//             that its thread read when it entered.
// Roles       enter, leave: the announcement's own thread. retire, has_passed: any thread. add,
//             remove: any thread, outside of enter and leave.
// Invariants  Q1 a thread looks at protected memory only between enter and leave.
//             Q2 who retires has made the thing unreachable before.
//             Q3 when has_passed(stamp) is true, no thread holds what was unreachable at retire.
// Orders      enter and retire by the asymmetric fence; leave releases, has_passed acquires
// Progress    enter and leave are a few plain instructions; retire is one fetch_add; has_passed
//             runs one membarrier per stamp, then only reads; one thread at a time, under a mutex
//             that others who ask do not wait for
// Proof       Let R hold X, unreachable since before retire() = s, and has_passed(s) run its heavy
//             fence. R entered with epoch e before it loaded X. Either R's light fence comes before
//             the heavy one: then the scan reads R's announcement e or something newer of R. If R
//             still holds X that is e, and e < s: an e >= s would mean that R acquired the epoch
//             after the unlinking and could not have found X. So the scan says no. Or R's light
//             fence comes after: then R's load of X sees the unlinking, and R does not hold X.
//             Something newer of R is a release after its last look at X, which the scan acquires,
//             so the reuse happens after the look.
//             tests/model explores table-slot reuse over it.
//
// Inside means inside a runtime call only: process code, hogs and sleepers stand at 0 and hold
// nobody up. Foreign threads use announcements of their own.
#pragma once

#include <cstdint>

#include "base/asymmetric_fence.hpp"
#include "base/atomic.hpp"
#include "base/cache_line.hpp"
#include "base/intrusive_list.hpp"
#include "base/mutex.hpp"

namespace airssys::rt::base {

/// One thread's word: 0 = outside, else the epoch of its entry. It has a cache line of its own,
/// since its thread writes it at every runtime call. Other protocols that need to know whether the
/// thread is inside (hand-over of its scheduler) read the same word.
struct alignas(cache_line_bytes) Announcement : ListHook {
  Atomic<std::uint64_t> epoch{0};
};

class Quiescence {
 public:
  /// Names a moment of retirement. Later ones are greater.
  using Stamp = std::uint64_t;

  Quiescence() noexcept = default;
  Quiescence(const Quiescence&) = delete;
  Quiescence& operator=(const Quiescence&) = delete;
  ~Quiescence() = default;

  /// From now on (until remove) grace periods wait for this announcement. It must stand at 0.
  void add(Announcement& announcement) noexcept;
  void remove(Announcement& announcement) noexcept;

  /// The thread is inside from here on: what it finds stays valid until it leaves. Not nested.
  void enter(Announcement& announcement) noexcept {
    // acquire: pairs with retire; who reads the new epoch sees what was unlinked before it.
    // Weaker: R could announce e >= s and still find X (see Proof).
    const std::uint64_t epoch = epoch_.load(std::memory_order_acquire);
    // release: an announcement that replaces an older one of the same thread also says that the
    // thread is done with what it looked at before; has_passed acquires. A plain store on x86.
    announcement.epoch.store(epoch, std::memory_order_release);
    light_fence();  // before the first load of anything shared; pairs with has_passed
  }

  /// The thread is outside and holds nothing any more.
  static void leave(Announcement& announcement) noexcept {
    // release: its looks are over; pairs with the acquire in has_passed. Weaker: the memory could
    // be written again while a look at it is still under way.
    announcement.epoch.store(0, std::memory_order_release);
  }

  /// Call after making something unreachable; it may be used again when has_passed(the answer).
  [[nodiscard]] Stamp retire() noexcept {
    // acq_rel: release publishes the unlinking together with the epoch (pairs with enter); acquire
    // lets a later stamp vouch for everything that earlier ones retired.
    return epoch_.fetch_add(1, std::memory_order_acq_rel) + 1;
  }

  /// True when nobody can hold any more what was retired with this stamp. Never waits for a thread
  /// to leave, nor for another one who asks: ask again later when false. Cheap when the answer is
  /// known.
  [[nodiscard]] bool has_passed(Stamp stamp) noexcept {
    // acquire: pairs with the release in look; the finder's acquires of all leaves come along.
    return stamp <= passed_.load(std::memory_order_acquire) || look(stamp);
  }

 private:
  bool look(Stamp stamp) noexcept;

  // Any thread, atomic: see Orders. Written at each retire, read at each enter.
  alignas(cache_line_bytes) Atomic<Stamp> epoch_{1};
  // Written under mutex_, read by any thread: every stamp up to this one has passed.
  alignas(cache_line_bytes) Atomic<Stamp> passed_{0};

  Mutex mutex_{LockRank::quiescence};
  // Under mutex_.
  List<Announcement> announcements_;
  Stamp fenced_ = 0;  // a heavy fence has run after every retire up to this stamp
};

}  // namespace airssys::rt::base
