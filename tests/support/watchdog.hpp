// watchdog.hpp: a test that hangs says what hangs, and ends.
//
// While it stands, a thread waits for its end. When the deadline passes first, it prints every
// process of the runtime that it watches and aborts. The deadline is for hangs only: it is far
// longer than any test takes, also under a sanitizer. AIRSSYS_RT_TEST_DEADLINE gives another one,
// in seconds.
#pragma once

#include <airssys/rt/system.hpp>
#include <charconv>
#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <string>
#include <thread>

#include "runtime/snapshot.hpp"
#include "system/runtime_impl.hpp"

namespace airssys::rt::support {

inline std::chrono::seconds test_deadline() {
  int seconds = 120;
  if (const char* text = std::getenv("AIRSSYS_RT_TEST_DEADLINE"))
    std::from_chars(text, text + std::strlen(text), seconds);
  return std::chrono::seconds(seconds);
}

// One line for each process.
inline void print_processes(Runtime& runtime) {
  runtime::snapshot(runtime.impl().system(), [](const runtime::Row& row) {
    std::fprintf(stderr,
                 "  %s parent %s name '%s': %s %s, waits for %s, %u messages, %llu reductions\n",
                 row.pid.to_string().c_str(),
                 row.parent.to_string().c_str(),
                 row.name.c_str(),
                 to_string(row.state),
                 to_string(row.wait_reason),
                 row.waits_for ? row.waits_for.to_string().c_str() : "nobody",
                 row.messages,
                 static_cast<unsigned long long>(row.reductions));
  });
}

class Watchdog {
 public:
  // `what` is what is being waited for, as a sentence goes on after "hangs:".
  Watchdog(Runtime& runtime, std::string what)
      : runtime_(runtime), what_(std::move(what)), thread_([this] { watch(); }) {}
  Watchdog(const Watchdog&) = delete;
  Watchdog& operator=(const Watchdog&) = delete;
  ~Watchdog() {
    {
      const std::lock_guard lock(mutex_);
      is_over_ = true;
    }
    over_.notify_one();
    thread_.join();
  }

 private:
  void watch() {
    std::unique_lock lock(mutex_);
    if (over_.wait_for(lock, test_deadline(), [this] { return is_over_; })) return;
    std::fprintf(stderr, "hangs: %s; the processes are:\n", what_.c_str());
    print_processes(runtime_);
    std::abort();
  }

  Runtime& runtime_;
  const std::string what_;
  std::mutex mutex_;
  std::condition_variable over_;
  bool is_over_ = false;
  std::thread thread_;
};

}  // namespace airssys::rt::support
