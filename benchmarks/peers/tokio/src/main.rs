// tokio peer. Usage: PB_T=threads pbench_tokio WORKLOAD
// Definitions of the workloads: benchmarks/README.md
// A process is a spawned task, its mailbox an unbounded mpsc channel.
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering::*};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::{Duration, Instant};
use tokio::runtime::{Builder, Runtime};
use tokio::sync::mpsc::{unbounded_channel, UnboundedReceiver, UnboundedSender};
use tokio::sync::oneshot;

fn now() -> i64 {
    static E: OnceLock<Instant> = OnceLock::new();
    E.get_or_init(Instant::now).elapsed().as_nanos() as i64
}
fn out(name: &str, v: f64, unit: &str) {
    println!("R {} {:.3} {}", name, v, unit);
}
fn quant(prefix: &str, mut l: Vec<i64>) {
    l.sort();
    if l.is_empty() {
        return;
    }
    for (t, q) in [("p50", 0.5), ("p99", 0.99), ("p999", 0.999), ("max", 1.0)] {
        let i = ((q * l.len() as f64).ceil() as usize).clamp(1, l.len()) - 1;
        out(&format!("{}_{}", prefix, t), l[i] as f64 / 1000.0, "us");
    }
}
fn rss() -> f64 {
    let s = std::fs::read_to_string("/proc/self/statm").unwrap();
    s.split(' ').nth(1).unwrap().parse::<f64>().unwrap() * 4096.0
}
fn threads() -> usize {
    std::env::var("PB_T").ok().and_then(|s| s.parse().ok()).unwrap_or(2)
}
fn rt() -> Runtime {
    let t = threads();
    if t == 1 {
        Builder::new_current_thread().enable_time().build().unwrap()
    } else {
        Builder::new_multi_thread().worker_threads(t).enable_time().build().unwrap()
    }
}
fn boxp<T>() -> (UnboundedSender<T>, UnboundedReceiver<T>) {
    unbounded_channel()
}

fn pingpong() {
    const N: i64 = 1_000_000;
    let (ta, mut ra) = boxp::<i64>();
    let (tb, mut rb) = boxp::<(UnboundedSender<i64>, i64)>();
    let t0 = now();
    rt().block_on(async move {
        tokio::spawn(async move {
            while let Some((from, v)) = rb.recv().await {
                let _ = from.send(v);
            }
        });
        tokio::spawn(async move {
            for i in 0..N {
                let _ = tb.send((ta.clone(), i));
                assert!(ra.recv().await == Some(i));
            }
        })
        .await
        .unwrap();
        out("pingpong", (now() - t0) as f64 / N as f64, "ns/rt");
    });
}

fn ring() {
    const P: usize = 1000;
    const M: i64 = 1_000_000;
    rt().block_on(async {
        let (td, rd) = oneshot::channel::<()>();
        let mut td = Some(td);
        let (mut tx, mut rx): (Vec<_>, Vec<_>) = (0..P).map(|_| boxp::<i64>()).unzip();
        for i in (0..P).rev() {
            let mut me = rx.pop().unwrap();
            let next = tx[(i + 1) % P].clone();
            let mut done = td.take();
            // the token starts at process 0 and 1000000 % 1000 = 0: it ends there too
            if i != 0 {
                td = done.take();
            }
            tokio::spawn(async move {
                while let Some(v) = me.recv().await {
                    if v == 0 {
                        let _ = done.take().unwrap().send(());
                    } else {
                        let _ = next.send(v - 1);
                    }
                }
            });
        }
        let t0 = now();
        let _ = tx[0].send(M);
        tx.truncate(1);
        rd.await.unwrap();
        out("ring", (now() - t0) as f64 / M as f64, "ns/hop");
        std::process::exit(0);
    });
}

fn spawn() {
    rt().block_on(async {
        let t0 = now();
        tokio::spawn(async {
            for _ in 0..1000 {
                let hs: Vec<_> = (0..1000).map(|_| tokio::spawn(async {})).collect();
                for h in hs {
                    h.await.unwrap();
                }
            }
        })
        .await
        .unwrap();
        out("spawn", (now() - t0) as f64 / 1e6, "ns/proc");
    });
}

fn idle() {
    const N: usize = 1_000_000;
    rt().block_on(async {
        tokio::spawn(async {
            let (tm, mut rm) = boxp::<i64>();
            let mut v = Vec::with_capacity(N);
            let up = Arc::new(AtomicUsize::new(0));
            let (r0, t0) = (rss(), now());
            for _ in 0..N {
                let (t, mut r) = boxp::<UnboundedSender<i64>>();
                let up = up.clone();
                tokio::spawn(async move {
                    up.fetch_add(1, Relaxed);
                    if let Some(f) = r.recv().await {
                        let _ = f.send(1);
                    }
                });
                v.push(t);
            }
            while up.load(Relaxed) < N {
                tokio::task::yield_now().await;
            }
            let (t1, r1) = (now(), rss());
            out("idle_rss", (r1 - r0) / N as f64, "B/proc");
            out("idle_create", (t1 - t0) as f64 / N as f64, "ns/proc");
            let t2 = now();
            for t in &v {
                let _ = t.send(tm.clone());
            }
            for _ in 0..N {
                rm.recv().await.unwrap();
            }
            out("idle_wake", (now() - t2) as f64 / 1e6, "ms");
            std::process::exit(0);
        })
        .await
        .unwrap();
    });
}

fn fanin() {
    const S: usize = 8;
    const K: i64 = 1_000_000;
    rt().block_on(async {
        let (t, mut r) = boxp::<(i64, i64)>();
        let t0 = now();
        let h = tokio::spawn(async move {
            for _ in 0..S as i64 * K {
                r.recv().await.unwrap();
            }
        });
        for _ in 0..S {
            let t = t.clone();
            tokio::spawn(async move {
                for j in 0..K {
                    let _ = t.send((j, j));
                }
            });
        }
        h.await.unwrap();
        out("fanin", S as f64 * K as f64 * 1e9 / (now() - t0) as f64, "msg/s");
    });
}

fn big() {
    const P: usize = 1000;
    const ROUNDS: usize = 4;
    rt().block_on(async {
        tokio::spawn(async {
            let (tm, mut rm) = boxp::<()>();
            let (tx, rx): (Vec<_>, Vec<_>) = (0..P).map(|_| boxp::<(u32, u32)>()).unzip();
            let tx = Arc::new(tx);
            for (i, mut me) in rx.into_iter().enumerate() {
                let (tx, tm) = (tx.clone(), tm.clone());
                tokio::spawn(async move {
                    let (mut got, mut gone) = (0, false);
                    while let Some((k, _from)) = me.recv().await {
                        if k == 1 {
                            for (j, o) in tx.iter().enumerate() {
                                if j != i {
                                    let _ = o.send((0, i as u32));
                                }
                            }
                            gone = true;
                        } else {
                            got += 1;
                        }
                        if gone && got == P - 1 {
                            got = 0;
                            gone = false;
                            let _ = tm.send(());
                        }
                    }
                });
            }
            let mut t0 = 0;
            for r in 0..ROUNDS + 1 {
                if r == 1 {
                    t0 = now();
                }
                for t in tx.iter() {
                    let _ = t.send((1, 0));
                }
                for _ in 0..P {
                    rm.recv().await.unwrap();
                }
            }
            out("big", (ROUNDS * P * (P - 1)) as f64 * 1e9 / (now() - t0) as f64, "msg/s");
            std::process::exit(0);
        })
        .await
        .unwrap();
    });
}

fn sky(num: i64, size: i64, parent: UnboundedSender<i64>) -> std::pin::Pin<Box<dyn std::future::Future<Output = ()> + Send>> {
    Box::pin(async move {
        if size == 1 {
            let _ = parent.send(num);
            return;
        }
        let (t, mut r) = boxp::<i64>();
        let sub = size / 10;
        for i in 0..10 {
            tokio::spawn(sky(num + i * sub, sub, t.clone()));
        }
        let mut sum = 0;
        for _ in 0..10 {
            sum += r.recv().await.unwrap();
        }
        let _ = parent.send(sum);
    })
}

fn skynet() {
    rt().block_on(async {
        let t0 = now();
        let (t, mut r) = boxp::<i64>();
        tokio::spawn(sky(0, 1_000_000, t));
        assert!(r.recv().await == Some(499999500000));
        out("skynet", (now() - t0) as f64 / 1e6, "ms");
    });
}

enum C {
    Meet(u8, UnboundedSender<C>),
    Change(u8),
    Stop,
    Count(i64),
}
fn compl(a: u8, b: u8) -> u8 {
    if a == b {
        a
    } else {
        3 - a - b
    }
}

fn chameneos() {
    const N: usize = 100;
    const M: i64 = 1_000_000;
    rt().block_on(async {
        let t0 = now();
        let (mall, mut rx) = boxp::<C>();
        let h = tokio::spawn(async move {
            let (mut left, mut faded, mut sum) = (M, N, 0i64);
            let mut wait: Option<UnboundedSender<C>> = None;
            while faded > 0 {
                match rx.recv().await.unwrap() {
                    C::Count(n) => {
                        sum += n;
                        faded -= 1;
                    }
                    C::Meet(c, p) if left > 0 => match wait.take() {
                        None => wait = Some(p),
                        Some(q) => {
                            let _ = q.send(C::Meet(c, p));
                            left -= 1;
                        }
                    },
                    C::Meet(_, p) => {
                        let _ = p.send(C::Stop);
                        if let Some(q) = wait.take() {
                            let _ = q.send(C::Stop);
                        }
                    }
                    _ => {}
                }
            }
            sum
        });
        for i in 0..N {
            let mall = mall.clone();
            tokio::spawn(async move {
                let (me, mut rx) = boxp::<C>();
                let (mut color, mut n) = ((i % 3) as u8, 0i64);
                let _ = mall.send(C::Meet(color, me.clone()));
                loop {
                    match rx.recv().await.unwrap() {
                        C::Meet(c, p) => {
                            color = compl(color, c);
                            let _ = p.send(C::Change(color));
                        }
                        C::Change(c) => color = c,
                        _ => {
                            let _ = mall.send(C::Count(n));
                            return;
                        }
                    }
                    n += 1;
                    let _ = mall.send(C::Meet(color, me.clone()));
                }
            });
        }
        assert!(h.await.unwrap() == 2 * M);
        out("chameneos", (now() - t0) as f64 / 1e6, "ms");
    });
}

fn call() {
    const N: i64 = 500_000;
    rt().block_on(async {
        let (t, mut r) = boxp::<(i64, oneshot::Sender<i64>)>();
        tokio::spawn(async move {
            while let Some((v, o)) = r.recv().await {
                let _ = o.send(v);
            }
        });
        let t0 = now();
        tokio::spawn(async move {
            for i in 0..N {
                let (to, ro) = oneshot::channel();
                let _ = t.send((i, to));
                let v = tokio::time::timeout(Duration::from_secs(5), ro).await.unwrap().unwrap();
                assert!(v == i);
            }
        })
        .await
        .unwrap();
        out("call", N as f64 * 1e9 / (now() - t0) as f64, "call/s");
    });
}

fn timers() {
    const N: usize = 1_000_000;
    rt().block_on(async {
        tokio::spawn(async {
            let lat: Arc<Vec<AtomicI64>> = Arc::new((0..N).map(|_| AtomicI64::new(-1)).collect());
            let fired = Arc::new(AtomicUsize::new(0));
            let mut hs = Vec::with_capacity(N);
            let mut x: i64 = 12345;
            let t0 = now();
            for _ in 0..N {
                x = (x * 16807 + 1) & 0x7fffffff;
                let d = Duration::from_millis(3000 + ((x >> 8) % 2000) as u64);
                let (dl, dln) = (tokio::time::Instant::now() + d, now() + d.as_nanos() as i64);
                let (lat, fired) = (lat.clone(), fired.clone());
                hs.push(tokio::spawn(async move {
                    tokio::time::sleep_until(dl).await;
                    let l = now() - dln;
                    lat[fired.fetch_add(1, Relaxed)].store(l, Release);
                }));
            }
            let t1 = now();
            for (i, h) in hs.iter().enumerate() {
                if i % 10 != 0 {
                    h.abort();
                }
            }
            let t2 = now();
            out("timer_arm", (t1 - t0) as f64 / N as f64, "ns/op");
            out("timer_cancel", (t2 - t1) as f64 / (N / 10 * 9) as f64, "ns/op");
            for (i, h) in hs.into_iter().enumerate() {
                if i % 10 == 0 {
                    h.await.unwrap();
                }
            }
            let n = fired.load(Relaxed);
            quant("timer_late", lat[..n].iter().map(|a| a.load(Acquire)).collect());
            std::process::exit(0);
        })
        .await
        .unwrap();
    });
}

fn work(n: u32, mut x: u64) -> u64 {
    for _ in 0..n {
        x = (x * 16807 + 1) & 0x7fffffff;
    }
    std::hint::black_box(x)
}

fn fair(name: &str, hogs: usize, yields: bool) {
    const DUR: i64 = 2_000_000_000;
    let rt = Builder::new_multi_thread().worker_threads(threads()).enable_time().build().unwrap();
    let l = Arc::new(Mutex::new(Vec::<i64>::new()));
    let cur = Arc::new(AtomicI64::new(0));
    let (te, mut re) = boxp::<UnboundedSender<()>>();
    let begin = now();
    cur.store(begin, Relaxed);
    rt.spawn(async move {
        while let Some(f) = re.recv().await {
            let _ = f.send(());
        }
    });
    let (l2, cur2) = (l.clone(), cur.clone());
    rt.spawn(async move {
        let (tp, mut rp) = boxp::<()>();
        loop {
            let t0 = now();
            cur2.store(t0, Relaxed);
            tokio::time::sleep(Duration::from_millis(1)).await;
            let _ = te.send(tp.clone());
            rp.recv().await;
            l2.lock().unwrap().push(now() - t0 - 1_000_000);
        }
    });
    for _ in 0..hogs {
        rt.spawn(async move {
            let mut x = 1u64;
            loop {
                x = work(5000, x);
                if yields {
                    tokio::task::yield_now().await;
                }
            }
        });
    }
    while now() < begin + DUR {
        std::thread::sleep(Duration::from_millis(50));
    }
    let mut v = l.lock().unwrap().clone();
    let n = v.len();
    let age = now() - cur.load(Relaxed) - 1_000_000;
    if v.is_empty() || age > *v.iter().max().unwrap() {
        v.push(age); // the ping still outstanding, censored
    }
    out(&format!("{}_n", name), n as f64, "samples");
    quant(name, v);
    std::process::exit(0);
}

fn wake() {
    const N: usize = 2000;
    let rt = rt();
    rt.block_on(async {
        let (t, mut r) = boxp::<i64>();
        let h = tokio::spawn(async move {
            let mut l = Vec::with_capacity(N);
            while l.len() < N {
                let t = r.recv().await.unwrap();
                l.push(now() - t);
            }
            l
        });
        tokio::spawn(async move {
            for _ in 0..N {
                tokio::time::sleep(Duration::from_millis(1)).await;
                let s = now();
                let _ = t.send(s);
                while now() < s + 200_000 {}
            }
        });
        quant("wake", h.await.unwrap());
    });
}

// hand-written supervisor: a task that awaits the child in a JoinSet and spawns it again
fn restart() {
    const N: usize = 1000;
    rt().block_on(async {
        let (tu, mut ru) = boxp();
        tokio::spawn(async move {
            let mut set = tokio::task::JoinSet::new();
            loop {
                let (t, mut r) = boxp::<oneshot::Sender<()>>();
                let h = set.spawn(async move {
                    while let Some(o) = r.recv().await {
                        let _ = o.send(());
                    }
                });
                let _ = tu.send((t, h));
                let _ = set.join_next().await;
            }
        });
        let l = tokio::spawn(async move {
            let mut l = Vec::new();
            let (_, mut a) = ru.recv().await.unwrap();
            for _ in 0..N {
                let t0 = now();
                a.abort();
                let (t, a2) = ru.recv().await.unwrap();
                let (to, ro) = oneshot::channel();
                let _ = t.send(to);
                ro.await.unwrap();
                l.push(now() - t0);
                a = a2;
            }
            l
        })
        .await
        .unwrap();
        quant("restart", l);
    });
}

fn main() {
    now();
    match std::env::args().nth(1).unwrap().as_str() {
        "pingpong" => pingpong(),
        "ring" => ring(),
        "spawn" => spawn(),
        "idle" => idle(),
        "fanin" => fanin(),
        "big" => big(),
        "skynet" => skynet(),
        "chameneos" => chameneos(),
        "call" => call(),
        "timers" => timers(),
        "fair_base" => fair("fair_base", 0, false),
        "fair_spin" => fair("fair_spin", 1000, false),
        "fair_yield" => fair("fair_yield", 1000, true),
        "wake" => wake(),
        "restart" => restart(),
        _ => println!("S"),
    }
}
