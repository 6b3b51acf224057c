// memory.cpp: mimalloc's mi_* calls, or the system's aligned malloc.
//
// Compiled without LTO on purpose: memory.hpp says why. Nothing here is inlined into callers.
#include "base/memory.hpp"

#include <algorithm>
#include <cstdlib>

#include "base/assert.hpp"

#ifdef AIRSSYS_RT_MIMALLOC
#include <mimalloc.h>
#endif

namespace airssys::rt::base {

namespace {

constexpr std::size_t natural_align = 16;

#ifdef AIRSSYS_RT_MIMALLOC
// An empty page goes to the system at once. By default mimalloc keeps it for 25 ms, and looks after
// it when next something happens in its neighbourhood: if its thread sleeps then, never.
[[maybe_unused]] const bool keeps_no_empty_page = [] {
  mi_option_set_default(mi_option_decommit_delay, 0);
  return true;
}();
#endif

void* try_allocate(std::size_t bytes, std::size_t align) noexcept {
#ifdef AIRSSYS_RT_MIMALLOC
  // Below 16 bytes mimalloc aligns to 8 only.
  return align <= natural_align ? mi_malloc(std::max(bytes, natural_align))
                                : mi_malloc_aligned(bytes, align);
#else
  if (align <= natural_align) return std::malloc(bytes == 0 ? 1 : bytes);
  return std::aligned_alloc(align, (bytes + align - 1) / align * align);
#endif
}

}  // namespace

void* allocate(std::size_t bytes, std::size_t align) noexcept {
  void* const block = try_allocate(bytes, align);
  RT_CHECK(block != nullptr, "the system has memory for the runtime's own blocks");
  return block;
}

void free(void* block) noexcept {
#ifdef AIRSSYS_RT_MIMALLOC
  mi_free(block);
#else
  std::free(block);
#endif
}

void free_sized(void* block, [[maybe_unused]] std::size_t bytes) noexcept {
#ifdef AIRSSYS_RT_MIMALLOC
  mi_free_size(block, bytes);
#else
  std::free(block);
#endif
}

void collect() noexcept {
#ifdef AIRSSYS_RT_MIMALLOC
  mi_collect(true);
#endif
  // The system's malloc has nothing to take home, and trimming it is the host's business.
}

}  // namespace airssys::rt::base
