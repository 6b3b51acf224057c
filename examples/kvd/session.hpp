// session.hpp: one client as far as it concerns no shard: PING, ECHO, SELECT, CLIENT, CONFIG, QUIT.
//
// Commands on the route `local` are answered here, at once, in the middle of a burst.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "examples/kvd/command.hpp"
#include "examples/kvd/settings.hpp"
#include "examples/kvd/slice.hpp"

namespace kvd {

class Session {
 public:
  Session(std::uint64_t id, const Settings& settings) : id_(id), settings_(settings) {}

  // Appends the answer of a local command. `words` are the command's name and its arguments, at
  // least as many as its arity asks for.
  void answer(Command command, std::span<const std::string_view> words, std::string& out);

  // The client is to be let go; nothing that it sent afterwards is looked at.
  void close() noexcept { is_closing_ = true; }
  [[nodiscard]] bool is_closing() const noexcept { return is_closing_; }

 private:
  using Words = std::span<const std::string_view>;

  void answer_ping(Words words, std::string& out);
  void answer_select(Words words, std::string& out);
  void answer_client(Words words, std::string& out);
  void answer_config(Words words, std::string& out);
  void answer_command(Words words, std::string& out);

  std::uint64_t id_;
  const Settings& settings_;
  std::string name_;
  bool is_closing_ = false;
};

}  // namespace kvd
