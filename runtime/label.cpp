// label.cpp: writing and reading a label.
#include "runtime/label.hpp"

#include <airssys/rt/process.hpp>
#include <mutex>

#include "runtime/call.hpp"
#include "runtime/extras.hpp"

namespace airssys::rt::runtime {

void Label::set(std::string text) {
  const std::lock_guard lock(mutex_);
  text_.swap(text);
}

std::string Label::text() const {
  const std::lock_guard lock(mutex_);
  return text_;
}

std::string label_of(const Process& process) {
  const Extras* extras = extras_seen(process);
  return extras ? extras->label.text() : std::string();
}

}  // namespace airssys::rt::runtime

namespace airssys::rt {

void set_label(std::string_view label) {
  const runtime::Call call(runtime::Call::Kind::plain);
  runtime::extras_of(call.process()).label.set(std::string(label));
}

}  // namespace airssys::rt
