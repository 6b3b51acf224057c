// answers.hpp: what a running program says about itself, as JSON.
//
// All but one come from words that are published anyway (runtime/snapshot.hpp, Counters): asking
// for them stops nobody and works while every scheduler is stuck. `info` also asks the process
// itself, through a short-lived process that sends it a question and has `patience` to come back
// with the answer; "asked" says what became of that: answered, or busy, and then only the published
// words are there. One question at a time: while an old one is still stuck, the next is busy at
// once.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <memory>
#include <optional>
#include <string>

#include "inspector/protocol.hpp"
#include "runtime/snapshot.hpp"
#include "runtime/system.hpp"

namespace airssys::rt::inspector {

class Answers {
 public:
  static constexpr std::chrono::milliseconds patience{50};
  static constexpr std::uint32_t page_slots = 2048;  // of the process table, for one answer to ps
  static constexpr std::size_t pids_max = 1000;      // of one list in an answer to info

  // Must not outlive the system.
  explicit Answers(runtime::System& system);

  // The body of an answer. One thread, which is none of the runtime's.
  std::expected<std::string, Refusal> answer(const Request& request);

 private:
  struct Question;

  std::string hello();
  std::string schedulers();
  std::string page(std::uint32_t first);
  std::expected<std::string, Refusal> info(const Request& request);
  std::optional<runtime::Row> find(const Request& request);
  std::shared_ptr<Question> ask(Pid pid);

  runtime::System& system_;
  const std::chrono::system_clock::time_point started_;
  std::weak_ptr<Question> asked_;  // the last one; alive while its process is
};

}  // namespace airssys::rt::inspector
