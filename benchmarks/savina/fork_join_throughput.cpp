// fork_join_throughput.cpp: S3: one sender fills the mailboxes of sixty, in turn.
//
// The sender is the first process, or, in the other form, a plain thread.
#include <algorithm>
#include <thread>

#include "programs.hpp"

namespace savina {

namespace fork_join_throughput {
namespace {

struct Job {};
struct Seen {
  std::int64_t jobs;
};

class Worker : public rt::Behaviour {
 public:
  Worker(rt::Pid main, std::int64_t jobs) : main_(main), jobs_(jobs) {}

  void message(rt::Message&) override {
    kept_ = sine_squared();
    if (++seen_ < jobs_) return;
    rt::send(main_, Seen{seen_});
    rt::exit(rt::ExitReason::normal());
  }

 private:
  rt::Pid main_;
  std::int64_t jobs_;
  std::int64_t seen_ = 0;
  double kept_ = 0;
};

class ForkJoinThroughput : public Program {
 public:
  ForkJoinThroughput(const Setting& setting, bool from_a_thread)
      : runtime_(setting.runtime),
        from_a_thread_(from_a_thread),
        jobs_(setting.pick(10'000, 100'000)) {}

  void run() override {
    std::vector<rt::Pid> workers;
    for (int i = 0; i < worker_count; ++i)
      workers.push_back(rt::spawn_behaviour(std::make_unique<Worker>(rt::self(), jobs_)));
    std::thread thread;
    if (from_a_thread_) {
      thread = std::thread([&] { for_all(workers, [&](rt::Pid w) { runtime_.send(w, Job{}); }); });
    } else {
      for_all(workers, [](rt::Pid worker) { rt::send(worker, Job{}); });
    }
    for (int i = 0; i < worker_count; ++i) fewest_ = std::min(fewest_, rt::receive<Seen>().jobs);
    if (thread.joinable()) thread.join();
  }

  Outcome outcome() override {
    check(fewest_ == jobs_, "each worker has seen all of its jobs");
    return {.parameters = {{"A", worker_count}, {"N", as_double(jobs_)}},
            .messages = worker_count * jobs_,
            .processes = worker_count};
  }

 private:
  static constexpr int worker_count = 60;

  template <class Send>
  void for_all(const std::vector<rt::Pid>& workers, Send send) const {
    for (std::int64_t job = 0; job < jobs_; ++job) std::ranges::for_each(workers, send);
  }

  rt::Runtime& runtime_;
  const bool from_a_thread_;
  const std::int64_t jobs_;
  std::int64_t fewest_ = INT64_MAX;
};

}  // namespace
}  // namespace fork_join_throughput

std::unique_ptr<Program> make_fork_join_throughput(const Setting& setting) {
  return std::make_unique<fork_join_throughput::ForkJoinThroughput>(setting, false);
}
std::unique_ptr<Program> make_fork_join_foreign(const Setting& setting) {
  return std::make_unique<fork_join_throughput::ForkJoinThroughput>(setting, true);
}

}  // namespace savina
