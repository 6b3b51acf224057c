// signals.cpp: making programs of signals and showing them.
#include "tests/property/signals.hpp"

#include <string_view>

#include "tests/property/generate.hpp"

namespace airssys::rt::property {

namespace {

rc::Gen<Step> steps() {
  const auto any = one_of<Op>(ops);
  return rc::gen::build<Step>(
      rc::gen::set(&Step::slot, one_of<std::size_t>(slots)),
      // Ends are rare enough for something to happen in between.
      rc::gen::set(&Step::op,
                   rc::gen::weightedOneOf<Op>({{4, any},
                                               {2, rc::gen::just(Op::link)},
                                               {2, rc::gen::just(Op::monitor)},
                                               {1, rc::gen::just(Op::trap)},
                                               {1, rc::gen::just(Op::drain)}})),
      rc::gen::set(&Step::other, one_of<std::size_t>(slots)),
      rc::gen::set(&Step::variant, one_of(8)));
}

}  // namespace

ExitReason end_reason(unsigned variant) {
  switch (variant % 4) {
    case 0:
      return ExitReason::normal();
    case 1:
      return ExitReason::error("boom");
    case 2:
      return ExitReason::kill();
    default:
      return ExitReason::shutdown("done");
  }
}

ExitReason exit_reason(unsigned variant) {
  switch (variant % 4) {
    case 0:
      return ExitReason::normal();
    case 1:
      return ExitReason::error("shot");
    case 2:
      return ExitReason::kill();
    default:
      return ExitReason::shutdown();
  }
}

std::string name_of(unsigned variant) {
  return variant % 2 == 0 ? "x" : "y";
}

std::ostream& operator<<(std::ostream& out, const SignalProgram& program) {
  static constexpr std::string_view words[] = {"note",
                                               "note_name",
                                               "link",
                                               "unlink",
                                               "monitor",
                                               "demonitor",
                                               "end",
                                               "send_exit",
                                               "trap",
                                               "name",
                                               "unname",
                                               "look_up",
                                               "drain"};
  for (const Step& step : program.steps)
    out << "\n  " << step.slot << ' ' << words[static_cast<std::size_t>(step.op)] << ' '
        << step.other << " (" << step.variant << ')';
  return out;
}

}  // namespace airssys::rt::property

namespace rc {

using airssys::rt::property::SignalProgram;
using airssys::rt::property::Step;

Gen<SignalProgram> Arbitrary<SignalProgram>::arbitrary() {
  return gen::build<SignalProgram>(gen::set(
      &SignalProgram::steps, gen::container<std::vector<Step>>(airssys::rt::property::steps())));
}

}  // namespace rc
