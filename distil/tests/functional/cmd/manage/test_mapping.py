# SPDX-License-Identifier: Apache-2.0
"""``mapping list`` and ``mapping show``."""

import datetime
import importlib.metadata
import json

import yaml

from distil import digest
from distil.db import models
from distil.tests.support import manage
from distil.tests.support.site import ETC

HOUR = datetime.timedelta(hours=1)
START = datetime.datetime(2026, 10, 1, tzinfo=datetime.UTC)


def body(unit: str = "hour") -> str:
    entry = {"unit": unit, "transformer": "max", "meter": "network", "filters": ["metadata.name != 'größe\x1b'"]}
    return json.dumps(
        {
            "mappings": [entry],
            "transformers": {"uptime": {"tracked_states": ["active"]}},
            "trust_sources": ["openstack"],
            "versions": {"jmespath": "1.0.1", "distil": "0.1"},
        },
        sort_keys=True,
    )


OLD, NEW, UNUSED = body(), body("day"), body("week")
SHORT = {text: digest.document_digest(text)[2:14] for text in (OLD, NEW, UNUSED)}


class MappingTest(manage.ManageTestCase):
    def setUp(self) -> None:
        super().setUp()
        documents = [(1, OLD), (2, NEW), (3, UNUSED)]
        rows = [
            {"id": number, "digest": digest.document_digest(text), "kind": "rules", "body": text, "created": START}
            for number, text in documents
        ]
        names = {"id": 4, "digest": digest.document_digest("{}"), "kind": "names", "body": "{}", "created": START}
        self.insert(models.documents, *rows, names)

    def store_receipts(self) -> None:
        counts = dict.fromkeys(("samples", "used", "untrusted", "duplicates", "rejected", "entries", "revision"), 0)
        common = {
            **counts,
            "meters": "{}",
            "samples_digest": "1:",
            "usage_digest": "1:",
            "names": 4,
            "committed": START,
        }
        windows = [("p1", 0, 1, "a"), ("p1", 1, 1, "a"), ("p2", 1, 1, "b"), ("p1", 2, 2, "a"), ("p2", 9, 2, None)]
        rows = [
            {
                "tenant_id": project,
                "start": START + hour * HOUR,
                "end": START + (hour + 1) * HOUR,
                "rules": rules,
                "collector": collector,
            }
            for project, hour, rules, collector in windows
        ]
        self.insert(models.receipts, *(common | row for row in rows))

    def test_list_shows_windows_of_each_set(self) -> None:
        self.store_receipts()
        versions = {"mappings": 1, "versions": "distil 0.1, jmespath 1.0.1"}
        self.assertEqual(
            [
                {
                    "digest": SHORT[OLD],
                    "first_window": "2026-10-01T00:00:00Z",
                    "last_window": "2026-10-01T01:00:00Z",
                    "windows": 3,
                    "collectors": "a, b",
                    **versions,
                },
                {
                    "digest": SHORT[NEW],
                    "first_window": "2026-10-01T02:00:00Z",
                    "last_window": "2026-10-01T09:00:00Z",
                    "windows": 2,
                    "collectors": "a",
                    **versions,
                },
                {
                    "digest": SHORT[UNUSED],
                    "first_window": None,
                    "last_window": None,
                    "windows": 0,
                    "collectors": "",
                    **versions,
                },
            ],
            self.rows("mapping", "list"),
        )

    def test_no_rules_are_noted(self) -> None:
        self.empty(models.documents)
        self.assertEqual("distil-manage: No rules found\n", self.notes("mapping", "list"))

    def test_show_prints_rules_as_yaml(self) -> None:
        for chosen in (SHORT[OLD], SHORT[OLD][:6], digest.document_digest(OLD)):
            shown = self.output("mapping", "show", chosen)
            self.assertEqual(json.loads(OLD), yaml.safe_load(shown))
        self.assertTrue(shown.startswith(f"# rules {SHORT[OLD]}\nmappings:\n- meter: network\n  unit: hour\n"), shown)
        self.assertIn("größe", shown)
        self.assertNotIn("\x1b", shown)

    def test_diff_shows_changed_lines(self) -> None:
        shown = self.output("mapping", "show", SHORT[OLD], "--diff", SHORT[NEW]).splitlines()
        self.assertEqual([f"--- rules {SHORT[OLD]}", f"+++ rules {SHORT[NEW]}"], shown[:2])
        changed = [line for line in shown[2:] if line[0] in "+-"]
        self.assertEqual(["-  unit: hour", "+  unit: day"], changed)
        self.assertEqual("", self.output("mapping", "show", SHORT[OLD], "--diff", SHORT[OLD]))

    def test_unknown_or_ambiguous_digest_exits_with_3(self) -> None:
        for chosen in ("nosuch", "", SHORT[OLD] + "0"):
            error = self.error("mapping", "show", chosen, status=3)
            self.assertEqual(f"no rules in the database have a digest that begins with {chosen!r}", error)
        self.assertIn("the digests of several rules begin with '1:'", self.error("mapping", "show", "1:", status=3))

    def test_current_rules_are_those_of_files(self) -> None:
        files = f"meter_mappings_file = {ETC}/meter_mappings.yml\ntransformer_file = {ETC}/transformer.yml\n"
        self.config.write_text(self.config.read_text() + "[collector]\n" + files)
        shown = yaml.safe_load(self.output("mapping", "show", "current"))
        content = yaml.safe_load((ETC / "meter_mappings.yml").read_text())
        self.assertEqual(content, shown["mappings"])
        self.assertEqual(importlib.metadata.version("distil"), shown["versions"]["distil"])
        self.assertIn("-trust_sources: [openstack]", self.output("mapping", "show", SHORT[OLD], "--diff", "current"))

    def test_missing_file_prints_one_line(self) -> None:
        files = f"meter_mappings_file = none\ntransformer_file = {ETC}/transformer.yml\n"
        self.config.write_text(self.config.read_text() + "[collector]\n" + files)
        self.assertIn("none cannot be read", self.error("mapping", "show", "current"))
