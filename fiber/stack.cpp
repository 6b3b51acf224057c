// stack.cpp: reservations, guards, the depot and its trimming.
//
// Strides are aligned to their size, so a stack's place, its colour and its Fiber follow from any
// address inside it.
#include "fiber/stack.hpp"

#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <fstream>
#include <memory>
#include <mutex>

#include "base/assert.hpp"
#include "base/os.hpp"
#include "fiber/throw_site.hpp"

namespace airssys::rt::fiber {

namespace {

constexpr int madvise_guard_install = 102;  // MADV_GUARD_INSTALL; too new for our C library
constexpr std::size_t strides_min = 16;     // a smaller reservation is not worth its slot

std::uintptr_t word(const void* address) noexcept {
  return reinterpret_cast<std::uintptr_t>(address);
}

Fiber* fiber_at(std::byte* low_end, SizeClass size_class) noexcept {
  const std::size_t stride = stride_bytes(size_class);
  const std::size_t colour = (word(low_end) / stride * 64) & 2047;
  const std::size_t bytes_above = (sizeof(Fiber) + colour + 63) / 64 * 64;
  return reinterpret_cast<Fiber*>(low_end + stride - bytes_above);
}

std::byte* low_end_of(const Fiber* fiber, SizeClass size_class) noexcept {
  const std::uintptr_t mask = stride_bytes(size_class) - 1;
  // NOLINTNEXTLINE(performance-no-int-to-ptr): rounding an address down.
  return reinterpret_cast<std::byte*>(word(fiber) & ~mask);
}

Fiber* construct(Fiber* place, SizeClass size_class, Guard guard) noexcept {
  auto* const fiber = std::construct_at(place);
  fiber->low = low_end_of(place, size_class) + guard_bytes;
  fiber->guard = guard;
  fiber->size_class = size_class;
  return fiber;
}

// Its pages may go.
void retire(Fiber& fiber) noexcept {
  sanitizer::end(fiber.sanitizer_stack);
  forget_throw_site(fiber);
}

// How many guards mprotect may make: each splits a mapping, and the host needs some too.
std::size_t protectable_stacks() noexcept {
  std::size_t mappings_max = 0;
  if (!(std::ifstream("/proc/sys/vm/max_map_count") >> mappings_max))
    mappings_max = 65530;  // the kernel's default
  return mappings_max / 2 > 2000 ? mappings_max / 2 - 2000 : 0;
}

iovec usable_part(const Fiber& fiber) noexcept {
  return {fiber.low, stride_bytes(fiber.size_class) - guard_bytes};
}

std::size_t drop_in_one_call(std::span<const iovec> ranges) noexcept {
  const auto self = static_cast<int>(::syscall(SYS_pidfd_open, ::getpid(), 0));
  if (self < 0) return 0;
  const long dropped =
      ::syscall(SYS_process_madvise, self, ranges.data(), ranges.size(), MADV_DONTNEED, 0);
  ::close(self);
  return dropped < 0 ? 0 : static_cast<std::size_t>(dropped);
}

// One call for all where the kernel lets a program advise itself, else one for each.
void drop_pages(std::span<const iovec> ranges) noexcept {
  std::size_t dropped = drop_in_one_call(ranges);
  for (const iovec& range : ranges) {
    if (dropped >= range.iov_len) {
      dropped -= range.iov_len;
      continue;
    }
    dropped = 0;  // from the first that was not dropped whole
    ::madvise(range.iov_base, range.iov_len, MADV_DONTNEED);
  }
}

}  // namespace

std::optional<SizeClass> class_for(std::size_t stack_bytes) noexcept {
  for (SizeClass size_class = 0; size_class < size_classes; ++size_class)
    if (stack_bytes <= stride_bytes(size_class)) return size_class;
  return std::nullopt;
}

StackPool::StackPool(const Options& options) noexcept
    : reservation_bytes_(options.reservation_bytes),
      protected_max_(protectable_stacks()),
      guard_kind_(options.guard) {}

StackPool::~StackPool() {
  for (const Depot& depot : depots_)
    for (Fiber* const fiber : depot.warm) retire(*fiber);
  // relaxed: nobody else is left.
  const unsigned count = reservation_count_.load(std::memory_order_relaxed);
  for (const Reservation& each : std::span(reservations_).first(count))
    ::munmap(each.begin, static_cast<std::size_t>(each.end - each.begin));
}

GuardKind StackPool::guard_kind() const noexcept {
  return guard_kind_.load(std::memory_order_relaxed);  // relaxed: tells, decides nothing
}

std::size_t StackPool::stacks() const noexcept {
  return stacks_.load(std::memory_order_relaxed);  // relaxed: a statistic
}

std::size_t StackPool::cold() noexcept {
  const std::lock_guard lock(mutex_);
  std::size_t count = 0;
  for (const Depot& depot : depots_) count += depot.cold.size();
  return count;
}

std::optional<StackPool::Place> StackPool::find(const void* address) const noexcept {
  // acquire: pairs with the release in reserve; a reservation that is counted is complete.
  const unsigned count = reservation_count_.load(std::memory_order_acquire);
  for (const Reservation& each : std::span(reservations_).first(count)) {
    // relaxed: an address in a stack that the caller knows of lies below the end it can see.
    if (address < each.begin || address >= each.cut_end.load(std::memory_order_relaxed)) continue;
    const auto offset = word(address) - word(each.begin);
    const std::size_t within = offset % stride_bytes(each.size_class);
    return Place{fiber_at(each.begin + (offset - within), each.size_class), within < guard_bytes};
  }
  return std::nullopt;
}

void StackPool::drop_unused(const Fiber& fiber) noexcept {
  const std::size_t page = base::page_bytes();
  // A canary lies lowest, and has to stay.
  std::byte* const low = fiber.low + (fiber.guard == Guard::canary ? page : 0);
  const std::uintptr_t end = word(lowest_in_use(fiber.place)) / page * page;
  if (end > word(low)) ::madvise(low, end - word(low), MADV_DONTNEED);
}

void StackPool::drop(std::span<Fiber* const> fibers) noexcept {
  RT_CHECK(fibers.size() <= drop_max, "stacks are dropped in batches");
  std::array<iovec, drop_max> ranges{};
  for (std::size_t i = 0; i < fibers.size(); ++i) ranges[i] = usable_part(*fibers[i]);
  drop_pages(std::span(ranges).first(fibers.size()));
}

std::size_t StackPool::trim(std::size_t keep) noexcept {
  std::size_t trimmed = 0;
  for (Depot& depot : depots_)
    while (const std::size_t count = trim_batch(depot, keep)) trimmed += count;
  return trimmed;
}

std::size_t StackPool::trim_batch(Depot& depot, std::size_t keep) noexcept {
  std::array<Cold, drop_max> batch{};
  std::array<iovec, drop_max> ranges{};
  std::size_t count = 0;
  {
    const std::lock_guard lock(mutex_);
    if (depot.warm.size() <= keep) return 0;
    count = std::min(depot.warm.size() - keep, drop_max);
    for (std::size_t i = 0; i < count; ++i) batch[i] = {depot.warm[i], depot.warm[i]->guard};
    depot.warm.erase(depot.warm.begin(), depot.warm.begin() + static_cast<std::ptrdiff_t>(count));
  }
  for (std::size_t i = 0; i < count; ++i) {
    Fiber& fiber = *batch[i].fiber;
    retire(fiber);
    ranges[i] = usable_part(fiber);
  }
  drop_pages(std::span(ranges).first(count));
  const std::lock_guard lock(mutex_);
  depot.cold.insert(depot.cold.end(), batch.data(), batch.data() + count);
  return count;
}

unsigned StackPool::take_from_depot(SizeClass size_class, std::span<Fiber*> fibers) noexcept {
  std::optional<Cold> cold;
  std::byte* fresh = nullptr;
  {
    const std::lock_guard lock(mutex_);
    Depot& depot = depots_[size_class];
    if (!depot.warm.empty()) {
      const std::size_t count = std::min(depot.warm.size(), fibers.size());
      std::copy_n(depot.warm.end() - static_cast<std::ptrdiff_t>(count), count, fibers.begin());
      depot.warm.resize(depot.warm.size() - count);
      return static_cast<unsigned>(count);
    }
    // One at a time: memory that is not needed stays untouched.
    if (!depot.cold.empty()) {
      cold = depot.cold.back();
      depot.cold.pop_back();
    } else {
      fresh = cut_fresh(size_class, depot);
    }
  }
  // Outside: a guard is a call of the system, and the first touch of a page is one, too.
  if (fresh) cold = {fiber_at(fresh, size_class), protect(fresh)};
  if (!cold) return 0;
  fibers[0] = construct(cold->fiber, size_class, cold->guard);
  return 1;
}

void StackPool::give_to_depot(std::span<Fiber*> fibers) noexcept {
  if (fibers.empty()) return;
  const std::lock_guard lock(mutex_);
  auto& warm = depots_[fibers[0]->size_class].warm;
  warm.insert(warm.end(), fibers.begin(), fibers.end());
}

std::byte* StackPool::cut_fresh(SizeClass size_class, Depot& depot) noexcept {
  if (depot.newest == nullptr || depot.newest->is_used_up()) {
    Reservation* const reservation = reserve(size_class);
    if (reservation == nullptr) return nullptr;
    depot.newest = reservation;
  }
  // relaxed, all three: cut_end is written under mutex_ only, and stacks_ is a statistic.
  std::byte* const low_end = depot.newest->cut_end.load(std::memory_order_relaxed);
  depot.newest->cut_end.store(low_end + stride_bytes(size_class), std::memory_order_relaxed);
  stacks_.fetch_add(1, std::memory_order_relaxed);
  return low_end;
}

StackPool::Reservation* StackPool::reserve(SizeClass size_class) noexcept {
  const std::size_t stride = stride_bytes(size_class);
  const unsigned number = reservation_count_.load(std::memory_order_relaxed);  // under mutex_
  if (number == reservations_max) return nullptr;
  std::size_t bytes = std::max(std::bit_floor(reservation_bytes_), strides_min * stride);
  void* memory = MAP_FAILED;
  // A host may limit its address space: then smaller pieces.
  for (; memory == MAP_FAILED && bytes >= strides_min * stride; bytes /= 2)
    memory = ::mmap(nullptr,
                    bytes + stride,
                    PROT_READ | PROT_WRITE,
                    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
                    -1,
                    0);
  if (memory == MAP_FAILED) return nullptr;
  bytes *= 2;  // the loop's last step
  const std::size_t skip = (stride - word(memory) % stride) % stride;
  auto* const begin = static_cast<std::byte*>(memory) + skip;
  if (skip > 0) ::munmap(memory, skip);
  if (skip < stride) ::munmap(begin + bytes, stride - skip);
  ::madvise(begin, bytes, MADV_NOHUGEPAGE);  // refused where there are none: as well

  Reservation& reservation = reservations_[number];
  reservation.begin = begin;
  reservation.end = begin + bytes;
  reservation.size_class = size_class;
  reservation.cut_end.store(begin, std::memory_order_relaxed);      // published by the count
  reservation_count_.store(number + 1, std::memory_order_release);  // pairs with find
  return &reservation;
}

Guard StackPool::protect(std::byte* low_end) noexcept {
  // relaxed, all three: who tries a kind that another has found impossible falls back as well.
  const GuardKind tried = guard_kind_.load(std::memory_order_relaxed);
  GuardKind kind = tried;
  if (kind == GuardKind::marker) {
    if (::madvise(low_end, guard_bytes, madvise_guard_install) == 0) return Guard::page;
    kind = GuardKind::mprotect;  // an older kernel, or locked memory
  }
  if (kind == GuardKind::mprotect) {
    if (protected_count_.fetch_add(1, std::memory_order_relaxed) >= protected_max_ ||
        ::mprotect(low_end, guard_bytes, PROT_NONE) != 0)
      kind = GuardKind::canary;
  }
  if (kind != tried) guard_kind_.store(kind, std::memory_order_relaxed);  // relaxed: as above
  return kind == GuardKind::canary ? Guard::canary : Guard::page;
}

void StackPool::Cache::refill(SizeClass size_class) noexcept {
  Pile& pile = piles_[size_class];
  pile.count = pool_.take_from_depot(size_class, std::span(pile.fibers).first(pile_max / 4));
}

void StackPool::Cache::give_oldest_half(Pile& pile) noexcept {
  constexpr unsigned half = pile_max / 2;
  pool_.give_to_depot(std::span(pile.fibers).first(half));
  std::copy(pile.fibers.begin() + half, pile.fibers.begin() + pile.count, pile.fibers.begin());
  pile.count -= half;
}

void StackPool::Cache::give_all() noexcept {
  for (Pile& pile : piles_) {
    pool_.give_to_depot(std::span(pile.fibers).first(pile.count));
    pile.count = 0;
  }
}

}  // namespace airssys::rt::fiber
