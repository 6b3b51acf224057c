// cache_line.hpp: the size by which words of different writers are kept apart.
//
// 64 bytes is the line of x86-64 and of most ARM cores. std::hardware_destructive_interference_size
// is not used: its value depends on compiler flags and would leak them into layouts.
#pragma once

#include <cstddef>

namespace airssys::rt::base {

inline constexpr std::size_t cache_line_bytes = 64;

}  // namespace airssys::rt::base
