// enter_loop.hpp: a hand-written process that becomes a server.
//
// A body that was started in step (start.hpp) may go on as a server or state machine: it returns
// the server's loop (G22).
//
//   rt::Pid pid = rt::start_body_link([](rt::Starter starter) {
//     Device device = wait_for_device();             // plain code, with receives and all
//     return rt::enter_loop<Driver>(starter, std::move(device));
//   });
//   rt::call(rt::server_ref<Driver>(pid), Driver::Status{});
//
// When the body has returned, its stack and what it captured are gone; the Driver is made out of
// the arguments and begins as any server does, with `init` and so on. That acknowledges the start,
// unless the body has done so. Requests that come before it wait. A default-constructed EnterLoop
// says that the process ends instead.
#pragma once

#include <airssys/rt/behaviour.hpp>
#include <airssys/rt/detail/program.hpp>
#include <airssys/rt/detail/server_process.hpp>
#include <airssys/rt/start.hpp>
#include <airssys/rt/via.hpp>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace airssys::rt {

struct LoopOptions {
  std::string name = {};  // the process must have it already, else NameError not_registered
  std::shared_ptr<Registry> registry = {};  // where it has it; null: in the runtime's
};

template <class S>
class [[nodiscard]] EnterLoop {
 public:
  EnterLoop() noexcept = default;

  // For the library.
  explicit EnterLoop(detail::Program* server) noexcept : server_(server) {}
  std::unique_ptr<detail::Program> release() noexcept { return std::move(server_); }

 private:
  std::unique_ptr<detail::Program> server_;
};

namespace detail {

void check_own_name(const LoopOptions& options);

template <class S>
inline constexpr bool enters_loop<EnterLoop<S>> = true;

template <class F, class S>
class BodyThenServer final : public Program {
 public:
  BodyThenServer(F f, Starter starter) : body_(std::move(f)), starter_(starter) {}

  void run() override {
    server_ = std::invoke(*body_, starter_).release();
    body_.reset();
    if (server_) server_->run();
  }
  Behaviour* behaviour() noexcept override { return server_ ? server_->behaviour() : nullptr; }
  bool takes_requests() const noexcept override { return true; }
  const std::string_view* name() const noexcept override { return &program_name<S>; }

 private:
  std::optional<F> body_;
  Starter starter_;
  std::unique_ptr<Program> server_;
};

template <class F, class S>
struct StartedBody<F, Starter, EnterLoop<S>> {
  static Program* make(F f, Starter starter) {
    return new BodyThenServer<F, S>(std::move(f), starter);
  }
};

}  // namespace detail

// What a body returns to go on as an S, made out of these arguments; options, if any, stand in
// front of them. The starter is that of the body: no other process can enter a loop.
template <class S, class... Args>
EnterLoop<S> enter_loop(Starter starter, const LoopOptions& options, Args&&... args) {
  if (!options.name.empty()) detail::check_own_name(options);
  return EnterLoop<S>(detail::make_server<S>(starter, std::forward<Args>(args)...));
}
template <class S, class... Args>
  requires(!detail::begins_with<LoopOptions, Args...>)
EnterLoop<S> enter_loop(Starter starter, Args&&... args) {
  return EnterLoop<S>(detail::make_server<S>(starter, std::forward<Args>(args)...));
}

}  // namespace airssys::rt
