"""day.py: what a daemon's day leaves in memory, as a table: a line for each kind of load."""

import statistics

from benchmark.report import columns, number, rows

PHASES = ("start", "peak1", "quiet1", "peak2", "quiet2")
SETTLED = ("settle1", "settle2")


def table(results):
    found = {}
    for workload, _, metric, _, ours, _ in rows(results):
        if workload == "day":
            load, _, phase = metric.removeprefix("day_").rpartition("_")
            found.setdefault(load, {})[phase] = number(statistics.median(ours))
    lines = [("MB resident", "start", "peak", "quiet", "peak", "quiet", "settled, ms", "again")]
    lines += [(load, *(phases.get(phase, "-") for phase in PHASES + SETTLED))
              for load, phases in found.items()]
    return columns(lines)
