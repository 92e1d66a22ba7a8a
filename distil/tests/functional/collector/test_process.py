# SPDX-License-Identifier: Apache-2.0
"""distil-collector as a process: its start, its signals, its exit status and its exporter."""

import datetime
import re
import signal
import socket
import unittest

from distil.tests.functional.collector.site import HOUR
from distil.tests.functional.collector.site import Site
from distil.tests.functional.collector.site import free_port
from distil.tests.functional.collector.site import metrics
from distil.tests.functional.collector.site import wait_for


class RunningTest(unittest.TestCase):
    def setUp(self) -> None:
        self.site = self.enterContext(Site())
        self.port = free_port()
        self.log = self.site.folder / "collector.log"
        self.site.configure(enable_exporter=True, exporter_host="127.0.0.1", exporter_port=self.port)
        self.collector = self.site.collector("--log-file", str(self.log))

    def wait_for_a_run(self, after: float = 0) -> dict[str, float]:
        wait_for(lambda: metrics(self.port).get("distil_collector_last_run_end", 0) > after)
        return metrics(self.port)

    def test_it_runs_at_start_and_counts_what_it_has_stored(self) -> None:
        values = self.wait_for_a_run()
        self.assertEqual({self.site.end}, set(self.site.last_collected().values()))
        stored: dict[str, float] = {}
        for entry in self.site.usage():
            name = f"distil_collector_usage_total {entry.service} {entry.unit}"
            stored[name] = stored.get(name, 0) + float(entry.volume)
        counted = {name: value for name, value in values.items() if name.startswith("distil_collector_usage_total ")}
        self.assertEqual(stored.keys(), counted.keys())
        for name, value in stored.items():
            self.assertAlmostEqual(value, counted[name], msg=name)
        self.assertLessEqual(values["distil_collector_last_run_start"], values["distil_collector_last_run_end"])
        took = values["distil_collector_last_run_end"] - values["distil_collector_last_run_start"]
        self.assertAlmostEqual(took, values["distil_collector_last_run_duration_seconds"], places=3)

    def test_sigterm_ends_it_with_status_0(self) -> None:
        self.wait_for_a_run()
        self.collector.send_signal(signal.SIGTERM)
        self.assertEqual(0, self.collector.wait(30))
        self.assertEqual({}, metrics(self.port))

    def test_sighup_starts_it_anew_and_nothing_is_stored_twice(self) -> None:
        end = self.wait_for_a_run()["distil_collector_last_run_end"]
        before = self.site.usage()
        self.collector.send_signal(signal.SIGHUP)
        self.wait_for_a_run(after=end)
        self.assertEqual(before, self.site.usage())

    def test_eventlet_is_not_imported(self) -> None:
        """It would warn that it is deprecated."""
        self.wait_for_a_run()
        self.collector.send_signal(signal.SIGTERM)
        said, _ = self.collector.communicate(timeout=30)
        self.assertNotIn("ventlet", said + self.log.read_text())


class SlowTelemetryTest(unittest.TestCase):
    def test_sigterm_does_not_wait_for_an_answer_that_never_comes(self) -> None:
        site = self.enterContext(Site())
        site.cloud.add_fault("metering", "timeout")
        collector = site.collector()
        wait_for(lambda: site.last_collected() and site.cloud.requests.total("metering"))
        started = datetime.datetime.now(datetime.UTC)
        collector.send_signal(signal.SIGTERM)
        self.assertEqual(0, collector.wait(30))
        self.assertLess(datetime.datetime.now(datetime.UTC) - started, datetime.timedelta(seconds=10))
        self.assertEqual([], site.usage())


class StartTest(unittest.TestCase):
    """What can be seen to be wrong at start is told then, in lines that say what to do, with status 1."""

    def setUp(self) -> None:
        self.site = self.enterContext(Site())

    def refused(self, *arguments: str) -> str:
        collector = self.site.collector(*arguments)
        said, _ = collector.communicate(timeout=60)
        self.assertEqual(1, collector.returncode, said)
        self.assertNotIn("Traceback", said)
        return said

    def test_all_errors_of_all_files_are_told_at_once(self) -> None:
        mappings = self.site.folder / "mappings.yml"
        mappings.write_text("- {meter: a, unit: hour, transformer: maxx}\n- {metr: b, unit: hour, transformer: max}\n")
        transformers = self.site.folder / "transformer.yml"
        transformers.write_text("uptime: {tracked_states: active}\n")
        self.site.configure(
            meter_mappings_file=mappings,
            transformer_file=transformers,
            include_domains="a",
            ignore_domains="a",
            collector_backend="gnochi",
        )
        said = self.refused()
        self.assertIn(f"{mappings}:1: entry 1 (a): transformer: unknown transformer 'maxx'; did you mean max?", said)
        self.assertIn(f"{mappings}:2: entry 2 (no meter): unknown key 'metr'; did you mean meter?", said)
        self.assertIn(f"{mappings}:2: entry 2 (no meter): meter is missing", said)
        self.assertIn(f"{transformers}:1: section 'uptime': tracked_states must be a list", said)
        self.assertIn("'a' stands both in include_domains and in ignore_domains", said)
        self.assertIn("there is no telemetry driver 'gnochi'", said)

    def test_files_that_are_not_there_are_named(self) -> None:
        self.site.configure(meter_mappings_file="/nowhere/m.yml", transformer_file="/nowhere/t.yml")
        self.assertRegex(
            self.refused(), re.compile("/nowhere/t.yml cannot be read.*/nowhere/m.yml cannot be read", re.DOTALL)
        )

    def test_a_line_that_cannot_be_parsed_is_named_and_not_repeated(self) -> None:
        with self.site.config.open("a") as file:
            file.write("password s3cr3t\n")
        said = self.refused()
        self.assertIn(f"{self.site.config} cannot be parsed: at {self.site.config}:", said)
        self.assertNotIn("s3cr3t", said)

    def test_a_log_file_that_cannot_be_opened_is_named(self) -> None:
        self.assertIn("/nowhere/log", self.refused("--log-file", "/nowhere/log"))

    def test_an_option_out_of_range_is_named(self) -> None:
        self.site.configure(collect_window=0)
        self.assertIn("collect_window", self.refused())

    def test_a_port_that_is_taken_is_named(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
            self.site.configure(enable_exporter=True, exporter_host="127.0.0.1", exporter_port=port)
            self.assertIn(f"127.0.0.1:{port}: Address already in use", self.refused())

    def test_missing_credentials_are_named(self) -> None:
        text = self.site.config.read_text()
        self.site.config.write_text(re.sub(r"^password = .*\n|^auth_url = .*\n", "", text, flags=re.MULTILINE))
        self.assertIn("auth_url is not set", self.refused())

    def test_an_end_time_that_is_no_time_or_not_over_yet_is_refused(self) -> None:
        self.assertIn("'noon'", self.refused("--collect-end-time", "noon"))
        later = (datetime.datetime.now(datetime.UTC) + HOUR).isoformat()
        self.assertIn("not over yet", self.refused("--collect-end-time", later))


class OldDatabaseTest(unittest.TestCase):
    def test_a_database_that_is_not_at_the_newest_revision_is_not_billed_on(self) -> None:
        """It would round what is stored in it."""
        site = self.enterContext(Site(migrated=False))
        self.assertIn("the database is at no revision", site.collect(status=1))


class EndTimeTest(unittest.TestCase):
    def setUp(self) -> None:
        self.site = self.enterContext(Site())

    def test_a_zone_in_the_end_time_counts(self) -> None:
        auckland = datetime.timezone(datetime.timedelta(hours=13))
        self.site.collect(self.site.start.astimezone(auckland) + HOUR)
        self.assertEqual({self.site.start + HOUR}, set(self.site.last_collected().values()))

    def test_more_windows_are_collected_than_a_run_would(self) -> None:
        self.site.configure(max_windows_per_cycle=1)
        self.site.collect()
        self.assertEqual({self.site.end}, set(self.site.last_collected().values()))

    def test_a_scope_without_projects_is_no_success(self) -> None:
        self.site.configure(include_domains="nowhere")
        self.assertIn("No project is in the scope", self.site.collect(status=1))

    def test_sigterm_ends_it_in_the_midst_of_waiting(self) -> None:
        self.site.cloud.add_fault("metering", "timeout")
        collector = self.site.collector("--collect-end-time", self.site.end.isoformat())
        wait_for(lambda: self.site.cloud.requests.total("metering"))
        collector.send_signal(signal.SIGTERM)
        self.assertEqual(1, collector.wait(10))
        self.assertEqual([], self.site.usage())

    def test_an_end_that_no_window_ends_at_is_not_reached(self) -> None:
        self.site.configure(collect_window=2)
        said = self.site.collect(status=1)
        self.assertIn(f"it stands at {self.site.start + 2 * HOUR}", said)

    def test_an_end_within_an_hour_stands_for_that_hour(self) -> None:
        self.site.collect(self.site.end + HOUR / 2)
        self.assertEqual({self.site.end}, set(self.site.last_collected().values()))

    def test_a_start_that_an_interrupted_run_decided_is_kept(self) -> None:
        """The first run gets no further than the starts; the second, with another start age, goes on from there."""
        self.site.cloud.add_fault("metering", "status", status=503)
        self.site.collect(status=1)
        starts = self.site.last_collected()
        self.assertEqual({self.site.start}, set(starts.values()))
        self.site.cloud.faults.clear()
        self.site.configure(max_collection_start_age=0)
        self.site.collect()
        self.assertEqual(self.site.start, min(entry.start for entry in self.site.usage()))
