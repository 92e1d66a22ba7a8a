# SPDX-License-Identifier: Apache-2.0
"""Text from outside that is safe to show."""

import unittest

from distil.escaping import escape_cell
from distil.escaping import escape_control
from distil.escaping import escape_lines

# Line ends of every kind, an escape sequence, a change of direction, and half a character.
HOSTILE = {
    "\n": r"\n",
    "\r": r"\r",
    "\t": r"\t",
    "\0": r"\x00",
    "\x1b[2J": r"\x1b[2J",
    "\x7f": r"\x7f",
    "\x85": r"\x85",
    "\x9b": r"\x9b",
    "\u2028": r"\u2028",
    "\u2029": r"\u2029",
    "\u202e": r"\u202e",
    "\u2066": r"\u2066",
    "\ud800": r"\ud800",
}


class EscapeControlTest(unittest.TestCase):
    def test_control_characters_are_escaped(self) -> None:
        for text, escaped in HOSTILE.items():
            self.assertEqual(f"a{escaped}b", escape_control(f"a{text}b"))

    def test_names_in_any_language_are_kept(self) -> None:
        for text in ('Zoë\'s \\ "project"', "日本語", "\u0645\u06cc\u200c\u062e", "👩\u200d💻", "שלום"):
            self.assertEqual(text, escape_control(text))

    def test_lines_are_kept_where_allowed(self) -> None:
        self.assertEqual("a\nb\\x1b\\r\nc", escape_lines("a\nb\x1b\r\nc"))


class EscapeCellTest(unittest.TestCase):
    def test_formula_gets_apostrophe(self) -> None:
        for text in (
            "=HYPERLINK(1)",
            "+1+cmd",
            "-1+cmd",
            "-a",
            "@SUM(1)",
            " =1+1",
            "\uff1d1",
            "--5",
            "-5 =1",
            "=",
            "-",
        ):
            self.assertEqual(f"'{text}", escape_cell(text))

    def test_numbers_stay_numbers(self) -> None:
        for text in ("-5", "+5", "-0.25", "-1E-10", "5"):
            self.assertEqual(text, escape_cell(text))

    def test_control_characters_are_escaped(self) -> None:
        for text, escaped in HOSTILE.items():
            self.assertEqual(f"{escaped}=1", escape_cell(f"{text}=1"))
