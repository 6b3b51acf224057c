// child_spec.hpp: whether a child's specification makes sense, and running its start function.
#pragma once

#include <airssys/rt/child.hpp>
#include <airssys/rt/supervisor.hpp>
#include <cstdint>
#include <expected>

namespace airssys::rt::supervision {

enum class Ids : std::uint8_t { required, labels };

// Whose reason is an error with the same words.
StartError start_error(StartError::Kind kind, const std::string& what, Pid pid = {});

// More than zero (V4). The error is bad_spec.
std::expected<void, StartError> check_period(Duration period);
// One specification by itself (V5). The error is bad_spec.
std::expected<void, StartError> check_childspec(const ChildSpec& spec,
                                                AutoShutdown auto_shutdown,
                                                Ids ids);

// Runs the start function on this process (V7). A null pid: the child chose not to run. Whatever it
// throws is an error; only a forced unwind passes.
std::expected<Pid, StartError> run_start(const ChildSpec& spec);

}  // namespace airssys::rt::supervision
