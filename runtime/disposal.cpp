// disposal.cpp: laying aside, and destroying.
#include "runtime/disposal.hpp"

#include <utility>

#include "base/this_thread.hpp"
#include "runtime/call.hpp"
#include "runtime/envelope.hpp"
#include "runtime/outside.hpp"

namespace airssys::rt::runtime {

namespace {

using base::this_thread::Slot;

// Stands while a process, or a thread that runs none, destroys what was dropped.
class Destroying {
 public:
  Destroying() noexcept : process_(calling_process()), is_nested_(mark(true)) {}
  Destroying(const Destroying&) = delete;
  Destroying& operator=(const Destroying&) = delete;
  ~Destroying() { mark(is_nested_); }

  bool is_nested() const noexcept { return is_nested_; }

 private:
  // Answers what it was before.
  bool mark(bool destroys) noexcept {
    if (process_) {
      const bool before = process_->destroys_dropped;
      process_->destroys_dropped = destroys;
      return before;
    }
    const bool before = base::this_thread::get(Slot::disposal) != nullptr;
    base::this_thread::set(Slot::disposal, destroys ? this : nullptr);
    return before;
  }

  Process* const process_;
  const bool is_nested_;
};

}  // namespace

Disposal::Disposal(scheduler::BlockingPool& pool, System* runtime) noexcept
    : pool_(pool), runtime_(runtime) {
  call = [](scheduler::Job& job) noexcept { static_cast<Disposal&>(job).empty(); };
}

void Disposal::dispose(void* payload) noexcept {
  if (!detail::header_of(payload).type->destroy) return detail::free_payload(payload);
  Envelope& envelope = Envelope::of_payload(payload);
  mailbox::Signal* newest = laid_aside_.load(std::memory_order_relaxed);  // relaxed: only a link
  do {
    envelope.next = newest;
    // release: hands the message over to empty. relaxed on failure: it is tried again.
  } while (!laid_aside_.compare_exchange_weak(
      newest, &envelope, std::memory_order_release, std::memory_order_relaxed));
  // The job may be queued again while an earlier call of it still works: each takes what it finds.
  if (!newest) static_cast<void>(pool_.submit(*this));
}

void Disposal::destroy(Message& dropped) noexcept {
  if (!dropped) return;
  const Destroying destroying;
  if (destroying.is_nested()) return dispose(dropped.release());
  dropped = Message();
}

void Disposal::empty() noexcept {
  const Guest guest(runtime_);
  const Destroying destroying;
  // acquire: pairs with the releases in dispose, which form one release sequence.
  mailbox::Signal* signal = laid_aside_.exchange(nullptr, std::memory_order_acquire);
  while (signal) {
    Envelope& envelope = Envelope::of_signal(*signal);
    signal = signal->next;
    detail::destroy_payload(envelope.payload());
  }
}

}  // namespace airssys::rt::runtime
