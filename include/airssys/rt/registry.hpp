// registry.hpp: names of processes.
//
// A process has at most one name, a name at most one process. Any process and any thread of the
// runtime's may ask. All verbs are synchronous and linearizable (N5); none suspends. A name is free
// before anybody hears of its holder's end (P6, N8).
#pragma once

#include <airssys/rt/error.hpp>
#include <airssys/rt/pid.hpp>
#include <expected>
#include <optional>
#include <string_view>

namespace airssys::rt {

// Gives pid this name. Throws NameError: taken, already_named, no_process, bad_name (N1).
void register_name(std::string_view name, Pid pid);
[[nodiscard]] std::expected<void, NameError> try_register_name(std::string_view name, Pid pid);

// Throws NameError when nobody has it (N3). Any process may do this (N2).
void unregister_name(std::string_view name);
[[nodiscard]] std::expected<void, NameError> try_unregister_name(std::string_view name);

// Who has this name now (N4).
std::optional<Pid> whereis(std::string_view name);

}  // namespace airssys::rt
