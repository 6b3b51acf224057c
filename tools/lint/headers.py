# headers.py: each header compiles alone, for it includes what it uses.
#
# One that a source file of a room includes before all others is compiled so with that file, by
# sources.py; the rest are compiled here. CXX names the compiler (default: c++). Only the syntax is
# checked; all cores take part.
import os
import re
import shlex
import subprocess
from concurrent.futures import ThreadPoolExecutor

from source_tree import ROOMS, Finding, main

FLAGS = ["-std=c++23", "-fsyntax-only", "-Wall", "-Wextra", "-Wconversion", "-Wshadow", "-Werror",
         "-x", "c++", "-"]


def compile_alone(tree, file):
    # Public headers see what users see: include/ alone.
    public = file.startswith("include/")
    folders = ["-Iinclude"] if public else ["-I.", "-Iinclude"]
    text = f"#include <{file.removeprefix('include/')}>\n" if public else f'#include "{file}"\n'
    done = subprocess.run(shlex.split(os.environ.get("CXX", "c++")) + folders + FLAGS, input=text,
                          cwd=tree.root, capture_output=True, text=True)
    if done.returncode == 0:
        return None
    error = next((line for line in done.stderr.splitlines() if "error:" in line), done.stderr)
    return Finding(file, 1, f"does not compile alone: include what it uses ({error.strip()})")


def compile_each_alone(tree, files):
    with ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:
        return [f for f in pool.map(lambda file: compile_alone(tree, file), files) if f]


def first_include(tree, source):
    include = re.search(r'^#include ["<](.*?)[">]', tree.read(source), re.M)
    name = include[1] if include else ""
    return "include/" + name if name.startswith("airssys/") else name


def lint(tree):
    headers = tree.files("include/*.hpp", *[room + "/*.hpp" for room in ROOMS])
    sources = tree.files(*[room + "/*.cpp" for room in ROOMS])
    built_alone = {first_include(tree, source) for source in sources}
    return compile_each_alone(tree, [h for h in headers if h not in built_alone])


if __name__ == "__main__":
    main("headers", lint)
