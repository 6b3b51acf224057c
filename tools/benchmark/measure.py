"""measure.py: runs programs in turns, so that what disturbs the machine disturbs all of them."""

import os
import subprocess
import tempfile
import time

RUN_SECONDS_MAX = 60
# A real-time thread is not preempted, and these are about preemption.
NEVER_REAL_TIME = ("fair_base", "fair_spin", "fair_yield", "fair_blocked", "fair_flood",
                   "fair_storm")


def can(command):
    return subprocess.run(command + ["true"], capture_output=True, check=False).returncode == 0


def prefix_for(workload, real_time):
    if real_time and workload not in NEVER_REAL_TIME:
        return ["chrt", "-f", "10"]
    return ["nice", "-n", "-20"] if can(["nice", "-n", "-20"]) else []


def run_once(command, workload, threads, prefix):
    """Figures by metric, as [value, unit]; or "skip", or "fail"."""
    words = [word.replace("{threads}", str(threads)) for word in command] + [workload]
    env = dict(os.environ, PB_T=str(threads), GOMAXPROCS=str(threads), ERL_CRASH_DUMP="/dev/null")
    env.pop("AIRSSYS_RT_SCHEDULERS", None)
    with tempfile.TemporaryDirectory() as folder:
        limit = ["timeout", "-s", "KILL", str(RUN_SECONDS_MAX)]
        done = subprocess.run(prefix + limit + words, env=env, cwd=folder, text=True, check=False,
                              stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    if done.stdout.strip() == "S":
        return "skip"
    lines = [line.split() for line in done.stdout.splitlines()]
    figures = {w[1]: [float(w[2]), w[3]] for w in lines if len(w) == 4 and w[0] == "R"}
    if done.returncode != 0 or not figures:
        return "fail"
    return figures


class Session:
    """Collects runs: results["pingpong/2"]["ours"] is a list of what run_once answered."""

    def __init__(self, commands, real_time, say):
        self.commands = commands
        self.commands_of = {}  # by (program, workload), where that is another program
        self.real_time = real_time
        self.say = say
        self.results = {}

    def measure(self, workload, threads, programs, runs):
        begin = time.monotonic()
        prefix = prefix_for(workload, self.real_time)
        cell = self.results.setdefault(f"{workload}/{threads}", {})
        for _ in range(runs):
            for program in programs:
                command = self.commands_of.get((program, workload), self.commands[program])
                had = cell.setdefault(program, [])
                if had[:1] == ["skip"] or had.count("fail") > 1:
                    continue
                had.append(run_once(command, workload, threads, prefix))
        self.say(f"measured {workload} with {threads} threads "
                 f"in {time.monotonic() - begin:.0f} s")
