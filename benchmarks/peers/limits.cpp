// limits.cpp: what this machine allows, in plain C++: a switch, a cache line, a futex, memory.
// Usage: limits WORKLOAD
// Threads are pinned to CPUs 0 and 1. Each figure is the best-of-inner-chunks mean, printed once
// per process.
#include <concurrentqueue/concurrentqueue.h>
#include <dlfcn.h>
#include <linux/futex.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <algorithm>
#include <atomic>
#include <boost/context/detail/fcontext.hpp>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <string>
#include <thread>
#include <vector>
using u64 = unsigned long long;
static inline u64 now() {
  timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return u64(t.tv_sec) * 1000000000ull + t.tv_nsec;
}
static void out(const char* n, double v, const char* u) {
  printf("R %s %.3f %s\n", n, v, u);
  fflush(stdout);
}
static void pin(int c) {
  cpu_set_t s;
  CPU_ZERO(&s);
  CPU_SET(c % sysconf(_SC_NPROCESSORS_ONLN), &s);
  pthread_setaffinity_np(pthread_self(), sizeof s, &s);
}
static void quant(const std::string& p, std::vector<u64> v, double div, const char* u) {
  std::sort(v.begin(), v.end());
  auto at = [&](double q) { return double(v[std::min(v.size() - 1, size_t(q * v.size()))]) / div; };
  out((p + "_p50").c_str(), at(.5), u);
  out((p + "_p99").c_str(), at(.99), u);
  out((p + "_p999").c_str(), at(.999), u);
}
template <class F>
static double best(int reps, u64 n, F f) {  // least mean of reps chunks of n operations
  double b = 1e18;
  for (int r = 0; r < reps; r++) {
    u64 t = now();
    f(n);
    b = std::min(b, double(now() - t) / n);
  }
  return b;
}
static void* volatile gsink;

// --- context switch
namespace bc = boost::context::detail;
static void entry(bc::transfer_t t) {
  for (;;) t = bc::jump_fcontext(t.fctx, nullptr);
}
static void fctx() {
  std::vector<char> st(65536);
  bc::fcontext_t f = bc::make_fcontext(st.data() + st.size(), st.size(), entry);
  double d = best(20, 1000000, [&](u64 n) {
    for (u64 i = 0; i < n; i++) f = bc::jump_fcontext(f, nullptr).fctx;
  });
  out("fctx_there_and_back", d, "ns");
  // over 1000 contexts round robin (working set: 1000 stacks)
  const int K = 1000;
  size_t ss = 8192;
  char* big =
      (char*)mmap(nullptr, K * ss, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  std::vector<bc::fcontext_t> fs(K);
  for (int i = 0; i < K; i++) fs[i] = bc::make_fcontext(big + (i + 1) * ss, ss, entry);
  d = best(20, 1000000, [&](u64 n) {
    int k = 0;
    for (u64 i = 0; i < n; i++) {
      fs[k] = bc::jump_fcontext(fs[k], nullptr).fctx;
      if (++k == K) k = 0;
    }
  });
  out("fctx_there_and_back_1000_stacks", d, "ns");
}
// --- minimal switch: only callee-saved GPRs, no MXCSR/x87 control word
asm(R"(
.text
.p2align 4
.globl min_swap
min_swap:
  pushq %rbp
  pushq %rbx
  pushq %r12
  pushq %r13
  pushq %r14
  pushq %r15
  movq %rsp, (%rdi)
  movq %rsi, %rsp
  popq %r15
  popq %r14
  popq %r13
  popq %r12
  popq %rbx
  popq %rbp
  popq %rcx
  jmp *%rcx
)");
extern "C" void min_swap(void** save, void* to);
static void *m_main, *m_fib;
static void m_entry() {
  for (;;) min_swap(&m_fib, m_main);
}
static void minswap() {
  std::vector<char> st(65536);
  void** sp = (void**)((u64)(st.data() + st.size()) & ~63ull);
  *--sp = nullptr;
  *--sp = (void*)m_entry;
  for (int i = 0; i < 6; i++) *--sp = nullptr;
  m_fib = sp;
  out("minswap_there_and_back",
      best(20, 1000000,
           [&](u64 n) {
             for (u64 i = 0; i < n; i++) min_swap(&m_main, m_fib);
           }),
      "ns");
}

// --- cache line hand-off
struct alignas(128) Line {
  std::atomic<u64> v{0};
  char pad[120];
};
static void
line() {  // least mean over chunks of 1000 round trips: noise of other processes is left out
  static Line a;
  const u64 C = 1000, R = 400, N = C * R;
  std::thread t([&] {
    pin(1);
    for (u64 i = 0; i < N; i++) {
      while (a.v.load(std::memory_order_acquire) != 2 * i + 1);
      a.v.store(2 * i + 2, std::memory_order_release);
    }
  });
  pin(0);
  std::vector<u64> ch;
  for (u64 r = 0, i = 0; r < R; r++) {
    u64 t0 = now();
    for (u64 e = i + C; i < e; i++) {
      a.v.store(2 * i + 1, std::memory_order_release);
      while (a.v.load(std::memory_order_acquire) != 2 * i + 2);
    }
    ch.push_back(now() - t0);
  }
  t.join();
  std::sort(ch.begin(), ch.end());
  out("line_handoff_one_way_best", double(ch[0]) / C / 2, "ns");
  out("line_handoff_one_way_median", double(ch[R / 2]) / C / 2, "ns");
}
// --- atomics
static void atomics() {
  static Line a;
  pin(0);
  out("rmw_uncontended",
      best(20, 1000000,
           [&](u64 n) {
             for (u64 i = 0; i < n; i++) a.v.fetch_add(1, std::memory_order_relaxed);
           }),
      "ns");
  out("cas_uncontended",
      best(20, 1000000,
           [&](u64 n) {
             for (u64 i = 0; i < n; i++) {
               u64 e = a.v.load(std::memory_order_relaxed);
               a.v.compare_exchange_strong(e, e + 1);
             }
           }),
      "ns");
  out("clock_gettime",
      best(20, 1000000,
           [&](u64 n) {
             for (u64 i = 0; i < n; i++) (void)now();
           }),
      "ns");
  out("rdtsc",
      best(20, 1000000,
           [&](u64 n) {
             u64 s = 0;
             for (u64 i = 0; i < n; i++) s += __builtin_ia32_rdtsc();
             gsink = (void*)s;
           }),
      "ns");
  static std::atomic<bool> stop{false};
  static Line other;
  std::thread t([&] {
    pin(1);
    while (!stop.load(std::memory_order_relaxed)) {
      for (int i = 0; i < 500; i++) a.v.fetch_add(1, std::memory_order_relaxed);
      other.v.fetch_add(500, std::memory_order_relaxed);
    }
  });
  std::vector<double> ok;  // only chunks during which the other thread ran too
  for (int r = 0; r < 4000; r++) {
    u64 o = other.v, t0 = now();
    for (int i = 0; i < 10000; i++) a.v.fetch_add(1, std::memory_order_relaxed);
    double d = double(now() - t0) / 10000;
    o = other.v - o;
    if (o > 4000 && o < 25000) ok.push_back(d);
  }
  stop = true;
  t.join();
  if (ok.empty()) puts("S contended: the two threads never ran at once");
  else {
    std::sort(ok.begin(), ok.end());
    out("rmw_contended_2_per_own_op", ok[ok.size() / 2], "ns");
  }
}
// --- futex wake to run
static int fx(std::atomic<int>* a, int op, int v) {
  return syscall(SYS_futex, a, op | FUTEX_PRIVATE_FLAG, v, nullptr, nullptr, 0);
}
static void futex() {
  static std::atomic<int> f{0};
  static std::atomic<u64> stamp{0};
  const int N = 2000;
  std::vector<u64> l, w;
  std::thread t([&] {
    pin(1);
    for (int i = 0; i < N; i++) {
      while (f.load() <= i) fx(&f, FUTEX_WAIT, i);
      l.push_back(now() - stamp.load());
    }
  });
  pin(0);
  for (int i = 0; i < N; i++) {
    usleep(1000);
    u64 t0 = now();
    stamp = t0;
    f = i + 1;
    fx(&f, FUTEX_WAKE, 1);
    w.push_back(now() - t0);
    while (now() < t0 + 200000);
  }
  t.join();
  quant("futex_wake_to_run", l, 1000, "us");
  quant("futex_wake_syscall", w, 1000, "us");
  out("futex_wake_nobody",
      best(10, 200000,
           [&](u64 n) {
             for (u64 i = 0; i < n; i++) fx(&f, FUTEX_WAKE, 1);
           }),
      "ns");
  // a thread asleep in a 1 ms timed wait: lateness of the kernel's own timer
  std::vector<u64> s;
  static std::atomic<int> g{0};
  for (int i = 0; i < 1000; i++) {
    timespec ts{0, 1000000};
    u64 t0 = now();
    syscall(SYS_futex, &g, FUTEX_WAIT_PRIVATE, 0, &ts, nullptr, 0);
    s.push_back(now() - t0 - 1000000);
  }
  quant("futex_timed_wait_1ms_late", s, 1000, "us");
  // spinning receiver instead of a sleeping one
  static std::atomic<u64> box{0};
  std::vector<u64> sp;
  std::thread t2([&] {
    pin(1);
    for (int i = 0; i < N; i++) {
      u64 v;
      while (!(v = box.load(std::memory_order_acquire))) __builtin_ia32_pause();
      sp.push_back(now() - v);
      box.store(0, std::memory_order_release);
    }
  });
  for (int i = 0; i < N; i++) {
    u64 t0 = now();
    box = t0;
    while (box.load(std::memory_order_acquire)) __builtin_ia32_pause();
    while (now() < t0 + 20000);
  }
  t2.join();
  quant("spin_wake_to_run", sp, 1000, "us");
}
// --- allocators
typedef void* (*mal)(size_t);
typedef void (*fre)(void*);
static void alloc1(const char* tag, mal m, fre f) {
  pin(0);
  auto nm = [&](const char* s) { return std::string(tag) + s; };
  out(nm("_64B_alloc_free").c_str(),
      best(20, 1000000,
           [&](u64 n) {
             for (u64 i = 0; i < n; i++) {
               void* p = m(64);
               gsink = p;
               f(p);
             }
           }),
      "ns");
  std::vector<void*> v(10000);
  out(nm("_64B_batch10k").c_str(),
      best(20, 10000 * 50,
           [&](u64 n) {
             for (u64 k = 0; k < n / 10000; k++) {
               for (auto& p : v) p = m(64);
               for (auto p : v) f(p);
             }
           }),
      "ns");
  // cross thread: CPU 0 allocates, CPU 1 frees, through a ring of 4096
  const u64 N = 2000000;
  static void* ring[4096];
  static Line h, t;
  double b = 1e18;
  for (int r = 0; r < 5; r++) {
    h.v = t.v = 0;
    std::thread c([&] {
      pin(1);
      u64 seen = 0;
      for (u64 i = 0; i < N; i++) {
        while (i >= seen) seen = h.v.load(std::memory_order_acquire);
        f(ring[i & 4095]);
        if (!(i & 63) || i == N - 1) t.v.store(i + 1, std::memory_order_release);
      }
    });
    u64 t0 = now(), lim = 4096;
    for (u64 i = 0; i < N; i++) {
      while (i >= lim) lim = t.v.load(std::memory_order_acquire) + 4096 - 64;
      void* p = m(64);
      *(u64*)p = i;
      ring[i & 4095] = p;
      if (!(i & 15) || i == N - 1) h.v.store(i + 1, std::memory_order_release);
    }
    c.join();
    b = std::min(b, double(now() - t0) / N);
  }
  out(nm("_64B_cross_thread").c_str(), b, "ns");
}
static void alloc() {
  alloc1("glibc", malloc, free);
  void* h = dlopen("libmimalloc.so.2", RTLD_NOW | RTLD_LOCAL | RTLD_DEEPBIND);
  if (!h) {
    printf("S mimalloc not found\n");
    return;
  }
  alloc1("mimalloc", (mal)dlsym(h, "mi_malloc"), (fre)dlsym(h, "mi_free"));
}
// --- first touch
static void fault() {
  pin(0);
  const size_t P = 1 << 18, sz = P * 4096;  // 1 GiB
  for (int pass = 1; pass <= 3; pass++) {
    char* p = (char*)mmap(nullptr, sz, PROT_READ | PROT_WRITE,
                          MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    madvise(p, sz, MADV_NOHUGEPAGE);
    u64 t0 = now();
    for (size_t i = 0; i < P; i++) p[i * 4096] = 1;
    u64 t1 = now();
    std::string s = "first_touch_4k_pass" + std::to_string(pass);
    out(s.c_str(), double(t1 - t0) / P, "ns/page");
    t0 = now();
    madvise(p, sz, MADV_DONTNEED);
    s = "madv_dontneed_4k_pass" + std::to_string(pass);
    out(s.c_str(), double(now() - t0) / P, "ns/page");
    munmap(p, sz);
  }
  char* p = (char*)mmap(nullptr, sz + (2 << 20), PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  p = (char*)(((u64)p + (2 << 20) - 1) & ~((2ull << 20) - 1));
  madvise(p, sz, MADV_HUGEPAGE);
  u64 t0 = now();
  for (size_t i = 0; i < P; i++) p[i * 4096] = 1;
  out("first_touch_2M_huge_per_4k_pass1", double(now() - t0) / P, "ns/page");
  madvise(p, sz, MADV_DONTNEED);
  t0 = now();
  for (size_t i = 0; i < P; i++) p[i * 4096] = 1;
  out("first_touch_2M_huge_per_4k_pass2", double(now() - t0) / P, "ns/page");
  double b = best(5, 1, [&](u64) {
    for (size_t i = 0; i < P; i++) p[i * 4096] = 2;
  });
  out("touch_again_2M_huge_per_4k", b / P, "ns/page");
  const int K = 20000;
  u64 t1 = now();
  std::vector<void*> v(K);
  for (auto& q : v) {
    q = mmap(nullptr, 65536, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
             -1, 0);
    mprotect(q, 4096, PROT_NONE);
  }
  out("mmap_64k_plus_guard", double(now() - t1) / K, "ns");
  t1 = now();
  for (auto q : v) munmap(q, 65536);
  out("munmap_64k", double(now() - t1) / K, "ns");
}
#include "limits_queues.hpp"

int main(int c, char** a) {
  std::string w = c > 1 ? a[1] : "";
  if (w == "fctx") fctx(), minswap();
  else if (w == "line") line();
  else if (w == "atomics") atomics();
  else if (w == "futex") futex();
  else if (w == "alloc") alloc();
  else if (w == "fault") fault();
  else if (w == "moody") moody();
  else if (w == "mpsc") mpsc();
  else puts("S");
}
