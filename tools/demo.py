"""demo.py: the second half of tools/demo: drives, breaks, checks and sums up.

    python3 tools/demo.py PROGRAM_OF_KVD PROGRAM_OF_AIRS_INSPECT

Both servers run on the same CPUs, the load on the others, in turns: redis-server, kvd, kvd,
redis-server and so on. Each pair of runs gives one ratio, and their median counts. Writers that
keep a list of what was acknowledged run beside the load; whatever dies, each entry of the list must
be there afterwards.

A promise holds on every machine, and the exit status says whether all were kept. How fast it goes
depends on the machine too: a speed misses its aim when its median does so by more than the noise of
this very run, twice the standard error of the median and never more than a tenth of it, and the
last line says so. On a machine that is busy with other things a restart takes longer: the table
says which part of the CPU strangers had.
"""

import json
import os
import pathlib
import statistics
import subprocess
import sys
import threading
import time
from typing import NamedTuple

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests" / "kvd"))
sys.dont_write_bytecode = True

from support import Redis, Server, command  # pylint: disable=wrong-import-position

SHARDS = 4
KEYS = 100_000
CLIENTS = 50
ROUNDS = 6
SECONDS_PER_RUN = 0.7
CRASHES_PER_SHARD = 4

# The aims: as fast as redis-server, and back from a crash before a client frowns.
RATIO_AIM = 1.0
RESTART_AIM_MS = 10.0
NOISE_MAX = 0.1  # of a median


class Row(NamedTuple):
    """Of the table at the end."""

    name: str
    value: str
    is_kept: bool
    remark: str = ""
    is_speed: bool = False

    def verdict(self):
        if self.is_kept:
            return "ok"
        return "slow" if self.is_speed else "MISSED"


def split_cpus():
    """CPUs for the servers and for the load: halves, or all for both when there is one."""
    cpus = sorted(os.sched_getaffinity(0))
    half = len(cpus) // 2
    return (cpus[:half], cpus[half:]) if half else (cpus, cpus)


SERVER_CPUS, LOAD_CPUS = split_cpus()


def pinned(cpus, command_line):
    return ["taskset", "-c", ",".join(map(str, cpus)), *command_line]


class Kvd(Server):
    def command_line(self):
        self.inspector = os.path.join(self.directory, "inspector")
        return pinned(SERVER_CPUS, [
            os.environ["KVD"], "--port", str(self.port), "--inspector", self.inspector,
            "--shards", str(SHARDS), "--fsync", "everysec",
            "--data", os.path.join(self.directory, "data")])


class PinnedRedis(Redis):
    def command_line(self):
        return pinned(SERVER_CPUS, [
            "redis-server", "--port", str(self.port), "--save", "", "--appendonly", "yes",
            "--appendfsync", "everysec", "--dir", self.directory])


def say(text=""):
    print(text, flush=True)


def benchmark_command(port, test, pipeline, requests):
    return pinned(LOAD_CPUS, [
        "redis-benchmark", "-p", str(port), "-c", str(CLIENTS), "-P", str(pipeline),
        "-n", str(requests), "-r", str(KEYS), "-t", test, "--csv"])


def run_benchmark(port, test, pipeline, requests):
    """Requests per second."""
    result = subprocess.run(benchmark_command(port, test, pipeline, requests), text=True,
                            capture_output=True, check=True, timeout=120)
    line = [line for line in result.stdout.splitlines() if line.startswith(f'"{test.upper()}"')][0]
    return float(line.split(",")[1].strip('"'))


def noise_of(values):
    """What the median of these values may be off by: twice its standard error."""
    median = statistics.median(values)
    deviation = 1.4826 * statistics.median(abs(value - median) for value in values)
    return min(2 * 1.2533 * deviation / len(values) ** 0.5, NOISE_MAX * median)


class Strangers:
    """Which part of the servers' CPUs other programs took while this lasted."""

    def __init__(self, server):
        self.server = server

    def __enter__(self):
        self.before = self._clocks()
        return self

    def __exit__(self, *exception):
        wall, busy, own = (now - then for now, then in zip(self._clocks(), self.before))
        self.share = min(max((busy - own) / wall, 0.0), 0.9)

    def _clocks(self):
        """Ticks since the machine's start: that passed, that were used, that the daemon used."""
        wall = busy = 0
        with open("/proc/stat", encoding="ascii") as stat:
            for line in stat:
                name, *ticks = line.split()
                if name in {f"cpu{cpu}" for cpu in SERVER_CPUS}:
                    user, nice, system, idle, waiting, irq, softirq, stolen = map(int, ticks[:8])
                    busy += user + nice + system + irq + softirq + stolen
                    wall += user + nice + system + irq + softirq + stolen + idle + waiting
        with open(f"/proc/{self.server.process.pid}/stat", encoding="utf-8") as stat:
            fields = stat.read().rsplit(")", 1)[1].split()
        return wall, busy, int(fields[11]) + int(fields[12])


class Rates:
    """Requests per second of both servers at one kind of load, in pairs of runs."""

    def __init__(self, test, pipeline):
        self.test = test
        self.pipeline = pipeline
        self.kvd = []
        self.redis = []

    def measure(self, kvd, redis):
        warm_up = [run_benchmark(server.port, self.test, self.pipeline, 4_000 * self.pipeline)
                   for server in (redis, kvd)]
        requests = int(min(warm_up) * SECONDS_PER_RUN)
        pair = [(redis, self.redis), (kvd, self.kvd)]
        for _ in range(ROUNDS):
            for server, rates in pair:
                rates.append(run_benchmark(server.port, self.test, self.pipeline, requests))
            pair.reverse()

    def result(self):
        ratios = [ours / theirs for ours, theirs in zip(self.kvd, self.redis)]
        ratio, noise = statistics.median(ratios), noise_of(ratios)
        return Row(f"{self.test.upper()}, {CLIENTS} clients, pipeline {self.pipeline}",
                   f"{ratio:.2f}x", ratio + noise >= RATIO_AIM,
                   f"aim {RATIO_AIM:.1f}x, ±{noise:.2f}: {statistics.median(self.kvd):,.0f}/s, "
                   f"redis-server {statistics.median(self.redis):,.0f}/s", is_speed=True)


def measure_throughput(kvd, redis):
    rows = []
    for pipeline in (1, 16):
        for test in ("set", "get"):
            rates = Rates(test, pipeline)
            rates.measure(kvd, redis)
            rows.append(rates.result())
            say("  " + ": ".join(rows[-1][:2]))
    return rows


class Writer(threading.Thread):
    """Writes to keys of its own, one after the other, and notes what was acknowledged."""

    def __init__(self, server, number):
        super().__init__(daemon=True)
        self.server = server
        self.number = number
        self.acknowledged = {}
        self.last_sent = {}
        self.stopping = threading.Event()

    def run(self):
        count = 0
        while not self.stopping.is_set():
            try:
                with self.server.client() as client:
                    while not self.stopping.is_set():
                        count += 1
                        key, value = f"demo:{self.number}:{count % 5000}", str(count)
                        self.last_sent[key] = value
                        if client.ask("SET", key, value) == b"+OK\r\n":
                            self.acknowledged[key] = value
            except (OSError, EOFError):
                self.stopping.wait(0.01)  # the daemon is being started again

    def count_missing(self, client):
        """A later write that was sent but not acknowledged may have replaced an entry."""
        found = {key: client.value("GET", key) for key in self.acknowledged}
        return sum(found[key] not in (value, self.last_sent[key])
                   for key, value in self.acknowledged.items())


class Load(threading.Thread):
    """The 50 clients. redis-benchmark ends at the first error, and a crash is one: it is started
    again."""

    def __init__(self, server):
        super().__init__(daemon=True)
        self.command = benchmark_command(server.port, "set", 16, 1_000_000_000)
        self.stopping = threading.Event()

    def run(self):
        while not self.stopping.is_set():
            with subprocess.Popen(self.command, stdout=subprocess.DEVNULL,
                                  stderr=subprocess.DEVNULL) as load:
                while load.poll() is None and not self.stopping.wait(0.01):
                    pass
                load.kill()


class UnderLoad:
    """Writers that take notes, and 50 clients that do not."""

    def __init__(self, server):
        self.server = server

    def __enter__(self):
        self.writers = [Writer(self.server, number) for number in range(4)]
        for writer in self.writers:
            writer.start()
        self.load = Load(self.server)
        self.load.start()
        time.sleep(0.5)
        return self

    def __exit__(self, *exception):
        for thread in (*self.writers, self.load):
            thread.stopping.set()
        for thread in (*self.writers, self.load):
            thread.join(10)

    def check(self):
        """(acknowledged, missing) after the load has stopped."""
        with self.server.client() as client:
            missing = sum(writer.count_missing(client) for writer in self.writers)
        return sum(len(writer.acknowledged) for writer in self.writers), missing


def fill(server):
    with server.client() as client:
        for start in range(0, KEYS, 1000):
            client.send(b"".join(command("SET", f"key:{number:012}", "xxx")
                                 for number in range(start, start + 1000)))
            for _ in range(1000):
                client.reply()
        return client.value("DBSIZE")


def crash_shards(server):
    """What the probe prints: restarts and ordinary answers, in milliseconds."""
    probe = ROOT / "tools" / "demo_probe.py"
    result = subprocess.run(
        [sys.executable, str(probe), str(server.port), str(SHARDS), str(CRASHES_PER_SHARD)],
        text=True, stdout=subprocess.PIPE, check=True, timeout=120)
    return json.loads(result.stdout)


def restart_row(times, strangers):
    restarts, ordinary = times["restarts"], times["ordinary"]
    median, noise = statistics.median(restarts), noise_of(restarts)
    return Row("a shard's crash to its first answer", f"{median:.1f} ms",
               median - noise < RESTART_AIM_MS,
               f"aim {RESTART_AIM_MS:.0f} ms, ±{noise:.1f}: slowest of {len(restarts)} "
               f"{max(restarts):.1f}; without a crash {statistics.median(ordinary):.1f}, slowest "
               f"{max(ordinary):.1f}; strangers had {strangers:.0%} of the CPU", is_speed=True)


def kill_daemon(server):
    """Milliseconds from kill -9 to the first answer of the daemon that was started again."""
    began = time.monotonic()
    server.kill()
    server.start()
    with server.client() as client:
        client.value("GET", "key:000000000000")
    return (time.monotonic() - began) * 1000


def show_tree(server, inspect):
    result = subprocess.run([inspect, "tree", "--socket", server.inspector], text=True,
                            capture_output=True, timeout=30, check=False)
    say("\n".join("  " + line for line in (result.stdout + result.stderr).splitlines()[:40]))
    return result.returncode == 0 and "shard-0" in result.stdout


def break_shards(kvd):
    """Rows: how soon a shard is back, and what is missing."""
    keys = fill(kvd)
    say(f"\n{keys:,} keys in {SHARDS} shards; now {CLIENTS} clients write, and shards crash:")
    with UnderLoad(kvd) as load, Strangers(kvd) as strangers:
        times = crash_shards(kvd)
    for line in [line for line in kvd.lines if "keys again" in line][-SHARDS:]:
        say("  " + line.removeprefix("airssys-rt: kvd: "))
    say(f"  crash to first answer: {', '.join(f'{ms:.1f}' for ms in times['restarts'])} ms "
        f"(a client with {times['kind']} priority)")
    return [restart_row(times, strangers.share), missing_row("crashes of shards", load)]


def break_daemon(kvd):
    """Rows: how soon the daemon is back, and what is missing."""
    say("\nThe same with kill -9 of the daemon.")
    with UnderLoad(kvd) as load:
        ready_ms = kill_daemon(kvd)
        time.sleep(0.5)
    return [Row("kill -9 of the daemon to its first answer", f"{ready_ms:.0f} ms", True),
            missing_row("kill -9", load)]


def missing_row(after, load):
    acknowledged, missing = load.check()
    return Row(f"acknowledged writes missing after {after}", str(missing), missing == 0,
               f"of {acknowledged:,}")


def demonstrate(kvd, redis, inspect):
    """The rows of the table."""
    say(f"kvd and redis-server on CPU {SERVER_CPUS}, the load on CPU {LOAD_CPUS}; both append to "
        f"a log that is synced every second.")
    rows = measure_throughput(kvd, redis)
    redis.kill()
    rows += break_shards(kvd)
    rows += break_daemon(kvd)
    say("\nWho watches whom (airs-inspect tree):")
    has_tree = show_tree(kvd, inspect)
    rows.append(Row("airs-inspect shows the tree", "yes" if has_tree else "no", has_tree))
    code = kvd.terminate()
    rows.append(Row("exit code after SIGTERM", str(code), code == 0))
    return rows


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    os.environ["KVD"] = os.path.abspath(sys.argv[1])
    inspect = os.path.abspath(sys.argv[2])
    os.sched_setaffinity(0, LOAD_CPUS)
    with PinnedRedis() as redis, Kvd() as kvd:
        rows = demonstrate(kvd, redis, inspect)
    say()
    for row in rows:
        say(f"  {row.name:48} {row.value:>9}  {row.verdict():6}  {row.remark}".rstrip())
    missed = [row.name for row in rows if not row.is_kept and not row.is_speed]
    slow = [row.name for row in rows if not row.is_kept and row.is_speed]
    say("\ndemo: " + ("MISSED: " + "; ".join(missed) if missed else "all promises were kept") +
        ("; slower than aimed at: " + "; ".join(slow) if slow else ""))
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
