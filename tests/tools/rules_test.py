# rules_test.py: shows that the table of rules and tests finds what is missing and what is wrong.
#
# Each test writes a small tree and looks at what is found in it.
import contextlib
import io
import sys
import tempfile
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "semantics"))
from rules import Table, report  # noqa: E402

PAGE = "# Rules\n## L: links\n- L1 One.\n- L2 Two.\n## M: monitors\n- M1 One.\n"
TEST = "TEST_P(Links, a_fact) {\n"
PATH = "tests/semantics/link_test.cpp"


class Rules(unittest.TestCase):
    def table(self, files):
        with tempfile.TemporaryDirectory() as root:
            for path, text in ({"docs/rules.md": PAGE} | files).items():
                (Path(root) / path).parent.mkdir(parents=True, exist_ok=True)
                (Path(root) / path).write_text(text, encoding="utf-8")
            return Table(root)

    def printed(self, files, complete):
        output = io.StringIO()
        with contextlib.redirect_stdout(output):
            wrong = report(self.table(files), complete)
        return wrong, output.getvalue()

    def test_a_line_of_ids_above_a_test_holds_these_rules(self):
        table = self.table({PATH: f"// L1, M1\n{TEST}"})
        self.assertEqual(table.tests["L1"], [f"{PATH}: Links.a_fact"])
        self.assertEqual(table.open_rules("L"), ["L2"])
        self.assertEqual(table.open_rules("M"), [])
        self.assertEqual(table.findings, [])

    def test_a_name_on_the_next_line_and_a_python_test_count_too(self):
        table = self.table({PATH: "// L1\nTEST_P(Links,\n       a_fact) {\n",
                            "tests/kvd/x_test.py": "    # L2\n    def test_it(self):\n"})
        self.assertEqual(table.open_rules("L"), [])

    def test_a_sentence_that_names_a_rule_is_no_line_of_ids(self):
        table = self.table({PATH: f"// L1: each once.\n{TEST}"})
        self.assertEqual(table.open_rules("L"), ["L1", "L2"])
        self.assertEqual(table.findings, [])

    def test_a_line_of_ids_above_no_test_is_found(self):
        table = self.table({PATH: f"// L1\n\n{TEST}"})
        self.assertIn("directly above a test", table.findings[0])

    def test_ids_without_commas_or_with_a_full_stop_are_found(self):
        for ids in ("L1 L2", "L1.", "L1,L2", "L1, L2,"):
            self.assertIn("// L4, L5", self.table({PATH: f"// {ids}\n{TEST}"}).findings[0])

    def test_an_id_that_no_rule_has_is_found(self):
        self.assertIn("no rule L7", self.table({PATH: f"// L7\n{TEST}"}).findings[0])

    def test_a_reason_stands_for_a_test_and_goes_with_it(self):
        reasons = {"tests/semantics/untestable.txt": "# why\nL2 cannot be seen\n"}
        self.assertEqual(self.table(reasons).open_rules("L"), ["L1"])
        self.assertIn("has a test now",
                      self.table(reasons | {PATH: f"// L2\n{TEST}"}).findings[0])
        self.assertIn("say why",
                      self.table({"tests/semantics/untestable.txt": "L2\n"}).findings[0])

    def test_what_is_open_fails_in_a_complete_chapter_alone(self):
        files = {PATH: f"// L1\n{TEST}"}
        wrong, text = self.printed(files, ["M"])
        self.assertEqual(wrong, 1)
        self.assertIn("M1 has neither", text)
        self.assertIn("chapter L: 1 open: L2", text)
        self.assertEqual(self.printed(files, [])[0], 0)
        self.assertEqual(self.printed(files, ["Q"])[0], 1)

    def test_a_rule_that_is_there_twice_is_found(self):
        self.assertIn("twice", self.table({"docs/rules.md": PAGE + "- L1 Again.\n"}).findings[0])


if __name__ == "__main__":
    unittest.main()
