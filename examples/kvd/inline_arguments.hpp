// inline_arguments.hpp: splits a line typed by hand into arguments.
//
// Words are parted by blanks. "Double" quotes understand \n \r \t \b \a \xHH and \ before any other
// byte; 'single' quotes understand \' only. A closing quote must end its word. No escape is shorter
// than what it stands for, so the arguments are decoded in place, inside the line.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "examples/kvd/slice.hpp"

namespace kvd {

// Appends the arguments of input[begin, end) to `out`. False when a quote is not balanced.
[[nodiscard]] bool split_inline(std::string& input,
                                std::size_t begin,
                                std::size_t end,
                                std::vector<Slice>& out);

}  // namespace kvd
