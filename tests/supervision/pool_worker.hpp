// pool_worker.hpp: members of pools that do as the test says, and what it can see of them.
#pragma once

#include <airssys/rt/pool.hpp>
#include <algorithm>
#include <optional>
#include <stdexcept>
#include <utility>
#include <vector>

#include "tests/supervision/support.hpp"

namespace airssys::rt::test {

struct Worker : Server<Worker> {
  struct Who {
    using Reply = Pid;
  };
  struct Hold {  // replies when the test says so
    using Reply = Pid;
    Pid owner;
  };
  struct Later {
    using Reply = int;
  };
  struct Note {
    Pid owner;
    int n;
  };
  struct Crash {
    using Reply = void;
  };
  struct Noted {
    Pid member;
    int n;
  };
  struct Held {
    Pid member;
  };
  struct LetGo {};

  Worker() = default;
  explicit Worker(int answer) : answer_(answer) {}

  Pid handle(Who) { return self(); }
  Pid handle(Hold hold) {
    send(hold.owner, Held{self()});
    receive<LetGo>();
    return self();
  }
  void handle(Later, From<int> caller) { later_.push_back(std::move(caller)); }
  void handle(Note note) {
    send(note.owner, Noted{self(), note.n});
    for (auto& caller : later_) caller.reply(answer_);
    later_.clear();
  }
  void handle(Crash) { throw std::runtime_error("crash"); }

  int answer_ = 0;
  std::vector<From<int>> later_;
};

inline std::size_t load(const Pool<Worker>& pool) {
  std::size_t sum = 0;
  for (const PoolMember& member : pool.info().members) sum += member.load;
  return sum;
}
inline void await_load(const Pool<Worker>& pool, std::size_t expected) {
  while (load(pool) != expected) yield();
}
inline void await_waiting(const Pool<Worker>& pool, std::size_t expected) {
  while (pool.info().waiting != expected) yield();
}
inline bool is_complete(const Pool<Worker>& pool) {
  return std::ranges::all_of(pool.info().members, [](const PoolMember& m) { return bool(m.pid); });
}

// A process that asks a member to hold, and tells the test what came of it.
struct Came {
  std::optional<CallError::Kind> error;
};
inline Pid holder(const Pool<Worker>& pool, Duration timeout = infinite) {
  return spawn([pool, timeout, owner = self()] {
    auto answer = try_call(pool, Worker::Hold{owner}, timeout);
    send(owner, Came{answer ? std::nullopt : std::optional(answer.error().kind())});
  });
}
// The member that is held now; it goes on when it is let go.
inline Pid held() {
  return next<Worker::Held>()->member;
}
inline void let_go(Pid member) {
  send(member, Worker::LetGo());
}

}  // namespace airssys::rt::test
