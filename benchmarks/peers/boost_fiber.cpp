// boost_fiber.cpp: the workloads on Boost.Fiber. Usage: PB_T=threads boost_fiber WORKLOAD
// Definitions of the workloads: benchmarks/README.md
// A process is a fiber with a 16 KiB malloc'ed stack, its mailbox a buffered_channel (bounded).
// One scheduler thread: round_robin; more: work_stealing (its default, idle threads spin).
#include <boost/fiber/all.hpp>
#include <cstring>
#include <memory>
#include <thread>
#include "peer.hpp"
namespace bf = boost::fibers;
using i64 = int64_t;
static size_t g_stack = 16384;
template <class F>
static bf::fiber go(F f) {
  return bf::fiber(bf::launch::post, std::allocator_arg, bf::fixedsize_stack(g_stack),
                   std::move(f));
}
template <class F>
static void det(F f) {
  go(std::move(f)).detach();
}
template <class T>
using chan = bf::buffered_channel<T>;
struct msg {
  chan<msg>* from;
  i64 v;
};
template <class T>
static T get(chan<T>& c) {
  T t{};
  c.pop(t);
  return t;
}

static void w_pingpong() {
  const i64 N = 1000000;
  chan<msg> a(16), b(16);
  i64 t0 = now_ns();
  det([&] {
    for (;;) {
      msg m = get(b);
      m.from->push({&b, m.v});
    }
  });
  auto f = go([&] {
    for (i64 i = 0; i < N; i++) {
      b.push({&a, i});
      if (get(a).v != i) abort();
    }
  });
  f.join();
  out("pingpong", double(now_ns() - t0) / N, "ns/rt");
  done();
}
static void w_ring() {
  const i64 P = 1000, M = 1000000;
  std::vector<std::unique_ptr<chan<i64>>> c;
  chan<i64> fin(2);
  for (i64 i = 0; i < P; i++) c.emplace_back(new chan<i64>(4));
  for (i64 i = 0; i < P; i++)
    det([&, i] {
      auto &me = *c[i], &nx = *c[(i + 1) % P];
      for (;;) {
        i64 v = get(me);
        if (v == 0) fin.push(0);
        else nx.push(v - 1);
      }
    });
  i64 t0 = now_ns();
  c[0]->push(M);
  get(fin);
  out("ring", double(now_ns() - t0) / M, "ns/hop");
  done();
}
static void w_spawn() {
  i64 t0 = now_ns();
  go([] {
    std::vector<bf::fiber> v;
    for (int i = 0; i < 1000; i++) {
      for (int j = 0; j < 1000; j++) v.push_back(go([] {}));
      for (auto& f : v) f.join();
      v.clear();
    }
  }).join();
  out("spawn", double(now_ns() - t0) / 1e6, "ns/proc");
  done();
}
static void w_idle() {  // 100,000 processes, not 1,000,000: the stacks alone would be 16 GB
  const i64 N = 100000;
  g_stack = 8192;
  chan<msg> mainc(1024);
  std::vector<chan<msg>*> c(N);
  std::atomic<i64> up{0};
  double r0 = rss();
  i64 t0 = now_ns();
  for (i64 i = 0; i < N; i++) {
    auto p = c[i] = new chan<msg>(2);
    det([p, &up] {
      up++;
      msg m = get(*p);
      m.from->push({p, 1});
    });
  }
  while (up < N) boost::this_fiber::yield();
  i64 t1 = now_ns();
  double r1 = rss();
  out("idle_rss", (r1 - r0) / N, "B/proc");
  out("idle_create", double(t1 - t0) / N, "ns/proc");
  i64 t2 = now_ns();
  det([&] {
    for (auto p : c) p->push({&mainc, 0});
  });
  for (i64 i = 0; i < N; i++) get(mainc);
  out("idle_wake_100k", double(now_ns() - t2) / 1e6, "ms");
  done();
}
static void w_fanin() {
  const i64 S = 8, K = 1000000;
  struct two {
    i64 a, b;
  };
  chan<two> in(1024);
  i64 t0 = now_ns();
  auto f = go([&] {
    for (i64 i = 0; i < S * K; i++) get(in);
  });
  for (int i = 0; i < S; i++)
    det([&] {
      for (i64 j = 0; j < K; j++) in.push({j, j});
    });
  f.join();
  out("fanin", double(S * K) * 1e9 / double(now_ns() - t0), "msg/s");
  done();
}
static void w_big() {
  const i64 P = 1000, R = 4;
  std::vector<std::unique_ptr<chan<msg>>> c;
  chan<i64> fin(1024);
  for (i64 i = 0; i < P; i++) c.emplace_back(new chan<msg>(1024));
  for (i64 me = 0; me < P; me++)
    det([&, me] {
      i64 got = 0;
      bool gone = false;
      for (;;) {
        msg m = get(*c[me]);
        if (m.v == 1) {
          for (i64 j = 0; j < P; j++)
            if (j != me) c[j]->push({c[me].get(), 0});
          gone = true;
        } else got++;
        if (gone && got == P - 1) {
          got = 0;
          gone = false;
          fin.push(1);
        }
      }
    });
  i64 t0 = 0;
  for (i64 r = 0; r <= R; r++) {
    if (r == 1) t0 = now_ns();
    for (auto& x : c) x->push({nullptr, 1});
    for (i64 i = 0; i < P; i++) get(fin);
  }
  out("big", double(R * P * (P - 1)) * 1e9 / double(now_ns() - t0), "msg/s");
  done();
}
// skynet as Boost.Fiber's manual advises: launch::dispatch (child runs at once, depth first)
static void sky(i64 num, i64 size, chan<i64>* parent) {
  if (size == 1) {
    parent->push(num);
    return;
  }
  chan<i64> c(16);
  i64 sub = size / 10, sum = 0;
  for (i64 i = 0; i < 10; i++)
    bf::fiber(bf::launch::dispatch, std::allocator_arg, bf::fixedsize_stack(g_stack), sky,
              num + i * sub, sub, &c)
        .detach();
  for (i64 i = 0; i < 10; i++) sum += get(c);
  parent->push(sum);
}
static void w_skynet() {
  chan<i64> c(2);
  i64 t0 = now_ns();
  det([&] { sky(0, 1000000, &c); });
  if (get(c) != 499999500000) abort();
  out("skynet", double(now_ns() - t0) / 1e6, "ms");
  done();
}
struct cm {
  int kind, color;
  i64 n;
  chan<cm>* from;
};  // 0 meet 1 change 2 stop 3 count
static int compl_(int a, int b) { return a == b ? a : 3 - a - b; }
static void w_chameneos() {
  const i64 N = 100, M = 1000000;
  chan<cm> mall(1024);
  i64 t0 = now_ns(), res = 0;
  auto f = go([&] {
    i64 left = M, faded = N;
    chan<cm>* w = nullptr;
    while (faded) {
      cm m = get(mall);
      if (m.kind == 3) {
        res += m.n;
        faded--;
      } else if (left > 0) {
        if (!w) w = m.from;
        else {
          w->push({0, m.color, 0, m.from});
          w = nullptr;
          left--;
        }
      } else {
        m.from->push({2, 0, 0, nullptr});
        if (w) {
          w->push({2, 0, 0, nullptr});
          w = nullptr;
        }
      }
    }
  });
  for (int i = 0; i < N; i++)
    det([&, i] {
      auto me = new chan<cm>(16);
      int color = i % 3;
      i64 n = 0;
      mall.push({0, color, 0, me});
      for (;;) {
        cm m = get(*me);
        if (m.kind == 2) {
          mall.push({3, 0, n, me});
          return;
        }
        if (m.kind == 0) {
          color = compl_(color, m.color);
          m.from->push({1, color, 0, me});
        } else color = m.color;
        n++;
        mall.push({0, color, 0, me});
      }
    });
  f.join();
  if (res != 2 * M) abort();
  out("chameneos", double(now_ns() - t0) / 1e6, "ms");
  done();
}
static void w_call() {
  const i64 N = 500000;
  struct rq {
    i64 v;
    bf::promise<i64>* p;
  };
  chan<rq> srv(16);
  i64 t0 = now_ns();
  det([&] {
    for (;;) {
      rq r = get(srv);
      r.p->set_value(r.v);
    }
  });
  go([&] {
    for (i64 i = 0; i < N; i++) {
      bf::promise<i64> p;
      auto f = p.get_future();
      srv.push({i, &p});
      if (f.wait_for(std::chrono::seconds(5)) != bf::future_status::ready || f.get() != i) abort();
    }
  }).join();
  out("call", N * 1e9 / double(now_ns() - t0), "call/s");
  done();
}
static void w_fair(const char* name, int hogs, bool yields) {
  auto& F = *new Fair;
  auto &e = *new chan<msg>(2), &p = *new chan<msg>(2);
  std::thread([&F, name] { F.finish(name); }).detach();
  F.begin(now_ns());
  det([&] {
    for (;;) {
      msg m = get(e);
      m.from->push({&e, 0});
    }
  });
  det([&] {
    for (;;) {
      i64 t0 = now_ns();
      F.begin(t0);
      boost::this_fiber::sleep_for(std::chrono::milliseconds(1));
      e.push({&p, 0});
      get(p);
      F.add(now_ns() - t0 - 1000000);
    }
  });
  for (int i = 0; i < hogs; i++)
    det([yields] {
      for (uint64_t x = 1;;) {
        x = work(5000, x);
        if (yields) boost::this_fiber::yield();
      }
    });
  for (;;) boost::this_fiber::sleep_for(std::chrono::seconds(1));
}
static void w_wake() {
  const size_t N = 2000;
  chan<i64> r(16);
  std::vector<i64> l;
  det([&] {
    for (size_t i = 0; i < N; i++) {
      boost::this_fiber::sleep_for(std::chrono::milliseconds(1));
      i64 t = now_ns();
      r.push(t);
      while (now_ns() < t + 200000);
    }
  });
  go([&] {
    while (l.size() < N) {
      i64 t = get(r);
      l.push_back(now_ns() - t);
    }
  }).join();
  quant("wake", l);
  done();
}
int main(int, char** av) {
  int T = threads();
  std::string w = av[1];
  if (T > 1) {
    for (int i = 1; i < T; i++)
      std::thread([T] {
        bf::use_scheduling_algorithm<bf::algo::work_stealing>(T);
        bf::mutex m;
        bf::condition_variable c;
        std::unique_lock<bf::mutex> l(m);
        c.wait(l, [] { return false; });
      }).detach();
    bf::use_scheduling_algorithm<bf::algo::work_stealing>(T);
  }
  if (w == "pingpong") w_pingpong();
  else if (w == "ring") w_ring();
  else if (w == "spawn") w_spawn();
  else if (w == "idle") w_idle();
  else if (w == "fanin") w_fanin();
  else if (w == "big") w_big();
  else if (w == "skynet") w_skynet();
  else if (w == "chameneos") w_chameneos();
  else if (w == "call") w_call();
  else if (w == "fair_base") w_fair("fair_base", 0, false);
  else if (w == "fair_spin") w_fair("fair_spin", 1000, false);
  else if (w == "fair_yield") w_fair("fair_yield", 1000, true);
  else if (w == "wake") w_wake();
  else skipped();
}
