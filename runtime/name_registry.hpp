// name_registry.hpp: names → pids.
//
// Names are read often and written seldom. Who gives a name or takes one back holds writers_, and
// only for the change itself the mutex of the shard that the name lies in; who looks one up holds
// nothing but that, so readers of different names do not meet. Each name changes in one step, the
// change of its shard (N5).
//
// A process ends a name's life by itself: it says that it is exiting, and then takes its name out,
// if it has one, before anybody hears of its end (P6, N7). Who gives a name does so in the other
// order: it marks the process as named, and then looks whether it is exiting. Both steps of both
// are seq_cst, so not both can miss the other, and no name is left behind (N9).
#pragma once

#include <airssys/rt/error.hpp>
#include <airssys/rt/pid.hpp>
#include <array>
#include <expected>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/cache_line.hpp"
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
  void release(Process& process) {
    // seq_cst, twice: exiting is said before the look for a name; pairs with give.
    process.is_exiting.store(true, std::memory_order_seq_cst);
    if (process.is_named.load(std::memory_order_seq_cst)) [[unlikely]]
      take_out(process);
  }

 private:
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view name) const noexcept {
      return std::hash<std::string_view>{}(name);
    }
  };

  // One name in so many; lines of their own.
  struct alignas(base::cache_line_bytes) Shard {
    // The innermost: a timer looks a name up under its wheel's mutex.
    base::Mutex mutex{base::LockRank::leaf};
    std::unordered_map<std::string, Pid, Hash, std::equal_to<>> pids;  // under mutex
  };

  Shard& shard_of(std::string_view name) noexcept { return shards_[Hash{}(name) % shards_.size()]; }
  void take_out(Process& process);
  // Under writers_.
  void put(std::string_view name, Pid pid);
  void erase(Pid pid, std::string_view name);

  std::array<Shard, 64> shards_;

  base::Mutex writers_{base::LockRank::names};
  // Under writers_: the reverse of all shards.
  std::unordered_map<Pid, std::string> names_;
};

}  // namespace airssys::rt::runtime
