// resp_parser.hpp: finds commands in bytes as they arrive.
//
// A client may send half a command or a hundred of them in one packet. The parser keeps its place
// in the middle of a command, so that no byte is looked at twice, however slowly a value comes in.
//
//   *3\r\n $3\r\nSET\r\n $1\r\nk\r\n $1\r\nv\r\n     a command as programs send it
//   SET k "v w"\r\n                                  a command as people type it
//
// The input belongs to the caller. Arguments are slices of it: nothing is copied. When the caller
// cuts off what is done with, it tells the parser (`forget`), whose slices then move along.
// Errors are worded as Redis 7 words them; after one, the connection is to be closed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "examples/kvd/slice.hpp"

namespace kvd {

class RespParser {
 public:
  enum class Result {
    command,     // arguments() has it; there is at least one
    incomplete,  // more bytes are needed; missing_bytes() says how many at least
    error,       // error() has the text for the client
  };

  explicit RespParser(std::size_t value_bytes_max) : value_bytes_max_(value_bytes_max) {}

  // Looks for the next command. `input` begins with the bytes of the call before, or with what is
  // left of them after `forget`. Inline commands are decoded inside it.
  [[nodiscard]] Result next(std::string& input);

  [[nodiscard]] std::span<const Slice> arguments() const noexcept { return arguments_; }
  [[nodiscard]] const std::string& error() const noexcept { return error_; }
  [[nodiscard]] std::size_t missing_bytes() const noexcept { return missing_; }

  // The part of the input before this is done with, unless a command is still arriving.
  [[nodiscard]] std::size_t command_begin() const noexcept { return begin_; }

  // The caller has removed the first `bytes` (at most command_begin()) of the input.
  void forget(std::size_t bytes) noexcept;

 private:
  enum class Step { done, incomplete, error };

  Step read_inline(std::string& input);
  Step read_array(std::string_view input);
  Step read_array_length(std::string_view input);
  Step read_value_length(std::string_view input);
  Step read_value(std::string_view input);
  Step need(std::string_view input, std::size_t bytes);
  Step fail(std::string text);
  // The line at position_ without its end, stepping over it; `what` names it if it is too long.
  Step read_line(std::string_view input, std::string_view what, std::string_view& line);

  std::size_t value_bytes_max_;
  std::vector<Slice> arguments_;
  std::string error_;
  std::size_t begin_ = 0;     // where the command that is being read begins
  std::size_t position_ = 0;  // the first byte that was not understood yet
  std::size_t missing_ = 0;
  std::int64_t values_left_ = 0;    // of the array that is being read
  std::int64_t value_length_ = -1;  // of the value that is being read, -1: not known yet
  bool delivered_ = false;          // arguments_ was handed out by the last call
};

}  // namespace kvd
