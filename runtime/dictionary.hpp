// dictionary.hpp: the values that one process has put under keys (rt::Local, P12).
//
// Owner only. Keys are objects of the program's, so there are few: they are looked through.
#pragma once

#include <airssys/rt/local.hpp>
#include <cstddef>
#include <memory>
#include <vector>

#include "base/memory.hpp"

namespace airssys::rt::runtime {

class Dictionary {
 public:
  using Value = std::unique_ptr<detail::LocalValue>;

  detail::LocalValue* find(const void* key) const noexcept;
  // Both answer what was there, or null. Whoever gets it destroys it, outside the runtime.
  Value put(Value value);
  Value take(const void* key) noexcept;
  // Some value, or null when there are none.
  Value take_any() noexcept;

  const auto& values() const noexcept { return values_; }

 private:
  std::vector<Value, base::Allocator<Value>> values_;
};

}  // namespace airssys::rt::runtime
