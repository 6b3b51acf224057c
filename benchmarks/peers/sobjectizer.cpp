// sobjectizer.cpp: the workloads on SObjectizer 5.8. Usage: PB_T=threads sobjectizer WORKLOAD
// Definitions of the workloads: benchmarks/README.md
// A process is an agent bound to the thread_pool dispatcher (individual FIFO), each in its own
// cooperation unless noted, its mailbox the agent's direct (MPSC) mbox.
#include <future>
#include <memory>
#include <so_5/all.hpp>
#include "peer.hpp"
using i64 = int64_t;
using namespace so_5;
static environment_t* E;
static disp::thread_pool::dispatcher_handle_t D;
static disp_binder_shptr_t B() {
  return D.binder(disp::thread_pool::bind_params_t{}.fifo(disp::thread_pool::fifo_t::individual));
}
static std::promise<i64> P;
template <class A, class... Ts>
static mbox_t mk(Ts&&... ts) {
  mbox_t m;
  E->introduce_coop(
      B(), [&](coop_t& c) { m = c.make_agent<A>(std::forward<Ts>(ts)...)->so_direct_mbox(); });
  return m;
}
static i64 wait() { return P.get_future().get(); }
struct Ball {
  mbox_t from;
  i64 v;
};
struct Num {
  i64 v;
};
struct Two {
  i64 a, b;
};
struct Go final : signal_t {};
struct Pong final : agent_t {
  using agent_t::agent_t;
  void so_define_agent() override {
    so_subscribe_self().event([](mhood_t<Ball> m) { send<Num>(m->from, m->v); });
  }
};
struct Ping final : agent_t {
  mbox_t b;
  i64 n;
  Ping(context_t c, mbox_t b_, i64 n_) : agent_t(c), b(b_), n(n_) {}
  void so_define_agent() override {
    so_subscribe_self().event([this](mhood_t<Num> m) {
      if (m->v == 1) P.set_value(0);
      else send<Ball>(b, so_direct_mbox(), m->v - 1);
    });
  }
  void so_evt_start() override { send<Ball>(b, so_direct_mbox(), n); }
};
static void w_pingpong() {
  const i64 N = 1000000;
  auto b = mk<Pong>();
  i64 t0 = now_ns();
  mk<Ping>(b, N);
  wait();
  out("pingpong", double(now_ns() - t0) / N, "ns/rt");
  done();
}
static std::vector<mbox_t> boxes;
struct RingN final : agent_t {
  size_t i;
  RingN(context_t c, size_t i_) : agent_t(c), i(i_) {}
  void so_define_agent() override {
    so_subscribe_self().event([this](mhood_t<Num> m) {
      if (m->v == 0) P.set_value(0);
      else send<Num>(boxes[i + 1 == boxes.size() ? 0 : i + 1], m->v - 1);
    });
  }
};
static void w_ring() {
  const i64 M = 1000000;
  for (size_t i = 0; i < 1000; i++) boxes.push_back(mk<RingN>(i));
  i64 t0 = now_ns();
  send<Num>(boxes[0], M);
  wait();
  out("ring", double(now_ns() - t0) / M, "ns/hop");
  done();
}
struct Nop final : agent_t {
  using agent_t::agent_t;
  void so_evt_start() override { so_deregister_agent_coop_normally(); }
};
struct Spawner final : agent_t {
  i64 left = 1000000, open = 0;
  using agent_t::agent_t;
  void batch() {
    open = 1000;
    left -= 1000;
    auto n = make_coop_dereg_notificator(so_direct_mbox());
    for (int i = 0; i < 1000; i++)
      E->introduce_coop(B(), [&](coop_t& c) {
        c.add_dereg_notificator(n);
        c.make_agent<Nop>();
      });
  }
  void so_define_agent() override {
    so_subscribe_self().event([this](mhood_t<msg_coop_deregistered>) {
      if (--open == 0) {
        if (left == 0) P.set_value(0);
        else batch();
      }
    });
  }
  void so_evt_start() override { batch(); }
};
static void w_spawn() {
  i64 t0 = now_ns();
  mk<Spawner>();
  wait();
  out("spawn", double(now_ns() - t0) / 1e6, "ns/proc");
  done();
}
static std::atomic<i64> up{0}, got{0};
static i64 idle_n = 1000000;
struct IdleMain final : agent_t {
  using agent_t::agent_t;
  void so_define_agent() override {
    so_subscribe_self().event([](mhood_t<Go>) {
      if (++got == idle_n) P.set_value(0);
    });
  }
};
struct Idle final : agent_t {
  using agent_t::agent_t;
  void so_define_agent() override {
    so_subscribe_self().event([](mhood_t<Ball> m) { send<Go>(m->from); });
  }
  void so_evt_start() override { up++; }
};
static void w_idle() {  // coops of 1000 agents each
  auto m = mk<IdleMain>();
  boxes.reserve(idle_n);
  double r0 = rss();
  i64 t0 = now_ns();
  for (i64 i = 0; i < idle_n / 1000; i++)
    E->introduce_coop(B(), [&](coop_t& c) {
      for (int j = 0; j < 1000; j++) boxes.push_back(c.make_agent<Idle>()->so_direct_mbox());
    });
  while (up < idle_n) usleep(100);
  i64 t1 = now_ns();
  out("idle_rss", (rss() - r0) / double(idle_n), "B/proc");
  out("idle_create", double(t1 - t0) / double(idle_n), "ns/proc");
  t1 = now_ns();
  for (auto& b : boxes) send<Ball>(b, m, 0);
  wait();
  out("idle_wake", double(now_ns() - t1) / 1e6, "ms");
  done();
}
struct Counter final : agent_t {
  i64 n;
  Counter(context_t c, i64 n_) : agent_t(c), n(n_) {}
  void so_define_agent() override {
    so_subscribe_self().event([this](mhood_t<Two>) {
      if (--n == 0) P.set_value(0);
    });
  }
};
struct Sender final : agent_t {
  mbox_t r;
  i64 k;
  Sender(context_t c, mbox_t r_, i64 k_) : agent_t(c), r(r_), k(k_) {}
  void so_evt_start() override {
    for (i64 i = 0; i < k; i++) send<Two>(r, i, i);
  }
};
static void w_fanin() {
  const i64 S = 8, K = 1000000;
  i64 t0 = now_ns();
  auto r = mk<Counter>(S * K);
  for (int i = 0; i < S; i++) mk<Sender>(r, K);
  wait();
  out("fanin", double(S * K) * 1e9 / double(now_ns() - t0), "msg/s");
  done();
}
static std::atomic<i64> rounds_left{0};
struct Big final : agent_t {
  size_t me;
  i64 got = 0;
  bool gone = false;
  Big(context_t c, size_t i) : agent_t(c), me(i) {}
  void chk() {
    if (gone && got == i64(boxes.size()) - 1) {
      got = 0;
      gone = false;
      if (--rounds_left == 0) P.set_value(0);
    }
  }
  void so_define_agent() override {
    so_subscribe_self()
        .event([this](mhood_t<Go>) {
          for (size_t j = 0; j < boxes.size(); j++)
            if (j != me) send<Num>(boxes[j], i64(me));
          gone = true;
          chk();
        })
        .event([this](mhood_t<Num>) {
          got++;
          chk();
        });
  }
};
static void w_big() {
  const i64 N = 1000, R = 4;
  for (i64 i = 0; i < N; i++) boxes.push_back(mk<Big>(size_t(i)));
  i64 t0 = 0;
  for (i64 r = 0; r <= R; r++) {
    if (r == 1) t0 = now_ns();
    P = std::promise<i64>();
    rounds_left = N;
    for (auto& b : boxes) send<Go>(b);
    wait();
  }
  out("big", double(R * N * (N - 1)) * 1e9 / double(now_ns() - t0), "msg/s");
  done();
}
struct Sky final : agent_t {
  i64 num, size;
  mbox_t parent;
  i64 sum = 0;
  int left = 10;
  Sky(context_t c, i64 n, i64 s, mbox_t p) : agent_t(c), num(n), size(s), parent(p) {}
  void report(i64 v) {
    if (parent) send<Num>(parent, v);
    else P.set_value(v);
  }
  void so_define_agent() override {
    if (size > 1)
      so_subscribe_self().event([this](mhood_t<Num> m) {
        sum += m->v;
        if (--left == 0) {
          report(sum);
          so_deregister_agent_coop_normally();
        }
      });
  }
  void so_evt_start() override {
    if (size == 1) {
      report(num);
      so_deregister_agent_coop_normally();
      return;
    }
    for (i64 i = 0; i < 10; i++) mk<Sky>(num + i * (size / 10), size / 10, so_direct_mbox());
  }
};
static void w_skynet() {
  i64 t0 = now_ns();
  mk<Sky>(i64(0), i64(1000000), mbox_t{});
  if (wait() != 499999500000) abort();
  out("skynet", double(now_ns() - t0) / 1e6, "ms");
  done();
}
struct Meet {
  int color;
  mbox_t from;
};
struct Change {
  int color;
};
struct Stop final : signal_t {};
static int compl_(int a, int b) { return a == b ? a : 3 - a - b; }
struct Mall final : agent_t {
  i64 left = 1000000, sum = 0;
  int faded = 100;
  mbox_t w;
  using agent_t::agent_t;
  void so_define_agent() override {
    so_subscribe_self()
        .event([this](mhood_t<Meet> m) {
          if (left > 0) {
            if (!w) w = m->from;
            else {
              send<Meet>(w, m->color, m->from);
              w = mbox_t{};
              left--;
            }
          } else {
            send<Stop>(m->from);
            if (w) {
              send<Stop>(w);
              w = mbox_t{};
            }
          }
        })
        .event([this](mhood_t<Num> m) {
          sum += m->v;
          if (--faded == 0) P.set_value(sum);
        });
  }
};
struct Cham final : agent_t {
  mbox_t mall;
  int color;
  i64 n = 0;
  Cham(context_t c, mbox_t m, int k) : agent_t(c), mall(m), color(k) {}
  void meet() { send<Meet>(mall, color, so_direct_mbox()); }
  void so_define_agent() override {
    so_subscribe_self()
        .event([this](mhood_t<Meet> m) {
          color = compl_(color, m->color);
          n++;
          send<Change>(m->from, color);
          meet();
        })
        .event([this](mhood_t<Change> m) {
          color = m->color;
          n++;
          meet();
        })
        .event([this](mhood_t<Stop>) { send<Num>(mall, n); });
  }
  void so_evt_start() override { meet(); }
};
static void w_chameneos() {
  i64 t0 = now_ns();
  auto m = mk<Mall>();
  for (int i = 0; i < 100; i++) mk<Cham>(m, i % 3);
  if (wait() != 2000000) abort();
  out("chameneos", double(now_ns() - t0) / 1e6, "ms");
  done();
}
static std::vector<i64> lat;
static size_t want = 0;
struct Timers final : agent_t {
  using agent_t::agent_t;
  void so_define_agent() override {
    so_subscribe_self().event([](mhood_t<Num> m) {
      lat.push_back(now_ns() - m->v);
      if (lat.size() == want) P.set_value(0);
    });
  }
  void so_evt_start() override {
    const i64 N = 1000000;
    static std::vector<timer_id_t> t;
    t.reserve(N);
    lat.reserve(N);
    want = N / 10;
    i64 x = 12345, t0 = now_ns();
    for (i64 i = 0; i < N; i++) {
      x = (x * 16807 + 1) & 0x7fffffff;
      i64 ms = 3000 + (x >> 8) % 2000;
      t.push_back(send_periodic<Num>(so_direct_mbox(), std::chrono::milliseconds(ms),
                                     std::chrono::milliseconds(0), now_ns() + ms * 1000000));
    }
    i64 t1 = now_ns();
    for (i64 i = 0; i < N; i++)
      if (i % 10) t[i].release();
    i64 t2 = now_ns();
    out("timer_arm", double(t1 - t0) / N, "ns/op");
    out("timer_cancel", double(t2 - t1) / (N / 10 * 9), "ns/op");
  }
};
static void w_timers() {
  mk<Timers>();
  wait();
  quant("timer_late", lat);
  done();
}
static Fair F;
struct Echo final : agent_t {
  using agent_t::agent_t;
  void so_define_agent() override {
    so_subscribe_self().event([](mhood_t<Ball> m) { send<Stop>(m->from); });
  }
};
struct FPing final : agent_t {
  mbox_t e;
  i64 t0 = 0;
  FPing(context_t c, mbox_t e_) : agent_t(c), e(e_) {}
  void arm() {
    t0 = now_ns();
    F.begin(t0);
    send_delayed<Go>(so_direct_mbox(), std::chrono::milliseconds(1));
  }
  void so_define_agent() override {
    so_subscribe_self()
        .event([this](mhood_t<Go>) { send<Ball>(e, so_direct_mbox(), 0); })
        .event([this](mhood_t<Stop>) {
          F.add(now_ns() - t0 - 1000000);
          arm();
        });
  }
  void so_evt_start() override { arm(); }
};
struct Hog final : agent_t {
  bool y;
  uint64_t x = 1;
  Hog(context_t c, bool y_) : agent_t(c), y(y_) {}
  void so_define_agent() override {
    so_subscribe_self().event([this](mhood_t<Go>) {
      x = work(5000, x);
      send<Go>(so_direct_mbox());
    });
  }
  void so_evt_start() override {
    if (!y)
      for (;;) x = work(5000, x);
    send<Go>(so_direct_mbox());
  }
};
static void w_fair(const char* n, int hogs, bool y) {
  auto e = mk<Echo>();
  mk<FPing>(e);
  for (int i = 0; i < hogs; i++) mk<Hog>(y);
  F.finish(n);
}
struct WR final : agent_t {
  using agent_t::agent_t;
  void so_define_agent() override {
    so_subscribe_self().event([](mhood_t<Num> m) {
      lat.push_back(now_ns() - m->v);
      if (lat.size() == 2000) P.set_value(0);
    });
  }
};
struct WS final : agent_t {
  mbox_t r;
  WS(context_t c, mbox_t r_) : agent_t(c), r(r_) {}
  void so_define_agent() override {
    so_subscribe_self().event([this](mhood_t<Go>) {
      i64 t = now_ns();
      send<Num>(r, t);
      while (now_ns() < t + 200000);
      so_evt_start();
    });
  }
  void so_evt_start() override { send_delayed<Go>(so_direct_mbox(), std::chrono::milliseconds(1)); }
};
static void w_wake() {
  lat.reserve(4000);
  mk<WS>(mk<WR>());
  wait();
  quant("wake", lat);
  done();
}
int main(int, char** av) {
  wrapped_env_t env;
  E = &env.environment();
  D = disp::thread_pool::make_dispatcher(*E, size_t(threads()));
  std::string w = av[1];
  if (w == "pingpong") w_pingpong();
  else if (w == "ring") w_ring();
  else if (w == "spawn") w_spawn();
  else if (w == "idle") w_idle();
  else if (w == "fanin") w_fanin();
  else if (w == "big") w_big();
  else if (w == "skynet") w_skynet();
  else if (w == "chameneos") w_chameneos();
  else if (w == "timers") w_timers();
  else if (w == "fair_base") w_fair("fair_base", 0, false);
  else if (w == "fair_spin") w_fair("fair_spin", 1000, false);
  else if (w == "fair_yield") w_fair("fair_yield", 1000, true);
  else if (w == "wake") w_wake();
  else skipped();
}
