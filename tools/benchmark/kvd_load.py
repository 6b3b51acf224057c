"""kvd_load.py: redis-benchmark's load on one server, as a program that bench runs in turns.

    kvd_load.py kvd PROGRAM kvd     SET and GET, 50 clients, pipelines of 1 and 16
    kvd_load.py redis kvd

The last word is the workload; there is only this one. Server and load have CPUs of their own, as in
tools/demo.
"""

import os
import pathlib
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

import demo  # pylint: disable=wrong-import-position

WARM_UP_REQUESTS = 4_000  # for each command of a pipeline


def measure(server, test, pipeline):
    """Requests per second."""
    warm_up = demo.run_benchmark(server.port, test, pipeline, WARM_UP_REQUESTS * pipeline)
    requests = int(warm_up * demo.SECONDS_PER_RUN)
    return demo.run_benchmark(server.port, test, pipeline, requests)


def main():
    kind, *program, workload = sys.argv[1:]
    if workload != "kvd":
        return print("S")
    if program:
        os.environ["KVD"] = program[0]
    os.sched_setaffinity(0, demo.LOAD_CPUS)
    with demo.Kvd() if kind == "kvd" else demo.PinnedRedis() as server:
        for pipeline in (1, 16):
            for test in ("set", "get"):
                print(f"R kvd_{test}_{pipeline} {measure(server, test, pipeline):.0f} requests/s")
    return None


if __name__ == "__main__":
    main()
