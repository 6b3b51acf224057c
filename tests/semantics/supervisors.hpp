// supervisors.hpp: supervisors and children for the tests of chapter V.
//
// The body of a test is the parent of the supervisors that it starts, and traps exits; when it ends
// they take their trees down. Most children are those of tests/support/children.hpp, which tell
// what happens to them; here are those that behave in some special way.
#pragma once

#include <airssys/rt.hpp>
#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <expected>
#include <functional>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tests/semantics/targets.hpp"
#include "tests/support/children.hpp"

namespace airssys::rt::semantics {

using namespace std::chrono_literals;
using namespace support;

class SupervisorRules : public InRuntime {
 protected:
  SupervisorRules() {
    options.log = [this](std::string_view line) {
      const std::lock_guard lock(mutex_);
      lines_.emplace_back(line);
    };
  }

  void run(const std::function<void()>& body) {
    InRuntime::run([&body] {
      trap_exit(true);
      body();
    });
  }

  // Whether some report has these words in it.
  bool was_reported(std::string_view words) {
    const std::lock_guard lock(mutex_);
    return std::ranges::any_of(
        lines_, [&](const std::string& line) { return line.find(words) != std::string::npos; });
  }

 private:
  std::mutex mutex_;
  std::vector<std::string> lines_;
};

// With room for a test's restarts, and a period that no test outlives.
inline SupervisorOptions tree(Strategy strategy,
                              std::vector<ChildSpec> children,
                              unsigned intensity = 10) {
  return {
      .strategy = strategy, .intensity = intensity, .period = 1h, .children = std::move(children)};
}

// Ends when it is told to, and by whatever signal: it traps none.
inline ChildSpec plain(std::string id, const ChildOptions& options = {}) {
  auto body = [id, owner = self()](Starter starter) {
    send(owner, Up{id, self()});
    starter.acknowledge();
    exit(receive<End>().reason);
  };
  return child(std::move(id), std::move(body), options);
}

// Says Going when it is asked to stop, and stays until it is told to end.
inline ChildSpec lingering(std::string id, const ChildOptions& options = {}) {
  auto body = [id, owner = self()](Starter starter) {
    trap_exit(true);
    send(owner, Up{id, self()});
    starter.acknowledge();
    for (;;)
      receive([](End end) { exit(end.reason); },
              [&](Exit asked) { send(owner, Going{id, asked.reason}); });
  };
  return child(std::move(id), std::move(body), options);
}

inline StartError ignored() {
  return {StartError::ignore, ExitReason::normal(), "not today"};
}

// A child whose starts go as this word says: u up, f failing, i ignoring; then always up.
inline ChildSpec moody(std::string id, std::string moods, const ChildOptions& options = {}) {
  auto starts = std::make_shared<std::atomic<std::size_t>>(0);
  auto body = obedient(id);
  return child_started_by(
      std::move(id),
      [=]() -> std::expected<Pid, StartError> {
        const std::size_t n = (*starts)++;
        switch (n < moods.size() ? moods[n] : 'u') {
          case 'f':
            throw std::runtime_error("moody");
          case 'i':
            return std::unexpected(ignored());
          default:
            return try_start_body_link(body);
        }
      },
      options);
}

}  // namespace airssys::rt::semantics
