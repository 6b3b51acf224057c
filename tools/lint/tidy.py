# tidy.py: the house rules that a compiler does not know: sizes, file heads, banned words, missing
# tests.
import re
from pathlib import Path

from source_tree import ROOMS, Finding, main

LINES_MAX = 500
COLUMNS_MAX = 100
CODE = ("*.hpp", "*.cpp")

# (what, in which files, what to do instead)
BANNED = [
    (re.compile(r"\b(TODO|FIXME|XXX|HACK)\b"), CODE + ("*.py", "*meson.build"),
     "do it now, or leave it out"),
    (re.compile(r"(?<![\w.:])assert\s*\("), CODE, "RT_CHECK is on in every build"),
    (re.compile(r"\bstd::endl\b"), CODE, r"'\n'; flush where it matters"),
    (re.compile(r"\busing namespace std;"), CODE, "name what is used"),
    (re.compile(r"\b(sleep_for|sleep_until|usleep|nanosleep)\s*\("),
     ("tests/*.cpp", "tests/*.hpp"),
     "wait for what shall happen; a call that blocks a thread on purpose says `on purpose`"),
    (re.compile(r"\b(GTEST_SKIP|DISABLED_)"), ("tests/*.cpp",),
     "a test runs or is not there"),
]


def sizes(tree):
    scripts = [p for p in tree.files("tools/*", ".ci/*") if "." not in Path(p).name]
    for path in tree.files(*CODE, "*.py", "*meson.build") + scripts:
        lines = tree.lines(path)
        if len(lines) > LINES_MAX:
            yield Finding(path, len(lines), f"{len(lines)} lines, at most {LINES_MAX}: two ideas?")
        for number, line in enumerate(lines, 1):
            if len(line) > COLUMNS_MAX:
                yield Finding(path, number, f"{len(line)} columns, at most {COLUMNS_MAX}")


def heads(tree):
    for path in tree.files(*CODE):
        lines = tree.lines(path)
        first = lines[0] if lines else ""
        name = Path(path).name
        free_form = path.startswith("examples/")  # programs open as their readers' own would
        if not first.startswith("// " if free_form else f"// {name}: "):
            yield Finding(path, 1, f"begin with `// {name}: ` and one sentence: what it is")
        if path.endswith(".hpp") and "#pragma once" not in lines:
            yield Finding(path, 1, "a header has #pragma once")


def banned(tree):
    for pattern, where, instead in BANNED:
        for path in tree.files(*where):
            if path.startswith("tools/lint/"):
                continue
            lines = tree.lines(path)
            for index, line in enumerate(lines):
                match = pattern.search(line)
                if match and "on purpose" not in "".join(lines[max(0, index - 2):index + 1]):
                    yield Finding(path, index + 1, f"{match.group(0).rstrip(' (')}: {instead}")


def untested(tree):
    """Every header of a room has a test of its name, or a reason in untested.txt."""
    listing = "tools/lint/untested.txt"
    reasons = {}
    for number, line in enumerate(tree.lines(listing) if tree.has(listing) else [], 1):
        path, _, reason = line.partition(":")
        if line.strip() and not line.startswith("#"):
            reasons[path.strip()] = number
            if not tree.has(path.strip()):
                yield Finding(listing, number, f"{path} is gone: remove the line")
            if not reason.strip():
                yield Finding(listing, number, f"say why {path} has no test")
    for path in tree.files(*[room + "/*.hpp" for room in ROOMS]):
        room, name = Path(path).parts[0], Path(path).stem
        test = f"tests/{room}/{name}_test.cpp"
        has_test = tree.has(test) or tree.has(f"tests/model/{name}_model.cpp")
        if not has_test and path not in reasons:
            yield Finding(path, 1, f"has no {test}: write it, or give the reason in {listing}")
        if has_test and path in reasons:
            yield Finding(listing, reasons[path], f"{path} has a test now: remove the line")


def answers(tree):
    """Who calls a try_ verb of the public face looks at its answer."""
    verb = re.compile(r"^ *(?:inline |static )*std::expected<[^;{}()]*>\s+(try_\w+)\(", re.M)
    for path in tree.files("include/*.hpp"):
        text = tree.read(path)
        for match in verb.finditer(text):
            line = text[:match.start()].count("\n") + 1
            yield Finding(path, line, f"{match.group(1)} answers a std::expected: [[nodiscard]]")


def quotes(tree):
    """A fenced block after `<!-- quote: path -->` is that file, word for word."""
    quote = re.compile(r"<!-- quote: (\S+) -->\n+```\w*\n(.*?)```", re.DOTALL)
    for path in tree.files("*.md"):
        text = tree.read(path)
        for match in quote.finditer(text):
            line = text[:match.start()].count("\n") + 1
            if not tree.has(match.group(1)):
                yield Finding(path, line, f"quotes {match.group(1)}, which is not there")
            elif tree.read(match.group(1)) != match.group(2):
                yield Finding(path, line, f"differs from {match.group(1)}: copy it anew")


def lint(tree):
    for rule in (sizes, heads, banned, untested, answers, quotes):
        yield from rule(tree)


if __name__ == "__main__":
    main("tidy", lint)
