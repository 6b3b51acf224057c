// programs.cpp: looking into the socket directories.
#include "tools/inspect/programs.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <system_error>

#include "inspector/protocol.hpp"
#include "tools/inspect/connection.hpp"

namespace airssys::rt::inspect {

namespace {

Program look_at(const std::string& path) {
  Program program{.path = path, .hello = std::nullopt};
  try {
    program.hello = Connection(path).ask({.verb = inspector::Verb::hello});
  } catch (const Dead&) {
    program.is_dead = true;
  } catch (const Failure& failure) {
    program.trouble = failure.what();
  }
  return program;
}

std::vector<std::string> sockets() {
  std::vector<std::string> paths;
  for (const std::string& directory : inspector::socket_directories()) {
    std::error_code ignored;  // a directory that is not there holds nothing
    for (const auto& entry : std::filesystem::directory_iterator(directory, ignored)) {
      if (entry.is_socket(ignored)) paths.push_back(entry.path());
    }
  }
  std::ranges::sort(paths);
  return paths;
}

}  // namespace

std::vector<Program> find_programs() {
  std::vector<Program> programs;
  for (const std::string& path : sockets()) programs.push_back(look_at(path));
  return programs;
}

bool remove_dead(const Program& program) {
  const std::string directory = std::filesystem::path(program.path).parent_path();
  // The lock that a starting program holds between making its socket and listening.
  const int lock = ::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (lock < 0) return false;
  const bool is_removed = ::flock(lock, LOCK_EX) == 0 && look_at(program.path).is_dead &&
                          ::unlink(program.path.c_str()) == 0;
  ::close(lock);
  return is_removed;
}

std::string choose(const Choice& choice) {
  if (!choice.socket.empty()) return choice.socket;
  const std::string ending = "-" + std::to_string(choice.process_id) + ".sock";
  std::vector<std::string> found;
  for (const std::string& path : sockets()) {
    if (choice.process_id != 0 ? path.ends_with(ending) : look_at(path).hello.has_value())
      found.push_back(path);
  }
  if (found.size() == 1) return found.front();
  if (choice.process_id != 0)
    throw Failure("no program with process id " + std::to_string(choice.process_id) +
                  " can be looked into: `airs-inspect list` shows those that can");
  if (found.empty())
    throw Failure(
        "no program of this user can be looked into: is one started with Options::inspector?");
  std::string sentence = "several programs run; choose one by --pid or --socket:";
  for (const std::string& path : found) sentence += "\n  " + path;
  throw Failure(sentence);
}

}  // namespace airssys::rt::inspect
