// protocol.cpp: requests as words, frames as bytes, places of sockets.
#include "inspector/protocol.hpp"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <concepts>
#include <cstdlib>
#include <optional>
#include <utility>

#include "base/assert.hpp"

namespace airssys::rt::inspector {

namespace {

constexpr std::string_view greeting = "airs-inspect/";

constexpr std::array<std::pair<std::string_view, Verb>, 4> verbs{{
    {"hello", Verb::hello},
    {"schedulers", Verb::schedulers},
    {"ps", Verb::ps},
    {"info", Verb::info},
}};

// The whole text as a number.
template <std::unsigned_integral N>
std::optional<N> number(std::string_view text) noexcept {
  N value = 0;
  const auto [rest, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || rest != text.data() + text.size()) return std::nullopt;
  return value;
}

// What stands before the separator; that and the separator are taken off the text.
std::string_view take_word(std::string_view& text, char separator) noexcept {
  const std::size_t end = std::min(text.find(separator), text.size());
  const std::string_view word = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  return word;
}

std::unexpected<Refusal> refuse(std::string code, std::string text) {
  return std::unexpected(Refusal{std::move(code), std::move(text)});
}

std::expected<Request, Refusal> parse_page(std::string_view text) {
  const auto slot = number<std::uint32_t>(text);
  if (!slot) return refuse("bad_request", "ps takes the slot to begin with, a number");
  return Request{.verb = Verb::ps, .slot = *slot};
}

}  // namespace

std::string to_text(const Request& request) {
  std::string text = std::string(greeting) + std::to_string(protocol_version);
  for (const auto& [word, verb] : verbs) {
    if (verb == request.verb) text.append(" ").append(word);
  }
  if (request.verb == Verb::info && request.pid) return text + " " + request.pid.to_string();
  if (request.verb == Verb::info || request.verb == Verb::ps)
    return text + " " + std::to_string(request.slot);
  return text;
}

std::expected<Request, Refusal> parse_request(std::string_view text) {
  std::string_view first = take_word(text, ' ');
  if (!first.starts_with(greeting))
    return refuse("bad_request", "this socket is for airs-inspect: a request begins with its name");
  first.remove_prefix(greeting.size());
  if (first != std::to_string(protocol_version))
    return refuse("version",
                  "this program speaks version " + std::to_string(protocol_version) +
                      " of the inspector's protocol: use the airs-inspect of its airssys-rt");
  const std::string_view word = take_word(text, ' ');
  for (const auto& [name, verb] : verbs) {
    if (word != name) continue;
    if (verb == Verb::ps) return parse_page(text);
    if (verb == Verb::info) return parse_process(text);
    if (!text.empty()) return refuse("bad_request", std::string(name) + " takes no argument");
    return Request{.verb = verb};
  }
  return refuse("bad_request", "there is no such request: hello, schedulers, ps or info");
}

std::expected<Request, Refusal> parse_process(std::string_view text) {
  const auto bad = [] {
    return refuse("bad_request",
                  "a process is written as <0.12.1>, as 0.12.1 or, by its slot, as 12");
  };
  if (const auto slot = number<std::uint32_t>(text))
    return Request{.verb = Verb::info, .slot = *slot};
  if (text.starts_with('<') && text.ends_with('>')) text = text.substr(1, text.size() - 2);
  const auto node = number<std::uint32_t>(take_word(text, '.'));
  const auto slot = number<std::uint32_t>(take_word(text, '.'));
  const auto generation = number<std::uint32_t>(text);
  if (!node || !slot || !generation) return bad();
  const Pid pid(*slot, *generation);
  if (*node != 0 || pid.slot() != *slot || pid.generation() != *generation || !pid) return bad();
  return Request{.verb = Verb::info, .slot = *slot, .pid = pid};
}

std::string make_frame(std::string_view body) {
  RT_CHECK(body.size() <= answer_bytes_max, "a frame is longer than its reader takes");
  std::string frame;
  frame.reserve(body.size() + 4);
  for (const int shift : {24, 16, 8, 0})
    frame.push_back(static_cast<char>(static_cast<unsigned char>(body.size() >> shift)));
  return frame.append(body);
}

std::size_t FrameReader::wants() const noexcept {
  if (!has_length_) return length_bytes - bytes_.size();
  return is_too_long() ? 0 : body_bytes_ - bytes_.size();
}

void FrameReader::add(std::string_view bytes) {
  RT_CHECK(bytes.size() <= wants(), "more bytes than the frame has");
  bytes_.append(bytes);
  if (has_length_ || bytes_.size() < length_bytes) return;
  for (const char byte : bytes_) body_bytes_ = body_bytes_ << 8 | static_cast<unsigned char>(byte);
  has_length_ = true;
  bytes_.clear();
}

std::string FrameReader::take() {
  RT_CHECK(is_complete(), "a frame is taken before it is complete");
  has_length_ = false;
  body_bytes_ = 0;
  return std::exchange(bytes_, {});
}

std::vector<std::string> socket_directories() {
  std::vector<std::string> directories;
  const char* runtime_directory = std::getenv("XDG_RUNTIME_DIR");  // NOLINT(concurrency-mt-unsafe)
  if (runtime_directory && *runtime_directory == '/')
    directories.push_back(std::string(runtime_directory) + "/airssys-rt");
  directories.push_back("/tmp/airssys-rt-" + std::to_string(::geteuid()));
  return directories;
}

std::string socket_name(std::string_view program, int process_id) {
  constexpr std::size_t program_bytes_max = 40;
  return std::string(program.substr(0, program_bytes_max)) + "-" + std::to_string(process_id) +
         ".sock";
}

}  // namespace airssys::rt::inspector
