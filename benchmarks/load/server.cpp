// server.cpp: a program is started and looked at by way of /proc.
#include "server.hpp"

#include <sched.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include "../ours/bench.hpp"

namespace load {

namespace {

using bench::check;

struct Halves {
  cpu_set_t servers{};
  cpu_set_t loads{};
};

// The first half of the CPUs and the others; of one CPU: both.
Halves split_cpus() {
  cpu_set_t all{};
  check(::sched_getaffinity(0, sizeof all, &all) == 0, "the CPUs are known");
  Halves halves;
  int seen = 0;
  const int half = CPU_COUNT(&all) / 2;
  if (half == 0) return {all, all};
  for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu)
    if (CPU_ISSET(cpu, &all)) CPU_SET(cpu, seen++ < half ? &halves.servers : &halves.loads);
  return halves;
}

std::string proc(pid_t pid, const char* name) {
  return "/proc/" + std::to_string(pid) + "/" + name;
}

}  // namespace

Server::Server(char** command) {
  const Halves cpus = split_cpus();
  int input[2];
  int output[2];
  check(::pipe(input) == 0 && ::pipe(output) == 0, "there are pipes");
  pid_ = ::fork();
  check(pid_ >= 0, "the program can be started");
  if (pid_ == 0) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    ::sched_setaffinity(0, sizeof cpus.servers, &cpus.servers);
    ::dup2(input[0], STDIN_FILENO);
    ::dup2(output[1], STDOUT_FILENO);
    for (const int end : {input[0], input[1], output[0], output[1]}) ::close(end);
    ::execvp(command[0], command);
    std::_Exit(127);
  }
  ::sched_setaffinity(0, sizeof cpus.loads, &cpus.loads);
  ::close(input[0]);
  ::close(output[1]);
  input_ = input[1];
  std::string line;
  for (char c = 0; ::read(output[0], &c, 1) == 1 && c != '\n';) line += c;
  if (line.starts_with("P ")) port_ = std::atoi(line.c_str() + 2);
  check(port_ != 0 || line == "S", "the program serves, or says that it does not");
}

double Server::resident_bytes() const {
  std::ifstream statm(proc(pid_, "statm"));
  double all_pages = 0;
  double resident_pages = 0;
  statm >> all_pages >> resident_pages;
  return resident_pages * static_cast<double>(::sysconf(_SC_PAGESIZE));
}

double Server::cpu_seconds() const {
  std::ifstream stat(proc(pid_, "stat"));
  std::string text{std::istreambuf_iterator<char>(stat), {}};
  unsigned long user = 0;
  unsigned long system = 0;
  const char* fields = text.c_str() + text.rfind(')') + 1;
  check(std::sscanf(
            fields, " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user, &system) == 2,
        "the program's clock is known");
  return static_cast<double>(user + system) / static_cast<double>(::sysconf(_SC_CLK_TCK));
}

std::size_t Server::descriptors() const {
  using std::filesystem::directory_iterator;
  const auto count = std::distance(directory_iterator(proc(pid_, "fd")), directory_iterator());
  return static_cast<std::size_t>(count);
}

void Server::end() {
  ::close(input_);
  int status = 0;
  check(::waitpid(pid_, &status, 0) == pid_ && status == 0, "the program ends in order");
}

}  // namespace load
