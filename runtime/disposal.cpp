// disposal.cpp: laying aside, and destroying.
#include "runtime/disposal.hpp"

#include "runtime/envelope.hpp"
#include "runtime/outside.hpp"

namespace airssys::rt::runtime {

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

void Disposal::empty() noexcept {
  const Guest guest(runtime_);
  // acquire: pairs with the releases in dispose, which form one release sequence.
  mailbox::Signal* signal = laid_aside_.exchange(nullptr, std::memory_order_acquire);
  while (signal) {
    Envelope& envelope = Envelope::of_signal(*signal);
    signal = signal->next;
    detail::destroy_payload(envelope.payload());
  }
}

}  // namespace airssys::rt::runtime
