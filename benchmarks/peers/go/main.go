// Go peer. Usage: GOMAXPROCS=T pbench_go WORKLOAD
// Definitions of the workloads: benchmarks/README.md
// A process is a goroutine, its mailbox a buffered channel (bounded: Go has no unbounded one).
package main

import (
	"fmt"
	"io"
	"net"
	"os"
	"runtime"
	"sort"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

var epoch = time.Now()

func now() int64 { return int64(time.Since(epoch)) }

func out(name string, v float64, unit string) { fmt.Printf("R %s %.3f %s\n", name, v, unit) }

func quant(prefix string, l []int64) {
	sort.Slice(l, func(i, j int) bool { return l[i] < l[j] })
	for _, q := range []struct {
		t string
		q float64
	}{{"p50", 0.5}, {"p99", 0.99}, {"p999", 0.999}, {"max", 1}} {
		i := int(q.q*float64(len(l))+0.999999) - 1
		if i < 0 {
			i = 0
		}
		if i >= len(l) {
			i = len(l) - 1
		}
		out(prefix+"_"+q.t, float64(l[i])/1000, "us")
	}
}

func rss() float64 {
	b, _ := os.ReadFile("/proc/self/statm")
	n, _ := strconv.ParseFloat(strings.Fields(string(b))[1], 64)
	return n * 4096
}

type msg struct {
	from chan msg
	v    int64
}

func pingpong() {
	const n = 1000000
	a, b := make(chan msg, 16), make(chan msg, 16)
	done := make(chan bool)
	t0 := now()
	go func() {
		for {
			m := <-b
			if m.v < 0 {
				return
			}
			m.from <- msg{b, m.v}
		}
	}()
	go func() {
		for i := int64(0); i < n; i++ {
			b <- msg{a, i}
			if m := <-a; m.v != i {
				panic("order")
			}
		}
		b <- msg{nil, -1}
		done <- true
	}()
	<-done
	out("pingpong", float64(now()-t0)/n, "ns/rt")
}

func ring() {
	const p, m = 1000, 1000000
	ch := make([]chan int64, p)
	done := make(chan bool)
	for i := range ch {
		ch[i] = make(chan int64, 4)
	}
	for i := 0; i < p; i++ {
		go func(me, next chan int64) {
			for {
				v := <-me
				if v == 0 {
					done <- true
				} else {
					next <- v - 1
				}
			}
		}(ch[i], ch[(i+1)%p])
	}
	t0 := now()
	ch[0] <- m
	<-done
	out("ring", float64(now()-t0)/m, "ns/hop")
}

func spawn() {
	t0 := now()
	for i := 0; i < 1000; i++ {
		var wg sync.WaitGroup
		wg.Add(1000)
		for j := 0; j < 1000; j++ {
			go func() { wg.Done() }()
		}
		wg.Wait()
	}
	out("spawn", float64(now()-t0)/1e6, "ns/proc")
}

func idle() {
	const n = 1000000
	runtime.GC()
	main := make(chan msg, 1024)
	ch := make([]chan msg, n)
	var up sync.WaitGroup
	up.Add(n)
	r0, t0 := rss(), now()
	for i := range ch {
		c := make(chan msg, 1)
		ch[i] = c
		go func() { up.Done(); m := <-c; m.from <- msg{c, 1} }()
	}
	up.Wait()
	t1, r1 := now(), rss()
	out("idle_rss", (r1-r0)/n, "B/proc")
	out("idle_create", float64(t1-t0)/n, "ns/proc")
	t2 := now()
	go func() {
		for _, c := range ch {
			c <- msg{main, 0}
		}
	}()
	for i := 0; i < n; i++ {
		<-main
	}
	out("idle_wake", float64(now()-t2)/1e6, "ms")
}

func fanin() {
	const s, k = 8, 1000000
	in := make(chan [2]int64, 1024)
	done := make(chan bool)
	t0 := now()
	go func() {
		for i := 0; i < s*k; i++ {
			<-in
		}
		done <- true
	}()
	for i := 0; i < s; i++ {
		go func() {
			for j := int64(0); j < k; j++ {
				in <- [2]int64{j, j}
			}
		}()
	}
	<-done
	out("fanin", s*k*1e9/float64(now()-t0), "msg/s")
}

func big() {
	const p, rounds = 1000, 4
	ch := make([]chan msg, p)
	for i := range ch {
		ch[i] = make(chan msg, 1024)
	}
	main := make(chan bool, p)
	for i := range ch {
		go func(me int) {
			got, gone := 0, false
			for {
				m := <-ch[me]
				if m.v == 1 { // go
					for j := range ch {
						if j != me {
							ch[j] <- msg{ch[me], 0}
						}
					}
					gone = true
				} else {
					got++
				}
				if gone && got == p-1 {
					got, gone = 0, false
					main <- true
				}
			}
		}(i)
	}
	round := func() {
		for i := range ch {
			ch[i] <- msg{nil, 1}
		}
		for range ch {
			<-main
		}
	}
	round()
	t0 := now()
	for r := 0; r < rounds; r++ {
		round()
	}
	out("big", rounds*p*(p-1)*1e9/float64(now()-t0), "msg/s")
}

func sky(num, size int64, parent chan int64) {
	if size == 1 {
		parent <- num
		return
	}
	c := make(chan int64, 10)
	sub := size / 10
	for i := int64(0); i < 10; i++ {
		go sky(num+i*sub, sub, c)
	}
	var sum int64
	for i := 0; i < 10; i++ {
		sum += <-c
	}
	parent <- sum
}

func skynet() {
	t0 := now()
	c := make(chan int64, 1)
	go sky(0, 1000000, c)
	if s := <-c; s != 499999500000 {
		panic("sum")
	}
	out("skynet", float64(now()-t0)/1e6, "ms")
}

type cmsg struct {
	kind, color int32 // 0 meet 1 change 2 stop 3 count
	n           int64
	from        chan cmsg
}

func compl(a, b int32) int32 {
	if a == b {
		return a
	}
	return 3 - a - b
}

func chameneos() {
	const n, m = 100, 1000000
	mall := make(chan cmsg, 1024)
	res := make(chan int64)
	t0 := now()
	go func() {
		left, faded, sum := m, n, int64(0)
		var wait chan cmsg
		for faded > 0 {
			c := <-mall
			switch {
			case c.kind == 3:
				sum += c.n
				faded--
			case left > 0:
				if wait == nil {
					wait = c.from
				} else {
					wait <- cmsg{0, c.color, 0, c.from}
					wait = nil
					left--
				}
			default:
				c.from <- cmsg{kind: 2}
				if wait != nil {
					wait <- cmsg{kind: 2}
					wait = nil
				}
			}
		}
		res <- sum
	}()
	for i := 0; i < n; i++ {
		go func(color int32) {
			me := make(chan cmsg, 16)
			var cnt int64
			mall <- cmsg{0, color, 0, me}
			for {
				c := <-me
				switch c.kind {
				case 0:
					color = compl(color, c.color)
					c.from <- cmsg{1, color, 0, me}
					cnt++
					mall <- cmsg{0, color, 0, me}
				case 1:
					color = c.color
					cnt++
					mall <- cmsg{0, color, 0, me}
				case 2:
					mall <- cmsg{kind: 3, n: cnt}
					return
				}
			}
		}(int32(i % 3))
	}
	if s := <-res; s != 2*m {
		panic("count")
	}
	out("chameneos", float64(now()-t0)/1e6, "ms")
}

type req struct {
	v     int64
	reply chan int64
}

func call() {
	const n = 500000
	srv := make(chan req, 16)
	done := make(chan bool)
	go func() {
		for r := range srv {
			r.reply <- r.v
		}
	}()
	t0 := now()
	go func() {
		for i := int64(0); i < n; i++ {
			r := req{i, make(chan int64, 1)}
			t := time.NewTimer(5 * time.Second)
			srv <- r
			select {
			case v := <-r.reply:
				if v != i {
					panic("reply")
				}
			case <-t.C:
				panic("timeout")
			}
			t.Stop()
		}
		done <- true
	}()
	<-done
	out("call", n*1e9/float64(now()-t0), "call/s")
}

func timers() {
	const n = 1000000
	ts := make([]*time.Timer, n)
	lat := make([]int64, n)
	var fired int64
	x := int64(12345)
	t0 := now()
	for i := range ts {
		x = (x*16807 + 1) & 0x7fffffff
		d := (3000 + (x>>8)%2000) * 1000000
		dl := now() + d
		i := i
		ts[i] = time.AfterFunc(time.Duration(d), func() {
			l := now() - dl
			lat[atomic.AddInt64(&fired, 1)-1] = l
		})
	}
	t1 := now()
	want := int64(n / 10)
	for i := range ts {
		if i%10 != 0 && !ts[i].Stop() {
			want++
		}
	}
	t2 := now()
	out("timer_arm", float64(t1-t0)/n, "ns/op")
	out("timer_cancel", float64(t2-t1)/(n*9/10), "ns/op")
	for atomic.LoadInt64(&fired) < want {
		time.Sleep(50 * time.Millisecond)
	}
	quant("timer_late", lat[:want])
}

var sink uint64

func hogSpin() {
	x := uint64(1)
	for x != 0 {
		x = (x*16807 + 1) & 0x7fffffff
	}
	sink = x
}

func hogYield() {
	x := uint64(1)
	for x != 0 {
		for i := 0; i < 5000; i++ {
			x = (x*16807 + 1) & 0x7fffffff
		}
		runtime.Gosched()
	}
	sink = x
}

// What the company did; nothing: then nothing has been measured.
var did int64

func company(name, unit string) {
	n := atomic.LoadInt64(&did)
	if n == 0 {
		panic("nothing to be measured beside")
	}
	out(name+"_company", float64(n), unit)
}

// A read of a pipe into which nobody writes, by the plain system call.
func blockedRead(fd int) {
	atomic.AddInt64(&did, 1)
	syscall.Read(fd, make([]byte, 1))
}

// A supervisor by hand: a child that panics tells who it was, and is started anew.
func storm(children int) {
	died := make(chan int, children)
	start := func(child int) {
		defer func() {
			recover()
			died <- child
		}()
		atomic.AddInt64(&did, 1)
		panic("as it was told")
	}
	for i := 0; i < children; i++ {
		go start(i)
	}
	for child := range died {
		go start(child)
	}
}

func fair(name string, hogs int, f func()) {
	const dur = 2000000000
	e, p := make(chan msg, 1), make(chan msg, 1)
	res := make(chan []int64, 1)
	var started int64
	go func() {
		for m := range e {
			m.from <- msg{e, m.v}
		}
	}()
	begin := now()
	go func() {
		var l []int64
		for {
			t0 := now()
			atomic.StoreInt64(&started, t0)
			time.Sleep(time.Millisecond)
			e <- msg{p, t0}
			<-p
			t1 := now()
			l = append(l, t1-t0-1000000)
			if t1 > begin+dur {
				res <- l
				return
			}
		}
	}()
	for i := 0; i < hogs; i++ {
		go f()
	}
	l := <-res
	out(name+"_n", float64(len(l)), "samples")
	quant(name, l)
}

func wake() {
	const n = 2000
	r := make(chan int64, 16)
	res := make(chan []int64)
	go func() {
		var l []int64
		for len(l) < n {
			t := <-r
			l = append(l, now()-t)
		}
		res <- l
	}()
	go func() {
		for i := 0; i < n; i++ {
			time.Sleep(time.Millisecond)
			t := now()
			r <- t
			for now() < t+200000 {
			}
		}
	}()
	quant("wake", <-res)
}

func serve(c net.Conn) {
	defer c.Close()
	b := make([]byte, 4096)
	for {
		n, err := c.Read(b)
		if err != nil {
			return
		}
		if _, err := c.Write(b[:n]); err != nil {
			return
		}
	}
}

// Until standard input ends.
func echo() {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				panic(err)
			}
			go serve(c)
		}
	}()
	alive := runtime.NumGoroutine()
	fmt.Printf("P %d\n", l.Addr().(*net.TCPAddr).Port)
	io.Copy(io.Discard, os.Stdin)
	for begin := now(); runtime.NumGoroutine() > alive; time.Sleep(time.Millisecond) {
		if now() > begin+10e9 {
			panic("a connection's goroutine is left")
		}
	}
}

func main() {
	switch os.Args[1] {
	case "pingpong":
		pingpong()
	case "ring":
		ring()
	case "spawn":
		spawn()
	case "idle":
		idle()
	case "fanin":
		fanin()
	case "big":
		big()
	case "skynet":
		skynet()
	case "chameneos":
		chameneos()
	case "call":
		call()
	case "timers":
		timers()
	case "fair_base":
		fair("fair_base", 0, nil)
	case "fair_spin":
		fair("fair_spin", 1000, hogSpin)
	case "fair_yield":
		fair("fair_yield", 1000, hogYield)
	case "fair_blocked":
		var ends [2]int
		if syscall.Pipe(ends[:]) != nil {
			panic("no pipe")
		}
		fair("fair_blocked", 100, func() { blockedRead(ends[0]) })
		company("fair_blocked", "blocked")
	case "fair_flood":
		flooded := make(chan int64, 1024)
		go func() {
			for range flooded {
				atomic.AddInt64(&did, 1)
			}
		}()
		fair("fair_flood", 4, func() {
			for number := int64(0); ; number++ {
				flooded <- number
			}
		})
		company("fair_flood", "received")
	case "fair_storm":
		fair("fair_storm", 1, func() { storm(100) })
		company("fair_storm", "starts")
	case "wake":
		wake()
	case "echo":
		echo()
	default:
		fmt.Println("S")
	}
}
