# source_tree.py: which files a lint reads, and how it reports.
#
# A lint is a function from a tree to findings, so that its self-test can hand it a tree of its own.
# A finding says where, what, and what to do instead.
import os
import subprocess
import sys
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path

ROOMS = ("base", "fiber", "mailbox", "scheduler", "runtime", "supervision", "net", "inspector",
         "system", "preemption")


@dataclass(frozen=True, order=True)
class Finding:
    path: str
    line: int
    text: str

    def __str__(self):
        return f"{self.path}:{self.line}: {self.text}"


class Tree:
    """The files of a source tree, by paths relative to its root."""

    def __init__(self, root):
        self.root = Path(root)

    def files(self, *patterns):
        """Paths that match one of the glob patterns, sorted; `*` crosses folders."""
        return [p for p in self._all() if any(fnmatch(p, pattern) for pattern in patterns)]

    def read(self, path):
        return (self.root / path).read_text(encoding="utf-8")

    def lines(self, path):
        return self.read(path).splitlines()

    def has(self, path):
        return (self.root / path).is_file()

    def _all(self):
        try:  # new files count before they are committed; what is ignored never does
            listed = subprocess.run(
                ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
                cwd=self.root, capture_output=True, check=True).stdout.decode().split("\0")
            if any(listed):
                return sorted(p for p in listed if p and self.has(p))
        except (OSError, subprocess.CalledProcessError):
            pass  # an unpacked archive, or a self-test: no git
        return sorted(str((Path(folder) / name).relative_to(self.root))
                      for folder, subfolders, names in os.walk(self.root)
                      if not any(part.startswith((".", "build"))
                                 for part in Path(folder).relative_to(self.root).parts)
                      for name in names)


def main(name, lint):
    """Runs a lint over the project (or the tree named as argument); exit status 1 for findings."""
    root = sys.argv[1] if len(sys.argv) > 1 else Path(__file__).resolve().parents[2]
    findings = sorted(lint(Tree(root)))
    for finding in findings:
        print(finding)
    print(f"{name}: {len(findings)} to mend" if findings else f"{name}: ok")
    sys.exit(1 if findings else 0)
