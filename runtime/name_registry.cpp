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
  const std::lock_guard lock(mutex_);
  if (const auto holder = pids_.find(name); holder != pids_.end())
    return refused(NameError::taken, holder->second);
  // relaxed: a holder that is seen to end is refused at once; the look below is the one that
  // counts.
  if (process->is_exiting.load(std::memory_order_relaxed)) return refused(NameError::no_process);
  // relaxed: written under the mutex only.
  if (process->is_named.load(std::memory_order_relaxed))
    return refused(NameError::already_named, pid);
  // seq_cst, twice: marked before the look whether it is exiting; pairs with release.
  process->is_named.store(true, std::memory_order_seq_cst);
  if (process->is_exiting.load(std::memory_order_seq_cst)) return refused(NameError::no_process);
  pids_.emplace(name, pid);
  names_.emplace(pid, name);
  return {};
}

std::expected<void, NameError> NameRegistry::take_back(std::string_view name,
                                                       const std::function<Process*(Pid)>& find) {
  const std::lock_guard lock(mutex_);
  const auto holder = pids_.find(name);
  if (holder == pids_.end())
    return std::unexpected(NameError(NameError::not_registered, std::string(name)));
  if (Process* process = find(holder->second)) {
    // relaxed: under the mutex; a process that ends meanwhile looks for its name in vain.
    process->is_named.store(false, std::memory_order_relaxed);
  }
  names_.erase(holder->second);
  pids_.erase(holder);
  return {};
}

std::optional<Pid> NameRegistry::find(std::string_view name) {
  const std::lock_guard lock(mutex_);
  const auto holder = pids_.find(name);
  if (holder == pids_.end()) return std::nullopt;
  return holder->second;
}

std::string NameRegistry::name_of(Pid pid) {
  const std::lock_guard lock(mutex_);
  const auto name = names_.find(pid);
  return name == names_.end() ? std::string() : name->second;
}

void NameRegistry::release(Process& process) {
  // seq_cst, twice: exiting is said before the look for a name; pairs with give.
  process.is_exiting.store(true, std::memory_order_seq_cst);
  if (!process.is_named.load(std::memory_order_seq_cst)) return;
  const std::lock_guard lock(mutex_);
  const auto name = names_.find(process.pid());
  if (name == names_.end()) return;
  pids_.erase(name->second);
  names_.erase(name);
}

}  // namespace airssys::rt::runtime
