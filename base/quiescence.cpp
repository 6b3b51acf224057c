// quiescence.cpp: looking whether a grace period is over.
//
// quiescence.hpp has the protocol and its proof; here is its has_passed. One look answers for every
// stamp that the last heavy fence covers, so a busy system runs few membarriers.
#include "base/quiescence.hpp"

#include <algorithm>
#include <mutex>

#include "base/assert.hpp"

namespace airssys::rt::base {

void Quiescence::add(Announcement& announcement) noexcept {
  // relaxed: the caller's own word.
  RT_CHECK(announcement.epoch.load(std::memory_order_relaxed) == 0,
           "Q1 a thread is outside while its announcement comes");
  const std::lock_guard lock(mutex_);
  announcements_.push_back(announcement);
}

void Quiescence::remove(Announcement& announcement) noexcept {
  // relaxed: the caller's own word, or of a thread that has ended.
  RT_CHECK(announcement.epoch.load(std::memory_order_relaxed) == 0,
           "Q1 a thread is outside while its announcement goes");
  const std::lock_guard lock(mutex_);
  List<Announcement>::remove(announcement);
}

// Who finds another one looking leaves it to that one, for all would read the same lines.
bool Quiescence::look(Stamp stamp) noexcept {
  const std::unique_lock lock(mutex_, std::try_to_lock);
  if (!lock.owns_lock()) return false;
  if (fenced_ < stamp) {
    // acquire: every stamp up to this one was retired, and its thing unlinked, before the fence.
    // Pairs with retire.
    const Stamp newest = epoch_.load(std::memory_order_acquire);
    RT_CHECK(stamp <= newest, "Q2 a stamp comes from retire");
    heavy_fence();
    fenced_ = newest;
  }
  Stamp oldest = fenced_;
  for (Announcement* each = announcements_.front(); each != nullptr;
       each = announcements_.after(*each)) {
    // acquire: pairs with the releases in leave and enter; that thread's looks are over for us.
    const Stamp entered = each->epoch.load(std::memory_order_acquire);
    if (entered != 0) oldest = std::min(oldest, entered);
  }
  // relaxed: written under this mutex only.
  if (oldest > passed_.load(std::memory_order_relaxed))
    passed_.store(oldest, std::memory_order_release);  // hands the acquires above to has_passed
  return stamp <= oldest;
}

}  // namespace airssys::rt::base
