// blocking.cpp: a process waits for a job on the blocking pool (D17–D20, E5).
//
//   queued ── begin ──▶ running ── finish ──▶ finished, and the process is woken
//     │                    │
//     └───── abandon ──────┴──▶ abandoned: by an end of the process. What was queued never begins,
//                               what runs goes on, for nobody; a pinned one that runs is waited for
//
// Roles       begin, finish: the pool's thread. abandon: the process that waits.
// Invariants  J1 the process is woken exactly once if finish finds it waiting, else never; so
//             abandon answers whether its Waker is free. J2 the errand goes with the last of its
//             two owners. J3 the job goes with its process's frame, before `blocking` returns; only
//             one that was abandoned while it ran goes on the pool's thread, where nobody waits.
// Orders      the wake's way through the inbox releases and acquires the job's result
#include <airssys/rt/blocking.hpp>
#include <airssys/rt/error.hpp>
#include <memory>
#include <utility>

#include "base/atomic.hpp"
#include "base/this_thread.hpp"
#include "runtime/call.hpp"
#include "runtime/outside.hpp"
#include "runtime/wait.hpp"

namespace airssys::rt {

namespace runtime {

namespace {

using base::this_thread::Slot;
using detail::BlockingJob;
using detail::Pinned;

// One job on its way through the pool; on the heap, for the process may be gone before it.
class Errand : public scheduler::Job {
 public:
  Errand(std::shared_ptr<BlockingJob> job, Waker& waker)
      : system_(current_system()), job_(std::move(job)), waker_(waker) {
    call = [](scheduler::Job& errand) noexcept { static_cast<Errand&>(errand).run(); };
  }

  // The process gives up. True: its Waker is free.
  bool abandon(Pinned pinned) noexcept {
    State state = State::queued;
    // relaxed, all: the job's data goes by the errand's ownership, not by this word.
    if (state_.compare_exchange_strong(state, State::abandoned, std::memory_order_relaxed)) {
      job_.reset();
      return true;
    }
    if (state != State::running || pinned == Pinned::yes) return false;
    // relaxed: as above.
    return state_.compare_exchange_strong(state, State::abandoned, std::memory_order_relaxed);
  }
  bool is_abandoned() const noexcept {
    return state_.load(std::memory_order_relaxed) == State::abandoned;  // relaxed: a hint
  }

  // One of the two owners lets go; so does the process when its errand was never accepted.
  void release() noexcept {
    // acq_rel: the last one must see what the other did with the job before it goes.
    if (owners_.fetch_sub(1, std::memory_order_acq_rel) == 1) delete this;
  }

 private:
  enum class State : std::uint8_t { queued, running, finished, abandoned };

  void run() noexcept {
    const Guest guest(system_);  // the job may send, and its destructor may
    State state = State::queued;
    // relaxed, twice: what the process wrote into the job came with the pool's queue.
    if (state_.compare_exchange_strong(state, State::running, std::memory_order_relaxed)) {
      base::this_thread::set(Slot::blocking_job, this);
      job_->work();
      job_.reset();
      base::this_thread::set(Slot::blocking_job, nullptr);
      state = State::running;
      // relaxed, twice: the wake hands the result over.
      if (state_.compare_exchange_strong(state, State::finished, std::memory_order_relaxed))
        waker_.wake();
    }
    release();
  }

  System& system_;
  std::shared_ptr<BlockingJob> job_;  // until run or abandon, whichever comes first, lets go of it
  Waker& waker_;                      // valid until it was woken, or abandon has answered true
  base::Atomic<State> state_{State::queued};
  base::Atomic<std::uint32_t> owners_{2};
};

class BlockingWait final : public Wait {
 public:
  BlockingWait(Process& process, std::shared_ptr<BlockingJob> job, Pinned pinned)
      : Wait(process), errand_(*new Errand(std::move(job), waker)), pinned_(pinned) {}
  BlockingWait(const BlockingWait&) = delete;
  BlockingWait& operator=(const BlockingWait&) = delete;
  ~BlockingWait() {
    finish();
    errand_.release();
  }

  // False: the pool takes no jobs any more.
  bool submit(scheduler::BlockingPool& pool) noexcept {
    is_armed_ = true;
    if (pool.submit(errand_)) return true;
    is_armed_ = false;
    errand_.release();  // the pool's share
    return false;
  }

 private:
  bool disarm() noexcept override { return errand_.abandon(pinned_); }

  Errand& errand_;
  const Pinned pinned_;
};

}  // namespace

}  // namespace runtime

namespace detail {

void run_blocking(std::shared_ptr<BlockingJob> job, Pinned pinned) {
  const runtime::Call call;
  runtime::Process& process = call.process();
  if (runtime::is_unwinding(process)) throw Unwinding();
  call.charge(1);
  runtime::BlockingWait wait(process, std::move(job), pinned);
  if (!wait.submit(call.system().blocking)) {
    if (call.system().is_stopping()) {
      throw SpawnError(SpawnError::stopping,
                       ExitReason::shutdown("no blocking job begins while the runtime stops"),
                       "no thread takes this blocking job: the runtime is stopping");
    }
    throw SpawnError(SpawnError::limit_reached,
                     ExitReason::error("no thread for a blocking job"),
                     "no thread takes this blocking job: the system refuses to start one");
  }
  runtime::wait_for(process, wait.waker, runtime::WaitReason::blocking_job);
}

}  // namespace detail

bool blocking_is_cancelled() {
  const auto* errand = static_cast<const runtime::Errand*>(
      base::this_thread::get(base::this_thread::Slot::blocking_job));
  return errand && errand->is_abandoned();
}

}  // namespace airssys::rt
