// fork_join_creation.cpp: S4: very many processes, one message each.
//
// How many have run is counted beside the messages, for nothing but the check.
#include <atomic>

#include "programs.hpp"

namespace savina {

namespace fork_join_creation {
namespace {

struct Job {};

class ForkJoinCreation : public Program {
 public:
  explicit ForkJoinCreation(const Setting& setting) : count_(setting.pick(40'000, 1'000'000)) {}

  void run() override {
    for (std::int64_t i = 0; i < count_; ++i) {
      const rt::Pid worker = rt::spawn([this] {
        rt::receive<Job>();
        if (sine_squared() < 1) have_run_.fetch_add(1, std::memory_order_relaxed);
      });
      rt::send(worker, Job{});
    }
  }

  Outcome outcome() override {
    check(have_run_.load(std::memory_order_relaxed) == count_, "each process has run once");
    return {.parameters = {{"N", as_double(count_)}}, .messages = count_, .processes = count_};
  }

 private:
  const std::int64_t count_;
  std::atomic<std::int64_t> have_run_{0};
};

}  // namespace
}  // namespace fork_join_creation

std::unique_ptr<Program> make_fork_join_creation(const Setting& setting) {
  return std::make_unique<fork_join_creation::ForkJoinCreation>(setting);
}

}  // namespace savina
