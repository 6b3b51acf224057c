// via.hpp: names in a registry of one's own, beside the runtime's (registry.hpp).
//
//   auto rooms = std::make_shared<rt::NameTable>();
//   rt::start_link<Room>({.name = "lobby", .registry = rooms});
//   int seats = rt::call(rt::server_ref<Room>(*rooms, "lobby"), Room::Seats{});
//   rt::cast<Room>(*rooms, "lobby", Room::Close{});
//
// Whatever is started with StartOptions or as a supervisor can have its name there (N10): servers,
// state machines, event managers, supervisors, bodies. The new process registers itself, first of
// all: if the registry says no, nothing of it is made or run, and the start fails with
// already_started and the holder's pid (N11). When the process ends, however it ends, its name is
// given up before anybody hears of that, so a successor can have it at once (N7, N8).
//
// Why one would: several name spaces, several names for a process, names that are handed out,
// spread or written down by rules of one's own. Processes share the registry that their options
// hold; it lives as long as any of them.
#pragma once

#include <airssys/rt/error.hpp>
#include <airssys/rt/message.hpp>
#include <airssys/rt/pid.hpp>
#include <airssys/rt/send.hpp>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace airssys::rt {

// What a registry has to be able to do. Its functions are called by processes, on several threads
// at once. Those that do not say otherwise may wait and throw: that is the caller's wait, and the
// caller's exception.
class Registry {
 public:
  Registry() = default;
  Registry(const Registry&) = delete;
  Registry& operator=(const Registry&) = delete;
  virtual ~Registry() = default;

  // Whether pid has the name now; false: it may not. From the process that starts. What this throws
  // is why the start failed; a wait counts towards the time-out of the start.
  virtual bool register_name(std::string_view name, Pid pid) = 0;
  // Takes the name back if it is this pid's, else does nothing. From the process at its end, also
  // if that came in the middle of register_name: it must not wait.
  virtual void unregister_name(std::string_view name, Pid pid) noexcept = 0;
  virtual std::optional<Pid> whereis_name(std::string_view name) = 0;
  // Sends to whoever has the name; false: nobody. As it stands, to whom whereis_name finds.
  virtual bool send(std::string_view name, Message message);
};

// The plain one: a table in memory. A process may have several names in it. Those that were given
// by hand stay until they are taken back. Any thread; no verb but `send` waits.
class NameTable : public Registry {
 public:
  // False: somebody has it, or it is empty.
  bool register_name(std::string_view name, Pid pid) override;
  void unregister_name(std::string_view name, Pid pid) noexcept override;
  std::optional<Pid> whereis_name(std::string_view name) override;

 private:
  std::mutex mutex_;
  std::map<std::string, Pid, std::less<>> pids_;  // under mutex_
};

// Sends to whoever has this name in the registry. Throws NameError not_registered when nobody has
// it (N6). For processes; as `send` otherwise.
template <Sendable T>
void send(Registry& registry, std::string_view name, T&& message) {
  if (!registry.send(name, Message(detail::payload_of(std::forward<T>(message)))))
    throw NameError(NameError::not_registered, std::string(name));
}

}  // namespace airssys::rt
