// server.hpp: the inspector inside a running program: a socket, a thread, and what it answers.
//
//   Endpoint  the socket file            Service  the thread that talks to clients
//   Answers   what the program says about itself
//
// It answers while every scheduler is stuck, since it needs none of them (answers.hpp says for
// which requests). It only reads: there is no request that changes anything.
#pragma once

#include <string>
#include <string_view>

#include "inspector/answers.hpp"
#include "inspector/endpoint.hpp"
#include "inspector/service.hpp"
#include "runtime/system.hpp"

namespace airssys::rt::inspector {

class Server {
 public:
  // Listens at this path, or for "auto" in a directory of the user's own, under the program's name
  // and process id. The system outlives the server, and need not have been started.
  // Throws BadArgument for a path that cannot be a socket's, and std::system_error with a sentence:
  // another program listens there, the directory is not this user's alone, no descriptor, no
  // thread.
  Server(runtime::System& system, std::string_view path);
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;
  // Ends the thread, drops all clients and removes the socket. Before the system's threads end.
  ~Server() = default;

  const std::string& path() const noexcept { return endpoint_.path(); }

 private:
  Endpoint endpoint_;
  Answers answers_;
  Service service_;  // the last member: its thread uses the others
};

}  // namespace airssys::rt::inspector
