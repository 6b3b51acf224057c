// memory.hpp: the heap of the runtime's own blocks.
//
// With AIRSSYS_RT_MIMALLOC this is mimalloc by its mi_* calls, so the host's malloc stays what it
// is; else the system's aligned malloc. The functions are out of line and memory.cpp is compiled
// without LTO: inlined, a compiler keeps a thread's heap address over a switch of fibers and
// allocates from another thread's heap after a migration. For the same reason nobody ever keeps a
// heap pointer of the allocator: every call finds its own.
// A block may be freed by any thread. The runtime's nodes are small and have nobody to hand an
// allocation failure to, so running out of memory ends the program with a sentence.
#pragma once

#include <cstddef>

namespace airssys::rt::base {

/// A block of at least bytes, aligned to align (a power of two). Never null: aborts when memory is
/// out. Any thread.
[[nodiscard, gnu::returns_nonnull]] void* allocate(std::size_t bytes,
                                                   std::size_t align = 16) noexcept;

/// Gives back a block from allocate; null is allowed. Any thread.
void free(void* block) noexcept;

/// As free, for callers who know the size they asked for.
void free_sized(void* block, std::size_t bytes) noexcept;

/// Takes home what other threads have freed of the blocks in this thread's pages, and gives pages
/// that hold none any more to the system: nobody else can, and a thread that sleeps does not. Takes
/// a microsecond, and some three hundred for each megabyte that it gives.
void collect() noexcept;

/// The same heap for containers of the standard library.
template <class T>
struct Allocator {
  using value_type = T;

  Allocator() noexcept = default;
  template <class U>
  // NOLINTNEXTLINE(google-explicit-constructor): containers rebind allocators by conversion.
  Allocator(const Allocator<U>& /*other*/) noexcept {}

  [[nodiscard]] T* allocate(std::size_t count) noexcept {
    return static_cast<T*>(base::allocate(count * sizeof(T), alignof(T)));
  }
  void deallocate(T* block, std::size_t count) noexcept {
    base::free_sized(block, count * sizeof(T));
  }

  friend bool operator==(const Allocator& /*a*/, const Allocator& /*b*/) noexcept { return true; }
};

}  // namespace airssys::rt::base
