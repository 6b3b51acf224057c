// supervisor_server.cpp: the process of a supervisor.
#include "supervision/supervisor_server.hpp"

#include <airssys/rt/dead_letter.hpp>
#include <airssys/rt/link.hpp>
#include <airssys/rt/process.hpp>
#include <string>
#include <utility>

namespace airssys::rt::supervision {

SupervisorServer::SupervisorServer(std::string name, std::unique_ptr<Children> children)
    : reports_(std::move(name)), children_(std::move(children)) {}

void SupervisorServer::init() {
  trap_exit(true);
  if (auto started = children_->start_all(); !started) exit(std::move(started).error());
}

void SupervisorServer::handle_info(Message& message) {
  if (auto* end = message.get_if<Exit>()) {
    children_->on_exit(end->from, end->reason);
  } else if (auto* retry = message.get_if<Retry>()) {
    children_->retry(*retry);
  } else {
    reports_.unexpected_message(message.type_name());
    detail::drop_unwanted(message);
  }
}

void SupervisorServer::terminate(const ExitReason& /*reason*/) {
  children_->stop_all();
}

std::string SupervisorServer::format_state() {
  const ChildCounts counts = children_->counts();
  return "children: " + std::to_string(counts.specs) +
         ", running: " + std::to_string(counts.active);
}

auto SupervisorServer::handle(StartChild request) -> StartChild::Reply {
  return children_->start(std::move(request.spec));
}
auto SupervisorServer::handle(const RestartChild& request) -> RestartChild::Reply {
  return children_->restart(request.id);
}
auto SupervisorServer::handle(const TerminateChild& request) -> TerminateChild::Reply {
  return children_->terminate(request.id);
}
auto SupervisorServer::handle(const TerminateChildByPid& request) -> TerminateChildByPid::Reply {
  return children_->terminate(request.pid);
}
auto SupervisorServer::handle(const DeleteChild& request) -> DeleteChild::Reply {
  return children_->forget(request.id);
}
auto SupervisorServer::handle(WhichChildren /*request*/) -> WhichChildren::Reply {
  return children_->info();
}
auto SupervisorServer::handle(CountChildren /*request*/) -> CountChildren::Reply {
  return children_->counts();
}
auto SupervisorServer::handle(const GetChildSpec& request) -> GetChildSpec::Reply {
  return children_->spec(request.id);
}
auto SupervisorServer::handle(const GetChildSpecByPid& request) -> GetChildSpecByPid::Reply {
  return children_->spec(request.pid);
}

}  // namespace airssys::rt::supervision
