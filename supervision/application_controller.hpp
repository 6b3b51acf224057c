// application_controller.hpp: the process that starts applications, keeps them, and stops them.
//
// It is linked to the roots of their trees and traps exits. An end that means the end of all is its
// own end; every way it ends in order, by its parent, by `stop` or by such an end, goes through
// `terminate`, which is the shutdown.
#pragma once

#include <airssys/rt/application.hpp>
#include <airssys/rt/message.hpp>
#include <airssys/rt/server.hpp>
#include <cstddef>
#include <string>
#include <vector>

namespace airssys::rt::supervision {

class ApplicationController : public Server<ApplicationController> {
 public:
  struct Which {
    using Reply = std::vector<ApplicationInfo>;
  };

  // Requires: check_applications has accepted them.
  explicit ApplicationController(ApplicationsOptions options);

  void init();
  Which::Reply handle(Which which);
  void handle_info(Message& message);
  void terminate(const ExitReason& reason);
  std::string format_state() const;

 private:
  void start(const Application& application);
  void ended(std::size_t at, const ExitReason& reason);
  void stop_all();

  const Duration shutdown_;
  std::vector<Application> applications_;  // in the order of their start
  std::vector<ApplicationInfo> infos_;     // of those that have been started
};

}  // namespace airssys::rt::supervision
