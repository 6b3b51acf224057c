// report.hpp: a line to where the runtime's own reports go.
#pragma once

#include <string_view>

namespace airssys::rt {

// Hands a line (without its end) to Options::log, as crash reports are: stderr unless the options
// say otherwise. For processes; never suspends.
void report(std::string_view line);

}  // namespace airssys::rt
