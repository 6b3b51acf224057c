"""plots.py: results as pictures, by Debian's python3-matplotlib.

    python3 tools/benchmark/plots.py RESULTS.json FOLDER

Writes overview.png and .svg (ours beside the best peer, as a ratio) and programs.png and .svg (all
programs, a panel for each metric); of a session about growth, growth.png and .svg instead.
"""

import json
import pathlib
import statistics
import sys

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt  # pylint: disable=wrong-import-position

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from benchmark import growth as grown  # pylint: disable=wrong-import-position
from benchmark.report import number, rows  # pylint: disable=wrong-import-position
from benchmark.workloads import is_more_better  # pylint: disable=wrong-import-position

OURS, PEER, BAD = "#1f6f8b", "#b8c4c9", "#c8553d"


def save(figure, folder, name):
    for ending in ("png", "svg"):
        figure.savefig(folder / f"{name}.{ending}", dpi=140, bbox_inches="tight")
    plt.close(figure)


def overview(results, folder):
    bars = []
    for _, threads, metric, unit, ours, peers in rows(results):
        if not peers or not peers[0][1] or not statistics.median(ours):
            continue
        ratio = statistics.median(ours) / peers[0][1]
        faster = ratio if is_more_better(unit) else 1 / ratio
        bars.append((f"{metric}, T={threads} (beside {peers[0][0]})", faster))
    bars.reverse()
    figure, axes = plt.subplots(figsize=(8, 0.26 * len(bars) + 1))
    axes.barh([name for name, _ in bars], [value - 1 for _, value in bars], left=1,
              color=[OURS if value >= 1 else BAD for _, value in bars])
    axes.set_xscale("log")
    axes.axvline(1, color="black", linewidth=0.8)
    axes.set_xlabel("how many times better than the best peer")
    axes.grid(axis="x", alpha=0.3)
    save(figure, folder, "overview")


def programs(results, folder):
    panels = list(rows(results))
    across = 4
    down = -(-len(panels) // across)
    figure, grid = plt.subplots(down, across, figsize=(4 * across, 2 * down), squeeze=False)
    for axes in grid.flat[len(panels):]:
        axes.axis("off")
    for axes, (_, threads, metric, unit, ours, peers) in zip(grid.flat, panels):
        bars = [("ours", statistics.median(ours))] + peers
        axes.barh([name for name, _ in bars], [value for _, value in bars],
                  color=[OURS] + [PEER] * len(peers))
        axes.invert_yaxis()
        axes.set_title(f"{metric}, T={threads} [{unit}]"
                       f"{', more is better' if is_more_better(unit) else ''}", fontsize=8)
        axes.tick_params(labelsize=7)
        axes.set_xticks([])
        for place, (_, value) in enumerate(bars):
            axes.text(value, place, " " + number(value), va="center", fontsize=7)
        axes.margins(x=0.2)
    figure.tight_layout()
    save(figure, folder, "programs")


def growth(results, folder):
    colours = {"server": OURS, "body": BAD, "timer": "#555555"}
    dashes = {"spawn fresh": ":", "message": "--", "end": "-.", "cancel": "--"}
    figure, panels = plt.subplots(1, 2, figsize=(12, 4.5))
    for axes, unit, what in zip(panels, ("ns", "faults"), ("ns of CPU", "page faults")):
        for name, points in grown.lines(results, unit).items():
            who, _, done = name.partition(" ")
            axes.plot(*zip(*points), marker="o", markersize=4, label=name, color=colours[who],
                      linestyle=dashes.get(done, "-"))
        axes.set_xscale("log")
        axes.set_xlabel("processes, or timers")
        axes.set_ylabel(f"{what} for each")
        axes.grid(alpha=0.3)
    panels[0].set_yscale("log")
    panels[1].legend(fontsize=8, loc="upper left", bbox_to_anchor=(1, 1))
    figure.tight_layout()
    save(figure, folder, "growth")


def main():
    results = json.loads(pathlib.Path(sys.argv[1]).read_text())["results"]
    folder = pathlib.Path(sys.argv[2])
    folder.mkdir(parents=True, exist_ok=True)
    if any(key.startswith("growth") for key in results):
        return growth(results, folder)
    overview(results, folder)
    return programs(results, folder)


if __name__ == "__main__":
    main()
