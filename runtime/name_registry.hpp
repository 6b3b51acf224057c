// name_registry.hpp: names → pids.
//
// One table under one mutex: names are read often and written seldom, and every verb is
// linearizable by it (N5). A process ends a name's life by itself: it says that it is exiting, and
// then takes its name out, if it has one, before anybody hears of its end (P6, N7). Who gives a
// name does so in the other order: it marks the process as named, and then looks whether it is
// exiting. Both steps of both are seq_cst, so not both can miss the other, and no name is left
// behind (N9).
#pragma once

#include <airssys/rt/error.hpp>
#include <airssys/rt/pid.hpp>
#include <expected>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/mutex.hpp"
#include "runtime/process.hpp"

namespace airssys::rt::runtime {

class NameRegistry {
 public:
  // Any thread, inside the runtime; `process` is the one that pid names, or null.
  std::expected<void, NameError> give(std::string_view name, Pid pid, Process* process);
  std::expected<void, NameError> take_back(std::string_view name,
                                           const std::function<Process*(Pid)>& find);
  std::optional<Pid> find(std::string_view name);
  std::string name_of(Pid pid);

  // The process itself, when it ends. Cheap when it has no name.
  void release(Process& process);

 private:
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view name) const noexcept {
      return std::hash<std::string_view>{}(name);
    }
  };

  // The innermost: a timer looks a name up under its wheel's mutex.
  base::Mutex mutex_{base::LockRank::leaf};
  // Under mutex_; each the reverse of the other.
  std::unordered_map<std::string, Pid, Hash, std::equal_to<>> pids_;
  std::unordered_map<Pid, std::string> names_;
};

}  // namespace airssys::rt::runtime
