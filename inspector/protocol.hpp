// protocol.hpp: what an inspector and a running program say to each other, and where they meet.
//
//   client ── frame: a request, one line of words ──▶ server ── frame: an answer, JSON ──▶ client
//
//   frame    4 bytes, the length, most significant first; then so many bytes of UTF-8
//   request  "airs-inspect/1 VERB [ARGUMENT]"      hello | schedulers | ps SLOT | info PID
//   answer   {"version": 1, ...}, or {"version": 1, "error": {"code": ..., "text": a sentence}}
//
// A client sends its next request when it has the answer, on the same connection or on another:
// nothing is remembered. Frames, the first word and an answer's `version` and `error` stay as they
// are in every version, so that the two can always tell each other why they cannot talk.
// `ps` answers one page: the processes from that slot of the process table on, and in `next` the
// slot to ask for then, 0 after the last one. So a page costs bounded memory and stops nobody.
// Requests are words, so that the program reads no more than it must of what a stranger sends.
#pragma once

#include <airssys/rt/pid.hpp>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <vector>

namespace airssys::rt::inspector {

inline constexpr unsigned protocol_version = 1;
inline constexpr std::size_t request_bytes_max = 256;
inline constexpr std::size_t answer_bytes_max = std::size_t{16} << 20;

enum class Verb : std::uint8_t {
  hello,       // who are you: program, process id, figures of the whole runtime
  schedulers,  // the counters of each scheduler
  ps,          // a page of processes
  info,        // one process, asked for what only it knows
};

struct Request {
  Verb verb = Verb::hello;
  std::uint32_t slot = 0;  // ps: the first; info: whose
  // NOLINTNEXTLINE(readability-redundant-member-init): g++ misses it in designated initializers
  Pid pid = {};  // info: null: whoever has that slot now
};

// Why a request is refused: a word for programs, a sentence for people.
struct Refusal {
  std::string code;
  std::string text;
};

std::string to_text(const Request& request);
std::expected<Request, Refusal> parse_request(std::string_view text);

// "<0.12.1>", "0.12.1", or "12", which is a slot. A request for `info`, or nothing.
std::expected<Request, Refusal> parse_process(std::string_view text);

std::string make_frame(std::string_view body);

// Takes frames out of a stream, never reading past the one that it collects: `wants` says how many
// bytes to give it next. Holds as much as has come, at most the longest body it was told of.
class FrameReader {
 public:
  explicit FrameReader(std::size_t body_bytes_max) noexcept : body_bytes_max_(body_bytes_max) {}

  // 0: the frame is complete, or too long.
  std::size_t wants() const noexcept;
  // Requires: at most as many bytes as wanted.
  void add(std::string_view bytes);

  bool is_complete() const noexcept { return has_length_ && bytes_.size() == body_bytes_; }
  bool is_too_long() const noexcept { return has_length_ && body_bytes_ > body_bytes_max_; }

  // The body of a complete frame; the reader is ready for the next.
  std::string take();

 private:
  static constexpr std::size_t length_bytes = 4;

  std::size_t body_bytes_max_;
  std::string bytes_;  // of the length, then of the body
  std::size_t body_bytes_ = 0;
  bool has_length_ = false;
};

// Where this user's sockets are, best place first. A program takes the first that it can make; an
// inspector looks at all, since a service and a shell differ in XDG_RUNTIME_DIR.
std::vector<std::string> socket_directories();
// The file name of a program's socket: "<program>-<process id>.sock".
std::string socket_name(std::string_view program, int process_id);

}  // namespace airssys::rt::inspector
