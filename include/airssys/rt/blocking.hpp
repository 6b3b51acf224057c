// blocking.hpp: work that blocks the thread under it.
//
// A file, a C library, DNS: whatever blocks belongs on the blocking pool, whose threads come and go
// with the work. The process waits for the job as it waits for a message: its scheduler runs
// others, its mail and links are served, and it can be ended meanwhile (D17–D20). A job runs on no
// process: what it sends comes from nobody, as a plain thread's (P11), and is dropped if the
// process that asked for it has ended (D19).
#pragma once

#include <exception>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>

namespace airssys::rt {

namespace detail {
// One job: shared by the process that waits and the thread that works. The process destroys it,
// unless it dies while the job runs on (D19): then the thread does.
class BlockingJob {
 public:
  virtual ~BlockingJob() = default;
  virtual void work() = 0;  // on a thread of the pool
};
// Suspends the caller until the job is done; a job that has not begun when the caller ends never
// begins. `pinned`: the caller is unwound only after the job has returned.
enum class Pinned : bool { no, yes };
void run_blocking(std::shared_ptr<BlockingJob> job, Pinned pinned);

template <class F>
class BlockingCall final : public BlockingJob {
 public:
  using Result = std::invoke_result_t<F&>;
  explicit BlockingCall(F f) : f_(std::move(f)) {}

  void work() override {
    try {
      if constexpr (std::is_void_v<Result>) {
        f_();
      } else {
        result_.emplace(f_());
      }
    } catch (...) {
      failure_ = std::current_exception();
    }
  }
  Result result() {
    // Moved: of the exception nothing stays behind for the pool's thread to free, which would look
    // like a race wherever the library that counts its owners is not instrumented.
    if (failure_) std::rethrow_exception(std::exchange(failure_, nullptr));
    if constexpr (!std::is_void_v<Result>) return std::move(*result_);
  }

 private:
  F f_;
  std::optional<std::conditional_t<std::is_void_v<Result>, char, Result>> result_;
  std::exception_ptr failure_;
};

template <class F>
auto blocking(F&& f, Pinned pinned) {
  auto job = std::make_shared<BlockingCall<std::decay_t<F>>>(std::forward<F>(f));
  run_blocking(job, pinned);
  return job->result();
}
}  // namespace detail

// Runs f on the blocking pool and answers what it answers; what it throws is thrown here (D20).
// f must own what it uses: the process may die while the job runs on (E5, D19); else f is destroyed
// before this returns. Suspends; for processes. Throws SpawnError while the runtime stops, or when
// the system has no thread for it; Unwinding in the destructors of a process that is being ended
// (Z3).
template <class F>
auto blocking(F&& f) {
  return detail::blocking(std::forward<F>(f), detail::Pinned::no);
}

// The same for a job that refers to the caller's frame: an end of the process waits for it (E5).
template <class F>
auto blocking_ref(F&& f) {
  return detail::blocking(std::forward<F>(f), detail::Pinned::yes);
}

// Inside a job: whether the process that asked for it is gone, so that the job may stop early
// (D19).
bool blocking_is_cancelled();

}  // namespace airssys::rt
