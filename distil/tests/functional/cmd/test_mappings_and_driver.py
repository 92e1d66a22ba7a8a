# SPDX-License-Identifier: Apache-2.0
"""Meter mappings that a telemetry driver cannot serve stop a collector, and ``config check`` reports them."""

import json
import unittest

from distil.tests.support import file_driver
from distil.tests.support.file_site import FileSite

MAPPINGS = """\
- {meter: m1, unit: hour, transformer: max}
- {meter: m2, unit: hour, transformer: max}
- meter: m3
  unit: second
  transformer: uptime
- {meter: m4, unit: byte, transformer: sum}
"""
GOOD = "- {meter: m1, unit: hour, transformer: max, metadata: {name: {sources: [name]}}}\n- meter: m5\n  unit: hour\n"
GOOD += "  transformer: max\n"


class MappingsAndDriverTest(unittest.TestCase):
    def setUp(self) -> None:
        self.site = self.enterContext(FileSite(projects=1, resources=1))

    def check(self, *arguments: str, status: int = 0) -> list[tuple[str, str, str]]:
        done = self.site.run("distil-manage", "config", "check", *arguments, "--format", "json")
        self.assertEqual((status, ""), (done.returncode, done.stderr), done.stdout)
        return [(row["check"], row["status"], row["detail"]) for row in json.loads(done.stdout)]

    def test_all_gaps_refuse_start_with_lines(self) -> None:
        self.site.use_driver([{"meter": "m1"}, {"meter": "m3"}, {"meter": "m4"}], MAPPINGS, {"adds_up": False})
        mappings, meters = self.site.mappings_file, f"{self.site.meters_file} ([file] meters_file)"
        unserved = "the driver serves no such meter, so nothing would be billed; remove the mapping"
        no_sums = "it adds volumes, and those of these samples repeat or average what was measured"
        change = f"; change the meter's entry in {meters}, or remove the mapping"
        remedy = f", which these samples do not have{change}"
        expected = [
            f"{mappings}:2: entry 2 (m2, max): {unserved}, or add an entry for the meter to {meters}",
            f"{mappings}:3: entry 3 (m3, uptime): it needs metadata.status or metadata.state{remedy}",
            f"{mappings}:3: entry 3 (m3, uptime): it needs metadata.instance_type{remedy}",
            f"{mappings}:6: entry 4 (m4, sum): {no_sums}{change}",
        ]
        lines = self.site.refused("--collect-end-time", self.site.end.isoformat()).splitlines()
        self.assertEqual([f"distil-collector: {problem}" for problem in expected], lines)
        found = [detail for check, status, detail in self.check(status=1) if status == "error"]
        self.assertEqual(expected, found)

    def test_warnings_are_logged_once(self) -> None:
        self.site.use_driver([{"meter": "m1"}, {"meter": "m5", "unavailable": "it needs a new agent"}], GOOD)
        mappings = self.site.mappings_file
        nameless = "resources are stored without name: these samples do not have metadata.name"
        expected = [
            f"{mappings}:1: entry 1 (m1, max): {nameless}",
            f"{mappings}:2: entry 2 (m5, max): nothing is billed by it: it needs a new agent",
        ]
        log = [line for line in self.site.collect().splitlines() if " WARNING " in line]
        self.assertEqual(expected, [line[line.index(str(mappings)) :] for line in log])
        rows = [detail for check, status, detail in self.check() if check == "rules of [collector]"]
        self.assertEqual(expected, rows)

    def test_untrusted_source_of_driver_refuses_start(self) -> None:
        self.site.use_driver(driver={"source": "file"}, trust_sources="openstack$, other")
        expected = (
            "[collector] trust_sources does not match 'file', the source of all samples of the driver file: nothing"
            " would be billed"
        )
        self.assertEqual(f"distil-collector: {expected}\n", self.site.refused())
        self.assertEqual([expected], [detail for _, status, detail in self.check(status=1) if status == "error"])
        self.site.use_driver(driver={"source": "file"}, trust_sources="openstack$, fil")
        self.check()

    def test_trust_matters_if_samples_have_sources(self) -> None:
        self.assertIn("trust_sources is empty", str(self.check()))
        self.site.use_driver(driver={"source": "file"})
        self.assertNotIn("trust_sources", str(self.check()))

    def test_check_tells_guarantees_and_cost(self) -> None:
        self.site.use_driver(workers=2)
        status, detail = zip(*[row[1:] for row in self.check() if row[0] == "driver file"], strict=True)
        self.assertEqual(("ok", "warning"), status)
        missing = (
            "does not guarantee: the status of a resource at each measurement; usage before a transfer belongs to the"
            " former project; samples that arrive late are seen as long as their window is not collected"
        )
        self.assertEqual(missing, detail[0])
        self.assertIn("2 processes use it", detail[1])
        self.site.use_driver(workers=1)
        self.assertEqual(["ok"], [row[1] for row in self.check() if row[0] == "driver file"])

    def live(self, status: int = 0) -> list[tuple[str, str]]:
        """Return what the live check finds of the telemetry: statuses and details."""
        return [row[1:] for row in self.check("--live", status=status) if row[0] == "telemetry of default"]

    def test_live_check_shows_sample_of_each_meter(self) -> None:
        mappings = """\
- {meter: m1, unit: second, transformer: uptime, metadata: {name: {sources: [title, name]}}}
- {meter: m2, unit: hour, transformer: max}
- {meter: m3, unit: hour, transformer: max}
- {meter: m4, unit: hour, transformer: max}
"""
        keys = ("status", "instance_type", "name", "other")
        entries: list[dict[str, object]] = [
            {"meter": "m1", "metadata": {key: key for key in keys}},
            {"meter": "m2"},
            {"meter": "m3"},
            {"meter": "m4", "unavailable": "it needs a new agent"},
        ]
        self.site.use_driver(entries, mappings, include_projects="")
        metadata = {"other": "x", "name": "n" * 100, "instance_type": "c1", "status": "None"}
        sample = {"meter": "m1", "resource_id": "r1", "project_id": "p1", "timestamp": "2026-01-01T00:05:00Z"}
        self.site.use(
            [
                sample | {"volume": 1, "unit": "GB", "metadata": metadata},
                sample | {"meter": "m2", "volume": 2.5, "unit": "h"},
            ],
            warnings=["it forgets soon"],
            meters={"m1": {"warnings": ["it may be late"]}},
        )
        shown = f"status=None, instance_type=c1, name={'n' * 46}... (cut)"
        place = "of r1 in project p1 at 2026-01-01T00:05:00Z"
        expected = [
            ("warning", "it forgets soon"),
            ("warning", "meter m1: it may be late"),
            ("ok", f"meter m1: 1 GB {place}; {shown}"),
            ("ok", f"meter m2: 2.5 h {place}"),
            ("warning", "meter m3: no samples in the last 24 hours"),
            ("ok", "2 of 3 meters have samples"),
        ]
        self.assertEqual(expected, self.live())

    def test_live_check_shows_what_hinders_collection(self) -> None:
        self.site.use(problems=["it hides some"], meters={"m1": {"problems": ["no sum of it is kept"]}})
        expected = [
            ("error", "it hides some"),
            ("error", "meter m1: no sum of it is kept"),
            ("warning", "meter m1: no samples in the last 24 hours"),
            ("ok", "0 of 1 meter has samples"),
        ]
        self.assertEqual(expected, self.live(status=1))

    def test_live_check_accepts_silent_driver(self) -> None:
        self.site.use(silent=True)
        self.assertEqual([("ok", "the driver cannot tell which meters have samples")], self.live())

    def test_live_check_reports_unusable_answer(self) -> None:
        self.site.samples_file.write_text("{")
        ((status, detail),) = self.live(status=1)
        self.assertEqual("error", status)
        self.assertIn(f"{self.site.samples_file}: Expecting property name", detail)

    def test_live_check_warns_of_reading_all_for_few(self) -> None:
        site = self.enterContext(FileSite(projects=11, resources=1))
        for names, expected in (("project-1", 1), ("project-1, project-2", 0)):
            site.use_driver(include_projects=names)
            done = site.run("distil-manage", "config", "check", "--live", "--format", "json")
            few = [row["detail"] for row in json.loads(done.stdout) if "and 1 of them is in scope" in row["detail"]]
            self.assertEqual(expected, len(few), done.stdout)

    def test_unusable_driver_is_reported_once(self) -> None:
        self.site.use_driver([{"meter": 5}])
        (problem,) = (detail for _, status, detail in self.check(status=1) if status == "error")
        self.assertEqual(
            f"[collector] {self.site.meters_file}:1: entry 1 (5): meter must be text of at most 255 characters, not 5",
            problem,
        )


class UnusableDriverTest(unittest.TestCase):
    def setUp(self) -> None:
        self.site = self.enterContext(FileSite(projects=1, resources=1))

    def test_driver_that_cannot_be_imported_is_told(self) -> None:
        self.site.environment |= file_driver.install(self.site.folder / "broken", "broken = distil.nowhere:Driver")
        self.site.use_driver(collector_backend="broken")
        expected = (
            "distil-collector: [collector] collector_backend: telemetry driver 'broken' cannot be imported: No module"
            " named 'distil.nowhere'\n"
        )
        self.assertEqual(expected, self.site.refused())

    def test_two_drivers_of_one_name_are_told(self) -> None:
        point = "ceilometer = distil.tests.support.file_driver:FileDriver"
        self.site.environment |= file_driver.install(self.site.folder / "second", point)
        self.site.use_driver(collector_backend="ceilometer")
        expected = (
            "distil-collector: [collector] collector_backend: several packages have a telemetry driver 'ceilometer':"
            " distil.telemetry.ceilometer:CeilometerDriver and distil.tests.support.file_driver:FileDriver; remove all"
            " but one\n"
        )
        self.assertEqual(expected, self.site.refused())
