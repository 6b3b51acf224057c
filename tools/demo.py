"""demo.py: the second half of tools/demo: drives, breaks, checks and sums up.

    python3 tools/demo.py PROGRAM_OF_KVD PROGRAM_OF_AIRS_INSPECT

Both servers run on the same CPUs, the load on the others, in turns. Writers that keep a list of
what was acknowledged run beside the load; whatever dies, each entry of the list must be there
afterwards.
"""

import os
import pathlib
import statistics
import subprocess
import sys
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests" / "kvd"))
sys.dont_write_bytecode = True

from support import Redis, Server, command  # pylint: disable=wrong-import-position

SHARDS = 4
KEYS = 100_000
CLIENTS = 50
SECONDS_PER_RUN = 2.0
RESTART_AIM_MS = 10
CRASHES_PER_SHARD = 2


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


def measure_throughput(kvd, redis):
    """{(test, pipeline): (kvd, redis)}: the better of two runs each, in turns."""
    figures = {}
    for pipeline in (1, 16):
        for test in ("set", "get"):
            best = {}
            for server in (redis, kvd):
                warm_up = run_benchmark(server.port, test, pipeline, 5_000 * pipeline)
                best[server] = (0.0, int(warm_up * SECONDS_PER_RUN))
            for _ in range(2):
                for server in (redis, kvd):
                    so_far, requests = best[server]
                    rate = run_benchmark(server.port, test, pipeline, requests)
                    best[server] = (max(so_far, rate), requests)
            figures[test, pipeline] = (best[kvd][0], best[redis][0])
            say(f"  {test.upper()}, pipeline {pipeline:2}: kvd {best[kvd][0]:10,.0f}/s   "
                f"redis-server {best[redis][0]:10,.0f}/s")
    return figures


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


class UnderLoad:
    """Writers that take notes, and 50 clients that do not."""

    def __init__(self, server):
        self.server = server

    def __enter__(self):
        self.writers = [Writer(self.server, number) for number in range(4)]
        for writer in self.writers:
            writer.start()
        self.load = subprocess.Popen(
            benchmark_command(self.server.port, "set", 16, 1_000_000_000),
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(0.5)
        return self

    def __exit__(self, *exception):
        for writer in self.writers:
            writer.stopping.set()
        for writer in self.writers:
            writer.join(10)
        self.load.kill()
        self.load.wait()

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
    """Milliseconds from each order to crash to the first answer that needs the shard."""
    times = []
    keys = [f"key:{number:012}" for number in range(64)]  # some of them in every shard
    with server.client() as client:
        for shard in list(range(SHARDS)) * CRASHES_PER_SHARD:
            began = time.monotonic()
            client.value("DEBUG", "CRASH", shard)
            values = client.value("MGET", *keys)
            times.append((time.monotonic() - began) * 1000)
            if None in values:
                raise AssertionError("keys are missing after a restart")
            time.sleep(0.2)  # so that the load is at full strength again
    return times


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


def demonstrate(kvd, redis, inspect, results):
    say(f"kvd and redis-server on CPU {SERVER_CPUS}, the load on CPU {LOAD_CPUS}; "
        f"both append to a log that is synced every second")
    figures = measure_throughput(kvd, redis)
    redis.kill()

    keys = fill(kvd)
    say(f"\n{keys:,} keys in {SHARDS} shards; now {CLIENTS} clients write, and shards crash:")
    with UnderLoad(kvd) as crashes:
        restarts = crash_shards(kvd)
    acknowledged, missing = crashes.check()
    for line in kvd.lines:
        if "keys again" in line:
            say("  " + line.removeprefix("airssys-rt: kvd: "))
    say(f"  crash to first answer: {', '.join(f'{ms:.1f}' for ms in restarts)} ms; "
        f"{acknowledged:,} acknowledged, {missing} missing")

    say("\nThe same with kill -9 of the daemon:")
    with UnderLoad(kvd) as kill:
        ready_ms = kill_daemon(kvd)
        time.sleep(0.5)
    kill_acknowledged, kill_missing = kill.check()
    say(f"  kill to first answer: {ready_ms:.0f} ms; "
        f"{kill_acknowledged:,} acknowledged, {kill_missing} missing")

    say("\nWho watches whom (airs-inspect tree):")
    has_tree = show_tree(kvd, inspect)
    code = kvd.terminate()

    for (test, pipeline), (ours, theirs) in figures.items():
        results.append((f"{test.upper()}, {CLIENTS} clients, pipeline {pipeline}",
                        f"{ours:,.0f}/s", f"redis-server {theirs:,.0f}/s: {ours / theirs:.2f}x"))
    results.append(("a shard's crash to its first answer", f"{statistics.median(restarts):.1f} ms",
                    f"median of {len(restarts)} under load, the slowest {max(restarts):.1f} ms; "
                    f"aim: {RESTART_AIM_MS} ms"))
    results.append(("kill -9 of the daemon to its first answer", f"{ready_ms:.0f} ms", ""))
    results.append(("acknowledged writes missing", str(missing + kill_missing),
                    f"of {acknowledged + kill_acknowledged:,}"))
    results.append(("exit code after SIGTERM", str(code), ""))
    return missing + kill_missing == 0 and has_tree and code == 0


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    os.environ["KVD"] = os.path.abspath(sys.argv[1])
    inspect = os.path.abspath(sys.argv[2])
    results = []
    with PinnedRedis() as redis, Kvd() as kvd:
        is_good = demonstrate(kvd, redis, inspect, results)
    say()
    for name, value, remark in results:
        say(f"  {name:44} {value:>14}   {remark}")
    say("\ndemo: " + ("nothing was lost and all ended in order" if is_good else "FAILED"))
    return 0 if is_good else 1


if __name__ == "__main__":
    sys.exit(main())
