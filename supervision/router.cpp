// router.cpp: seats: taken, given back, waited for.
#include "supervision/router.hpp"

#include <airssys/rt/call.hpp>
#include <airssys/rt/no_unwind.hpp>
#include <airssys/rt/send.hpp>
#include <algorithm>
#include <string>
#include <utility>

namespace airssys::rt::detail {

namespace {

constexpr unsigned load_bits = 32;

CallError call_error(CallError::Kind kind, const std::string& what) {
  return {kind, ExitReason::error("airssys::rt::CallError", what), what};
}

CallError no_tree() {
  return {CallError::noproc, ExitReason::noproc(), "the pool has no supervisor"};
}

}  // namespace

std::size_t member_of_key(ByKey key, std::size_t members) noexcept {
  std::uint64_t hash = key.hash();
  std::size_t member = 0;
  for (std::size_t next = 0; next < members;) {
    member = next;
    hash = hash * 2862933555777941757U + 1;
    const double jump = 0x1.0p31 / static_cast<double>((hash >> 33U) + 1);
    next = static_cast<std::size_t>(static_cast<double>(member + 1) * jump);
  }
  return member;
}

// --- slots and seats ---

std::size_t RouterSlot::taken() const noexcept {
  // relaxed: a number to compare; under the router's mutex it is exact.
  return word.load(std::memory_order_relaxed) & ((std::uint64_t{1} << load_bits) - 1);
}

void RouterSlot::give_back(std::uint32_t generation) noexcept {
  // relaxed, twice: the word alone changes.
  std::uint64_t old = word.load(std::memory_order_relaxed);
  while (old >> load_bits == generation &&
         !word.compare_exchange_weak(old, old - 1, std::memory_order_relaxed)) {
  }
}

Seat::~Seat() {
  if (!slot_) return;
  if (slot_->router) {
    slot_->router->give_back(*slot_, generation_);
  } else {
    slot_->give_back(generation_);
  }
}

// --- callers ---

Router::Router(const PoolOptions& options)
    : routing_(options.routing), limit_(options.limit), waiting_max_(options.waiting) {
  slots_.reserve(pool_size_max);
  set_size(options.size);
}

bool Router::has_room(const RouterSlot& slot) const noexcept {
  // relaxed: who takes a seat looks at it again.
  const bool is_there = slot.pid.load(std::memory_order_relaxed) != 0;
  return is_there && (limit_ == 0 || slot.taken() < limit_);
}

RouterSlot* Router::choose(const ByKey* key) noexcept {
  const std::size_t slots = size();
  if (key) {
    RouterSlot& slot = *slots_[member_of_key(*key, slots)];
    return has_room(slot) ? &slot : nullptr;
  }
  // relaxed: a turn; nothing hangs on it.
  const std::size_t first = turn_.fetch_add(1, std::memory_order_relaxed);
  RouterSlot* chosen = nullptr;
  for (std::size_t i = 0; i < slots; ++i) {
    RouterSlot& slot = *slots_[(first + i) % slots];
    if (!has_room(slot) || (chosen && chosen->taken() <= slot.taken())) continue;
    chosen = &slot;
    if (routing_ == Routing::round_robin) break;
  }
  return chosen;
}

std::optional<Seat> Router::take_if_room(const ByKey* key) {
  RouterSlot* slot = choose(key);
  if (!slot) return std::nullopt;
  // relaxed: a count; see give_back.
  const std::uint64_t old = slot->word.fetch_add(1, std::memory_order_relaxed);
  // relaxed: whoever sends to the pid needs nothing else that was written before it.
  const Pid member = Pid::from_bits(slot->pid.load(std::memory_order_relaxed));
  auto owner =
      slot->router ? std::shared_ptr<RouterSlot>(shared_from_this(), slot) : slots_[slot->index];
  Seat seat(member, std::move(owner), static_cast<std::uint32_t>(old >> load_bits));
  if (!member) return std::nullopt;  // it has gone meanwhile, which it does not under mutex_
  return seat;
}

std::optional<Seat> Router::try_take(const ByKey* key) {
  std::unique_lock lock(mutex_, std::defer_lock);
  if (limit_ > 0) lock.lock();
  return take_if_room(key);
}

// A place in the queue, for as long as its owner waits.
class Router::Place {
 public:
  Place(Router& router, const ByKey* key, Alias address) : router_(router) {
    const std::scoped_lock lock(router.mutex_);
    seat = router.take_if_room(key);
    if (seat || router.waiters_.size() >= router.waiting_max_) return;
    ticket_ = ++router.tickets_;
    router.waiters_.emplace(ticket_, Waiter{key ? std::optional(*key) : std::nullopt, address});
  }
  Place(const Place&) = delete;
  Place& operator=(const Place&) = delete;
  ~Place() {
    const std::scoped_lock lock(router_.mutex_);
    router_.waiters_.erase(ticket_);
  }

  std::optional<Seat> seat;  // there was room
  bool is_waiting() const noexcept { return ticket_ != 0; }

 private:
  Router& router_;
  std::uint64_t ticket_ = 0;
};

std::expected<Seat, CallError> Router::take(const ByKey* key, Deadline deadline) {
  if (std::optional<Seat> seat = try_take(key)) return *std::move(seat);
  const Pid tree = supervisor();
  if (!tree) return std::unexpected(no_tree());
  PendingCall granted(tree);  // its end is the end of waiting
  Place place(*this, key, granted.alias());
  if (place.seat) return *std::move(place.seat);
  if (!place.is_waiting()) {
    return std::unexpected(
        call_error(CallError::overloaded, "too many callers wait for a member of the pool"));
  }
  std::expected<Message, CallError> reply = granted.wait(deadline);
  if (reply) return std::move(reply->get_if<Granted>()->seat);
  if (reply.error().kind() == CallError::timeout) {
    return std::unexpected(CallError(
        CallError::timeout, ExitReason::timeout(), "no member of the pool had room in time"));
  }
  if (reply.error().kind() == CallError::unwinding) return std::unexpected(reply.error());
  return std::unexpected(no_tree());
}

void Router::failed(Pid member, const CallError& error) {
  if (error.kind() == CallError::exited || error.kind() == CallError::noproc) clear(member);
}

void Router::give_back(RouterSlot& slot, std::uint32_t generation) {
  std::unique_lock lock(mutex_);
  slot.give_back(generation);
  std::vector<Grant> grants = grant(1);
  lock.unlock();
  if (grants.empty()) return;
  without_unwind([&] { send_out(std::move(grants)); });  // from a destructor
}

std::vector<Router::Grant> Router::grant(std::size_t seats) {
  std::vector<Grant> grants;
  for (auto waiter = waiters_.begin(); waiter != waiters_.end() && grants.size() < seats;) {
    const std::optional<ByKey>& key = waiter->second.key;
    std::optional<Seat> seat = take_if_room(key ? &*key : nullptr);
    if (seat) {
      grants.push_back({waiter->second.address, *std::move(seat)});
      waiter = waiters_.erase(waiter);
    } else {
      ++waiter;
    }
  }
  return grants;
}

void Router::send_out(std::vector<Grant> grants) {
  for (Grant& grant : grants) send(grant.address, Granted{std::move(grant.seat)});
}

// --- the tree ---

Pid Router::claim(Pid owner) {
  const std::scoped_lock lock(mutex_);
  return owner_ ? owner_ : std::exchange(owner_, owner);
}

bool Router::begin(Pid starter, Pid supervisor, MemberMaker maker) {
  const std::scoped_lock lock(mutex_);
  if (owner_ != starter) return false;
  owner_ = supervisor;
  supervisor_ = supervisor;
  maker_ = std::move(maker);
  return true;
}

void Router::end(Pid owner) {
  const std::scoped_lock lock(mutex_);
  if (owner_ != owner) return;
  owner_ = {};
  supervisor_ = {};
  for (const std::shared_ptr<RouterSlot>& slot : slots_) {
    // relaxed: as in `fill`.
    slot->pid.store(0, std::memory_order_relaxed);
  }
}

void Router::fill(std::size_t index, Pid member) {
  std::unique_lock lock(mutex_);
  RouterSlot& slot = *slots_[index];
  // relaxed, all: who reads the new pid with the old generation, or the other way round, is counted
  // for a member that has gone; with a limit nobody reads them here.
  const std::uint64_t generation = (slot.word.load(std::memory_order_relaxed) >> load_bits) + 1;
  slot.word.store(generation << load_bits, std::memory_order_relaxed);
  slot.pid.store(member.bits(), std::memory_order_relaxed);
  std::vector<Grant> grants = grant(limit_ > 0 ? limit_ : waiters_.size());
  lock.unlock();
  send_out(std::move(grants));
}

void Router::clear(Pid member) {
  const std::scoped_lock lock(mutex_);
  for (const std::shared_ptr<RouterSlot>& slot : slots_) {
    // relaxed, twice: as in `fill`.
    if (slot->pid.load(std::memory_order_relaxed) == member.bits())
      slot->pid.store(0, std::memory_order_relaxed);
  }
}

void Router::set_size(std::size_t size) {
  std::unique_lock lock(mutex_);
  while (slots_.size() < size) {
    slots_.push_back(std::make_shared<RouterSlot>());
    slots_.back()->router = limit_ > 0 ? this : nullptr;
    slots_.back()->index = slots_.size() - 1;
  }
  // release: whoever finds the number finds the slots. Pairs with `size`.
  size_.store(size, std::memory_order_release);
  std::vector<Grant> grants = grant(waiters_.size());
  lock.unlock();
  send_out(std::move(grants));
}

Pid Router::supervisor() const {
  const std::scoped_lock lock(mutex_);
  return supervisor_;
}

MemberMaker Router::maker() const {
  const std::scoped_lock lock(mutex_);
  return maker_;
}

std::size_t Router::size() const noexcept {
  // acquire: pairs with the store in set_size.
  return size_.load(std::memory_order_acquire);
}

PoolInfo Router::info() const {
  const std::scoped_lock lock(mutex_);
  PoolInfo info{.supervisor = supervisor_, .members = {}, .waiting = waiters_.size()};
  for (std::size_t i = 0; i < size(); ++i) {
    // relaxed: for show.
    const Pid pid = Pid::from_bits(slots_[i]->pid.load(std::memory_order_relaxed));
    info.members.push_back({pid, slots_[i]->taken()});
  }
  return info;
}

}  // namespace airssys::rt::detail
