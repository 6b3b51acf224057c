// disposal.cpp: laying aside, and destroying.
#include "runtime/disposal.hpp"

#include <utility>

#include "base/this_thread.hpp"
#include "fiber/containment.hpp"
#include "fiber/context.hpp"
#include "fiber/stack.hpp"
#include "fiber/throw_site.hpp"
#include "fiber/unwind.hpp"
#include "runtime/call.hpp"
#include "runtime/crash_report.hpp"
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

// Destroys messages one after the other.
class Destruction {
 public:
  Destruction(System* runtime, mailbox::Signal* messages) noexcept
      : runtime_(runtime), next_(messages) {}

  void run() noexcept {
    while (next_) {
      begun_ = Envelope::of_signal(*std::exchange(next_, next_->next)).payload();
      detail::destroy_payload(begun_);
    }
    begun_ = nullptr;
  }

  // The same on a stack of its own: what fails there is cut off and told of, and the rest goes on.
  // By a thread that runs no fiber.
  void run_contained() noexcept {
    fiber::ThreadContext thread;
    const fiber::AlternateStack alternate_stack;
    fiber::StackPool stacks({.reservation_bytes = 1});  // the least that there is
    fiber::StackPool::Cache cache(stacks);
    fiber_ = cache.take(fiber::size_classes - 1);
    if (!fiber_) return run();
    fiber_->user = this;
    fiber::prepare(*fiber_, play);
    fiber::switch_to(thread, *fiber_);
    cache.give(*fiber_);
  }

 private:
  // Called again after each cut. The host's sink may fail, too.
  static void play(fiber::Fiber& fiber, fiber::Ended last) {
    auto& self = *static_cast<Destruction*>(fiber.user);
    self.last_ = last;
    fiber::call_guarded(fiber, [](void* it) { static_cast<Destruction*>(it)->go_on(); }, &self);
    fiber::switch_back(fiber, *fiber.resumer);
  }
  void go_on() {
    const Guest guest(runtime_);  // a cut has left what stood in the destructor
    if (void* failed = std::exchange(begun_, nullptr)) {
      const detail::MessageType& type = *detail::header_of(failed).type;
      detail::free_payload(failed);
      report_cut_destructor(*runtime_, type, *fiber_, last_);
    }
    fiber::forget_throw_site(*fiber_);
    run();
  }

  System* const runtime_;
  mailbox::Signal* next_;
  void* begun_ = nullptr;  // the message that is being destroyed
  fiber::Fiber* fiber_ = nullptr;
  fiber::Ended last_ = fiber::Ended::returned;
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
  // relaxed, three times: who misses that it was refused leaves it to the next one.
  const bool was_refused = is_refused_.load(std::memory_order_relaxed) &&
                           is_refused_.exchange(false, std::memory_order_relaxed);
  if ((!newest || was_refused) && !pool_.submit(*this))
    is_refused_.store(true, std::memory_order_relaxed);
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
  mailbox::Signal* messages = laid_aside_.exchange(nullptr, std::memory_order_acquire);
  if (!messages) return;
  Destruction destruction(runtime_, messages);
  // A process that ends another runtime is cut off itself.
  const bool is_contained = runtime_ != nullptr && fiber::this_thread_context() == nullptr;
  is_contained ? destruction.run_contained() : destruction.run();
}

}  // namespace airssys::rt::runtime
