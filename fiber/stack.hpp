// stack.hpp: memory for stacks: one reservation, a guard below each stack, piles of used ones.
//
//   stride: | guard 16 KiB | usable ...                         | Fiber | colour 0..2047 |
//           low end                                                             high end
//
// Size classes are powers of two from 64 KiB to 8 MiB; each has reservations of its own, of address
// space only (MAP_NORESERVE), that are never unmapped while the pool lives. A guard is a marker in
// the page table (MADV_GUARD_INSTALL, Linux 6.13) and splits no mapping, so a million guarded
// stacks are one line of /proc/self/maps. Older kernels: mprotect for a share of vm.max_map_count,
// beyond it a canary that each switch out compares. The guard is 16 KiB because a frame larger than
// it could step over it; code compiled with -fstack-clash-protection cannot.
// Colour: without it all stack tops share a page offset and so a few cache sets; shifted by
// (index * 64) & 2047 a switch among 100 000 fibers costs 19 ns instead of 52.
// Huge pages are off for stacks: one touched byte would cost 2 MiB.
//
// Roles    Cache: one per scheduler, one caller at a time; last in, first out, so stacks stay warm.
//          depot: in the pool, under a mutex, any cache. find: any thread and signal handlers.
// Warm and cold: a fiber that was given back keeps its pages and its context, and comes back as it
// is. trim drops pages of depot stacks; such a fiber comes back cold (place == nullptr) and must
// be prepared, as a fresh one.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "base/atomic.hpp"
#include "base/memory.hpp"
#include "base/mutex.hpp"
#include "fiber/context.hpp"

namespace airssys::rt::fiber {

/// 0 is 64 KiB, each one more is twice as much.
using SizeClass = std::uint8_t;

inline constexpr std::size_t smallest_stack_bytes = std::size_t{64} << 10;
inline constexpr SizeClass size_classes = 8;  // up to 8 MiB
inline constexpr std::size_t guard_bytes = std::size_t{16} << 10;

[[nodiscard]] constexpr std::size_t stride_bytes(SizeClass size_class) noexcept {
  return smallest_stack_bytes << size_class;
}

/// The smallest class whose stride is at least that many bytes; nothing above 8 MiB.
[[nodiscard]] std::optional<SizeClass> class_for(std::size_t stack_bytes) noexcept;

/// How guards are made on this machine.
enum class GuardKind : std::uint8_t { marker, mprotect, canary };

class StackPool {
 public:
  class Cache;

  /// What find knows about an address.
  struct Place {
    Fiber* fiber;   // the fiber whose stack it is; may be cold: compare, do not read
    bool in_guard;  // the address lies in the guard, not in the usable part
  };

  struct Options {
    /// Address space of the first reservation of each class; later ones are as large.
    std::size_t reservation_bytes = std::size_t{16} << 30;
    /// The best kind of guard to try; tests ask for the fallbacks.
    GuardKind guard = GuardKind::marker;
  };

  StackPool() noexcept : StackPool(Options{}) {}
  explicit StackPool(const Options& options) noexcept;
  StackPool(const StackPool&) = delete;
  StackPool& operator=(const StackPool&) = delete;
  /// All caches are gone and no fiber of the pool runs or will.
  ~StackPool();

  /// Returns the pages of depot stacks to the system, the longest unused first, keeping `keep` warm
  /// ones per class. Any thread; answers how many stacks. Pages go in batches, since dropping them
  /// one stack at a time interrupts all other CPUs each time.
  std::size_t trim(std::size_t keep = 0) noexcept;

  /// Returns to the system those pages of a fiber's stack that hold nothing: what lies below all
  /// that it has saved. Requires: it is off, and nobody resumes it meanwhile. Any thread.
  static void drop_unused(const Fiber& fiber) noexcept;

  /// Returns to the system all pages of the stacks of these fibers, at most drop_max, in one call
  /// where the kernel lets a program advise itself: one at a time interrupts all other CPUs each
  /// time. Requires: what they hold has been copied, and nobody resumes them. Any thread.
  static void drop(std::span<Fiber* const> fibers) noexcept;
  static constexpr std::size_t drop_max = 256;

  /// Which stack of this pool an address belongs to, if any. Any thread, safe in a signal handler.
  [[nodiscard]] std::optional<Place> find(const void* address) const noexcept;

  /// The kind that new stacks get now.
  [[nodiscard]] GuardKind guard_kind() const noexcept;

  /// Stacks cut from reservations so far; they are used, cached or in the depot.
  [[nodiscard]] std::size_t stacks() const noexcept;

  /// How many of them lie in the depot without pages, since trim.
  [[nodiscard]] std::size_t cold() noexcept;

 private:
  static constexpr unsigned reservations_max = 64;

  struct Reservation {
    // Fixed before it is counted.
    std::byte* begin = nullptr;
    std::byte* end = nullptr;
    SizeClass size_class = 0;
    // Written under mutex_, read by any thread: stacks have been cut up to here.
    base::Atomic<std::byte*> cut_end{nullptr};

    // relaxed: asked under mutex_.
    [[nodiscard]] bool is_used_up() const noexcept {
      return cut_end.load(std::memory_order_relaxed) == end;
    }
  };
  struct Cold {
    Fiber* fiber;  // an address only, its page is gone
    Guard guard;
  };
  struct Depot {
    std::vector<Fiber*, base::Allocator<Fiber*>> warm;  // the longest unused first
    std::vector<Cold, base::Allocator<Cold>> cold;
    Reservation* newest = nullptr;
  };

  unsigned take_from_depot(SizeClass size_class, std::span<Fiber*> fibers) noexcept;
  void give_to_depot(std::span<Fiber*> fibers) noexcept;
  // Under mutex_: the low end of a stack that has no guard yet, or null.
  std::byte* cut_fresh(SizeClass size_class, Depot& depot) noexcept;
  Reservation* reserve(SizeClass size_class) noexcept;
  Guard protect(std::byte* low_end) noexcept;
  std::size_t trim_batch(Depot& depot, std::size_t keep) noexcept;

  // Fixed after construction.
  std::size_t reservation_bytes_;
  std::size_t protected_max_;

  // Written under mutex_, read by any thread and by signal handlers.
  std::array<Reservation, reservations_max> reservations_;
  base::Atomic<unsigned> reservation_count_{0};
  base::Atomic<std::size_t> stacks_{0};

  // Written by whoever makes a guard.
  base::Atomic<GuardKind> guard_kind_;
  base::Atomic<std::size_t> protected_count_{0};

  base::Mutex mutex_{base::LockRank::stack_depot};
  // Under mutex_.
  std::array<Depot, size_classes> depots_;
};

/// A pile of stacks per size class. One caller at a time.
class StackPool::Cache {
 public:
  explicit Cache(StackPool& pool) noexcept : pool_(pool) {}
  Cache(const Cache&) = delete;
  Cache& operator=(const Cache&) = delete;
  ~Cache() { give_all(); }

  /// A fiber that is off: warm as it was given, or with place == nullptr, to be prepared. Null
  /// when address space or its limit is exhausted: refuse the spawn.
  [[nodiscard]] Fiber* take(SizeClass size_class = 0) noexcept {
    Pile& pile = piles_[size_class];
    if (pile.count == 0) [[unlikely]]
      refill(size_class);
    return pile.count == 0 ? nullptr : pile.fibers[--pile.count];
  }

  /// Gives a fiber back that is off and that nobody else will resume.
  void give(Fiber& fiber) noexcept {
    Pile& pile = piles_[fiber.size_class];
    if (pile.count == pile_max) [[unlikely]]
      give_oldest_half(pile);
    pile.fibers[pile.count++] = &fiber;
  }

  /// Gives all to the depot, where trim finds them. For a scheduler that goes to sleep.
  void give_all() noexcept;

 private:
  static constexpr unsigned pile_max = 64;

  struct Pile {
    std::array<Fiber*, pile_max> fibers;  // the longest unused first; only the first count
    unsigned count = 0;
  };

  void refill(SizeClass size_class) noexcept;
  void give_oldest_half(Pile& pile) noexcept;

  StackPool& pool_;
  std::array<Pile, size_classes> piles_{};
};

}  // namespace airssys::rt::fiber
