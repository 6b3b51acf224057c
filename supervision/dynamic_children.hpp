// dynamic_children.hpp: many children that come and go, in no order (V23).
//
// Each brings its whole specification; its id is a label. A child is known by its pid, and while a
// failed restart is being retried, by the pid of the one that ended. Every operation costs the same
// however many there are, and stopping all of them is one round of signals with a common time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <unordered_map>

#include "supervision/children.hpp"

namespace airssys::rt::supervision {

class DynamicChildren final : public Children {
 public:
  explicit DynamicChildren(DynamicSupervisorOptions options);

  void stop_all() override;
  void on_exit(Pid pid, const ExitReason& reason) override;
  void retry(const Retry& retry) override;
  std::expected<Pid, StartError> start(ChildSpec spec) override;
  std::expected<void, ChildError> terminate(Pid pid) override;
  std::expected<ChildSpec, ChildError> spec(Pid pid) override;
  std::vector<ChildInfo> info() override;

 private:
  struct Child {
    ChildSpec spec;
    Backoff backoff = {};
    std::uint64_t attempt = 0;  // 0: running; else restarting, and which attempt
    ChildState state() const noexcept;
  };
  using Position = std::unordered_map<Pid, Child>::iterator;

  void start_again(Position child);
  void restart_later(Position child, Duration wait);

  std::size_t max_children_;
  std::unordered_map<Pid, Child> children_;
  std::uint64_t attempts_ = 0;
};

}  // namespace airssys::rt::supervision
