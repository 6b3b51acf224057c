// programs.hpp: which programs can be looked into, and which of them is meant.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

namespace airssys::rt::inspect {

struct Program {
  std::string path;                     // of its socket
  std::optional<nlohmann::json> hello;  // what it answered; nothing: it did not
  bool is_dead = false;                 // nobody listens there any more
  std::string trouble = {};             // why it did not answer, if it is not dead
};

// All sockets in this user's directories, by path, each asked.
std::vector<Program> find_programs();

// Removes the socket of a dead program, unless somebody listens there by now. Answers whether.
bool remove_dead(const Program& program);

// What the user said: a socket, or a process id; neither: the only one that runs.
struct Choice {
  std::string socket;
  int process_id = 0;
};
// The socket that is meant. Throws Failure with a sentence: there is none, there are several.
std::string choose(const Choice& choice);

}  // namespace airssys::rt::inspect
