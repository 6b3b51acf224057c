// label.hpp: what a process calls itself, for people (P13).
//
// Unlike a name it finds nobody and need not be unique. Its process writes it, seldom; crash
// reports and the inspector read it, so it lies behind a mutex of its own.
#pragma once

#include <string>
#include <utility>

#include "base/mutex.hpp"
#include "runtime/process.hpp"

namespace airssys::rt::runtime {

class Label {
 public:
  void set(std::string text);
  std::string text() const;

 private:
  mutable base::Mutex mutex_;
  std::string text_;  // under mutex_
};

// Empty: it has none. Any thread, inside.
std::string label_of(const Process& process);

}  // namespace airssys::rt::runtime
