// idler.cpp: one timer and one wake per behaviour that asks for it, reused.
#include "runtime/idler.hpp"

#include <airssys/rt/behaviour.hpp>
#include <airssys/rt/error.hpp>

#include "runtime/call.hpp"
#include "runtime/extras.hpp"

namespace airssys::rt::runtime {

void disarm_idler(Process& process) {
  if (Extras* extras = process.own_extras()) extras->idle_timer.reset();
}

bool idler_is_due(Process& process) {
  Extras* extras = process.own_extras();
  if (!extras || !extras->idle_timer || !extras->idle_timer->is_over()) return false;
  extras->idle_timer.reset();
  return true;
}

}  // namespace airssys::rt::runtime

namespace airssys::rt {

void idle_after(Duration time) {
  idle_after(Deadline::after(time));
}

void idle_after(Deadline at) {
  const runtime::Call call(runtime::Call::Kind::plain);
  runtime::Process& process = call.process();
  const Behaviour* behaviour = process.program ? process.program->behaviour() : nullptr;
  if (!behaviour || !behaviour->takes_idle())
    throw BadArgument("rt::idle_after is for behaviours that handle it, as by handle_idle()");
  if (at.is_never()) return runtime::disarm_idler(process);
  runtime::Extras& extras = runtime::extras_of(process);
  extras.idle_timer.emplace(process, runtime::Timeout(process, at));
}

}  // namespace airssys::rt
