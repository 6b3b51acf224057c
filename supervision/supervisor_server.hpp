// supervisor_server.hpp: the process of a supervisor: a server that traps exits.
//
// Its requests and its children's Exits come through one mailbox, in order, and each is finished
// before the next is looked at; what comes meanwhile waits (V7, V16). The parent's exit, stop
// requests and the end by its own rules are a server's ends like any other: `terminate` stops the
// children first (V17). The public verbs (supervisor.hpp) are calls to it.
#pragma once

#include <airssys/rt/server.hpp>
#include <airssys/rt/supervisor.hpp>
#include <expected>
#include <memory>
#include <string>
#include <vector>

#include "supervision/children.hpp"
#include "supervision/reports.hpp"

namespace airssys::rt::supervision {

class SupervisorServer : public Server<SupervisorServer> {
 public:
  struct StartChild {
    using Reply = std::expected<Pid, StartError>;
    ChildSpec spec;
  };
  struct RestartChild {
    using Reply = std::expected<Pid, ChildError>;
    std::string id;
  };
  struct TerminateChild {
    using Reply = std::expected<void, ChildError>;
    std::string id;
  };
  struct TerminateChildByPid {
    using Reply = std::expected<void, ChildError>;
    Pid pid;
  };
  struct DeleteChild {
    using Reply = std::expected<void, ChildError>;
    std::string id;
  };
  struct WhichChildren {
    using Reply = std::vector<ChildInfo>;
  };
  struct CountChildren {
    using Reply = ChildCounts;
  };
  struct GetChildSpec {
    using Reply = std::expected<ChildSpec, ChildError>;
    std::string id;
  };
  struct GetChildSpecByPid {
    using Reply = std::expected<ChildSpec, ChildError>;
    Pid pid;
  };

  SupervisorServer(std::string name, std::unique_ptr<Children> children);

  void init();
  void handle_info(Message& message);
  void terminate(const ExitReason& reason);
  // How many children it has, and how many of them run.
  std::string format_state();

  StartChild::Reply handle(StartChild request);
  RestartChild::Reply handle(const RestartChild& request);
  TerminateChild::Reply handle(const TerminateChild& request);
  TerminateChildByPid::Reply handle(const TerminateChildByPid& request);
  DeleteChild::Reply handle(const DeleteChild& request);
  WhichChildren::Reply handle(WhichChildren request);
  CountChildren::Reply handle(CountChildren request);
  GetChildSpec::Reply handle(const GetChildSpec& request);
  GetChildSpecByPid::Reply handle(const GetChildSpecByPid& request);

 private:
  Reports reports_;
  std::unique_ptr<Children> children_;
};

}  // namespace airssys::rt::supervision
