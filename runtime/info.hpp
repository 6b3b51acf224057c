// info.hpp: the answers to questions that only a process itself can answer.
//
//   asker ── info_request, alive_request ──▶ target, in its order (P9, P13)
//         ◀── a message through the asker's alias ── the target as it obeys, or who answers for the
//         dead
#pragma once

#include <airssys/rt/info.hpp>

#include "runtime/control_signal.hpp"
#include "runtime/process.hpp"
#include "runtime/system.hpp"

namespace airssys::rt::runtime {

// Whoever acts on the request. Inside.
void answer_alive(System& system, const ControlSignal& request, bool is_alive);
// The process that was asked, as it obeys.
void answer_info(System& system, Process& process, const ControlSignal& request);
void answer_info_of_dead(System& system, const ControlSignal& request);

// What the words say that anyone may read; of one look at the reason, which may change meanwhile.
ProcessState state_of(const Process& process, WaitReason reason) noexcept;

}  // namespace airssys::rt::runtime
