// resp_parser.cpp: one function for each thing that can arrive next.
//
// Every function either steps over what it read, or leaves position_ where it is and asks for more.
#include "examples/kvd/resp_parser.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

#include "examples/kvd/buffer.hpp"
#include "examples/kvd/inline_arguments.hpp"
#include "examples/kvd/integer.hpp"
#include "examples/kvd/limits.hpp"

namespace kvd {

RespParser::Result RespParser::next(std::string& input) {
  if (std::exchange(delivered_, false)) {
    reuse(arguments_);
    begin_ = position_;
  }
  for (;;) {
    if (position_ == input.size() && values_left_ == 0) {
      missing_ = 1;
      return Result::incomplete;
    }
    bool is_array = values_left_ > 0 || input[position_] == '*';
    switch (is_array ? read_array(input) : read_inline(input)) {
      case Step::incomplete:
        return Result::incomplete;
      case Step::error:
        return Result::error;
      case Step::done:
        break;
    }
    if (!arguments_.empty()) {
      delivered_ = true;
      return Result::command;
    }
    begin_ = position_;  // an empty line or an empty array: nothing is asked, nothing is answered
  }
}

void RespParser::forget(std::size_t bytes) noexcept {
  begin_ -= bytes;
  position_ -= bytes;
  for (Slice& argument : arguments_) argument.offset -= static_cast<std::uint32_t>(bytes);
}

RespParser::Step RespParser::read_inline(std::string& input) {
  std::size_t end = input.find('\n', position_);
  if (end == std::string::npos) {
    if (input.size() - position_ > line_bytes_max)
      return fail("ERR Protocol error: too big inline request");
    return need(input, 1);
  }
  std::size_t line_end = end > position_ && input[end - 1] == '\r' ? end - 1 : end;
  if (!split_inline(input, position_, line_end, arguments_))
    return fail("ERR Protocol error: unbalanced quotes in request");
  position_ = end + 1;
  return Step::done;
}

RespParser::Step RespParser::read_array(std::string_view input) {
  if (values_left_ == 0) {
    Step step = read_array_length(input);
    if (step != Step::done) return step;
  }
  while (values_left_ > 0) {
    Step step = value_length_ < 0 ? read_value_length(input) : read_value(input);
    if (step != Step::done) return step;
  }
  return Step::done;
}

RespParser::Step RespParser::read_array_length(std::string_view input) {
  std::string_view line;
  Step step = read_line(input, "mbulk", line);
  if (step != Step::done) return step;
  std::optional<std::int64_t> length = parse_integer(line.substr(1));
  if (!length || *length > arguments_max)
    return fail("ERR Protocol error: invalid multibulk length");
  values_left_ = std::max<std::int64_t>(*length, 0);
  return Step::done;
}

RespParser::Step RespParser::read_value_length(std::string_view input) {
  char type = position_ < input.size() ? input[position_] : '$';
  std::size_t before = position_;
  std::string_view line;
  Step step = read_line(input, "bulk", line);
  if (step != Step::done) return step;
  if (type != '$') return fail(std::string("ERR Protocol error: expected '$', got '") + type + "'");
  std::optional<std::int64_t> length = parse_integer(line.substr(1));
  if (!length || *length < 0 || std::cmp_greater(*length, value_bytes_max_))
    return fail("ERR Protocol error: invalid bulk length");
  if (before - begin_ + static_cast<std::size_t>(*length) > command_bytes_max)
    return fail("ERR Protocol error: too big request");
  value_length_ = *length;
  return Step::done;
}

RespParser::Step RespParser::read_value(std::string_view input) {
  auto length = static_cast<std::size_t>(value_length_);
  std::size_t with_line_end = length + 2;
  if (input.size() - position_ < with_line_end)
    return need(input, with_line_end - (input.size() - position_));
  arguments_.push_back({static_cast<std::uint32_t>(position_), static_cast<std::uint32_t>(length)});
  position_ += with_line_end;
  value_length_ = -1;
  --values_left_;
  return Step::done;
}

RespParser::Step RespParser::read_line(std::string_view input,
                                       std::string_view what,
                                       std::string_view& line) {
  std::size_t end = input.find('\r', position_);
  if (end == std::string_view::npos) {
    if (input.size() - position_ > line_bytes_max)
      return fail("ERR Protocol error: too big " + std::string(what) + " count string");
    return need(input, 1);
  }
  if (end + 1 == input.size()) return need(input, 1);
  line = input.substr(position_, end - position_);
  position_ = end + 2;
  return Step::done;
}

RespParser::Step RespParser::need(std::string_view input, std::size_t bytes) {
  // Offsets are 32 bits wide, so the bytes that are waited for must have a bound.
  if (input.size() - begin_ > command_bytes_max + line_bytes_max)
    return fail("ERR Protocol error: too big request");
  missing_ = bytes;
  return Step::incomplete;
}

RespParser::Step RespParser::fail(std::string text) {
  error_ = std::move(text);
  return Step::error;
}

}  // namespace kvd
