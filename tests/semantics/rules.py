# rules.py: which tests hold which rule of docs/rules.md, as a table, and which rules have none.
#
#   rules.py [--complete P,S,…] [ROOT]     fails for what is open in the chapters named
#
# A test says which rules it holds in a line directly above it, of ids alone: `// L4, L5` above a
# TEST, TEST_P or TEST_F, `# L4` above a Python test. tests/semantics/untestable.txt has `ID reason`
# for each rule that no test can hold. What is wrong in any chapter always fails: an id that no
# rule has, a line of ids that stands above no test or is written otherwise, a reason for a rule
# that has a test.
import argparse
import re
import sys
from collections import defaultdict
from pathlib import Path

RULES = "docs/rules.md"
UNTESTABLE = "tests/semantics/untestable.txt"
RULE = re.compile(r"- ([A-Z]\d+) ")
IDS = re.compile(r"\s*(?://|#) ([A-Z]\d+(?:, [A-Z]\d+)*)\s*")
ALMOST_IDS = re.compile(r"\s*(?://|#) ?[A-Z]\d+(?:[ ,.;:/+]+[A-Z]\d+)*[ ,.;:]*")
TEST = re.compile(r" *(?:TEST(?:_P|_F)?\((\w+),\s*(\w+)|def (test_\w+))")


class Table:
    """Rule ids in the order of the page, what holds each of them, and what is wrong."""

    def __init__(self, root):
        root = Path(root)
        self.rules = []
        self.tests = defaultdict(list)
        self.reasons = {}
        self.findings = []
        self._read_rules(root)
        for path in sorted(root.glob("tests/**/*.cpp")) + sorted(root.glob("tests/**/*.py")):
            self._read_tests(path.relative_to(root), path)
        self._read_reasons(root / UNTESTABLE)

    def open_rules(self, chapter):
        return [rule for rule in self.rules if rule[0] == chapter
                and rule not in self.tests and rule not in self.reasons]

    def chapters(self):
        return list(dict.fromkeys(rule[0] for rule in self.rules))

    def _read_rules(self, root):
        for number, line in enumerate((root / RULES).read_text("utf-8").splitlines(), 1):
            if match := RULE.match(line):
                if match[1] in self.rules:
                    self._find(RULES, number, f"{match[1]} is there twice")
                self.rules.append(match[1])

    def _read_tests(self, path, file):
        lines = file.read_text("utf-8").splitlines()
        for number, line in enumerate(lines, 1):
            if not ALMOST_IDS.fullmatch(line):
                continue
            ids = IDS.fullmatch(line)
            if not ids:
                self._find(path, number, "a line of ids is written as // L4, L5")
                continue
            # Two lines, for clang-format may break one behind the suite's name.
            test = TEST.match("\n".join(lines[number:number + 2]))
            if not test:
                self._find(path, number, "a line of ids stands directly above a test")
                continue
            name = test[3] or f"{test[1]}.{test[2]}"
            for rule in ids[1].split(", "):
                if rule in self.rules:
                    self.tests[rule].append(f"{path}: {name}")
                else:
                    self._find(path, number, f"{RULES} has no rule {rule}")

    def _read_reasons(self, file):
        lines = file.read_text("utf-8").splitlines() if file.is_file() else []
        for number, line in enumerate(lines, 1):
            if not line or line.startswith("#"):
                continue
            rule, _, reason = line.partition(" ")
            if rule not in self.rules:
                self._find(UNTESTABLE, number, f"{RULES} has no rule {rule}")
            elif not reason.strip():
                self._find(UNTESTABLE, number, f"say why no test can hold {rule}")
            elif rule in self.tests:
                self._find(UNTESTABLE, number, f"{rule} has a test now: remove the line")
            self.reasons[rule] = reason.strip()

    def _find(self, path, line, text):
        self.findings.append(f"{path}:{line}: {text}")


def report(table, complete):
    """Prints the table and answers how many things are wrong."""
    for rule in table.rules:
        held_by = table.tests.get(rule) or [f"untestable: {table.reasons[rule]}"
                                            if rule in table.reasons else "-"]
        for test in held_by:
            print(f"{rule:4} {test}")
    wrong = list(table.findings)
    for chapter in table.chapters():
        open_rules = table.open_rules(chapter)
        if open_rules:
            print(f"chapter {chapter}: {len(open_rules)} open: {', '.join(open_rules)}")
        if chapter in complete:
            wrong += [f"{rule} has neither a test nor a reason in {UNTESTABLE}"
                      for rule in open_rules]
    wrong += [f"{RULES} has no chapter {c}" for c in complete if c not in table.chapters()]
    for text in wrong:
        print(text)
    return len(wrong)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--complete", default="", type=lambda text: text.split(",") if text else [])
    parser.add_argument("root", nargs="?", default=Path(__file__).resolve().parents[2])
    arguments = parser.parse_args()
    sys.exit(1 if report(Table(arguments.root), arguments.complete) else 0)


if __name__ == "__main__":
    main()
