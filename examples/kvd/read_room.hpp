// read_room.hpp: how many bytes a connection's next read makes room for.
//
// Twice what came, so that a busy client's bursts arrive whole and a quiet client keeps little
// memory. Room grows at once and is given up slowly: otherwise a burst that is a little too long
// would come in two pieces, of which the second, being short, would make the next room too small
// again, for ever.
#pragma once

#include <algorithm>
#include <cstddef>

#include "examples/kvd/limits.hpp"

namespace kvd {

class ReadRoom {
 public:
  [[nodiscard]] std::size_t bytes() const noexcept { return bytes_; }

  // The last read has brought so many.
  void adapt(std::size_t got) noexcept {
    bytes_ = std::clamp(std::max(got * 2, bytes_ - bytes_ / 8), read_bytes_min, read_bytes_max);
  }

 private:
  std::size_t bytes_ = read_bytes_min;
};

}  // namespace kvd
