// server.hpp: the program under load: started on CPUs of its own, and looked at from outside.
#pragma once

#include <sys/types.h>

#include <cstddef>

namespace load {

class Server {
 public:
  // Starts it, and this program too from now on has its own half of the CPUs, where there are two.
  // It says "P port" once it accepts connections. Anything else: port() is 0.
  explicit Server(char** command);
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  int port() const { return port_; }
  double resident_bytes() const;
  double cpu_seconds() const;
  std::size_t descriptors() const;
  // Closes its standard input, by which it is to end, and with 0.
  void end();

 private:
  pid_t pid_ = -1;
  int input_ = -1;
  int port_ = 0;
};

}  // namespace load
