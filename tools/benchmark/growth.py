"""growth.py: how costs grow with the number of processes, as a table and as points of lines.

A metric's name is what was done and among how many, growth_server_spawn_1000; one with `_faults`
counts the page faults of the same steps.
"""

import statistics

from benchmark.report import columns, number, rows


def lines(results, unit):
    """Points (among, median) by what was done: in `ns`, or in `faults`, for each."""
    found = {}
    for workload, _, metric, of_unit, ours, _ in rows(results):
        if workload.startswith("growth") and of_unit == unit:
            name, _, among = metric.removeprefix("growth_").rpartition("_")
            name = name.removesuffix("_faults").replace("_", " ")
            found.setdefault(name, []).append((int(among), statistics.median(ours)))
    return found


def part(title, found):
    sizes = sorted({among for points in found.values() for among, _ in points})
    table = [(title, *(f"{among:,}" for among in sizes))]
    for name, points in found.items():
        at = dict(points)
        table.append((name, *(number(at[among]) if among in at else "-" for among in sizes)))
    return columns(table)


def table(results):
    return "\n\n".join([part("ns of CPU for each, among", lines(results, "ns")),
                        part("page faults for each, among", lines(results, "faults"))])
