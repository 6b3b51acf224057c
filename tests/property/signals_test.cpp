// signals_test.cpp: random programs of messages, links, monitors, exits and names.
//
// Step by step, each with everything that follows from it, everything must be as the model says:
// what the step answers, what each process hears, and what can be seen of it. All at once, what
// holds in any order must hold.
#include <algorithm>
#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "tests/property/merge.hpp"
#include "tests/property/property.hpp"
#include "tests/property/signal_driver.hpp"
#include "tests/property/signal_history.hpp"
#include "tests/property/signal_model.hpp"
#include "tests/property/signals.hpp"

namespace airssys::rt::property {
namespace {

class Signals : public Properties {};
RT_PROPERTIES_WITH_SCHEDULERS(Signals);

// --- step by step ---

// Whether it has heard this: step after step, and within one, each sender's in order.
bool is_heard(const Row& told, const std::vector<Heard>& expected) {
  if (told.size() != expected.size()) return false;
  auto place = told.begin();
  for (auto begin = expected.begin(); begin != expected.end();) {
    const auto end = std::find_if(
        begin, expected.end(), [&](const Heard& heard) { return heard.step != begin->step; });
    std::map<std::string, Row> by_sender;
    for (auto heard = begin; heard != end; ++heard) by_sender[heard->sender].push_back(heard->text);
    std::vector<Row> rows;
    for (auto& [sender, row] : by_sender) rows.push_back(std::move(row));
    const auto next = place + (end - begin);
    if (!is_merge_of(Row(place, next), rows)) return false;
    begin = end;
    place = next;
  }
  return true;
}

std::string difference(const SignalModel::Outcome& expected, const std::optional<Did>& did) {
  if (!expected.answer) return "";
  if (!did) return "\n  it has not answered " + *expected.answer;
  std::string text;
  if (did->answer != *expected.answer)
    text += "\n  it answered " + did->answer + " and not " + *expected.answer;
  if (!is_heard(did->heard, expected.heard)) {
    text += "\n  it heard " + text_of(did->heard) + "\n   and not";
    for (const Heard& heard : expected.heard) text += ' ' + heard.text + ',';
  }
  return text;
}

// What it is about to hear of others' ends is on its way.
std::string difference(const SignalModel& model, SignalDriver& driver, Duration time) {
  std::string text;
  for (std::size_t slot = 0; slot < slots; ++slot) {
    const Seen expected = model.seen(slot);
    const Seen seen = await(
        time, [&] { return driver.seen(slot); }, [&](const Seen& now) { return now == expected; });
    if (seen != expected)
      text += "\n  " + model.label(slot) + ": " + to_string(seen) + "\n   and not " +
              to_string(expected);
  }
  return text;
}

std::string run(const SignalProgram& program, Fault fault, Duration time) {
  SignalModel model;
  SignalDriver driver(fault, time);
  for (std::size_t slot = 0; slot < slots; ++slot) driver.renew(slot, model.label(slot));
  std::string wrong;
  for (std::size_t i = 0; i < program.steps.size() && wrong.empty(); ++i) {
    const Step& step = program.steps[i];
    if (!model.is_alive(step.slot)) {
      model.renew(step.slot);
      driver.renew(step.slot, model.label(step.slot));
    }
    const SignalModel::Outcome expected = model.perform(step);
    wrong = difference(expected, driver.perform(step, i + 1));
    driver.settle();
    wrong += difference(model, driver, time);
    if (!wrong.empty())
      wrong = "at step " + std::to_string(i) + ", by " + model.label(step.slot) + ':' + wrong;
  }
  driver.end_all();
  return wrong;
}

// X3, X5, X6, X7, X11, L2, L4, L5, L7, L9, L10, M1, M3, M4, M8, M9, M11, M15, N1, N2, N3, N7
TEST_P(Signals, processes_do_to_each_other_what_the_model_says) {
  EXPECT_TRUE(holds<SignalProgram>(
      "processes do to each other what the model says",
      [](const SignalProgram& program) { return run(program, Fault::none, patience); }));
}

TEST_P(Signals, a_runtime_that_is_broken_is_caught) {
  for (const Fault fault : {Fault::loses_notes,
                            Fault::repeats_notes,
                            Fault::swaps_notes,
                            Fault::forgets_links,
                            Fault::forgets_unlinks,
                            Fault::forgets_demonitors,
                            Fault::flushes_nothing,
                            Fault::monitors_twice,
                            Fault::never_traps,
                            Fault::kills_the_trapping}) {
    EXPECT_TRUE(is_caught<SignalProgram>([=](const SignalProgram& program) {
      return run(program, fault, impatience);
    })) << static_cast<int>(fault);
  }
}

// --- all at once ---

std::string run_at_once(const SignalProgram& program, Fault fault, Duration time) {
  SignalDriver driver(fault, time);
  History history{.steps = program.steps};
  for (std::size_t slot = 0; slot < slots; ++slot) {
    history.labels.push_back(std::string(1, static_cast<char>('a' + slot)));
    driver.renew(slot, history.labels.back());
  }
  history.deeds = driver.perform_at_once(program.steps);
  driver.settle();
  // What one has sent with its last breath may still be on its way.
  const std::string wrong = await(
      time,
      [&] {
        history.seen.clear();
        for (std::size_t slot = 0; slot < slots; ++slot) {
          const Step drain{.slot = slot, .op = Op::drain, .other = slot, .variant = 0};
          if (auto did = driver.perform(drain, program.steps.size() + 1))
            history.deeds[slot].push_back(*std::move(did));
        }
        for (std::size_t slot = 0; slot < slots; ++slot) history.seen.push_back(driver.seen(slot));
        return wrong_with(history);
      },
      [](const std::string& text) { return text.empty(); });
  driver.end_all();
  return wrong;
}

// S1, X3, X9, L1, L3, L9, M6, M8, M9, M11, M15
TEST_P(Signals, what_holds_in_any_order_holds_when_all_act_at_once) {
  EXPECT_TRUE(holds<SignalProgram>(
      "what holds in any order holds when all act at once",
      [](const SignalProgram& program) { return run_at_once(program, Fault::none, patience); }));
}

TEST_P(Signals, a_runtime_that_is_broken_is_caught_when_all_act_at_once) {
  for (const Fault fault : {Fault::loses_notes,
                            Fault::repeats_notes,
                            Fault::swaps_notes,
                            Fault::forgets_links,
                            Fault::forgets_demonitors,
                            Fault::monitors_twice,
                            Fault::never_traps}) {
    EXPECT_TRUE(is_caught<SignalProgram>([=](const SignalProgram& program) {
      return run_at_once(program, fault, impatience);
    })) << static_cast<int>(fault);
  }
}

}  // namespace
}  // namespace airssys::rt::property
