// bounds.cpp: counting, the line, and the owner's side of a bounded mailbox.
#include "runtime/bounds.hpp"

#include <algorithm>
#include <memory>
#include <mutex>
#include <new>

#include "base/assert.hpp"
#include "base/memory.hpp"
#include "mailbox/mail_queue.hpp"
#include "runtime/dead_letters.hpp"
#include "runtime/run.hpp"
#include "runtime/system.hpp"

namespace airssys::rt::runtime {

using mailbox::Signal;
using mailbox::SignalKind;

namespace {

constexpr std::uint64_t granule_bytes = Signal::granule_bytes;
constexpr unsigned granules_bits = 32;
constexpr std::uint64_t granules_field = (std::uint64_t{1} << granules_bits) - 1;
constexpr std::uint64_t in_line = std::uint64_t{1} << 63;
// A bound that was not asked for: 2^29 messages or 8 GiB. Three times that, and a message on top of
// it for each sender, stays within the fields.
constexpr std::uint64_t no_bound = std::uint64_t{1} << 29;

constexpr std::uint64_t granules_of(std::uint64_t bytes) noexcept {
  return bytes / granule_bytes + (bytes % granule_bytes == 0 ? 0 : 1);
}

constexpr std::uint64_t messages_of(std::uint64_t word) noexcept {
  return (word & ~in_line) >> granules_bits;
}

std::uint64_t bound_of(std::uint64_t asked) noexcept {
  return asked == 0 ? no_bound : std::min(asked, no_bound);
}

}  // namespace

Bounds::Mark::Mark(std::size_t messages_asked, std::size_t bytes_asked) noexcept
    : messages(bound_of(messages_asked)), granules(bound_of(granules_of(bytes_asked))) {}

bool Bounds::Mark::is_reached(std::uint64_t word, std::uint64_t times) const noexcept {
  return messages_of(word) >= messages * times || (word & granules_field) >= granules * times;
}

bool Bounds::Mark::is_more_than_half_reached(std::uint64_t word) const noexcept {
  return messages_of(word) * 2 > messages || (word & granules_field) * 2 > granules;
}

Bounds::Bounds(const MailboxOptions& options) noexcept
    : bound_(options.capacity, options.bytes),
      soft_mark_(options.soft_mark, options.soft_mark_bytes),
      overflow_(options.overflow) {}

std::uint64_t Bounds::cost_of(const Envelope& message) noexcept {
  return (std::uint64_t{1} << granules_bits) + message.granules;
}

bool Bounds::try_count(Envelope& message) noexcept {
  const std::uint64_t cost = cost_of(message);
  std::uint64_t word = word_.load(std::memory_order_relaxed);  // relaxed: see Orders
  do {
    if ((word & in_line) != 0 || bound_.is_reached(word)) return false;
    // relaxed, twice: see Orders.
  } while (!word_.compare_exchange_weak(
      word, word + cost, std::memory_order_relaxed, std::memory_order_relaxed));
  message.flags |= counted_in_bounds;
  return true;
}

bool Bounds::count_beyond(Envelope& message) noexcept {
  message.flags |= counted_in_bounds;
  // relaxed: see Orders.
  return bound_.is_reached(word_.fetch_add(cost_of(message), std::memory_order_relaxed), 2);
}

// What stands in the inbox for a list that is never empty.
struct Bounds::Batch : Signal {
  struct List {
    Signal* oldest = nullptr;
    Signal* newest = nullptr;
    Signal* uncounted = nullptr;  // the last of those that stand ahead of all that are counted
    std::uint64_t cost = 0;       // of what is counted
  } list;

  Batch() noexcept { kind = SignalKind::batch; }
  static void* operator new(std::size_t bytes) { return base::allocate(bytes); }
  static void operator delete(void* block) noexcept { base::free(block); }
};

std::uint64_t Bounds::cost_if_counted(Signal& signal) noexcept {
  const bool is_counted =
      signal.kind == SignalKind::message && (signal.flags & counted_in_bounds) != 0;
  return is_counted ? cost_of(Envelope::of_signal(signal)) : 0;
}

// An earlier batch is the oldest there, and only what is newer needs a look.
Signal* Bounds::shorten(mailbox::Inbox& inbox) noexcept {
  auto batch = std::make_unique<Batch>();
  const std::lock_guard lock(mutex_);
  Signal* fresh = inbox.replace(*batch);
  if (!fresh) return nullptr;
  Batch::List& list = batch.release()->list;  // the owner frees it, when it has had mutex_
  list.oldest = fresh;
  if (fresh->kind == SignalKind::batch) {
    const std::unique_ptr<Batch> earlier(static_cast<Batch*>(fresh));
    list = earlier->list;
    fresh = list.newest->next = earlier->next;
  }
  for (; fresh; fresh = fresh->next) {
    list.newest = fresh;
    list.cost += cost_if_counted(*fresh);
  }
  const std::uint64_t cost_before = list.cost;
  Signal* dropped = nullptr;
  Signal** end = &dropped;
  for (Signal** place = list.uncounted ? &list.uncounted->next : &list.oldest; *place;) {
    Signal& signal = **place;
    const std::uint64_t cost = cost_if_counted(signal);
    if (cost == 0) {
      list.uncounted = &signal;
      place = &signal.next;
      continue;
    }
    if (!bound_.is_reached(list.cost - cost)) break;
    list.cost -= cost;
    *place = signal.next;
    uncount(Envelope::of_signal(signal));
    *end = &signal;
    end = &signal.next;
  }
  *end = nullptr;
  // relaxed: see Orders.
  word_.fetch_sub(cost_before - list.cost, std::memory_order_relaxed);
  return dropped;
}

Signal* Bounds::unpack(Signal& signal) noexcept {
  const std::unique_ptr<Batch> batch(static_cast<Batch*>(&signal));
  const std::lock_guard lock(mutex_);
  batch->list.newest->next = batch->next;
  return batch->list.oldest;
}

// The last look for room and the mark that somebody waits are one step, so an owner that frees room
// after that look finds the mark (B1).
Bounds::Joined Bounds::join(Sender& sender) noexcept {
  const std::lock_guard lock(mutex_);
  if (is_closed_) return Joined::closed;
  const std::uint64_t cost = cost_of(*sender.envelope);
  std::uint64_t word = word_.load(std::memory_order_relaxed);  // relaxed: see Orders
  std::uint64_t changed = 0;
  bool waits = false;
  do {
    waits = (word & in_line) != 0 || bound_.is_reached(word);
    changed = waits ? word | in_line : word + cost;
    // relaxed, twice: see Orders.
  } while (!word_.compare_exchange_weak(
      word, changed, std::memory_order_relaxed, std::memory_order_relaxed));
  if (waits) {
    line_.push_back(sender);
    return Joined::waits;
  }
  sender.envelope->flags |= counted_in_bounds;
  return Joined::counted;
}

bool Bounds::step_out(Sender& sender) noexcept {
  const std::lock_guard lock(mutex_);
  if (!sender.is_linked()) return false;
  base::List<Sender>::remove(sender);
  note_line_end();
  return true;
}

void Bounds::free(Process& owner, Envelope& message) noexcept {
  uncount(message);
  // relaxed: see Orders.
  const std::uint64_t before = word_.fetch_sub(cost_of(message), std::memory_order_relaxed);
  if ((before & in_line) != 0) {
    const std::lock_guard lock(mutex_);
    serve(owner);
  }
  // relaxed, all: for show.
  if (is_overloaded_.load(std::memory_order_relaxed) &&
      !soft_mark_.is_more_than_half_reached(word_.load(std::memory_order_relaxed)))
    is_overloaded_.store(false, std::memory_order_relaxed);
}

// The owner's inbox is open and the owner runs, so a push owes no wake.
void Bounds::serve(Process& owner) noexcept {
  for (Sender* sender = line_.front(); sender != nullptr; sender = line_.front()) {
    // relaxed, twice: see Orders; B2: nobody else counts in meanwhile.
    if (bound_.is_reached(word_.load(std::memory_order_relaxed))) return;
    word_.fetch_add(cost_of(*sender->envelope), std::memory_order_relaxed);
    sender->envelope->flags |= counted_in_bounds;
    base::List<Sender>::remove(*sender);
    const auto pushed = owner.inbox.push(*sender->envelope);
    RT_CHECK(pushed == mailbox::Pushed::queued, "B2: the owner lets a sender in while it rests");
    sender->outcome = Sender::Outcome::sent;
    sender->settled(*sender);
  }
  note_line_end();
}

void Bounds::note_line_end() noexcept {
  if (!line_.empty()) return;
  word_.fetch_and(~in_line, std::memory_order_relaxed);  // relaxed: see Orders
}

bool Bounds::is_full_without(const Envelope& message) const noexcept {
  return bound_.is_reached(word_.load(std::memory_order_relaxed) -
                           cost_of(message));  // relaxed: see Orders
}

bool Bounds::has_reached_soft_mark() noexcept {
  // relaxed, all: for show; of several who see it at once one notes it first.
  return soft_mark_.is_reached(word_.load(std::memory_order_relaxed)) &&
         !is_overloaded_.load(std::memory_order_relaxed) &&
         !is_overloaded_.exchange(true, std::memory_order_relaxed);
}

Bounds::Counted Bounds::counted() const noexcept {
  const std::uint64_t word = word_.load(std::memory_order_relaxed);  // relaxed: for show
  return {messages_of(word), (word & granules_field) * granule_bytes};
}

void Bounds::close() noexcept {
  const std::lock_guard lock(mutex_);
  is_closed_ = true;
  while (Sender* sender = line_.pop_front()) {
    sender->outcome = Sender::Outcome::no_process;
    sender->settled(*sender);
  }
  note_line_end();
}

Bounds& Bounds::share() noexcept {
  // relaxed: whoever shares has a share, or the process's stands until it leaves the runtime.
  owners_.fetch_add(1, std::memory_order_relaxed);
  return *this;
}

void Bounds::release() noexcept {
  // acq_rel: the last one must see everything the others did with the block before it goes.
  if (owners_.fetch_sub(1, std::memory_order_acq_rel) != 1) return;
  std::destroy_at(this);
  base::free(this);
}

void ReleaseBounds::operator()(Bounds* bounds) const noexcept {
  bounds->release();
}

BoundsShare make_bounds(const MailboxOptions& options) {
  const bool asks_for_none = options.capacity == 0 && options.bytes == 0 &&
                             options.soft_mark == 0 && options.soft_mark_bytes == 0;
  if (asks_for_none) return nullptr;
  return BoundsShare(::new (base::allocate(sizeof(Bounds))) Bounds(options));
}

void room_freed(Process& self, Envelope& message) {
  bounds_of(self)->free(self, message);
}

void drop_oldest(Process& self) {
  Bounds& bounds = *bounds_of(self);
  if (bounds.overflow() != Overflow::drop_oldest || !bounds.is_full()) return;
  mailbox::Cursor cursor(self.mail, mailbox::Cursor::Start::oldest);
  while (Signal* signal = cursor.peek()) {
    Envelope& message = Envelope::of_signal(*signal);
    if ((message.flags & counted_in_bounds) == 0) {
      cursor.skip();
    } else if (bounds.is_full_without(message)) {
      cursor.take();
      bounds.free(self, message);
      run_small_code([&self, &message] {
        Message dropped(message.payload());
        drop_message(self, message.sender(), DropReason::oldest, dropped);
        current_system().disposal.destroy(dropped);
      });
    } else {
      return;
    }
  }
}

void wake_all_senders(Process& self) {
  bounds_of(self)->close();
}

}  // namespace airssys::rt::runtime
