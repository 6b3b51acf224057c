"""simulate.py: the real schedulers on a simulated machine of up to 128 cores, as a table.

A line is a workload on so many schedulers; all but the throughput is for one message, leaf or
process. `busiest line`: of which structure, and for how much of the time it was under way between
cores; near 1 it is a wall.
"""

import json
import subprocess

from benchmark.report import columns

WORKLOADS = ("pairs", "random", "fan", "tree", "spawn", "sporadic", "names")
SCHEDULERS = (1, 2, 4, 8, 16, 32, 64, 128)


def run(program, workload, schedulers, *settings):
    done = subprocess.run([program, workload, str(schedulers), *settings], text=True,
                          capture_output=True, check=True)
    return json.loads(done.stdout)


def all_of(program, say):
    for workload in WORKLOADS:
        for schedulers in SCHEDULERS:
            say(f"{workload}, {schedulers} schedulers")
            yield run(program, workload, schedulers)


def each(result, figure):
    return result[figure] / max(result["done"], 1)


def lines_each(result):
    return sum(line["transfers"] for line in result["moved"].values()) / max(result["done"], 1)


def most_moved(result, at_most=3):
    done = max(result["done"], 1)
    return ", ".join(f"{name} {line['transfers'] / done:.2f}"
                     for name, line in list(result["moved"].items())[:at_most])


def busiest(result):
    name, line = max(result["moved"].items(), key=lambda item: item[1]["busiest"])
    return f"{name} {line['busiest']:.2f}"


def table(results):
    lines = [("workload", "schedulers", "throughput", "awake", "steals tried", "done", "wakes",
              "sleeps", "lines moved", "busiest line", "most moved")]
    alone = {result["workload"]: result["done"] for result in results if result["schedulers"] == 1}
    for result in results:
        of_one = alone.get(result["workload"])
        lines.append((result["workload"], str(result["schedulers"]),
                      f"{result['done'] / of_one:.2f}" if of_one else "-",
                      f"{result['busy']:.2f}",
                      *(f"{each(result, figure):.4f}"
                        for figure in ("steal_tries", "steals", "wakes", "sleeps")),
                      f"{lines_each(result):.2f}", busiest(result), most_moved(result)))
    return columns(lines)
