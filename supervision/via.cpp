// via.cpp: registries as they come, and a program that has its name in one.
#include <airssys/rt/via.hpp>

#include <airssys/rt/exit_reason.hpp>
#include <airssys/rt/local.hpp>
#include <airssys/rt/process.hpp>
#include <memory>

#include "supervision/named_program.hpp"

namespace airssys::rt {

bool Registry::send(std::string_view name, Message message) {
  const std::optional<Pid> holder = whereis_name(name);
  if (holder) rt::send(*holder, std::move(message));
  return holder.has_value();
}

bool NameTable::register_name(std::string_view name, Pid pid) {
  const std::lock_guard lock(mutex_);
  return !name.empty() && pids_.try_emplace(std::string(name), pid).second;
}

void NameTable::unregister_name(std::string_view name, Pid pid) noexcept {
  const std::lock_guard lock(mutex_);
  const auto holder = pids_.find(name);
  if (holder != pids_.end() && holder->second == pid) pids_.erase(holder);
}

std::optional<Pid> NameTable::whereis_name(std::string_view name) {
  const std::lock_guard lock(mutex_);
  const auto holder = pids_.find(name);
  if (holder == pids_.end()) return std::nullopt;
  return holder->second;
}

}  // namespace airssys::rt

namespace airssys::rt::supervision {

namespace {

// A name of the calling process, which is given up when this is destroyed.
class HeldName {
 public:
  HeldName(std::shared_ptr<Registry> registry, std::string name)
      : registry_(std::move(registry)), name_(std::move(name)), holder_(self()) {}
  HeldName(HeldName&&) noexcept = default;  // what was moved from holds nothing
  HeldName& operator=(HeldName&&) = delete;
  ~HeldName() {
    if (registry_) registry_->unregister_name(name_, holder_);
  }

  bool take() { return registry_->register_name(name_, holder_); }
  void forget() noexcept { registry_.reset(); }
  const std::string& to_string() const noexcept { return name_; }

 private:
  std::shared_ptr<Registry> registry_;
  std::string name_;
  Pid holder_;
};

// Of the process, not of its program: a body that hibernates leaves its program, not its name.
constexpr Local<HeldName> held_name("name in a registry");

}  // namespace

void NamedProgram::run() {
  // Held first: who ends while the registry is being asked may have got it.
  held_name.put(HeldName(registry_, name_));
  HeldName& held = *held_name.get();
  if (!held.take()) {
    held.forget();
    starter_.refuse_name(registry_->whereis_name(name_).value_or(Pid()));
    exit(ExitReason::normal());
  }
  program_->run();
}

}  // namespace airssys::rt::supervision
