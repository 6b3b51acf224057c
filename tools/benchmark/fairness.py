"""fairness.py: how long a well-behaved process waits beside others that are not, as a table.

A line for each company and program: the quantiles of us beyond the millisecond that it slept, and
how many samples there are; few of them are a bad sign themselves.
"""

import statistics

from benchmark.report import columns, number, values_of

# What stands beside it, by workload.
COMPANY = {
    "fair_base": "nobody",
    "fair_yield": "1000 hogs that yield",
    "fair_spin": "1000 hogs that do not",
    "fair_blocked": "100 blocked in a system call",
    "fair_flood": "a flooded mailbox",
    "fair_storm": "a storm of restarts",
}
QUANTILES = ("p50", "p99", "p999", "n")


def line(company, program, runs, metric):
    cells = [values_of(runs, f"{metric}_{quantile}") for quantile in QUANTILES]
    return (company, program, *(number(statistics.median(values)) if values else "-"
                                for values in cells))


def table(results):
    lines = [("beside", "", "p50 us", "p99 us", "p99.9 us", "samples")]
    for workload, company in COMPANY.items():
        for program, runs in results.get(f"{workload}/2", {}).items():
            lines.append(line(company, program, runs, workload))
            if values_of(runs, f"{workload}_warm_p50"):
                lines.append(line(company + ", after 5 s", program, runs, f"{workload}_warm"))
    return columns(lines)
