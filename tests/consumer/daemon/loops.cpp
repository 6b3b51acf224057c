// loops.cpp: two processes that call nothing, of which each waits for the other: on one scheduler
// each has to be taken from its thread, in one way or another.
#include <airssys/rt.hpp>
#include <atomic>
#include <cstdio>
#include <mutex>

namespace rt = airssys::rt;

namespace {

std::mutex mutex;
int turn = 0;

bool take_turn(int mine) {
  const std::lock_guard lock(mutex);
  if (turn % 2 != mine) return false;
  ++turn;
  return true;
}

void loop(int mine) {
  for (int taken = 0; taken < 10;) taken += take_turn(mine) ? 1 : 0;
}

}  // namespace

int main() {
  return rt::run({.schedulers = 1}, [] {
    for (int mine : {0, 1}) rt::spawn_monitor([mine] { loop(mine); });
    for (int ended = 0; ended < 2; ++ended) rt::receive<rt::Down>();
    std::printf("%d turns\n", turn);
  });
}
