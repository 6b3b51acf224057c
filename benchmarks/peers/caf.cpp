// caf.cpp: the workloads on CAF, 0.17 and 1.x. Usage: PB_T=threads caf WORKLOAD
// Definitions of the workloads: benchmarks/README.md
// A process is an event-based actor on the work-stealing scheduler.
#include <caf/all.hpp>
#include <memory>
#include "peer.hpp"
using namespace caf;
using namespace std::chrono;
using eba = event_based_actor;
using i64 = int64_t;
#if CAF_VERSION >= 10000
#define CAF1 1
template <class S>
auto& ST(S* s) {
  return s->state();
}
template <class S, class D, class... Ts>
void snd(S* s, const D& d, Ts&&... ts) {
  s->mail(std::forward<Ts>(ts)...).send(d);
}
template <class S, class D, class... Ts>
void later(S* s, const D& d, milliseconds t, Ts&&... ts) {
  s->mail(std::forward<Ts>(ts)...).delay(t).send(d);
}
template <class D, class... Ts>
void anon(const D& d, Ts&&... ts) {
  anon_mail(std::forward<Ts>(ts)...).send(d);
}
#else
template <class S>
auto& ST(S* s) {
  return s->state;
}
template <class S, class D, class... Ts>
void snd(S* s, const D& d, Ts&&... ts) {
  s->send(d, std::forward<Ts>(ts)...);
}
template <class S, class D, class... Ts>
void later(S* s, const D& d, milliseconds t, Ts&&... ts) {
  s->delayed_send(d, t, std::forward<Ts>(ts)...);
}
template <class D, class... Ts>
void anon(const D& d, Ts&&... ts) {
  anon_send(d, std::forward<Ts>(ts)...);
}
#endif
static std::atomic<i64> g_left{0};

static behavior pong(eba* s) {
  return {[=](const actor& from, i64 v) { snd(s, from, v); }};
}
static behavior ping(eba* s, actor b, actor main, i64 n) {
  snd(s, b, actor_cast<actor>(s), n);
  return {[=](i64 v) {
    if (v == 1) {
      snd(s, main, ok_atom_v);
      s->quit();
    } else snd(s, b, actor_cast<actor>(s), v - 1);
  }};
}
static void wait_ok(scoped_actor& m, i64 n = 1) {
  for (i64 i = 0; i < n; i++) m->receive([](ok_atom) {});
}

static void w_pingpong(actor_system& sys) {
  const i64 N = 1000000;
  scoped_actor m{sys};
  auto b = sys.spawn(pong);
  i64 t0 = now_ns();
  sys.spawn(ping, b, actor_cast<actor>(m), N);
  wait_ok(m);
  out("pingpong", double(now_ns() - t0) / N, "ns/rt");
  done();
}
struct ring_st {
  actor next;
};
static behavior ring_node(stateful_actor<ring_st>* s, actor next, actor main) {
  ST(s).next = next;
  return {[=](actor n) { ST(s).next = n; },
          [=](i64 v) {
            if (v == 0) snd(s, main, ok_atom_v);
            else snd(s, ST(s).next, v - 1);
          }};
}
static void w_ring(actor_system& sys) {
  const i64 P = 1000, M = 1000000;
  scoped_actor m{sys};
  auto mm = actor_cast<actor>(m);
  actor first = sys.spawn(ring_node, actor{}, mm), nx = first;
  for (i64 i = 1; i < P; i++) nx = sys.spawn(ring_node, nx, mm);
  snd(&*m, first, nx);
  i64 t0 = now_ns();
  snd(&*m, first, M);
  wait_ok(m);
  out("ring", double(now_ns() - t0) / M, "ns/hop");
  done();
}
// spawn: one actor spawns batches of 1000 with a monitor on each
struct sp_st {
  i64 left = 1000000, open = 0;
};
static void nothing(eba*) {}
using sp_actor = stateful_actor<sp_st>;
static void sp_batch(sp_actor* s, actor main);
static void sp_down(sp_actor* s, actor main) {
  if (--ST(s).open == 0) {
    if (ST(s).left == 0) {
      snd(s, main, ok_atom_v);
      s->quit();
    } else sp_batch(s, main);
  }
}
static void sp_batch(sp_actor* s, actor main) {
  ST(s).open = 1000;
  ST(s).left -= 1000;
  for (int i = 0; i < 1000; i++) {
#ifdef CAF1
    // 1.x: monitor() itself took > 25 us each here (its bookkeeping grows), so the cheaper
    // attach_functor is used
    s->spawn(nothing)->attach_functor([h = actor_cast<actor>(s)] { anon(h, ok_atom_v); });
#else
    s->spawn<monitored>(nothing);
#endif
  }
}
static behavior spawner(sp_actor* s, actor main) {
#ifndef CAF1
  s->set_down_handler([=](down_msg&) { sp_down(s, main); });
#endif
  sp_batch(s, main);
  return {[=](ok_atom) { sp_down(s, main); }};
}
static void w_spawn(actor_system& sys) {
  scoped_actor m{sys};
  i64 t0 = now_ns();
  auto keep = sys.spawn(spawner, actor_cast<actor>(m));
  wait_ok(m);  // an unreferenced actor would be collected
  out("spawn", double(now_ns() - t0) / 1e6, "ns/proc");
  done();
}
static behavior idler(eba* s) {
  --g_left;
  return {[=](get_atom, const actor& f) {
    snd(s, f, ok_atom_v);
    s->quit();
  }};
}
struct coll_st {
  i64 left;
  i64 t2;
};
static behavior idle_main(stateful_actor<coll_st>* s, actor main) {
  const i64 N = 1000000;
  g_left = N;
  auto v = std::make_shared<std::vector<actor>>();
  v->reserve(N);
  double r0 = rss();
  i64 t0 = now_ns();
  for (i64 i = 0; i < N; i++) v->push_back(s->spawn(idler));
  ST(s).left = N;
  snd(s, actor_cast<actor>(s), put_atom_v);
  return {[=](put_atom) {
            if (g_left > 0) {
              later(s, actor_cast<actor>(s), milliseconds(1), put_atom_v);
              return;
            }
            i64 t1 = now_ns();
            double r1 = rss();
            out("idle_rss", (r1 - r0) / N, "B/proc");
            out("idle_create", double(t1 - t0) / N, "ns/proc");
            ST(s).t2 = now_ns();
            for (auto& a : *v) snd(s, a, get_atom_v, actor_cast<actor>(s));
          },
          [=](ok_atom) {
            if (--ST(s).left == 0) {
              out("idle_wake", double(now_ns() - ST(s).t2) / 1e6, "ms");
              snd(s, main, ok_atom_v);
            }
          }};
}
static void w_idle(actor_system& sys) {
  scoped_actor m{sys};
  auto keep = sys.spawn(idle_main, actor_cast<actor>(m));
  wait_ok(m);
  done();
}
struct cnt_st {
  i64 n = 0;
};
static behavior counter(stateful_actor<cnt_st>* s, actor main, i64 want) {
  return {[=](i64, i64) {
    if (++ST(s).n == want) snd(s, main, ok_atom_v);
  }};
}
static void fan_sender(eba* s, actor r, i64 k) {
  for (i64 i = 0; i < k; i++) snd(s, r, i, i);
}
static void w_fanin(actor_system& sys) {
  const i64 S = 8, K = 1000000;
  scoped_actor m{sys};
  i64 t0 = now_ns();
  auto r = sys.spawn(counter, actor_cast<actor>(m), S * K);
  for (int i = 0; i < S; i++) sys.spawn(fan_sender, r, K);
  wait_ok(m);
  out("fanin", S * K * 1e9 / double(now_ns() - t0), "msg/s");
  done();
}
static std::vector<actor> g_peers;
struct big_st {
  i64 got = 0;
  bool gone = false;
};
static behavior big_node(stateful_actor<big_st>* s, actor main, i64 me) {
  auto chk = [=] {
    auto& t = ST(s);
    if (t.gone && t.got == i64(g_peers.size()) - 1) {
      t.got = 0;
      t.gone = false;
      snd(s, main, ok_atom_v);
    }
  };
  return {[=](get_atom) {
            for (size_t j = 0; j < g_peers.size(); j++)
              if (i64(j) != me) snd(s, g_peers[j], me);
            ST(s).gone = true;
            chk();
          },
          [=](i64) {
            ST(s).got++;
            chk();
          }};
}
static void w_big(actor_system& sys) {
  const i64 P = 1000, R = 4;
  scoped_actor m{sys};
  for (i64 i = 0; i < P; i++) g_peers.push_back(sys.spawn(big_node, actor_cast<actor>(m), i));
  i64 t0 = 0;
  for (i64 r = 0; r <= R; r++) {
    if (r == 1) t0 = now_ns();
    for (auto& a : g_peers) snd(&*m, a, get_atom_v);
    wait_ok(m, P);
  }
  out("big", double(R * P * (P - 1)) * 1e9 / double(now_ns() - t0), "msg/s");
  done();
}
struct sky_st {
  i64 sum = 0;
  int left = 10;
};
static behavior sky(stateful_actor<sky_st>* s, i64 num, i64 size, actor parent) {
  if (size == 1) {
    snd(s, parent, num);
    return {};
  }
  i64 sub = size / 10;
  for (i64 i = 0; i < 10; i++) s->spawn(sky, num + i * sub, sub, actor_cast<actor>(s));
  return {[=](i64 v) {
    auto& t = ST(s);
    t.sum += v;
    if (--t.left == 0) {
      snd(s, parent, t.sum);
      s->quit();
    }
  }};
}
static void w_skynet(actor_system& sys) {
  scoped_actor m{sys};
  i64 t0 = now_ns(), r = 0;
  sys.spawn(sky, i64(0), i64(1000000), actor_cast<actor>(m));
  m->receive([&](i64 v) { r = v; });
  if (r != 499999500000) abort();
  out("skynet", double(now_ns() - t0) / 1e6, "ms");
  done();
}
struct mall_st {
  i64 left = 1000000, sum = 0;
  int faded = 100;
  actor wait;
};
static int compl_(int a, int b) { return a == b ? a : 3 - a - b; }
static behavior mall(stateful_actor<mall_st>* s, actor main) {
  return {[=](get_atom, int32_t c, const actor& p) {
            auto& t = ST(s);
            if (t.left > 0) {
              if (!t.wait) t.wait = p;
              else {
                snd(s, t.wait, get_atom_v, c, p);
                t.wait = nullptr;
                t.left--;
              }
            } else {
              snd(s, p, close_atom_v);
              if (t.wait) {
                snd(s, t.wait, close_atom_v);
                t.wait = nullptr;
              }
            }
          },
          [=](add_atom, i64 n) {
            auto& t = ST(s);
            t.sum += n;
            if (--t.faded == 0) snd(s, main, t.sum);
          }};
}
struct cham_st {
  int32_t color;
  i64 n = 0;
};
static behavior cham(stateful_actor<cham_st>* s, actor mall, int32_t c0) {
  ST(s).color = c0;
  snd(s, mall, get_atom_v, c0, actor_cast<actor>(s));
  return {[=](get_atom, int32_t c, const actor& p) {
            auto& t = ST(s);
            t.color = compl_(t.color, c);
            t.n++;
            snd(s, p, put_atom_v, t.color);
            snd(s, mall, get_atom_v, t.color, actor_cast<actor>(s));
          },
          [=](put_atom, int32_t c) {
            auto& t = ST(s);
            t.color = c;
            t.n++;
            snd(s, mall, get_atom_v, t.color, actor_cast<actor>(s));
          },
          [=](close_atom) {
            snd(s, mall, add_atom_v, ST(s).n);
            s->quit();
          }};
}
static void w_chameneos(actor_system& sys) {
  scoped_actor m{sys};
  i64 t0 = now_ns(), r = 0;
  auto ml = sys.spawn(mall, actor_cast<actor>(m));
  for (int i = 0; i < 100; i++) sys.spawn(cham, ml, int32_t(i % 3));
  m->receive([&](i64 v) { r = v; });
  if (r != 2000000) abort();
  out("chameneos", double(now_ns() - t0) / 1e6, "ms");
  done();
}
static behavior server(eba*) {
  return {[](i64 v) { return v; }};
}
static void do_call(eba* s, actor srv, actor main, i64 n) {
  if (n == 0) {
    snd(s, main, ok_atom_v);
    return;
  }
#ifdef CAF1
  s->mail(n).request(srv, seconds(5)).then([=](i64 v) {
    if (v != n) abort();
    do_call(s, srv, main, n - 1);
  });
#else
  s->request(srv, seconds(5), n).then([=](i64 v) {
    if (v != n) abort();
    do_call(s, srv, main, n - 1);
  });
#endif
}
static behavior client(eba* s, actor srv, actor main, i64 n) {
  do_call(s, srv, main, n);
  return {[](put_atom) {}};
}
static void w_call(actor_system& sys) {
  const i64 N = 500000;
  scoped_actor m{sys};
  auto srv = sys.spawn(server);
  i64 t0 = now_ns();
  sys.spawn(client, srv, actor_cast<actor>(m), N);
  wait_ok(m);
  out("call", N * 1e9 / double(now_ns() - t0), "call/s");
  done();
}
#include "caf_waiting.hpp"

int main(int, char** av) {
#ifdef CAF1
  core::init_global_meta_objects();
#endif
  actor_system_config cfg;
#ifdef CAF1
  cfg.set("caf.scheduler.max-threads", size_t(threads()));
#else
  cfg.set("scheduler.max-threads", size_t(threads()));
#endif
  actor_system sys{cfg};
  std::string w = av[1];
  if (w == "pingpong") w_pingpong(sys);
  else if (w == "ring") w_ring(sys);
  else if (w == "spawn") w_spawn(sys);
  else if (w == "idle") w_idle(sys);
  else if (w == "fanin") w_fanin(sys);
  else if (w == "big") w_big(sys);
  else if (w == "skynet") w_skynet(sys);
  else if (w == "chameneos") w_chameneos(sys);
  else if (w == "call") w_call(sys);
  else if (w == "selrecv") w_selrecv(sys);
  else if (w == "timers") w_timers(sys);
  else if (w == "fair_base") w_fair(sys, "fair_base", 0, false);
  else if (w == "fair_spin") w_fair(sys, "fair_spin", 1000, false);
  else if (w == "fair_yield") w_fair(sys, "fair_yield", 1000, true);
  else if (w == "wake") w_wake(sys);
  else if (w == "restart") w_restart(sys);
  else skipped();
}
