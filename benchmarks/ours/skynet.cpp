// skynet.cpp: a tree of processes, ten to a node, a million leaves; each tells its parent a sum.
#include <airssys/rt.hpp>
#include <cstdint>

#include "bench.hpp"
#include "workloads.hpp"

namespace rt = airssys::rt;

namespace bench {

namespace {

constexpr std::int64_t leaves = 1'000'000;
constexpr int fan_out = 10;

struct Sum {
  std::int64_t value;
};

// A process of the tree: the leaves from `first` on, `size` of them.
void grow(rt::Pid parent, std::int64_t first, std::int64_t size) {
  if (size == 1) return rt::send(parent, Sum{first});
  const std::int64_t part = size / fan_out;
  for (int i = 0; i < fan_out; ++i)
    rt::spawn([me = rt::self(), begin = first + i * part, part] { grow(me, begin, part); });
  std::int64_t sum = 0;
  for (int i = 0; i < fan_out; ++i) sum += rt::receive<Sum>().value;
  rt::send(parent, Sum{sum});
}

}  // namespace

void skynet() {
  const Stopwatch watch;
  rt::spawn([main = rt::self()] { grow(main, 0, leaves); });
  check(rt::receive<Sum>().value == leaves * (leaves - 1) / 2, "the sum of all leaves");
  report("skynet", watch.ms(), "ms");
}

}  // namespace bench
