// peer.hpp: shared by the C++ peers: clock, result lines, quantiles, memory, busy work of the hogs.
#pragma once
#include <unistd.h>
#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <string>
#include <vector>
inline int64_t now_ns() {
  timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return int64_t(t.tv_sec) * 1000000000 + t.tv_nsec;
}
inline void out(const std::string& n, double v, const char* u) {
  printf("R %s %.3f %s\n", n.c_str(), v, u);
  fflush(stdout);
}
inline void quant(const std::string& p, std::vector<int64_t> l) {
  if (l.empty()) return;
  std::sort(l.begin(), l.end());
  struct {
    const char* t;
    double q;
  } qs[] = {{"p50", .5}, {"p99", .99}, {"p999", .999}, {"max", 1}};
  for (auto& q : qs) {
    size_t i =
        std::min(l.size(), std::max<size_t>(1, size_t(std::ceil(q.q * double(l.size()))))) - 1;
    out(p + "_" + q.t, double(l[i]) / 1000, "us");
  }
}
inline double rss() {
  long a = 0, b = 0;
  FILE* f = fopen("/proc/self/statm", "r");
  if (f) {
    if (fscanf(f, "%ld %ld", &a, &b) != 2) b = 0;
    fclose(f);
  }
  return double(b) * 4096;
}
inline int threads() {
  const char* s = getenv("PB_T");
  return s ? atoi(s) : 2;
}
inline uint64_t work(int n, uint64_t x) {
  for (int i = 0; i < n; i++) x = (x * 16807 + 1) & 0x7fffffff;
  asm volatile("" : "+r"(x));
  return x;
}
[[noreturn]] inline void done() {
  fflush(stdout);
  _exit(0);
}
inline void skipped() {
  puts("S");
  done();
}
// the fairness workload keeps its samples here; the main thread ends it, so a starved ping is seen
// too
struct Fair {
  std::vector<int64_t> l = std::vector<int64_t>(100000);
  std::atomic<size_t> n{0};
  std::atomic<int64_t> cur{0};
  void begin(int64_t t) { cur = t; }
  void add(int64_t d) {
    size_t i = n.load();
    if (i < l.size()) {
      l[i] = d;
      n = i + 1;
    }
  }
  [[noreturn]] void finish(const std::string& name) {
    int64_t end = now_ns() + 2000000000;
    while (now_ns() < end) usleep(20000);
    size_t k = n.load();
    std::vector<int64_t> v(l.begin(), l.begin() + k);
    int64_t age = now_ns() - cur.load() - 1000000;
    if (v.empty() || age > *std::max_element(v.begin(), v.end()))
      v.push_back(age);  // still outstanding: censored
    out(name + "_n", double(k), "samples");
    quant(name, v);
    done();
  }
};
