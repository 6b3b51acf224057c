#!/usr/bin/env python3
# mutants.py: breaks the library on purpose, one rule at a time, and says which tests notice.
#
#   tests/mutants.py               all of tests/mutants.toml, a build of what each changes
#   tests/mutants.py L4 V31        those of these rules
#   tests/mutants.py --check       only whether each still stands in the sources
#
# A rule whose mutant survives has no test that can fail for it. All of it happens in a copy of the
# tree, in build-mutants/. The exit status is 1 if one survives, does not build or does not apply.
import argparse
import filecmp
import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections import defaultdict
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests" / "semantics"))
from rules import Table  # noqa: E402

WHOLE_ROOMS = ("fiber", "runtime", "scheduler", "semantics", "supervision")  # one program each
ROOMS = (*WHOLE_ROOMS, "inspector", "system")
SETUP = ["-Dallocator=system", "-Dbenchmarks=disabled", "-Dexamples=disabled", "-Dchecks=disabled",
         "-Dtools=disabled", "-Ddebug=false"]
# A mutant may well hang.
LONGEST_RUN_S = 150
TEST_DEADLINE_S = 40  # after which a test with processes says what hangs


def as_list(text):
    return text if isinstance(text, list) else [text]


def mutated(text, mutant):
    """The text with the mutation, or None: it does not stand there, or not once."""
    for old, new in zip(as_list(mutant["old"]), as_list(mutant["new"]), strict=True):
        if text.count(old) != 1:
            return None
        text = text.replace(old, new)
    return text


class Copy:
    """A copy of the tree, and a build of it."""

    def __init__(self, folder):
        self.tree = folder / "tree"
        self.build = folder / "build"
        self._bring_up_to_date()
        if not (self.build / "build.ninja").is_file():
            subprocess.run(["meson", "setup", *SETUP, self.build, self.tree], check=True)

    def make(self, programs, stdout=subprocess.PIPE):
        """Builds these programs; answers what the build says if it fails."""
        done = subprocess.run(["ninja", "-C", self.build, *programs], stdout=stdout, text=True)
        return (done.stdout or "see above") if done.returncode != 0 else None

    def run(self, program, tests):
        """Which of these tests fails, and how; None when all pass."""
        pattern = ":".join(f"*{test}/*:{test}" for test in tests)
        try:
            done = subprocess.run(
                [self.build / program, f"--gtest_filter={pattern}", "--gtest_fail_fast"],
                env={**os.environ, "AIRSSYS_RT_TEST_DEADLINE": str(TEST_DEADLINE_S)},
                capture_output=True, text=True, timeout=LONGEST_RUN_S)
        except subprocess.TimeoutExpired:
            return "hangs"
        if "Running 0 tests" in done.stdout:
            sys.exit(f"mutants: {program} has no tests {pattern}")
        if done.returncode == 0:
            return None
        failed = re.findall(r"\[  FAILED  \] (\S+?)(?:,| \()", done.stdout)
        begun = re.findall(r"\[ RUN      \] (\S+)", done.stdout)
        return (failed or begun[-1:] or [program])[0] + (" fails" if failed else " ends all")

    def _bring_up_to_date(self):
        names = subprocess.run(["git", "ls-files", "-z", "--cached", "--others",
                                "--exclude-standard"], cwd=ROOT, check=True, capture_output=True)
        for name in filter(None, names.stdout.decode().split("\0")):
            source, target = ROOT / name, self.tree / name
            if not source.is_file() or target.is_file() and filecmp.cmp(source, target, False):
                continue
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(source, target)


def program_of(path):
    room, file = Path(path).parts[1], Path(path).stem
    return f"tests/{room}/" + (f"{room}_tests" if room in WHOLE_ROOMS else f"{room}_{file}")


def tests_by_program(table, rule):
    found = defaultdict(list)
    for test in table.tests.get(rule, []):
        path, name = test.split(": ")
        if path.endswith(".cpp") and Path(path).parts[1] in ROOMS:
            found[program_of(path)].append(name)
    return found


def failure(copy, tests):
    """The first of these tests that fails, and how."""
    return next(filter(None, (copy.run(program, names) for program, names in tests.items())), None)


def check_whole(copy, table, mutants):
    """What a mutant's tests say counts only if they pass without it."""
    tests = defaultdict(set)
    for mutant in mutants:
        for program, names in tests_by_program(table, mutant["rule"]).items():
            tests[program].update(names)
    if said := copy.make(tests, stdout=None):  # which takes long
        sys.exit(f"mutants: the tree as it is does not build: {said}")
    if said := failure(copy, tests):
        sys.exit(f"mutants: in the tree as it is {said}")


def verdict(copy, table, mutant):
    path = copy.tree / mutant["file"]
    whole = path.read_text("utf-8")
    tests = tests_by_program(table, mutant["rule"])
    try:
        path.write_text(mutated(whole, mutant), "utf-8")
        if said := copy.make(tests):
            return "does not build: " + said[-2000:]
        said = failure(copy, tests)
        return f"noticed: {said}" if said else "SURVIVES"
    finally:
        path.write_text(whole, "utf-8")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--check", action="store_true")
    parser.add_argument("rules", nargs="*", metavar="RULE")
    arguments = parser.parse_args()
    mutants = tomllib.loads((ROOT / "tests" / "mutants.toml").read_text("utf-8"))["mutant"]
    if unknown := set(arguments.rules) - {mutant["rule"] for mutant in mutants}:
        sys.exit(f"mutants: none breaks {', '.join(sorted(unknown))}")
    table = Table(ROOT)
    wrong = 0
    for mutant in mutants:
        text = (ROOT / mutant["file"]).read_text("utf-8")
        if mutated(text, mutant) is None or not tests_by_program(table, mutant["rule"]):
            print(f"{mutant['rule']:4} {mutant['what']}: does not apply to {mutant['file']}, or "
                  "the rule has no test to run")
            wrong += 1
    if wrong == 0 and not arguments.check:
        copy = Copy(ROOT / "build-mutants")
        chosen = [mutant for mutant in mutants
                  if not arguments.rules or mutant["rule"] in arguments.rules]
        check_whole(copy, table, chosen)
        for mutant in chosen:
            said = verdict(copy, table, mutant)
            wrong += not said.startswith("noticed")
            print(f"{mutant['rule']:4} {mutant['what']}: {said}", flush=True)
    print(f"mutants: {wrong} to mend")
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
