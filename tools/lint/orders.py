# orders.py: every atomic access names its memory order, and a comment says why that suffices.
#
# The comment stands on the access's own lines or at most four lines above it. Where a call only
# looks like an atomic's (`file.load(...)`), the comment "not an atomic" on its line says so.
import re

from source_tree import ROOMS, Finding, main

ACCESS = re.compile(
    r"(?:\.|->)(load|store|exchange|fetch_(?:add|sub|and|or|xor)|compare_exchange_(?:weak|strong)|"
    r"test_and_set)\s*\(|\b(atomic_fence|atomic_thread_fence|atomic_signal_fence)\s*\(")
LINES_ABOVE = 4
SEAM = "base/atomic.hpp"  # passes its callers' orders on


def without_comments(line):
    return re.sub(r'"(\\.|[^"\\])*"', '""', line).split("//")[0]


def call_end(code, line, column):
    """The index of the line on which the parenthesis that opens at (line, column) closes."""
    depth = 0
    for at in range(line, len(code)):
        for character in code[at][column if at == line else 0:]:
            depth += {"(": 1, ")": -1}.get(character, 0)
            if depth == 0 and character == ")":
                return at
    return line


def lint(tree):
    for path in tree.files("include/*.hpp", *[f"{r}/*.{e}" for r in ROOMS for e in ("hpp", "cpp")]):
        if path == SEAM:
            continue
        lines = tree.lines(path)
        code = [without_comments(line) for line in lines]
        for index, text in enumerate(code):
            for match in ACCESS.finditer(text):
                end = call_end(code, index, match.end() - 1)
                call = "\n".join([text[match.start():]] + code[index + 1:end + 1])
                near = lines[max(0, index - LINES_ABOVE):end + 1]
                if "not an atomic" in lines[index]:
                    continue
                name = match.group(1) or match.group(2)
                if "memory_order" not in call:
                    yield Finding(path, index + 1, f"{name} names no memory order: say "
                                  "std::memory_order_..., never rely on the default")
                elif not any("//" in line for line in near):
                    yield Finding(path, index + 1, f"{name} has no comment on it or within "
                                  f"{LINES_ABOVE} lines above: name the partner of this order, "
                                  "and what a weaker one would break")


if __name__ == "__main__":
    main("orders", lint)
