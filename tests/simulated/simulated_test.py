"""What the schedulers cost one another must not grow with their number: the real ones, on a
simulated machine (benchmarks/simulated), so that no real machine's speed decides.

    simulated_test.py AIRSSYS_SIMULATED
"""

import json
import subprocess
import sys


def run(workload, schedulers, *settings):
    done = subprocess.run([sys.argv[1], workload, str(schedulers), *settings], text=True,
                          capture_output=True, check=True)
    return json.loads(done.stdout)


def each(result, figure):
    return result[figure] / result["done"]


def lines_each(result):
    return sum(line["transfers"] for line in result["moved"].values()) / result["done"]


def check(is_right, what):
    if not is_right:
        sys.exit(f"failed: {what}")


def sporadic_work_is_found_at_a_cost_that_does_not_grow():
    few, many = run("sporadic", 16), run("sporadic", 128)
    check(many["done"] > 6 * few["done"], "eight times the schedulers do six times as much")
    for figure in ("steal_tries", "wakes"):
        check(each(many, figure) <= 1.5 * each(few, figure),
              f"{figure} for a message: {each(few, figure)} at 16, {each(many, figure)} at 128")
    check(lines_each(many) <= 1.5 * lines_each(few),
          f"lines for a message: {lines_each(few)} at 16, {lines_each(many)} at 128")


def pairs_keep_to_themselves():
    alone, many = run("pairs", 1), run("pairs", 32)
    check(many["done"] > 28 * alone["done"], "32 schedulers do more than 28 times as much as one")
    check(lines_each(many) < 0.1, f"lines for a message: {lines_each(many)}")


def spawns_and_ends_do_not_wait_for_one_another():
    short = ("warm_up_us=1500", "window_us=300")  # much happens in it, once all are awake
    alone, many = run("spawn", 1, *short), run("spawn", 64, *short)
    check(many["done"] > 20 * alone["done"], "64 schedulers do more than 20 times as much as one")


def who_looks_up_names_does_not_wait_for_others():
    few, many = run("names", 4), run("names", 64)
    check(many["done"] > 2 * few["done"], "64 schedulers do more than twice as much as four")
    check(lines_each(many) <= 1.5 * lines_each(few),
          f"lines for a message: {lines_each(few)} at 4, {lines_each(many)} at 64")


def a_run_is_the_same_each_time():
    check(run("random", 4) == run("random", 4), "two runs of one simulation differ")


def what_costs_more_shows():
    cheap, dear = run("random", 4), run("random", 4, "transfer=1000")
    check(dear["done"] < cheap["done"] / 2, "a line that costs ten times as much slows it down")


for test in (sporadic_work_is_found_at_a_cost_that_does_not_grow, pairs_keep_to_themselves,
             spawns_and_ends_do_not_wait_for_one_another,
             who_looks_up_names_does_not_wait_for_others,
             a_run_is_the_same_each_time, what_costs_more_shows):
    test()
