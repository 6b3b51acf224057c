// workloads.cpp: pairs, fan, tree, random, sporadic, spawn, names.
#include "benchmarks/simulated/workloads.hpp"

#include <airssys/rt/pid.hpp>
#include <airssys/rt/process.hpp>
#include <airssys/rt/receive.hpp>
#include <airssys/rt/registry.hpp>
#include <airssys/rt/send.hpp>
#include <airssys/rt/time.hpp>
#include <array>
#include <chrono>
#include <string>
#include <vector>

#include "base/random.hpp"
#include "benchmarks/simulated/machine.hpp"

namespace simulated {

namespace {

namespace rt = airssys::rt;
using rt::base::Random;

std::uint64_t so_far = 0;

void count_one() noexcept {
  ++so_far;
}

// What a process does with a message: it reads it, works on it and on its own stack.
template <class T>
T take(double work_ns) {
  const T message = rt::receive<T>();
  std::array<std::byte, 128> own;
  rt::simulated::touches(own.data(), own.size(), true);
  rt::simulated::computes(work_ns);
  count_one();
  return message;
}

// --- pairs: four to a scheduler; each of two sends the other what it has received.

struct Ball {
  rt::Pid from;
};

void return_balls() {
  for (;;) rt::send(take<Ball>(100).from, Ball{rt::self()});
}

void pairs(unsigned schedulers) {
  for (unsigned pair = 0; pair < 4 * schedulers; ++pair) {
    const rt::Pid one = rt::spawn(return_balls);
    rt::send(one, Ball{rt::spawn(return_balls)});
  }
}

// --- fan: one sends to four workers a scheduler, eight messages each, and waits for all answers.

struct Work {
  rt::Pid from;
};
struct Done {};

void fan(unsigned schedulers) {
  constexpr unsigned at_a_time = 8;
  std::vector<rt::Pid> workers;
  for (unsigned worker = 0; worker < 4 * schedulers; ++worker)
    workers.push_back(rt::spawn([] {
      for (unsigned taken = 1;; ++taken) {
        const rt::Pid from = take<Work>(2'000).from;
        if (taken % at_a_time == 0) rt::send(from, Done{});
      }
    }));
  for (;;) {
    for (unsigned message = 0; message < at_a_time; ++message) {
      for (const rt::Pid worker : workers) rt::send(worker, Work{rt::self()});
    }
    for (unsigned answer = 0; answer < workers.size(); ++answer) rt::receive<Done>();
  }
}

// --- tree: ten branches to a node, a process each; a leaf works for a microsecond.

struct Sum {
  std::uint64_t value;
};

void grow(rt::Pid parent, std::uint64_t size) {
  constexpr unsigned branches = 10;
  if (size == 1) {
    rt::simulated::computes(1'000);
    count_one();
    return rt::send(parent, Sum{1});
  }
  for (unsigned branch = 0; branch < branches; ++branch)
    rt::spawn([me = rt::self(), size] { grow(me, size / branches); });
  std::uint64_t sum = 0;
  for (unsigned branch = 0; branch < branches; ++branch) sum += rt::receive<Sum>().value;
  rt::send(parent, Sum{sum});
}

void tree(unsigned /*schedulers*/) {
  constexpr std::uint64_t leaves = 10'000;
  for (;;) {
    rt::spawn([me = rt::self()] { grow(me, leaves); });
    rt::receive<Sum>();
  }
}

// --- random: sixteen processes to a scheduler, four tokens; who has a token gives it to anybody.

struct Token {};
struct Start {
  const std::vector<rt::Pid>* all;
};

void random(unsigned schedulers) {
  auto* const all = new std::vector<rt::Pid>;
  for (unsigned number = 0; number < 16 * schedulers; ++number)
    all->push_back(rt::spawn([number] {
      const auto& others = *rt::receive<Start>().all;
      Random chance(number);
      for (;;) {
        take<Token>(200);
        rt::send(others[chance.below(static_cast<std::uint32_t>(others.size()))], Token{});
      }
    }));
  for (const rt::Pid one : *all) rt::send(one, Start{all});
  for (unsigned token = 0; token < 4 * schedulers; ++token) rt::send((*all)[4 * token], Token{});
}

// --- sporadic: two processes to a scheduler sleep for a tenth of a millisecond or so, and then ask
// a third, which answers. Most schedulers sleep most of the time.

void sporadic(unsigned schedulers) {
  for (unsigned number = 0; number < 2 * schedulers; ++number) {
    rt::spawn([number] {
      const rt::Pid answers = rt::spawn(return_balls);
      Random chance(number);
      for (;;) {
        rt::sleep(std::chrono::nanoseconds(50'000 + chance.below(100'000)));
        rt::send(answers, Ball{rt::self()});
        take<Ball>(2'000);
      }
    });
  }
}

// --- spawn: two processes to a scheduler spawn ten at a time that only say that they have been.

void spawn(unsigned schedulers) {
  constexpr unsigned at_a_time = 10;
  for (unsigned number = 0; number < 2 * schedulers; ++number) {
    rt::spawn([] {
      for (;;) {
        for (unsigned child = 0; child < at_a_time; ++child)
          rt::spawn([parent = rt::self()] { rt::send(parent, Done{}); });
        for (unsigned child = 0; child < at_a_time; ++child) {
          rt::receive<Done>();
          count_one();
        }
      }
    });
  }
}

// --- names: as random, but all are sent to by name.

void names(unsigned schedulers) {
  for (unsigned number = 0; number < 16 * schedulers; ++number) {
    rt::spawn({.name = std::to_string(number)}, [number, schedulers] {
      Random chance(number);
      for (;;) {
        take<Token>(200);
        rt::send(std::to_string(chance.below(16 * schedulers)), Token{});
      }
    });
  }
  for (unsigned token = 0; token < 4 * schedulers; ++token)
    rt::send(std::to_string(4 * token), Token{});
}

constexpr std::array all_workloads{
    Workload{"pairs", pairs, "message"},
    Workload{"random", random, "message"},
    Workload{"fan", fan, "message"},
    Workload{"tree", tree, "leaf"},
    Workload{"spawn", spawn, "process"},
    Workload{"sporadic", sporadic, "message"},
    Workload{"names", names, "message"},
};

}  // namespace

std::span<const Workload> workloads() {
  return all_workloads;
}

std::uint64_t counted() noexcept {
  return so_far;
}

}  // namespace simulated
