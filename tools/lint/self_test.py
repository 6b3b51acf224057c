# self_test.py: shows of each lint that it can fail, and that it keeps quiet where all is well.
#
# Each test writes a small tree and counts what the lint finds in it.
import tempfile
import unittest
from pathlib import Path

import headers
import layers
import orders
import sources
import tidy
from source_tree import Tree

HEAD = "// x.hpp: an example.\n#pragma once\n"


class LintCase(unittest.TestCase):
    def findings(self, lint, files):
        with tempfile.TemporaryDirectory() as root:
            for path, text in files.items():
                (Path(root) / path).parent.mkdir(parents=True, exist_ok=True)
                (Path(root) / path).write_text(text, encoding="utf-8")
            return [str(finding) for finding in lint(Tree(root))]

    def finds(self, lint, files, word):
        found = self.findings(lint, files)
        self.assertEqual(len(found), 1, found)
        self.assertIn(word, found[0])

    def finds_nothing(self, lint, files):
        self.assertEqual(self.findings(lint, files), [])


class Layers(LintCase):
    def test_a_room_may_not_look_upward_or_sideways(self):
        self.finds(layers.lint, {"base/x.hpp": '#include "fiber/context.hpp"\n'}, "may not include")
        self.finds(layers.lint, {"mailbox/x.cpp": '#include "scheduler/task.hpp"\n'},
                   "may not include")
        self.finds_nothing(layers.lint, {"scheduler/x.hpp": '#include "fiber/context.hpp"\n'})

    def test_the_supervisor_sees_the_public_headers_alone(self):
        self.finds(layers.lint, {"supervision/x.cpp": '#include "base/assert.hpp"\n'},
                   "may not include")
        self.finds_nothing(layers.lint, {"supervision/x.cpp": "#include <airssys/rt.hpp>\n"})

    def test_public_headers_include_the_standard_library_and_each_other(self):
        path = "include/airssys/rt/x.hpp"
        self.finds(layers.lint, {path: "#include <sys/mman.h>\n"}, "may not include")
        self.finds(layers.lint, {path: '#include "base/assert.hpp"\n'}, "may not include")
        self.finds_nothing(layers.lint, {path: "#include <airssys/rt/pid.hpp>\n#include <span>\n"})

    def test_vocabulary_lies_below_the_rest_of_the_public_headers(self):
        self.finds(layers.lint, {"include/airssys/rt/pid.hpp": "#include <airssys/rt/net.hpp>\n"},
                   "vocabulary may not")

    def test_foreign_libraries_stay_in_their_rooms(self):
        self.finds(layers.lint, {"runtime/x.cpp": "#include <concurrentqueue/concurrentqueue.h>\n"},
                   "may not include")
        self.finds_nothing(layers.lint, {"base/x.cpp": "#include <sys/mman.h>\n#include <span>\n"})

    def test_includes_are_named_from_the_root(self):
        self.finds(layers.lint, {"base/x.hpp": '#include "../base/os.hpp"\n'}, "relative")
        self.finds(layers.lint, {"runtime/x.hpp": '#include "airssys/rt/pid.hpp"\n'}, "<airssys")


class Orders(LintCase):
    def test_an_access_without_an_order_is_found(self):
        self.finds(orders.lint, {"base/x.hpp": "// why\nint n = word.load();\n"}, "names no memory")
        self.finds(orders.lint, {"base/x.hpp": "// why\nword->store(\n  1);\n"}, "names no memory")

    def test_an_access_without_a_reason_is_found(self):
        access = "int n = word.load(std::memory_order_relaxed);\n"
        self.finds(orders.lint, {"base/x.hpp": access}, "no comment")
        self.finds(orders.lint, {"base/x.hpp": "// too far\n\n\n\n\n" + access}, "no comment")
        self.finds_nothing(orders.lint, {"base/x.hpp": "// relaxed: a statistic.\n" + access})

    def test_what_only_looks_like_an_access_is_let_through(self):
        code = "a = std::exchange(b, c);\nfile.load(p);  // not an atomic\n// word.load()\n"
        self.finds_nothing(orders.lint, {"base/x.hpp": code})


class Tidy(LintCase):
    test = {"tests/base/x_test.cpp": "// x_test.cpp: an example.\n"}

    def test_sizes_are_limited(self):
        self.finds(tidy.lint, self.test | {"base/x.hpp": HEAD + "//\n" * 500}, "500")
        self.finds(tidy.lint, self.test | {"base/x.hpp": HEAD + "//" + "x" * 99 + "\n"}, "columns")
        self.finds_nothing(tidy.lint, self.test | {"base/x.hpp": HEAD + "//" + "ä" * 98 + "\n"})

    def test_a_file_begins_with_its_name(self):
        self.finds(tidy.lint, {"base/x.cpp": "#include <span>\n"}, "begin with")
        self.finds(tidy.lint, self.test | {"base/x.hpp": "// x.hpp: an example.\n"}, "pragma once")

    def test_banned_words_are_found(self):
        self.finds(tidy.lint, {"base/x.cpp": "// x.cpp: it.\n// TODO later\n"}, "do it now")
        self.finds(tidy.lint, {"base/x.cpp": "// x.cpp: it.\nassert(true);\n"}, "RT_CHECK")
        self.finds_nothing(tidy.lint, {"base/x.cpp": "// x.cpp: it.\nstatic_assert(true);\n"})

    def test_a_sleeping_test_is_found_unless_it_blocks_on_purpose(self):
        test = "// x_test.cpp: it.\n{}std::this_thread::sleep_for(1s);\n"
        self.finds(tidy.lint, {"tests/base/x_test.cpp": test.format("")}, "wait for")
        self.finds_nothing(tidy.lint, {
            "tests/base/x_test.cpp": test.format("// Blocks its thread on purpose.\n")})

    def test_a_header_without_a_test_needs_a_reason(self):
        self.finds(tidy.lint, {"base/x.hpp": HEAD}, "has no tests/base/x_test.cpp")
        reasons = {"tools/lint/untested.txt": "base/x.hpp: constants\n"}
        self.finds_nothing(tidy.lint, reasons | {"base/x.hpp": HEAD})
        self.finds(tidy.lint, reasons | self.test | {"base/x.hpp": HEAD}, "has a test now")
        self.finds(tidy.lint, reasons, "is gone")

    def test_a_verb_whose_answer_may_be_ignored_is_found(self):
        path = "include/airssys/rt/x.hpp"
        verb = "{}std::expected<int,\n              E<int>> try_it(int n);\n"
        self.finds(tidy.lint, {path: HEAD + verb.format("")}, "try_it answers")
        self.finds(tidy.lint, {path: HEAD + verb.format("  static ")}, "try_it answers")
        self.finds_nothing(tidy.lint, {path: HEAD + verb.format("[[nodiscard]] ")})
        self.finds_nothing(tidy.lint, {path: HEAD + "  return try_it(1);\nauto a = try_it(1);\n"})

    def test_a_quote_that_differs_is_found(self):
        page = "<!-- quote: examples/x.cpp -->\n```cpp\n// It.\n```\n"
        self.finds_nothing(tidy.lint, {"README.md": page, "examples/x.cpp": "// It.\n"})
        self.finds(tidy.lint, {"README.md": page, "examples/x.cpp": "// That.\n"}, "copy it anew")
        self.finds(tidy.lint, {"README.md": page}, "not there")


class Headers(LintCase):
    def test_a_header_that_leans_on_its_includer_is_found(self):
        self.finds(headers.lint, {"base/x.hpp": "#pragma once\ninline std::size_t n = 0;\n"},
                   "does not compile alone")
        self.finds_nothing(headers.lint, {
            "base/x.hpp": "#pragma once\n#include <cstddef>\ninline std::size_t n = 0;\n"})

    def test_a_header_that_a_build_compiles_first_is_left_to_it(self):
        broken = {"base/x.hpp": "#pragma once\ninline std::size_t n = 0;\n"}
        self.finds_nothing(headers.lint, broken | {
            "base/x.cpp": '// x.cpp: it.\n#include "base/x.hpp"\n\n#include <cstddef>\n'})
        self.finds(headers.lint, broken | {
            "base/y.cpp": '#include <cstddef>\n#include "base/x.hpp"\n'}, "compile alone")

    def test_a_public_header_does_not_see_the_rooms(self):
        self.finds(headers.lint, {"include/airssys/rt/x.hpp": "#include <base/y.hpp>\n",
                                  "base/y.hpp": "#pragma once\n"}, "base/y.hpp")

    def test_a_source_that_leans_on_its_neighbour_is_found(self):
        self.finds(sources.lint, {"base/x.cpp": "// x.cpp: it.\nstd::size_t n = 0;\n"},
                   "does not compile alone")
        self.finds_nothing(sources.lint, {
            "base/x.cpp": "// x.cpp: it.\n#include <cstddef>\nstd::size_t n = 0;\n"})


if __name__ == "__main__":
    unittest.main()
