# layers.py: reads every include against layers.txt, so that a room never looks upward.
import re
from fnmatch import fnmatch
from pathlib import Path

from source_tree import Finding, main

INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^">]+)[">]')


class Layers:
    """The text of layers.txt as rules."""

    def __init__(self, text):
        self.sets, self.places = {}, {}
        statement = ""
        for line in text.splitlines() + [""]:
            line = line.split("#")[0].rstrip()
            if line.startswith(" "):
                statement += line
                continue
            self._take(statement)
            statement = line

    def _take(self, statement):
        for sign, table in (("=", self.sets), (":", self.places)):
            name, found, rest = statement.partition(sign)
            if found:
                table[name.strip()] = rest.split()
                return

    def place_of(self, path):
        """The first place whose rule speaks of this file, or None where no rule does."""
        header = path.removeprefix("include/")
        for place in self.places:
            if path.startswith(place + "/"):
                return place
            if path.startswith("include/") and self._is_in(header, place):
                return place
        return None

    def allows(self, place, header):
        return any(self._is_in(header, word) for word in [place] + self.places[place])

    def _is_in(self, header, word):
        if word == "std":
            return re.fullmatch(r"[a-z0-9_]+", header) is not None
        if word == "os":  # a pattern's star crosses folders, and not every a/b.h is the system's
            return any(fnmatch(header, p) and header.count("/") == p.count("/")
                       for p in self.sets["os"])
        if word in self.sets:
            return any(fnmatch(header, pattern) for pattern in self.sets[word])
        if word in self.places:
            return header.startswith(word + "/")
        return fnmatch(header, word)


def lint(tree, text=None):
    layers = Layers(text or (Path(__file__).parent / "layers.txt").read_text(encoding="utf-8"))
    for path in tree.files("*.hpp", "*.cpp"):
        place = layers.place_of(path)
        if place is None:
            continue
        for number, line in enumerate(tree.lines(path), 1):
            match = INCLUDE.match(line)
            if not match:
                continue
            angle, header = match.groups()
            ours = header.startswith("airssys/")
            if header.startswith("."):
                yield Finding(path, number, f'"{header}" is relative: name it from the root')
            elif ours and angle == '"':
                yield Finding(path, number, f"a public header: write <{header}>")
            elif not layers.allows(place, header):
                yield Finding(path, number,
                              f"{place} may not include {header}: move the code to the room that "
                              "may, or pass a function pointer down (rules: tools/lint/layers.txt)")


if __name__ == "__main__":
    main("layers", lint)
