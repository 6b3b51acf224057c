// drop_counts.hpp: what one mailbox has dropped, by reason and by sender (B6).
//
// A sender's drops are attributed in a table of eight. A ninth sender takes the place of the one
// with the fewest, whose drops are counted among those of others from then on: so all figures
// together are exact, and whoever drops much stays.
// Any thread. Drops are what happens when all is late already: a mutex will do.
#pragma once

#include <airssys/rt/dead_letter.hpp>
#include <airssys/rt/info.hpp>
#include <airssys/rt/pid.hpp>
#include <array>
#include <cstddef>
#include <cstdint>

#include "base/atomic.hpp"
#include "base/mutex.hpp"
#include "runtime/process.hpp"

namespace airssys::rt::runtime {

class DropCounts {
 public:
  static constexpr std::size_t senders_max = 8;

  // `from` null: nobody in particular.
  void note(DropReason reason, Pid from) noexcept;

  using Counts = std::array<std::uint64_t, drop_reasons>;  // by DropReason
  Counts counts() const noexcept;
  // Adds whose they were, the worst first.
  void add_senders(Drops& drops) const;

 private:
  struct Sender {
    Pid pid;
    std::uint64_t count = 0;
  };

  std::array<base::Atomic<std::uint64_t>, drop_reasons> by_reason_{};
  mutable base::Mutex mutex_{base::LockRank::leaf};
  // Under mutex_.
  std::array<Sender, senders_max> senders_{};  // a null pid: free
  std::uint64_t others_ = 0;
};

// Owner: its mailbox drops a message. One without bounds notes no senders.
void note_drop(Process& owner, DropReason reason, Pid from);
// Any thread, inside.
DropCounts::Counts drops_of(const Process& process) noexcept;

}  // namespace airssys::rt::runtime
