// stage.hpp: runs the actors of a socket test, as processes or as plain threads.
//
// Sockets promise the same to both, so each test is written once and runs on both stages.
#pragma once

#include <gtest/gtest.h>

#include <airssys/rt.hpp>
#include <functional>
#include <ostream>
#include <thread>
#include <vector>

namespace airssys::rt::net {

using Act = std::function<void()>;

enum class Stage { threads, processes };

inline std::ostream& operator<<(std::ostream& out, Stage stage) {
  return out << (stage == Stage::threads ? "threads" : "processes");
}

// Runs `play` on its stage and returns when it has ended.
inline void run_on(Stage stage, const Act& play) {
  if (stage == Stage::threads) return play();
  Runtime runtime({.schedulers = 2});
  EXPECT_EQ(runtime.run(play), ExitReason::normal());
  runtime.stop(std::chrono::seconds(5));
}

// From within a play: runs all acts at the same time and returns when all have ended.
inline void together(Stage stage, const std::vector<Act>& acts) {
  if (stage == Stage::threads) {
    std::vector<std::jthread> threads;
    for (const Act& act : acts) threads.emplace_back(act);
    return;
  }
  for (const Act& act : acts) spawn_monitor(act);
  for (std::size_t i = 0; i < acts.size(); ++i)
    EXPECT_EQ(receive<Down>().reason, ExitReason::normal());
}

}  // namespace airssys::rt::net
