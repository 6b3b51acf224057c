// stage.hpp: what tests of fibers share: a stack, a thread's context, and a body to run on it.
//
// A Stage is one fiber with one body. run() resumes it on the calling thread until the body waits
// or has ended; the body waits by wait(). Resumed from several threads in turn, it migrates.
#pragma once

#include <functional>
#include <thread>
#include <utility>

#include "base/assert.hpp"
#include "fiber/context.hpp"
#include "fiber/stack.hpp"
#include "fiber/unwind.hpp"

namespace airssys::rt::fiber {

class Stage {
 public:
  Stage(StackPool::Cache& stacks, std::function<void(Stage&)> body, SizeClass size_class = 0)
      : stacks_(stacks), body_(std::move(body)), fiber_(stacks.take(size_class)) {
    RT_CHECK(fiber_ != nullptr, "there is a stack for a test");
    fiber_->user = this;
    prepare(*fiber_, play);
  }
  Stage(const Stage&) = delete;
  Stage& operator=(const Stage&) = delete;
  ~Stage() { stacks_.give(*fiber_); }

  /// On the calling thread's stack. Answers whether the body has ended.
  bool run(ThreadContext& thread) {
    switch_to(thread, *fiber_);
    return has_ended_;
  }

  /// run, on a new thread that ends then.
  bool run_elsewhere() {
    std::thread([this] {
      ThreadContext thread;
      run(thread);
    }).join();
    return has_ended_;
  }

  /// For the body: back to whoever runs it, until the next run.
  void wait() { switch_back(*fiber_, *fiber_->resumer); }

  [[nodiscard]] Fiber& fiber() { return *fiber_; }
  [[nodiscard]] Ended how() const { return how_; }

 private:
  static void play(Fiber& fiber, Ended last) {
    Stage& stage = *static_cast<Stage*>(fiber.user);
    if (!std::exchange(stage.has_begun_, true))
      call_guarded(
          fiber,
          [](void* argument) {
            Stage& self = *static_cast<Stage*>(argument);
            self.body_(self);
          },
          &stage);
    stage.how_ = last;
    stage.has_ended_ = true;
    for (;;) stage.wait();
  }

  StackPool::Cache& stacks_;
  std::function<void(Stage&)> body_;
  Fiber* fiber_;
  bool has_begun_ = false;
  bool has_ended_ = false;
  Ended how_ = Ended::returned;
};

}  // namespace airssys::rt::fiber
