// rotation.cpp: passing turns on.
#include "scheduler/rotation.hpp"

#include <algorithm>
#include <mutex>
#include <system_error>
#include <utility>

#include "base/os.hpp"
#include "scheduler/thread.hpp"

namespace airssys::rt::scheduler {

constinit const char Rotation::mark = 0;

void Rotation::end() noexcept {
  if (!os_thread_.joinable()) return;
  is_over_.store(true, std::memory_order_release);  // release: before the unpark that shows it
  parker_.unpark();
  os_thread_.join();
}

void Rotation::suspect(Seat& seat) noexcept {
  seat.hold.begin();
  hogs_.fetch_add(1, std::memory_order_relaxed);  // relaxed: see hogs
}

void Rotation::acquit(Seat& seat) noexcept {
  seat.hold.give_up();
  hogs_.fetch_sub(1, std::memory_order_relaxed);  // relaxed: see hogs
}

void Rotation::come_home(Seat& seat) noexcept {
  if (seat.hold.is_home()) return;
  if (seat.hold.come_home()) parker_.unpark();
  hogs_.fetch_sub(1, std::memory_order_relaxed);  // relaxed: see hogs
}

bool Rotation::join(Seat& seat) noexcept {
  if (!may_signal_ || !start()) return false;
  const bool is_awake = !base::sleeps_in_kernel(seat.thread.os_id());
  const std::lock_guard lock(mutex_);
  const bool is_held = is_awake && seat.hold.hold();
  // It may be in a list still, if it had come home and is back before that was noticed.
  if (!std::exchange(seat.is_taken_, true)) joins_.push_back(seat);
  if (is_held) summon(seat);
  parker_.unpark();
  return true;
}

// With the first who joins, so that nobody is held yet by whom a new thread might have to wait.
bool Rotation::start() noexcept {
  if (os_thread_.joinable()) return true;
  try {
    os_thread_ = std::thread([this] { run(); });
    return true;
  } catch (const std::system_error&) {
    return false;
  }
}

void Rotation::run() noexcept {
  base::name_this_thread("airs-rotation");
  while (!is_over_.load(std::memory_order_acquire)) {  // acquire: pairs with end
    const std::int64_t left_ns = pass_on(base::steady_clock().now_ns());
    if (left_ns == never_ns) {
      parker_.park();
    } else {
      parker_.park_for(left_ns);
    }
  }
  let_everybody_go();
}

// When to look again.
std::int64_t Rotation::pass_on(std::int64_t now_ns) noexcept {
  take_in_who_joined();
  end_turns(now_ns);
  begin_turns(now_ns);
  if (running_count_ + waiting_count_ <= 1) return never_ns;
  std::int64_t left_ns = turn_ns;
  for (Seat* seat = running_.front(); seat; seat = running_.after(*seat))
    left_ns = std::min(left_ns, left_of(*seat, now_ns));
  return std::max(left_ns, nap_ns / 4);
}

void Rotation::take_in_who_joined() noexcept {
  const std::lock_guard lock(mutex_);
  while (Seat* seat = joins_.pop_front()) {
    fresh_.push_back(*seat);
    ++waiting_count_;
  }
}

// One that is held here has come home and is back since its turn began.
void Rotation::end_turns(std::int64_t now_ns) noexcept {
  Seat* next = running_.front();
  while (Seat* seat = next) {
    next = running_.after(*seat);
    if (has_left(*seat)) {
      --running_count_;
    } else if (seat->hold.is_held() || left_of(*seat, now_ns) <= 0) {
      if (waiting_count_ != 0 || running_count_ > places()) {
        end_turn(*seat);
      } else {
        begin_turn(*seat, now_ns);
      }
    }
  }
}

void Rotation::end_turn(Seat& seat) noexcept {
  if (!base::sleeps_in_kernel(seat.thread.os_id()) && seat.hold.hold()) summon(seat);
  base::List<Seat>::remove(seat);
  waiting_.push_back(seat);
  --running_count_;
  ++waiting_count_;
}

void Rotation::begin_turns(std::int64_t now_ns) noexcept {
  const unsigned most = places();
  while (running_count_ < most) {
    Seat* seat = next_to_run();
    if (!seat) return;
    --waiting_count_;
    if (has_left(*seat)) continue;
    base::List<Seat>::remove(*seat);
    running_.push_back(*seat);
    ++running_count_;
    begin_turn(*seat, now_ns);
  }
}

Seat* Rotation::next_to_run() noexcept {
  const bool is_fresh = !fresh_.empty() && (fresh_are_next_ || waiting_.empty());
  fresh_are_next_ = !is_fresh;
  return is_fresh ? fresh_.front() : waiting_.front();
}

void Rotation::begin_turn(Seat& seat, std::int64_t now_ns) noexcept {
  seat.began_ns_ = now_ns;
  seat.began_cpu_ns_ = base::cpu_time_ns(seat.thread.cpu_clock());
  seat.hold.let_go();
}

void Rotation::let_everybody_go() noexcept {
  take_in_who_joined();
  for (base::List<Seat>* list : {&running_, &fresh_, &waiting_}) {
    while (Seat* seat = list->pop_front()) seat->hold.let_go();
  }
}

// Takes a thread that has come home out of its list, unless it is about to join again.
bool Rotation::has_left(Seat& seat) noexcept {
  const std::lock_guard lock(mutex_);
  if (!seat.hold.is_home()) return false;
  base::List<Seat>::remove(seat);
  seat.is_taken_ = false;
  return true;
}

// Of its turn, in whatever time passes first; not above zero: it is over.
std::int64_t Rotation::left_of(const Seat& seat, std::int64_t now_ns) const noexcept {
  const std::int64_t elapsed_ns = now_ns - seat.began_ns_;
  const std::int64_t used_ns = base::cpu_time_ns(seat.thread.cpu_clock()) - seat.began_cpu_ns_;
  if (elapsed_ns >= patience_ns) return 0;
  if (elapsed_ns >= nap_ns && used_ns < elapsed_ns / 2 &&
      base::sleeps_in_kernel(seat.thread.os_id()))
    return 0;
  return slice_ns() - used_ns;
}

// As many as schedulers sleep; of more than a few one less, for the scheduler that wakes up next.
unsigned Rotation::places() const noexcept {
  const unsigned asleep = idle_.asleep();
  const unsigned kept_free = running_count_ + waiting_count_ > few ? 1 : 0;
  return asleep > 1 + kept_free ? asleep - kept_free : 1;
}

std::int64_t Rotation::slice_ns() const noexcept {
  const auto members = std::int64_t{running_count_} + waiting_count_;
  return std::clamp(
      round_ns * places() / std::max<std::int64_t>(members, 1), shortest_turn_ns, turn_ns);
}

void Rotation::summon(const Seat& seat) noexcept {
  base::signal_thread(seat.thread.os_id(), signal, &mark);
}

}  // namespace airssys::rt::scheduler
