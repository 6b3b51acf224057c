// signal_model.hpp: what signals do, as a program: chapters S, X, L, M and N of docs/rules.md.
//
// Sequential: each step is carried out with everything that follows from it before the next, for
// the driver waits as long. A process is a mailbox, its links and its monitors; what it hears is a
// line of text. It shares nothing with the runtime but the words.
//
// What it leaves open: what several processes tell one within one step comes in any order, except
// that each sender's own stays in order (S1, S2).
#pragma once

#include <airssys/rt.hpp>
#include <cstddef>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "tests/property/signals.hpp"

namespace airssys::rt::property {

struct Heard {
  std::size_t step;
  std::string sender;
  std::string text;
};

// What can be seen of a process.
struct Seen {
  bool is_alive = true;
  std::string reason = {};  // of its end; else the rest:
  std::string name = {};
  bool traps_exits = false;
  std::size_t mail = 0;
  std::multiset<std::string> links = {};
  std::multiset<std::string> watches = {};
  std::multiset<std::string> watched_by = {};
  friend bool operator==(const Seen&, const Seen&) = default;
};
std::string to_string(const Seen& seen);

class SignalModel {
 public:
  SignalModel();

  // Whoever is in each slot, by the names that the texts use: "b2", the third in slot b.
  std::string label(std::size_t slot) const;
  Seen seen(std::size_t slot) const;
  bool is_alive(std::size_t slot) const { return processes_.at(in_slot_.at(slot)).is_alive; }

  void renew(std::size_t slot);

  struct Outcome {
    std::optional<std::string> answer;  // none: it may have ended before it could answer
    std::vector<Heard> heard = {};      // by a drain
  };
  Outcome perform(const Step& step);

 private:
  using Index = std::size_t;
  struct Monitor {
    Index target;
    bool is_active;
  };
  struct Process {
    std::string label;
    bool is_alive = true;
    bool traps_exits = false;
    ExitReason reason = {};
    std::string name = {};
    std::set<Index> links = {};
    std::vector<Monitor> monitors = {};
    std::vector<Heard> mailbox = {};
  };

  void hear(Index listener, Index sender, std::string text);
  void die(Index who, const ExitReason& reason);
  void link_breaks(Index who, Index with, const ExitReason& reason);

  std::string link(Index who, Index other);
  void unlink(Index who, Index other);
  void monitor(Index who, Index other);
  std::string demonitor(Index who, unsigned variant);
  void send_exit(Index who, Index to, const ExitReason& reason);
  std::string give_name(Index other, const std::string& name);
  std::string take_name(const std::string& name);

  std::vector<Process> processes_;
  std::vector<Index> in_slot_;
  std::vector<std::size_t> renewed_;
  std::map<std::string, Index> names_;
  std::size_t step_ = 0;
};

}  // namespace airssys::rt::property
