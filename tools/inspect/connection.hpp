// connection.hpp: a conversation with one running program.
#pragma once

#include <chrono>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>

#include "inspector/protocol.hpp"

namespace airssys::rt::inspect {

// Why there is nothing to show; the text is for people. The program then ends with code 1.
class Failure : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// Nobody listens at the socket: its program is gone.
class Dead : public Failure {
 public:
  using Failure::Failure;
};

class Connection {
 public:
  static constexpr std::chrono::seconds patience{5};

  // Throws Dead, or Failure with a sentence.
  explicit Connection(std::string path);
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;
  ~Connection();

  // The answer. Throws Failure: no answer in time, a refusal, another version.
  nlohmann::json ask(const inspector::Request& request);

 private:
  void send(const std::string& bytes);
  std::string receive();
  [[noreturn]] void fail(const std::string& why) const;

  std::string path_;
  int fd_;
};

}  // namespace airssys::rt::inspect
