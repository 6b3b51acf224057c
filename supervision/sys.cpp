// sys.cpp: the system requests that need no types.
#include <airssys/rt/info.hpp>
#include <airssys/rt/process.hpp>
#include <airssys/rt/report.hpp>
#include <airssys/rt/sys.hpp>
#include <memory>

#include "supervision/observed.hpp"

namespace airssys::rt::sys {

namespace detail {

Message ask(Pid behaviour,
            std::string_view type,
            std::move_only_function<void(Observed& behaviour, Alias caller)> work,
            Duration timeout) {
  using rt::detail::SystemRequest;
  const Deadline deadline = Deadline::after(timeout);
  void* payload = rt::detail::make_payload_as<SystemRequest>(
      rt::detail::system_request_type, Alias(), std::move(work));
  Message request(payload);
  Exchange exchange(behaviour,
                    type,
                    std::move(request),
                    static_cast<SystemRequest*>(payload)->caller,
                    rt::detail::CallUse::call);
  return rt::detail::value_or_throw(exchange.wait(deadline));
}

void throw_callback_failed(const ExitReason& reason) {
  throw CallError(
      CallError::callback_failed, reason, "the given function failed: " + reason.to_string());
}

}  // namespace detail

namespace {

using rt::detail::Observed;
using rt::detail::Watch;

// Runs f on the behaviour's process and answers what it answers.
template <class F>
auto ask(Pid behaviour, F f, Duration timeout) {
  using T = std::invoke_result_t<F&, Observed&>;
  Message reply = detail::ask(
      behaviour,
      "any behaviour",
      [f = std::move(f)](Observed& target, Alias caller) mutable {
        From<T> from(caller);
        if constexpr (std::is_void_v<T>) {
          f(target);
          from.reply();
        } else {
          from.reply(f(target));
        }
      },
      timeout);
  if constexpr (!std::is_void_v<T>) return reply.take<T>();
}

std::uint64_t own_reductions() {
  return process_info(self())->reductions;
}

}  // namespace

void suspend(Pid behaviour, Duration timeout) {
  // The answer comes first: from then on it waits.
  detail::ask(
      behaviour,
      "any behaviour",
      [](Observed& target, Alias caller) {
        From<void>(caller).reply();
        target.suspend();
      },
      timeout);
}

void resume(Pid behaviour, Duration timeout) {
  ask(behaviour, [](Observed& target) { target.resume(); }, timeout);
}

Status get_status(Pid behaviour, Duration timeout) {
  return ask(
      behaviour,
      [](Observed& target) {
        Status status;
        status.pid = self();
        status.parent = parent();
        status.state = target.shown_state();
        status.dictionary = process_info(self(), {.dictionary = true})->dictionary;
        if (const std::string_view* name = target.name()) status.type = *name;
        if (status.state.empty()) status.state = status.type;
        if (const Watch* watch = target.word().watch()) {
          status.is_suspended = watch->is_suspended;
          status.is_traced = watch->is_traced;
          status.is_counted = watch->counting.has_value();
          status.log_size = watch->log_size;
          for (const auto& hook : watch->hooks) status.hooks.push_back(hook.first);
        }
        return status;
      },
      timeout);
}

void trace(Pid behaviour, bool on, Duration timeout) {
  ask(
      behaviour,
      [on](Observed& target) {
        target.watch().is_traced = on;
        target.drop_watch_if_idle();
      },
      timeout);
}

void log(Pid behaviour, std::size_t events, Duration timeout) {
  ask(
      behaviour,
      [events](Observed& target) {
        Watch& watch = target.watch();
        watch.log_size = events;
        while (watch.log.size() > events) watch.log.pop_front();
        target.drop_watch_if_idle();
      },
      timeout);
}

std::vector<std::string> get_log(Pid behaviour, Duration timeout) {
  return ask(
      behaviour,
      [](Observed& target) -> std::vector<std::string> {
        const Watch* watch = target.word().watch();
        if (!watch) return {};
        return {watch->log.begin(), watch->log.end()};
      },
      timeout);
}

void print_log(Pid behaviour, Duration timeout) {
  ask(
      behaviour,
      [](Observed& target) {
        if (const Watch* watch = target.word().watch()) {
          for (const std::string& event : watch->log) report(target.title() + ": " + event);
        }
      },
      timeout);
}

void statistics(Pid behaviour, bool on, Duration timeout) {
  ask(
      behaviour,
      [on](Observed& target) {
        Watch& watch = target.watch();
        watch.counting.reset();
        if (on) watch.counting.emplace(std::chrono::system_clock::now(), own_reductions());
        target.drop_watch_if_idle();
      },
      timeout);
}

std::optional<Statistics> get_statistics(Pid behaviour, Duration timeout) {
  return ask(
      behaviour,
      [](Observed& target) -> std::optional<Statistics> {
        const Watch* watch = target.word().watch();
        if (!watch || !watch->counting) return std::nullopt;
        return Statistics{watch->counting->since,
                          std::chrono::system_clock::now(),
                          own_reductions() - watch->counting->reductions,
                          watch->counting->messages_in,
                          watch->counting->messages_out};
      },
      timeout);
}

void install(Pid behaviour, std::string name, Hook hook, Duration timeout) {
  ask(
      behaviour,
      [name = std::move(name), hook = std::move(hook)](Observed& target) mutable {
        Watch& watch = target.watch();
        std::erase_if(watch.hooks, [&](auto& other) { return other.first == name; });
        watch.hooks.emplace_back(std::move(name), std::move(hook));
      },
      timeout);
}

void remove(Pid behaviour, std::string_view name, Duration timeout) {
  ask(
      behaviour,
      [name = std::string(name)](Observed& target) {
        std::erase_if(target.watch().hooks, [&](auto& other) { return other.first == name; });
        target.drop_watch_if_idle();
      },
      timeout);
}

}  // namespace airssys::rt::sys
