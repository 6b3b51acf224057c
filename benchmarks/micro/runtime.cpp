// runtime.cpp: the verbs, called by a process of a runtime with one scheduler.
#include <benchmark/benchmark.h>

#include <airssys/rt.hpp>
#include <string>

namespace airssys::rt {
namespace {

void in_process(benchmark::State& state, const auto& body) {
  Runtime runtime({.schedulers = 1});
  if (runtime.run([&] { body(state); }) != ExitReason::normal())
    state.SkipWithError("the process has not ended as it should");
}

struct Stop {};

struct Number {
  Pid from;
  std::int64_t value;
};

// To oneself: no switch, no wake.
void send_and_receive(benchmark::State& state) {
  in_process(state, [](benchmark::State& runs) {
    std::int64_t sum = 0;
    for (auto _ : runs) {
      send(self(), std::int64_t{1});
      sum += receive<std::int64_t>();
    }
    if (sum != runs.iterations()) runs.SkipWithError("messages were lost");
  });
}
BENCHMARK(send_and_receive);

// Two messages and two switches.
void round_trip(benchmark::State& state) {
  in_process(state, [](benchmark::State& runs) {
    const Pid echo = spawn([] {
      bool is_over = false;
      while (!is_over) {
        receive([](Number number) { send(number.from, number.value); },
                [&](Stop) { is_over = true; });
      }
    });
    std::int64_t sum = 0;
    for (auto _ : runs) {
      send(echo, Number{self(), 1});
      sum += receive<std::int64_t>();
    }
    send(echo, Stop());
    if (sum != runs.iterations()) runs.SkipWithError("messages were lost");
  });
}
BENCHMARK(round_trip);

struct Adder : Server<Adder> {
  struct Add {
    using Reply = std::int64_t;
    std::int64_t value;
  };
  std::int64_t handle(Add add) { return sum += add.value; }
  std::int64_t sum = 0;
};

// With a time-out armed and cancelled, a monitor set and taken back.
void call_of_a_server(benchmark::State& state) {
  in_process(state, [](benchmark::State& runs) {
    const ServerRef<Adder> adder = start_link<Adder>();
    std::int64_t sum = 0;
    for (auto _ : runs) sum = call(adder, Adder::Add{1});
    if (sum != runs.iterations()) runs.SkipWithError("calls were lost");
  });
}
BENCHMARK(call_of_a_server);

// Spawned, run, ended, and its monitor has heard of it.
void spawn_and_end(benchmark::State& state) {
  in_process(state, [](benchmark::State& runs) {
    std::int64_t ends = 0;
    for (auto _ : runs) {
      const Spawned spawned = spawn_monitor([&ends] { ++ends; });
      if (receive<Down>().ref != spawned.ref) runs.SkipWithError("somebody else has ended");
    }
    if (ends != runs.iterations()) runs.SkipWithError("not all have run");
  });
}
BENCHMARK(spawn_and_end);

// A message to a pid whose process is gone: the look-up alone.
void look_up_of_a_dead_pid(benchmark::State& state) {
  in_process(state, [](benchmark::State& runs) {
    const Spawned spawned = spawn_monitor([] {});
    receive<Down>();
    for (auto _ : runs) send(spawned.pid, 1);
  });
}
BENCHMARK(look_up_of_a_dead_pid);

void look_up_of_a_name(benchmark::State& state) {
  in_process(state, [](benchmark::State& runs) {
    for (int i = 0; i < 1000; ++i) {
      spawn({.name = "process-" + std::to_string(i)}, [] { receive<Stop>(); });
    }
    for (auto _ : runs) {
      if (!whereis("process-500")) runs.SkipWithError("it has this name");
    }
    for (int i = 0; i < 1000; ++i) send("process-" + std::to_string(i), Stop());
  });
}
BENCHMARK(look_up_of_a_name);

}  // namespace
}  // namespace airssys::rt
