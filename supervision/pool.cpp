// pool.cpp: the supervisor of a pool: a supervisor like any other that keeps the router's places.
//
// A place is filled by the member's start, in the supervisor's process, and emptied when the
// supervisor hears of the member's end, or is about to stop it. So the way from a caller to a
// member needs nobody in between.
#include <airssys/rt/pool.hpp>
#include <airssys/rt/process.hpp>
#include <algorithm>
#include <memory>
#include <string>
#include <utility>

#include "supervision/child_spec.hpp"
#include "supervision/ordered_children.hpp"
#include "supervision/router.hpp"
#include "supervision/supervisor_server.hpp"

namespace airssys::rt::detail {

namespace {

using supervision::Children;
using supervision::start_error;
using supervision::SupervisorServer;

std::expected<void, StartError> check_size(std::size_t size) {
  if (size > 0 && size <= pool_size_max) return {};
  return std::unexpected(start_error(StartError::bad_spec,
                                     "a pool has 1 to " + std::to_string(pool_size_max) +
                                         " members, not " + std::to_string(size)));
}

// Starts a member and puts it in its place.
class MemberStart final : public ChildStart {
 public:
  MemberStart(std::shared_ptr<Router> router, std::size_t index, std::shared_ptr<ChildStart> start)
      : router_(std::move(router)), index_(index), start_(std::move(start)) {}
  std::expected<Pid, StartError> start() override {
    std::expected<Pid, StartError> pid = start_->start();
    if (pid && *pid) router_->fill(index_, *pid);
    return pid;
  }
  bool is_repeatable() const noexcept override { return start_->is_repeatable(); }

 private:
  const std::shared_ptr<Router> router_;
  const std::size_t index_;
  const std::shared_ptr<ChildStart> start_;
};

ChildSpec member(const std::shared_ptr<Router>& router,
                 const MemberMaker& maker,
                 std::size_t index) {
  ChildSpec spec = maker(std::to_string(index));
  spec.start = std::make_shared<MemberStart>(router, index, std::move(spec.start));
  return spec;
}

SupervisorOptions supervisor_options(const std::shared_ptr<Router>& router,
                                     const PoolChildOptions& options,
                                     const MemberMaker& maker) {
  SupervisorOptions all{
      .name = options.name, .intensity = options.intensity, .period = options.period};
  for (std::size_t i = 0; i < router->size(); ++i) all.children.push_back(member(router, maker, i));
  return all;
}

// The children of a pool's supervisor. Made by who has claimed the pool, and takes the claim over.
class Members final : public supervision::OrderedChildren {
 public:
  Members(SupervisorOptions options, std::shared_ptr<Router> router, MemberMaker maker)
      : OrderedChildren(std::move(options)), router_(std::move(router)), maker_(std::move(maker)) {}
  Members(const Members&) = delete;
  Members& operator=(const Members&) = delete;
  ~Members() override { router_->end(owner_); }

  std::expected<void, ExitReason> start_all() override {
    const Pid starter = std::exchange(owner_, self());
    if (!router_->begin(starter, owner_, maker_)) {
      return std::unexpected(
          ExitReason::shutdown("another starts the pool: its starter has ended"));
    }
    return OrderedChildren::start_all();
  }
  void stop_all() override {
    router_->end(owner_);
    OrderedChildren::stop_all();
  }
  void on_exit(Pid pid, const ExitReason& reason) override {
    router_->clear(pid);
    OrderedChildren::on_exit(pid, reason);
  }
  std::expected<void, ChildError> terminate(std::string_view id) override {
    for (const ChildInfo& child : info()) {
      if (child.id == id) router_->clear(child.pid);
    }
    return OrderedChildren::terminate(id);
  }

 private:
  const std::shared_ptr<Router> router_;
  const MemberMaker maker_;
  Pid owner_ = self();  // whose claim it is
};

std::expected<void, StartError> grow(const std::shared_ptr<Router>& router,
                                     Pid supervisor,
                                     std::size_t size) {
  for (std::size_t index = router->size(); index < size; ++index) {
    router->set_size(index + 1);  // a place for it; nobody is sent there before it is filled
    std::expected<Pid, StartError> pid =
        try_start_child(supervisor, member(router, router->maker(), index));
    if (!pid) {
      router->set_size(index);
      return std::unexpected(std::move(pid).error());
    }
  }
  return {};
}

std::expected<void, ChildError> shrink(Router& router, Pid supervisor, std::size_t size) {
  const std::size_t old = router.size();
  router.set_size(size);
  for (std::size_t index = old; index-- > size;) {
    const std::string id = std::to_string(index);
    // One that is never started again is forgotten as soon as it has ended.
    for (const auto& done : {try_terminate_child(supervisor, id), try_delete_child(supervisor, id)})
      if (!done && done.error().kind() != ChildError::not_found) return done;
  }
  return {};
}

}  // namespace

std::shared_ptr<Router> make_router(const PoolOptions& options) {
  if (auto checked = check_size(options.size); !checked) throw BadArgument(checked.error().what());
  return std::make_shared<Router>(options);
}

PoolInfo info_of(Router& router) {
  return router.info();
}

std::expected<Seat, CallError> take_seat(const std::shared_ptr<Router>& router,
                                         const ByKey* key,
                                         Deadline deadline) {
  return router->take(key, deadline);
}

void call_failed(Router& router, Pid member, const CallError& error) {
  router.failed(member, error);
}

std::expected<Pid, StartError> start_pool(const std::shared_ptr<Router>& router,
                                          const PoolChildOptions& options,
                                          const MemberMaker& maker) {
  if (auto checked = supervision::check_period(options.period); !checked)
    return std::unexpected(std::move(checked).error());
  SupervisorOptions all = supervisor_options(router, options, maker);
  if (auto checked = check_childspecs(all.children); !checked)
    return std::unexpected(std::move(checked).error());
  while (const Pid other = router->claim(self())) {
    if (is_alive(other)) {
      return std::unexpected(start_error(
          StartError::already_started, "the pool has a supervisor", router->supervisor()));
    }
    router->end(other);
  }
  std::unique_ptr<Children> members = std::make_unique<Members>(std::move(all), router, maker);
  std::expected<ServerRef<SupervisorServer>, StartError> supervisor =
      try_start_link<SupervisorServer>({.name = options.name}, options.name, std::move(members));
  if (!supervisor) return std::unexpected(std::move(supervisor).error());
  return supervisor->pid();
}

std::expected<void, StartError> resize_pool(const std::shared_ptr<Router>& router,
                                            std::size_t size) {
  if (auto checked = check_size(size); !checked) return checked;
  const Pid supervisor = router->supervisor();
  if (!supervisor)
    return std::unexpected(start_error(StartError::no_supervisor, "the pool has no supervisor"));
  if (size >= router->size()) return grow(router, supervisor, size);
  if (auto shrunk = shrink(*router, supervisor, size); !shrunk) {
    return std::unexpected(
        StartError(StartError::error, shrunk.error().reason(), shrunk.error().what()));
  }
  return {};
}

}  // namespace airssys::rt::detail
