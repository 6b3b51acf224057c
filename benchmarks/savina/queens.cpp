// queens.cpp: S16: a master that must react feeds workers that compute.
#include <array>
#include <cstdlib>

#include "programs.hpp"

namespace savina {

namespace queens {
namespace {

constexpr int workers = 20;
constexpr int threshold = 4;

// The column of the queen in each row so far.
using Board = std::array<std::int8_t, 16>;

struct Work {
  Board board;
  int depth;
};
struct Result {};
struct Done {
  std::int64_t sent_ns;
};
struct Stop {};

bool conflicts(const Board& board, int depth, int column) {
  for (int row = 0; row < depth; ++row) {
    const int other = board[static_cast<std::size_t>(row)];
    if (other == column || std::abs(other - column) == depth - row) return true;
  }
  return false;
}

class Worker : public rt::Behaviour {
 public:
  Worker(rt::Pid master, int size) : master_(master), size_(size) {}

  void message(rt::Message& message) override {
    if (Work* work = message.get_if<Work>()) {
      place(work->board, work->depth);
      rt::send(master_, Done{now_ns()});
    } else {
      rt::send(master_, Stop{});
      rt::exit(rt::ExitReason::normal());
    }
  }

 private:
  void place(Board board, int depth) {
    if (depth == size_) return rt::send(master_, Result{});
    if (depth >= threshold) return complete(board, depth);
    for_each_free_column(board, depth, [&] { rt::send(master_, Work{board, depth + 1}); });
  }

  void complete(Board& board, int depth) {
    if (depth == size_) return rt::send(master_, Result{});
    for_each_free_column(board, depth, [&] { complete(board, depth + 1); });
  }

  template <class F>
  void for_each_free_column(Board& board, int depth, F next) {
    for (int column = 0; column < size_; ++column) {
      if (conflicts(board, depth, column)) continue;
      board[static_cast<std::size_t>(depth)] = static_cast<std::int8_t>(column);
      next();
    }
  }

  rt::Pid master_;
  int size_;
};

struct Answer {
  std::int64_t solutions = 0;
  std::int64_t works = 0;
  Reaction reaction = {};
};

// The master's body.
Answer solve(int size) {
  std::array<rt::Pid, workers> pids;
  for (rt::Pid& pid : pids) pid = rt::spawn_behaviour(std::make_unique<Worker>(rt::self(), size));
  Answer answer;
  const auto pass_on = [&](const Work& work) {
    rt::send(pids[static_cast<std::size_t>(answer.works++ % workers)], work);
  };
  pass_on(Work{{}, 0});
  for (std::int64_t dones = 0; dones < answer.works;) {
    rt::receive([&](Work work) { pass_on(work); },
                [&](Result) { ++answer.solutions; },
                [&](Done done) {
                  ++dones;
                  answer.reaction.saw(done.sent_ns);
                });
  }
  for (const rt::Pid pid : pids) rt::send(pid, Stop{});
  for (int i = 0; i < workers; ++i) rt::receive<Stop>();
  return answer;
}

class Queens : public Program {
 public:
  explicit Queens(const Setting& setting) : size_(static_cast<int>(setting.pick(12, 13))) {}

  void run() override {
    rt::spawn([size = size_, main = rt::self()] { rt::send(main, solve(size)); });
    answer_ = rt::receive<Answer>();
  }

  Outcome outcome() override {
    check(answer_.solutions == (size_ == 12 ? 14'200 : 73'712), "each solution once");
    check(answer_.works == (size_ == 12 ? 4'959 : 7'580), "as much work as there is");
    return {.parameters = {{"n", size_}, {"threshold", threshold}, {"W", workers}},
            // Each work but the first goes to the master and from there to a worker.
            .messages = 2 * answer_.works - 1 + answer_.works + answer_.solutions + 2 * workers,
            .processes = workers + 1,
            .reported = {{"worst_reaction_us", answer_.reaction.worst_us()}}};
  }

 private:
  const int size_;
  Answer answer_;
};

}  // namespace
}  // namespace queens

std::unique_ptr<Program> make_queens(const Setting& setting) {
  return std::make_unique<queens::Queens>(setting);
}

}  // namespace savina
