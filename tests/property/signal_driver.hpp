// signal_driver.hpp: real processes that do what a program of signals says.
//
// The driver is the process that made them: it tells one of them to do a step and waits until that
// has answered or ended. Their other mail stays in their mailboxes until they are told to drain
// them. After a step it asks all who live until nobody has died meanwhile; by then every signal has
// been sent.
#pragma once

#include <airssys/rt.hpp>
#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "tests/property/merge.hpp"
#include "tests/property/signal_model.hpp"
#include "tests/property/signals.hpp"

namespace airssys::rt::property {

// What the processes do wrong, as if the runtime did.
enum class Fault {
  none,
  loses_notes,
  repeats_notes,
  swaps_notes,
  forgets_links,
  forgets_unlinks,
  forgets_demonitors,
  flushes_nothing,
  monitors_twice,
  never_traps,
  kills_the_trapping,
};

// What one has done, and what it says of it.
struct Did {
  std::size_t number;
  std::string answer;
  Row heard = {};  // by a drain
};

class SignalDriver {
 public:
  // Waits for nothing longer than this.
  SignalDriver(Fault fault, Duration time) : fault_(fault), time_(time), slots_(slots) {}

  void renew(std::size_t slot, const std::string& label);

  // Nothing: it has ended before it answered.
  std::optional<Did> perform(const Step& step, std::size_t number);
  // Waits for no answers: all do their steps at once. Answers each one's deeds, in its order.
  std::vector<std::vector<Did>> perform_at_once(const std::vector<Step>& steps);

  void settle();
  // What is to be seen there now. After `settle`.
  Seen seen(std::size_t slot);
  const std::string& label(Pid pid) const { return labels_.at(pid); }

  void end_all();

 private:
  struct Slot {
    Pid pid;
    MonitorRef ref;
    std::optional<ExitReason> end;
  };

  void order(const Step& step, std::size_t number);
  std::optional<Did> next_deed(Slot& slot);
  bool await_end(Slot& slot, Duration time);

  Fault fault_;
  Duration time_;
  std::vector<Slot> slots_;
  std::map<Pid, std::string> labels_;
};

}  // namespace airssys::rt::property
