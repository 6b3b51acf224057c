// name_registry.cpp: giving names, taking them back, and the end of a holder.
#include "runtime/name_registry.hpp"

#include <mutex>

namespace airssys::rt::runtime {

std::expected<void, NameError> NameRegistry::give(std::string_view name,
                                                  Pid pid,
                                                  Process* process) {
  const auto refused = [&](NameError::Kind kind, Pid holder = {}) {
    return std::unexpected(NameError(kind, std::string(name), holder));
  };
  if (name.empty()) return refused(NameError::bad_name);
  if (!process) return refused(NameError::no_process);
  const std::lock_guard lock(writers_);
  if (const auto holder = find(name)) return refused(NameError::taken, *holder);
  // relaxed: a holder that is seen to end is refused at once; the look below is the one that
  // counts.
  if (process->is_exiting.load(std::memory_order_relaxed)) return refused(NameError::no_process);
  // relaxed: written under writers_ only.
  if (process->is_named.load(std::memory_order_relaxed))
    return refused(NameError::already_named, pid);
  // seq_cst, twice: marked before the look whether it is exiting; pairs with release.
  process->is_named.store(true, std::memory_order_seq_cst);
  if (process->is_exiting.load(std::memory_order_seq_cst)) return refused(NameError::no_process);
  try {
    put(name, pid);
  } catch (...) {
    names_.erase(pid);
    process->is_named.store(false, std::memory_order_relaxed);  // relaxed: as in take_back
    throw;
  }
  return {};
}

std::expected<void, NameError> NameRegistry::take_back(std::string_view name,
                                                       const std::function<Process*(Pid)>& find) {
  const std::lock_guard lock(writers_);
  const auto holder = this->find(name);
  if (!holder) return std::unexpected(NameError(NameError::not_registered, std::string(name)));
  erase(*holder, name);
  // Not before: a holder that ends meanwhile would not look for its name, and could be heard to
  // have ended while it is still found. relaxed: who finds the name has looked before the erasure.
  if (Process* process = find(*holder)) process->is_named.store(false, std::memory_order_relaxed);
  return {};
}

std::optional<Pid> NameRegistry::find(std::string_view name) {
  Shard& shard = shard_of(name);
  const std::lock_guard lock(shard.mutex);
  const auto holder = shard.pids.find(name);
  if (holder == shard.pids.end()) return std::nullopt;
  return holder->second;
}

std::string NameRegistry::name_of(Pid pid) {
  const std::lock_guard lock(writers_);
  const auto name = names_.find(pid);
  return name == names_.end() ? std::string() : name->second;
}

void NameRegistry::take_out(Process& process) {
  const std::lock_guard lock(writers_);
  const auto name = names_.find(process.pid());
  if (name != names_.end()) erase(process.pid(), name->second);
}

void NameRegistry::put(std::string_view name, Pid pid) {
  names_.emplace(pid, name);
  Shard& shard = shard_of(name);
  const std::lock_guard lock(shard.mutex);
  shard.pids.emplace(name, pid);
}

void NameRegistry::erase(Pid pid, std::string_view name) {
  {
    Shard& shard = shard_of(name);
    const std::lock_guard lock(shard.mutex);
    shard.pids.erase(shard.pids.find(name));
  }
  names_.erase(pid);  // and with it what `name` may view
}

}  // namespace airssys::rt::runtime
