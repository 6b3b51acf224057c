// observed.hpp: what is switched on for one behaviour: trace, log, statistics, hooks (C5).
#pragma once

#include <airssys/rt/detail/observed.hpp>
#include <airssys/rt/sys.hpp>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace airssys::rt::detail {

struct Watch {
  struct Counting {
    std::chrono::system_clock::time_point since;
    std::uint64_t reductions;  // of the process, at the beginning
    std::uint64_t messages_in = 0;
    std::uint64_t messages_out = 0;
  };

  bool is_suspended = false;
  bool is_traced = false;
  bool has_replied = false;  // the message that is being handled has been answered
  std::size_t log_size = 0;
  std::deque<std::string> log;
  std::optional<Counting> counting;
  std::vector<std::pair<std::string, sys::Hook>> hooks;

  bool is_idle() const noexcept {
    return !is_suspended && !is_traced && log_size == 0 && !counting && hooks.empty();
  }
};

}  // namespace airssys::rt::detail
