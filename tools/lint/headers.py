# headers.py: compiles each header alone, so that it includes what it uses.
#
# CXX names the compiler (default: c++). Only the syntax is checked; all cores take part.
import os
import shlex
import subprocess
from concurrent.futures import ThreadPoolExecutor

from source_tree import ROOMS, Finding, main

FLAGS = ["-std=c++23", "-fsyntax-only", "-Wall", "-Wextra", "-Wconversion", "-Wshadow", "-Werror",
         "-x", "c++", "-"]


def compile_alone(tree, header):
    # Public headers see what users see: include/ alone.
    public = header.startswith("include/")
    folders = ["-Iinclude"] if public else ["-I.", "-Iinclude"]
    text = f"#include <{header.removeprefix('include/')}>\n" if public else f'#include "{header}"\n'
    done = subprocess.run(shlex.split(os.environ.get("CXX", "c++")) + folders + FLAGS, input=text,
                          cwd=tree.root, capture_output=True, text=True)
    if done.returncode == 0:
        return None
    error = next((line for line in done.stderr.splitlines() if "error:" in line), done.stderr)
    return Finding(header, 1, f"does not compile alone: include what it uses ({error.strip()})")


def lint(tree):
    headers = tree.files("include/*.hpp", *[room + "/*.hpp" for room in ROOMS])
    with ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:
        return [f for f in pool.map(lambda h: compile_alone(tree, h), headers) if f]


if __name__ == "__main__":
    main("headers", lint)
