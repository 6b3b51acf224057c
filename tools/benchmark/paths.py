"""paths.py: how many instructions each hot path takes, and whether that is more than was agreed.

Counted by valgrind, as the difference of a long and a short run. What was agreed stands in
benchmarks/paths/instructions.json, for clang 19 as a release on x86-64; a path that needs more than
`TOLERANCE` above that has got longer, and whoever wants that writes the new number down.
"""

import json
import re
import subprocess

from benchmark import programs

AGREED = programs.ROOT / "benchmarks/paths/instructions.json"
TOLERANCE = 0.02
SHORT, LONG = 20_000, 120_000  # rounds


def run(program, path, rounds):
    """The instructions of one run."""
    command = ["valgrind", "--tool=cachegrind", "--cache-sim=no", "--cachegrind-out-file=/dev/null",
               "--max-stackframe=100000000", program, path, str(rounds)]
    result = subprocess.run(command, text=True, capture_output=True, check=True, timeout=300)
    return int(re.search(r"I +refs: +([\d,]+)", result.stderr).group(1).replace(",", ""))


def count(program, say):
    """Instructions a round, of each path."""
    programs.need("valgrind", programs.shutil.which("valgrind"), "valgrind")
    found = {}
    for path, limit in agreed().items():
        say(f"path {path}")
        found[path] = count_path(program, path, limit)
    return found


def count_path(program, path, limit):
    """What a run does by chance, as growing a table, only adds: the least of up to four counts."""
    counts = []
    while len(counts) < 4 and (not counts or min(counts) > limit * (1 + TOLERANCE)):
        counts.append((run(program, path, LONG) - run(program, path, SHORT)) / (LONG - SHORT))
    return min(counts)


def agreed():
    return json.loads(AGREED.read_text(encoding="utf-8"))


def agree(found):
    rounded = {path: round(count) for path, count in found.items()}
    AGREED.write_text(json.dumps(rounded, indent=1) + "\n", encoding="utf-8")


def table(found):
    lines = [f"{'path':16} {'instructions':>12} {'agreed':>8}"]
    for path, limit in agreed().items():
        verdict = "  longer" if found[path] > limit * (1 + TOLERANCE) else ""
        lines.append(f"{path:16} {found[path]:12.0f} {limit:8d}{verdict}")
    return "\n".join(lines)


def longer(found):
    """The paths that have got longer."""
    return [path for path, limit in agreed().items() if found[path] > limit * (1 + TOLERANCE)]
