// buffer.hpp: buffers that are used again and again, and what they keep meanwhile.
//
// One large value, or one burst of a thousand, must not cost its memory for as long as its client
// stays connected.
#pragma once

#include "examples/kvd/limits.hpp"

namespace kvd {

// Empties a string or vector that will be used again; what it has beyond kept_bytes_max goes back.
template <typename Buffer>
void reuse(Buffer& buffer) noexcept {
  buffer.clear();
  if (buffer.capacity() > kept_bytes_max / sizeof(*buffer.data())) Buffer().swap(buffer);
}

}  // namespace kvd
