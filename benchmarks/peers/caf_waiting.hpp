// caf_waiting.hpp: selective receive, timers, fairness, wake and restart on CAF; part of caf.cpp.
#pragma once

static void w_selrecv(actor_system& sys) {
  const i64 Q = 100000, K = 50;
  scoped_actor m{sys};
  auto me = actor_cast<actor>(m);
  for (i64 i = 0; i < Q; i++) snd(&*m, me, get_atom_v, i);
  i64 t0 = now_ns();
  snd(&*m, me, put_atom_v, i64(0));
  m->receive([](put_atom, i64) {});
  i64 t1 = now_ns();
  for (i64 i = 0; i < K; i++) {
    snd(&*m, me, put_atom_v, i);
    m->receive([](put_atom, i64) {});
  }
  out("selrecv_first", double(t1 - t0) / 1000, "us");
  out("selrecv_again", double(now_ns() - t1) / 1000 / K, "us");
  done();
}
#ifdef CAF1
static std::vector<i64> g_lat;
static i64 g_want;
static behavior timer_main(eba* s, actor main) {
  const i64 N = 1000000;
  std::vector<disposable> d;
  d.reserve(N);
  g_lat.reserve(N);
  g_want = N;
  i64 x = 12345, t0 = now_ns();
  for (i64 i = 0; i < N; i++) {
    x = (x * 16807 + 1) & 0x7fffffff;
    i64 ms = 3000 + (x >> 8) % 2000, dl = now_ns() + ms * 1000000;
    d.push_back(s->run_delayed(milliseconds(ms), [=] {
      g_lat.push_back(now_ns() - dl);
      if (i64(g_lat.size()) == g_want) snd(s, main, ok_atom_v);
    }));
  }
  i64 t1 = now_ns();
  for (i64 i = 0; i < N; i++)
    if (i % 10) d[i].dispose();
  i64 t2 = now_ns();
  g_want = N / 10;
  out("timer_arm", double(t1 - t0) / N, "ns/op");
  out("timer_cancel", double(t2 - t1) / (N / 10 * 9), "ns/op");
  return {[](put_atom) {}};
}
static void w_timers(actor_system& sys) {
  scoped_actor m{sys};
  sys.spawn(timer_main, actor_cast<actor>(m));
  wait_ok(m);
  quant("timer_late", g_lat);
  done();
}
#else
static void w_timers(actor_system&) { skipped(); }  // 0.17: a delayed message cannot be cancelled
#endif
static Fair g_fair;
static behavior fecho(eba* s) {
  return {[=](get_atom, const actor& f) { snd(s, f, put_atom_v); }};
}
struct fp_st {
  i64 t0;
};
static behavior fping(stateful_actor<fp_st>* s, actor e) {
  auto arm = [=] {
    ST(s).t0 = now_ns();
    g_fair.begin(ST(s).t0);
    later(s, actor_cast<actor>(s), milliseconds(1), tick_atom_v);
  };
  arm();
  return {[=](tick_atom) { snd(s, e, get_atom_v, actor_cast<actor>(s)); },
          [=](put_atom) {
            g_fair.add(now_ns() - ST(s).t0 - 1000000);
            arm();
          }};
}
struct hog_st {
  uint64_t x = 1;
};
static behavior hog(stateful_actor<hog_st>* s, bool yields) {
  if (!yields)
    for (uint64_t x = 1;;) x = work(5000, x);
  snd(s, actor_cast<actor>(s), tick_atom_v);
  return {[=](tick_atom) {
    ST(s).x = work(5000, ST(s).x);
    snd(s, actor_cast<actor>(s), tick_atom_v);
  }};
}
static void w_fair(actor_system& sys, const char* n, int hogs, bool yields) {
  auto e = sys.spawn(fecho);
  sys.spawn(fping, e);
  for (int i = 0; i < hogs; i++) sys.spawn(hog, yields);
  g_fair.finish(n);
}
static std::vector<i64> g_wl;
static behavior wrecv(eba* s, actor main, size_t n) {
  return {[=](i64 t) {
    g_wl.push_back(now_ns() - t);
    if (g_wl.size() == n) snd(s, main, ok_atom_v);
  }};
}
static behavior wsend(eba* s, actor r) {
  later(s, actor_cast<actor>(s), milliseconds(1), tick_atom_v);
  return {[=](tick_atom) {
    i64 t = now_ns();
    snd(s, r, t);
    while (now_ns() < t + 200000);
    later(s, actor_cast<actor>(s), milliseconds(1), tick_atom_v);
  }};
}
static void w_wake(actor_system& sys) {
  g_wl.reserve(4000);
  scoped_actor m{sys};
  sys.spawn(wsend, sys.spawn(wrecv, actor_cast<actor>(m), size_t(2000)));
  wait_ok(m);
  quant("wake", g_wl);
  done();
}
// hand-written supervisor: monitors its child and spawns it again
static behavior child(eba* s) {
  return {[=](get_atom, const actor& f) { snd(s, f, put_atom_v); }};
}
static void sup_start(eba* s, actor tester) {
#ifdef CAF1
  auto c = s->spawn(child);
  s->monitor(c, [=](const error&) { sup_start(s, tester); });
#else
  auto c = s->spawn<monitored>(child);
#endif
  snd(s, tester, c);
}
static behavior sup(eba* s, actor tester) {
#ifndef CAF1
  s->set_down_handler([=](down_msg&) { sup_start(s, tester); });
#endif
  sup_start(s, tester);
  return {[](ok_atom) {}};
}
struct rt_st {
  i64 t0 = 0;
  actor c;
};
static behavior rtester(stateful_actor<rt_st>* s, actor main, size_t n) {
  return {[=](const actor& c) {
            ST(s).c = c;
            snd(s, c, get_atom_v, actor_cast<actor>(s));
          },
          [=](put_atom) {
            auto& t = ST(s);
            if (t.t0) g_wl.push_back(now_ns() - t.t0);
            if (g_wl.size() == n) {
              snd(s, main, ok_atom_v);
              return;
            }
            t.t0 = now_ns();
            s->send_exit(t.c, exit_reason::kill);
          }};
}
static void w_restart(actor_system& sys) {
  g_wl.reserve(2000);
  scoped_actor m{sys};
  auto t = sys.spawn(rtester, actor_cast<actor>(m), size_t(1000));
  auto keep = sys.spawn(sup, t);
  wait_ok(m);
  quant("restart", g_wl);
  done();
}
