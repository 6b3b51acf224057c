"""savina.py: runs the Savina suite and tells it as a table.

Of each program and number of schedulers: ten iterations after two to warm up. There are no peers
here: how these programs run elsewhere is in print.
"""

import json
import statistics
import subprocess

from benchmark.report import columns, number


def run(command, arguments, say):
    """The lines of all iterations. A check that fails ends the session with what it said."""
    lines = []
    with subprocess.Popen(command + arguments, stdout=subprocess.PIPE, text=True) as program:
        for text in program.stdout:
            line = json.loads(text)
            lines.append(line)
            if line["iter"] == 0:
                say(f"measuring {line['bench']} with {line['workers']} schedulers")
    if program.returncode != 0:
        raise SystemExit(f"bench: savina ended with {program.returncode}")
    return lines


def series(lines):
    """Lists of lines by program, number of schedulers and size."""
    found = {}
    for line in lines:
        found.setdefault((line["bench"], line["workers"], line["size"]), []).append(line)
    return found


def table(lines):
    rows = [("program", "size", "T", "ms", "least", "most", "deviation", "ns a message",
             "processes", "peak MB", "CPU / wall", "against T=1")]
    alone = {}
    for (bench, workers, size), cell in series(lines).items():
        times = [line["ms"] for line in cell]
        middle = statistics.median(times)
        if workers == 1:
            alone[bench, size] = middle
        gain = f"{alone[bench, size] / middle:.2f}" if (bench, size) in alone else "-"
        cpu = sum(line["cpu_s"] for line in cell) * 1000 / sum(times)
        rows.append((bench, size, str(workers), number(middle), number(min(times)),
                     number(max(times)), number(statistics.pstdev(times)),
                     number(middle * 1e6 / cell[0]["msgs"]), f"{cell[0]['procs']:,}",
                     number(max(line["rss_peak_kb"] for line in cell) / 1024), f"{cpu:.2f}", gain))
    return columns(rows)
