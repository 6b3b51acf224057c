// limits_queues.hpp: what queues cost between and within threads; part of limits.cpp.
#pragma once

// --- moodycamel
static u64 mc_bytes;
struct Tr : moodycamel::ConcurrentQueueDefaultTraits {
  static void* malloc(size_t n) {
    mc_bytes += n;
    return std::malloc(n);
  }
  static void free(void* p) { std::free(p); }
};
static void moody() {
  pin(0);
  {
    moodycamel::ConcurrentQueue<void*, Tr> q;
    out("moodycamel_sizeof", sizeof q, "B");
    out("moodycamel_bytes_constructed", mc_bytes, "B");
    q.enqueue(nullptr);
    out("moodycamel_bytes_after_first_enqueue", mc_bytes, "B");
    mc_bytes = 0;
    moodycamel::ConcurrentQueue<void*, Tr> q2(0);
    out("moodycamel_bytes_constructed_cap0", mc_bytes, "B");
    q2.enqueue(nullptr);
    out("moodycamel_cap0_bytes_after_first_enqueue", mc_bytes, "B");
  }
  moodycamel::ConcurrentQueue<void*> q;
  void* x;
  out("moodycamel_enq_deq_1thread",
      best(10, 1000000,
           [&](u64 n) {
             for (u64 i = 0; i < n; i++) {
               q.enqueue((void*)i);
               q.try_dequeue(x);
             }
           }),
      "ns");
  moodycamel::ProducerToken pt(q);
  moodycamel::ConsumerToken ct(q);
  out("moodycamel_enq_deq_1thread_tokens",
      best(10, 1000000,
           [&](u64 n) {
             for (u64 i = 0; i < n; i++) {
               q.enqueue(pt, (void*)i);
               q.try_dequeue(ct, x);
             }
           }),
      "ns");
  double b = 1e18;
  const u64 N = 2000000;
  for (int r = 0; r < 5; r++) {
    moodycamel::ConcurrentQueue<void*> q2;
    u64 t0 = now();
    std::thread c([&] {
      pin(1);
      void* x;
      for (u64 i = 0; i < N;)
        if (q2.try_dequeue(x)) i++;
    });
    for (u64 i = 0; i < N; i++) q2.enqueue((void*)(i + 1));
    c.join();
    b = std::min(b, double(now() - t0) / N);
  }
  out("moodycamel_2threads_per_msg", b, "ns");
}
// --- intrusive MPSC (a Vyukov queue) and a stack taken whole by exchange
struct Nd {
  std::atomic<Nd*> next;
  u64 v[3];
};
struct Vq {
  alignas(64) std::atomic<Nd*> head;
  alignas(64) Nd* tail;
  Nd stub;
  Vq() : head(&stub), tail(&stub) { stub.next = nullptr; }
  void push(Nd* n) {
    n->next.store(nullptr, std::memory_order_relaxed);
    Nd* p = head.exchange(n, std::memory_order_acq_rel);
    p->next.store(n, std::memory_order_release);
  }
  Nd* pop() {
    Nd *t = tail, *n = t->next.load(std::memory_order_acquire);
    if (t == &stub) {
      if (!n) return nullptr;
      tail = n;
      t = n;
      n = n->next.load(std::memory_order_acquire);
    }
    if (n) {
      tail = n;
      return t;
    }
    if (t != head.load(std::memory_order_acquire)) return nullptr;
    push(&stub);
    n = t->next.load(std::memory_order_acquire);
    if (n) {
      tail = n;
      return t;
    }
    return nullptr;
  }
};
struct Stk {  // LIFO inbox taken whole; FIFO restored by the consumer
  alignas(64) std::atomic<Nd*> top{nullptr};
  alignas(64) Nd* mine = nullptr;
  void push(Nd* n) {
    Nd* o = top.load(std::memory_order_relaxed);
    do n->next.store(o, std::memory_order_relaxed);
    while (!top.compare_exchange_weak(o, n, std::memory_order_release, std::memory_order_relaxed));
  }
  Nd* pop() {
    if (!mine) {
      if (!top.load(std::memory_order_relaxed)) return nullptr;
      Nd* l = top.exchange(nullptr, std::memory_order_acquire);
      while (l) {
        Nd* n = l->next.load(std::memory_order_relaxed);
        l->next.store(mine, std::memory_order_relaxed);
        mine = l;
        l = n;
      }
    }
    Nd* r = mine;
    mine = r->next.load(std::memory_order_relaxed);
    return r;
  }
};
template <class Q>
static void mpsc1(const char* tag) {
  auto nm = [&](const char* s) { return std::string(tag) + s; };
  pin(0);
  Q q;
  std::vector<Nd> v(4096);
  out(nm("_push_pop_1thread").c_str(),
      best(20, 1000000,
           [&](u64 n) {
             for (u64 i = 0; i < n; i++) {
               q.push(&v[i & 4095]);
               gsink = q.pop();
             }
           }),
      "ns");
  out(nm("_push_pop_batch4k").c_str(),
      best(20, 4096 * 256,
           [&](u64 n) {
             for (u64 k = 0; k < n / 4096; k++) {
               for (auto& x : v) q.push(&x);
               for (size_t i = 0; i < v.size(); i++) gsink = q.pop();
             }
           }),
      "ns");
  const u64 N = 1000000;
  double b = 1e18;
  std::vector<Nd> w(N);
  for (int r = 0; r < 8; r++) {
    Q q2;
    u64 t0 = now();
    std::thread c([&] {
      pin(1);
      for (u64 i = 0; i < N;)
        if (q2.pop()) i++;
        else __builtin_ia32_pause();
    });
    for (u64 i = 0; i < N; i++) {
      w[i].v[0] = i;
      q2.push(&w[i]);
    }
    c.join();
    b = std::min(b, double(now() - t0) / N);
  }
  out(nm("_2threads_per_msg").c_str(), b, "ns");
}
static void mpsc() {
  mpsc1<Vq>("vyukov_mpsc");
  mpsc1<Stk>("stack_mpsc");
}
