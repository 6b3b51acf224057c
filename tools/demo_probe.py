"""demo_probe.py: one client that crashes shards and times their return; the first answer counts.

    python3 tools/demo_probe.py PORT SHARDS CRASHES_PER_SHARD

A process of its own, so that it never waits for the other threads of the demonstration. It runs
ahead of the load on the load's CPU where the system allows that (real-time priority), for what is
measured is the daemon, not how long a client waits for its own CPU. Prints one JSON object: `kind`
of scheduling, `restarts` and `ordinary` answers in milliseconds.
"""

import json
import os
import pathlib
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "tests" / "kvd"))
sys.dont_write_bytecode = True

from support import Client  # pylint: disable=wrong-import-position

PAUSE_S = 0.2  # so that the load is at full strength again
KEYS = [f"key:{number:012}" for number in range(64)]  # some of them in every shard


def run_ahead():
    """What kind of scheduling this process has got."""
    try:
        os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(1))
        return "real-time"
    except PermissionError:
        return "ordinary"


def time_answer(client):
    """Milliseconds that an answer takes that needs every shard."""
    began = time.monotonic()
    values = client.value("MGET", *KEYS)
    took = (time.monotonic() - began) * 1000
    if None in values:
        raise AssertionError("keys are missing after a restart")
    return took


def main():
    port, shards, crashes = map(int, sys.argv[1:])
    times = {"kind": run_ahead(), "restarts": [], "ordinary": []}
    with Client(port) as client:
        for shard in list(range(shards)) * crashes:
            time.sleep(PAUSE_S)
            times["ordinary"].append(time_answer(client))
            if client.value("DEBUG", "CRASH", shard) != "OK":
                raise AssertionError("the shard did not crash")
            times["restarts"].append(time_answer(client))
    print(json.dumps(times))


if __name__ == "__main__":
    main()
