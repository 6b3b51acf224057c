// resident.hpp: how many pages of some blocks are in memory just now, as the kernel says.
#pragma once

#include <sys/mman.h>

#include <cstddef>
#include <cstdint>
#include <set>
#include <vector>

#include "base/os.hpp"

namespace airssys::rt::support {

// Addresses that are not mapped any more are not resident either.
inline std::size_t resident_pages_of(const std::vector<void*>& blocks) {
  std::set<std::uintptr_t> pages;
  for (void* block : blocks)
    pages.insert(reinterpret_cast<std::uintptr_t>(block) / base::page_bytes() * base::page_bytes());
  std::size_t resident = 0;
  for (const std::uintptr_t page : pages) {
    unsigned char state = 0;
    if (::mincore(reinterpret_cast<void*>(page), base::page_bytes(), &state) == 0)
      resident += state & 1U;
  }
  return resident;
}

}  // namespace airssys::rt::support
