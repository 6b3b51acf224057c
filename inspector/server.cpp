// server.cpp: puts endpoint, answers and service together.
#include "inspector/server.hpp"

namespace airssys::rt::inspector {

Server::Server(runtime::System& system, std::string_view path)
    : endpoint_(path),
      answers_(system),
      service_(endpoint_.listener(),
               [this](const Request& request) { return answers_.answer(request); }) {}

}  // namespace airssys::rt::inspector
