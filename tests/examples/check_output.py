# check_output.py: runs an example and compares what it prints with what its readers are promised.
#
#   check_output.py PROGRAM EXPECTED SCHEDULERS [--any-order]
#
# --any-order is for a program whose lines come from threads that do not wait for each other.
import os
import subprocess
import sys
from pathlib import Path

program, expected, schedulers, *flags = sys.argv[1:]
done = subprocess.run([program], stdout=subprocess.PIPE, text=True,
                      env=os.environ | {"AIRSSYS_RT_SCHEDULERS": schedulers})
order = sorted if flags == ["--any-order"] else list
want = Path(expected).read_text(encoding="utf-8")
if done.returncode != 0:
    sys.exit(f"{program} ended with {done.returncode}")
if order(done.stdout.splitlines()) != order(want.splitlines()):
    sys.exit(f"{program} printed\n{done.stdout}instead of\n{want}")
