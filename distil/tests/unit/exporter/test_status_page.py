# SPDX-License-Identifier: Apache-2.0
"""The content of the status page, and the escaping of text from elsewhere."""

import dataclasses
import unittest
import xml.etree.ElementTree as ET

import html5lib
import hypothesis
from hypothesis import strategies as st

from distil.escaping import escape_lines
from distil.exporter.status_page import StatusPage
from distil.monitoring.history import RejectionEvent
from distil.monitoring.history import RunOutcome
from distil.monitoring.history import RunResult
from distil.monitoring.history import Snapshot
from distil.tests.support import snapshots
from distil.tests.support import strategies
from distil.tests.support.snapshots import HOUR
from distil.tests.support.snapshots import MINUTE
from distil.tests.support.snapshots import run
from distil.tests.unit.test_escaping import HOSTILE

TEXTS = st.text(st.characters(exclude_categories=())) | st.sampled_from(
    ("</title></bdi><script>x</script>", '" onload="x', "' x='", "<!--", "{{ 1 }}", "&lt;", *strategies.NASTY_TEXTS)
)


def parse(snapshot: Snapshot) -> ET.Element:
    body = StatusPage(lambda: snapshot, snapshots.clock).render("").body.decode()
    page: ET.Element = html5lib.HTMLParser(strict=False, namespaceHTMLElements=False).parse(body)
    return page


def text(page: ET.Element, path: str = ".") -> str:
    return " ".join(" ".join("".join(element.itertext()) for element in page.findall(path)).split())


def hostile(words: str) -> Snapshot:
    """Returns a snapshot with the same text in every field that comes from elsewhere."""
    return snapshots.snapshot(
        collector=words,
        version=words,
        current=RunResult(words, snapshots.NOW),
        runs=(dataclasses.replace(run(HOUR, RunOutcome.FAILED, problem=words), id=words),),
        lagging=(snapshots.lagging_project(words, words, project_id=words),),
        rejected=(RejectionEvent(words, words, words, 1, words),),
    )


class StatusPageTest(unittest.TestCase):
    def test_departed_projects_are_counted(self) -> None:
        page = text(parse(snapshots.snapshot(runs=(run(HOUR, departing=2, missing=30), run(2 * HOUR, departing=9)))))
        self.assertIn("2 departed projects collected until the usage ends", page)
        self.assertIn("30 projects are missing in Keystone's list or in the scope", page)
        self.assertNotIn("9 departed", page)

    @hypothesis.given(TEXTS)
    def test_text_never_changes_markup(self, words: str) -> None:
        expected, actual = (
            [(element.tag, sorted(element.keys())) for element in parse(hostile(value)).iter()]
            for value in ("a", words)
        )
        self.assertEqual(expected, actual)

    def test_text_is_shown_verbatim(self) -> None:
        name = "<b>R&D</b> \"x\" 'y' {{ z }}"
        self.assertEqual(
            name, text(parse(snapshots.snapshot(lagging=(snapshots.lagging_project(name),))), ".//tbody/tr/th/bdi")
        )

    def test_control_characters_are_shown_escaped(self) -> None:
        words = "".join(HOSTILE)
        page = StatusPage(lambda: hostile(words), snapshots.clock).render("").body.decode()
        self.assertEqual(14, page.count("".join(HOSTILE.values())))
        self.assertEqual(escape_lines(page), page)

    def test_page_is_valid_and_self_contained(self) -> None:
        for snapshot in (snapshots.snapshot(), snapshots.rich()):
            body = StatusPage(lambda value=snapshot: value, snapshots.clock).render("").body.decode()  # type: ignore[misc]
            page = html5lib.HTMLParser(strict=True, namespaceHTMLElements=False).parse(body)
            links = [element.get(name) for element in page.iter() for name in ("href", "src") if element.get(name)]
            self.assertEqual(["/metrics", "/health"], links)
            tags = {element.tag for element in page.iter()}
            self.assertFalse({"script", "link", "img", "iframe", "object", "form"} & tags)
            self.assertNotIn("url(", body)

    def test_new_process_shows_empty_sections(self) -> None:
        page = text(parse(snapshots.snapshot(lagging=None, next_run=snapshots.NOW + MINUTE)), "body")
        for words in (
            "Distil Collector default",
            "Version 1.2.3, up since 2026-11-24 12:29:00 (1 min), run interval 1 h.",
            "Page generated at 2026-11-24 12:30:00. All times are in UTC.",
            "Starting Starting: no run has ended yet.",
            "No run in progress. The next run starts at 2026-11-24 12:31:00, in 1 min.",
            "Projects with windows due Not known before a run has collected.",
            "None since the process started.",
            "No run has ended since the process started.",
        ):
            self.assertIn(words, page)
        for words in ("Unhealthy", "Healthy", "No projects"):
            self.assertNotIn(words, page)

    def test_planning_run_shows_no_numbers(self) -> None:
        page = text(parse(snapshots.snapshot(current=run(MINUTE, None, problem="Planning: HTTP 503"))), "body")
        self.assertIn("running for 1 min: finding out which windows are due.", page)
        self.assertIn("is retrying: Planning: HTTP 503", page)
        self.assertNotIn("0 of 0", page)

    def test_problems_of_process_are_shown(self) -> None:
        page = text(parse(snapshots.snapshot(runs=(run(HOUR),), problems=("The log is full",))), ".//section[1]")
        self.assertEqual("Healthy The log is full", page)

    def test_current_run_shows_progress(self) -> None:
        page = parse(snapshots.snapshot(current=run(MINUTE, None, projects=7, windows=3, due=7)))
        self.assertIn(
            "Started at 2026-11-24 12:29:00, running for 1 min: 3 of 7 windows committed", text(page, ".//main")
        )
        (bar,) = page.iter("progress")
        self.assertEqual(("3", "7"), (bar.get("value"), bar.get("max")))

    def test_unhealthy_reasons_are_at_top(self) -> None:
        failed = run(MINUTE, RunOutcome.FAILED, problem="identity: HTTP 503")
        self.assertIn("HTTP 503", text(parse(snapshots.snapshot(runs=(failed,))), ".//section[1]"))

    def test_paused_collector_says_so(self) -> None:
        section = text(parse(snapshots.snapshot(runs=(run(MINUTE, RunOutcome.PAUSED),))), ".//section[1]")
        self.assertEqual(
            "Paused Paused: max_windows_per_cycle is 0. Nothing is collected; all windows stay due.", section
        )

    def test_runs_have_rows_and_bars(self) -> None:
        runs = (run(HOUR, RunOutcome.PARTIAL, windows=5), run(2 * HOUR, windows=10), run(3 * HOUR, RunOutcome.FAILED))
        page = parse(snapshots.snapshot(runs=runs))
        rows = page.findall(".//*[@class='scroll']//tbody/tr")
        self.assertEqual(["partial", "complete", "failed"], [text(row, "td[1]") for row in rows])
        bars = [element for element in page.iter() if element.tag.endswith("rect")]
        self.assertEqual(2 * ["partial", "complete", "failed"], [bar.get("class") for bar in bars])
        heights = [float(bar.get("height", "")) for bar in bars]
        self.assertEqual([100, 100, 100, 50, 100, 2], heights)
        self.assertIn("2026-11-24 11:30:00 UTC: 5, partial", text(page))

    def test_lagging_project_shows_reason(self) -> None:
        page = parse(
            snapshots.snapshot(
                lagging=(snapshots.lagging_project("web", "HTTP 503", 30), snapshots.lagging_project("db"))
            )
        )
        self.assertEqual(
            "web a1 2026-11-23 06:30:00 1 d 6 h 30 HTTP 503 "
            "db a1 2026-11-24 10:30:00 2 h 2 None; the run reached its limit",
            text(page, ".//tbody"),
        )

    def test_lagging_projects_are_limited_to_fifty(self) -> None:
        page = parse(
            snapshots.snapshot(lagging=tuple(snapshots.lagging_project(f"p{number}") for number in range(5000)))
        )
        self.assertIn("5,000 projects with windows due", text(page))
        self.assertIn("4,950 more projects with a smaller lag not shown", text(page))
        self.assertEqual(50, len(page.findall(".//tbody/tr")))

    def test_rejected_samples_are_shown(self) -> None:
        rejected = RejectionEvent("a1", "volume.size", "[4, 5)", 3, "volume 'lots' is not a number")
        page = parse(snapshots.snapshot(rejected=(rejected,)))
        self.assertEqual("volume.size a1 [4, 5) 3 volume 'lots' is not a number", text(page, ".//tbody"))
