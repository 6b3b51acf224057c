// fiber.cpp: what a switch costs, with hot caches and among many stacks.
#include <benchmark/benchmark.h>

#include <cstddef>
#include <memory>
#include <vector>

#include "fiber/context.hpp"
#include "fiber/stack.hpp"
#include "tests/fiber/stage.hpp"

namespace airssys::rt::fiber {
namespace {

// To a fiber and back, in turns over so many of them.
void switch_there_and_back(benchmark::State& state) {
  StackPool pool;
  StackPool::Cache stacks(pool);
  ThreadContext thread;
  bool is_over = false;
  std::vector<std::unique_ptr<Stage>> stages;
  for (std::int64_t i = 0; i < state.range(0); ++i) {
    stages.push_back(std::make_unique<Stage>(stacks, [&is_over](Stage& self) {
      while (!is_over) self.wait();
    }));
  }
  std::size_t next = 0;
  for (auto _ : state) {
    stages[next]->run(thread);
    if (++next == stages.size()) next = 0;
  }
  is_over = true;
  for (const auto& stage : stages) stage->run(thread);
}
BENCHMARK(switch_there_and_back)->Arg(1)->Arg(100)->Arg(10'000);

}  // namespace
}  // namespace airssys::rt::fiber

BENCHMARK_MAIN();
