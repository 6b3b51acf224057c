# bench_test.py: shows that tools/bench measures what benchmarks/ has, and starts programs as it
# should.
import re
import sys
import unittest
from pathlib import Path

sys.dont_write_bytecode = True
ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tools"))
from benchmark import programs, workloads  # noqa: E402

MEASURED = workloads.WORKLOADS | workloads.APART
OF_A_DAEMON = {"kvd"}  # a load has it, not our program


def read(path):
    return (ROOT / path).read_text(encoding="utf-8")


class Workloads(unittest.TestCase):
    def test_they_are_those_of_our_program_but_for_its_tiny_ones(self):
        ours = re.findall(r'\{"(\w+)", bench::', read("benchmarks/ours/main.cpp"))
        self.assertEqual({name for name in ours if not name.endswith("_tiny")},
                         set(MEASURED) - OF_A_DAEMON)

    def test_each_is_defined_in_the_readme(self):
        first_cells = re.findall(r"^\| ([\w, ]+) \|", read("benchmarks/README.md"), re.MULTILINE)
        defined = {name for cell in first_cells for name in cell.split(", ")}
        self.assertEqual(set(MEASURED) - defined, set())

    def test_each_aim_is_about_one_that_is_measured_so(self):
        for aim in workloads.AIMS:
            self.assertIn(aim.threads, workloads.WORKLOADS[aim.workload], aim)

    def test_what_is_said_of_one_is_said_of_one_that_there_is(self):
        self.assertLessEqual(set(workloads.SLOW) | set(workloads.STRONGEST), set(MEASURED))
        for peers in workloads.STRONGEST.values():
            self.assertLessEqual(set(peers), set(programs.NAMES))


class Commands(unittest.TestCase):
    def test_erlang_has_threads_for_files_only_beside_blocked_reads(self):
        found, missing = programs.commands_of(None, {"erlang": ["erl", "-noshell"]},
                                              {"pingpong", "fair_blocked"}, print)
        self.assertEqual(found, {("erlang", "fair_blocked"): ["erl", "+SDio", "128", "-noshell"]})
        self.assertEqual(missing, set())

    def test_an_echo_is_started_by_its_load(self):
        class Builder:
            def echo_load(self):
                return "load"

        found, _ = programs.commands_of(Builder(), {"go": ["go_peer"], "redis": ["redis"]},
                                        {"echo"}, print)
        self.assertEqual(found, {("go", "echo"): ["load", "go_peer"]})

    def test_a_workload_that_nobody_measures_changes_no_command(self):
        self.assertEqual(programs.commands_of(None, {"erlang": ["erl"]}, {"pingpong"}, print),
                         ({}, set()))

    def test_without_redis_there_is_no_workload_of_a_daemon(self):
        class Builder:
            def kvd(self):
                raise programs.Missing("no Redis")

        said = []
        self.assertEqual(programs.commands_of(Builder(), {"ours": []}, {"kvd"}, said.append),
                         ({}, {"kvd"}))
        self.assertEqual(said, ["without the workload kvd: no Redis"])


if __name__ == "__main__":
    unittest.main()
