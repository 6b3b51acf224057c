// mailbox.cpp: what a signal costs on its way through an inbox, without a process around it.
#include <benchmark/benchmark.h>

#include <vector>

#include "mailbox/inbox.hpp"
#include "mailbox/signal.hpp"

namespace airssys::rt::mailbox {
namespace {

// A figure is of one signal: so many are pushed, taken at once, and walked.
void push_and_take(benchmark::State& state) {
  std::vector<Signal> signals(static_cast<std::size_t>(state.range(0)));
  Inbox inbox;
  for (auto _ : state) {
    for (Signal& signal : signals) benchmark::DoNotOptimize(inbox.push(signal));
    for (Signal* signal = inbox.take_all(); signal != nullptr; signal = signal->next)
      benchmark::DoNotOptimize(signal);
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(push_and_take)->Arg(1)->Arg(1000);

// Every push finds the owner at rest and would have to wake it.
void push_to_who_rests(benchmark::State& state) {
  Signal signal;
  Inbox inbox;
  for (auto _ : state) {
    if (!inbox.try_idle()) state.SkipWithError("an empty inbox lets its owner rest");
    if (inbox.push(signal) != Pushed::first) state.SkipWithError("the first push owes the wake");
    benchmark::DoNotOptimize(inbox.take_all());
  }
}
BENCHMARK(push_to_who_rests);

}  // namespace
}  // namespace airssys::rt::mailbox
