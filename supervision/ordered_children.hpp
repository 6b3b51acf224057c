// ordered_children.hpp: children with an order and a strategy (V8–V39).
//
// They start in order and stop in reverse order, one at a time. A restart takes down whom the
// strategy says, then starts again whoever of those does not run, in order. A child whose start
// fails on the way becomes `restarting`, those behind it stay stopped, and the retry is the same
// restart once more (V34). Everything that ends while a restart is under way is found dead by it,
// and its Exit is taken out of the mailbox, so two simultaneous deaths are one restart (V32).
#pragma once

#include "supervision/child_table.hpp"
#include "supervision/children.hpp"

namespace airssys::rt::supervision {

class OrderedChildren : public Children {
 public:
  // Requires: check_childspecs has accepted the children.
  explicit OrderedChildren(SupervisorOptions options);

  std::expected<void, ExitReason> start_all() override;
  void stop_all() override;
  void on_exit(Pid pid, const ExitReason& reason) override;
  void retry(const Retry& retry) override;
  std::expected<Pid, StartError> start(ChildSpec spec) override;
  std::expected<Pid, ChildError> restart(std::string_view id) override;
  std::expected<void, ChildError> terminate(std::string_view id) override;
  std::expected<void, ChildError> forget(std::string_view id) override;
  std::vector<ChildInfo> info() override;
  std::expected<ChildSpec, ChildError> spec(std::string_view id) override;

 private:
  using Position = ChildTable::Position;

  Position add(ChildSpec spec);
  std::expected<Pid, StartError> start(Position child);
  void stop(Position child);
  void restart(Position child);
  void take_down_others(Position child);
  void take_down(Position child);
  void start_again(Position child);
  void restart_later(Position child, Duration wait);
  void ended_for_good(Position child, bool is_forgotten);
  std::expected<Position, ChildError> find_stopped(std::string_view id);
  Position first_affected(Position child) noexcept;
  Position last_affected(Position child) noexcept;  // one past it

  Strategy strategy_;
  AutoShutdown auto_shutdown_;
  ChildTable table_;
};

}  // namespace airssys::rt::supervision
