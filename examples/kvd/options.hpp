// options.hpp: the command line.
#pragma once

#include <expected>

#include "examples/kvd/settings.hpp"

namespace kvd {

// The settings, or the exit code with which to end: 0 after --help, 2 after a mistake, which has
// been explained on stderr.
[[nodiscard]] std::expected<Settings, int> parse_options(int argc, char** argv);

}  // namespace kvd
