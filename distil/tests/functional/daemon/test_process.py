# SPDX-License-Identifier: Apache-2.0
"""distil-collector as a process: its start, its signals, its exit status and its exporter."""

import datetime
import re
import signal
import socket
import unittest

import sqlalchemy as sa

from distil.db import models
from distil.tests.support.exporter import metrics
from distil.tests.support.processes import free_port
from distil.tests.support.processes import wait_for
from distil.tests.support.site import HOUR
from distil.tests.support.site import Site


class CollectorProcessTest(unittest.TestCase):
    def setUp(self) -> None:
        self.site = self.enterContext(Site())
        self.port = free_port()
        self.log = self.site.folder / "collector.log"
        self.site.configure(enable_exporter=True, exporter_host="127.0.0.1", exporter_port=self.port)
        self.collector = self.site.collector("--log-file", str(self.log))

    def wait_for_a_run(self, after: float = 0) -> dict[str, float]:
        wait_for(lambda: metrics(self.port).get("distil_collector_last_run_end", 0) > after)
        return metrics(self.port)

    def test_first_run_exports_stored_usage(self) -> None:
        values = self.wait_for_a_run()
        self.assertEqual(self.site.end, min(self.site.last_collected().values()))
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

    def test_sigterm_exits_with_0(self) -> None:
        self.wait_for_a_run()
        self.collector.send_signal(signal.SIGTERM)
        self.assertEqual(0, self.collector.wait(30))
        self.assertEqual({}, metrics(self.port))

    def test_sighup_restarts_without_duplicate_usage(self) -> None:
        end = self.wait_for_a_run()["distil_collector_last_run_end"]
        before = self.site.usage()
        self.collector.send_signal(signal.SIGHUP)
        self.wait_for_a_run(after=end)
        self.assertEqual(before, self.site.usage())

    def test_eventlet_is_not_imported(self) -> None:
        """It would log that it is deprecated."""
        self.wait_for_a_run()
        self.collector.send_signal(signal.SIGTERM)
        output, _ = self.collector.communicate(timeout=30)
        self.assertNotIn("ventlet", output + self.log.read_text())


class CollectorShutdownTest(unittest.TestCase):
    def test_sigterm_interrupts_pending_request(self) -> None:
        site = self.enterContext(Site())
        site.cloud.add_fault("metering", "timeout")
        collector = site.collector()
        wait_for(lambda: site.last_collected() and site.cloud.requests.total("metering"))
        started = datetime.datetime.now(datetime.UTC)
        collector.send_signal(signal.SIGTERM)
        self.assertEqual(0, collector.wait(30))
        self.assertLess(datetime.datetime.now(datetime.UTC) - started, datetime.timedelta(seconds=10))
        self.assertEqual([], site.usage())


class StartupValidationTest(unittest.TestCase):
    """Errors that are visible at start end it with status 1 and a line for each."""

    def setUp(self) -> None:
        self.site = self.enterContext(Site())

    def test_reports_all_configuration_errors_at_once(self) -> None:
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
        output = self.site.refused()
        self.assertIn(f"{mappings}:1: entry 1 (a): transformer: unknown transformer 'maxx'; did you mean max?", output)
        self.assertIn(f"{mappings}:2: entry 2 (no meter): unknown key 'metr'; did you mean meter?", output)
        self.assertIn(f"{mappings}:2: entry 2 (no meter): meter is missing", output)
        self.assertIn(f"{transformers}:1: section 'uptime': tracked_states must be a list", output)
        self.assertIn("'a' is in both include_domains and ignore_domains", output)
        self.assertIn("unknown telemetry driver 'gnochi'", output)

    def test_missing_files_are_reported(self) -> None:
        self.site.configure(meter_mappings_file="/nowhere/m.yml", transformer_file="/nowhere/t.yml")
        self.assertRegex(
            self.site.refused(), re.compile("/nowhere/t.yml cannot be read.*/nowhere/m.yml cannot be read", re.DOTALL)
        )

    def test_parse_error_omits_line_content(self) -> None:
        with self.site.config.open("a") as file:
            file.write("password s3cr3t\n")
        output = self.site.refused()
        self.assertIn(f"{self.site.config} cannot be parsed: at {self.site.config}:", output)
        self.assertNotIn("s3cr3t", output)

    def test_unwritable_log_file_is_reported(self) -> None:
        self.assertIn("/nowhere/log", self.site.refused("--log-file", "/nowhere/log"))

    def test_control_characters_are_printed_escaped(self) -> None:
        self.assertIn(r"/nowhere/\x1b[2J", self.site.refused("--config-file", "/nowhere/\x1b[2J"))

    def test_out_of_range_option_is_reported(self) -> None:
        self.site.configure(collect_window=0)
        self.assertIn("collect_window", self.site.refused())

    def test_port_in_use_is_reported(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
            self.site.configure(enable_exporter=True, exporter_host="127.0.0.1", exporter_port=port)
            self.assertIn(f"127.0.0.1:{port}: Address already in use", self.site.refused())

    def test_missing_credentials_are_reported(self) -> None:
        text = self.site.config.read_text()
        self.site.config.write_text(re.sub(r"^password = .*\n|^auth_url = .*\n", "", text, flags=re.MULTILINE))
        self.assertIn("auth_url is not set", self.site.refused())

    def test_invalid_or_future_end_is_rejected(self) -> None:
        self.assertIn("'noon'", self.site.refused("--collect-end-time", "noon"))
        later = (datetime.datetime.now(datetime.UTC) + HOUR).isoformat()
        self.assertIn("in the future", self.site.refused("--collect-end-time", later))


class DatabaseRevisionTest(unittest.TestCase):
    def test_unmigrated_database_exits_with_1(self) -> None:
        """It would round what is stored."""
        site = self.enterContext(Site(migrated=False))
        self.assertIn("the database is at no revision", site.collect(status=1))


class CollectEndTimeTest(unittest.TestCase):
    def setUp(self) -> None:
        self.site = self.enterContext(Site())

    def test_time_zone_offset_is_applied(self) -> None:
        auckland = datetime.timezone(datetime.timedelta(hours=13))
        self.site.collect(self.site.start.astimezone(auckland) + HOUR)
        self.assertEqual({self.site.start + HOUR}, set(self.site.last_collected().values()))

    def test_ignores_max_windows_per_cycle(self) -> None:
        self.site.configure(max_windows_per_cycle=1)
        self.site.collect()
        self.assertEqual({self.site.end}, set(self.site.last_collected().values()))

    def test_empty_scope_exits_with_1(self) -> None:
        self.site.configure(include_domains="nowhere")
        listed = len(self.site.cloud.projects.enabled_ids) + 1
        self.assertIn(
            f"no project is in the scope of collector default; Keystone has {listed} enabled projects",
            self.site.collect(status=1),
        )

    def test_sigterm_while_waiting_exits_with_1(self) -> None:
        self.site.cloud.add_fault("metering", "timeout")
        collector = self.site.collector("--collect-end-time", self.site.end.isoformat())
        wait_for(lambda: self.site.cloud.requests.total("metering"))
        collector.send_signal(signal.SIGTERM)
        self.assertEqual(1, collector.wait(10))
        self.assertEqual([], self.site.usage())

    def test_end_within_window_exits_with_0(self) -> None:
        self.site.configure(collect_window=2)
        self.site.collect()
        self.assertEqual({self.site.start + 2 * HOUR}, set(self.site.last_collected().values()))

    def test_unaligned_last_collected_exits_with_0(self) -> None:
        self.site.collect(self.site.start + HOUR)
        later = self.site.start + 1.5 * HOUR
        with self.site.engine.begin() as connection:
            connection.execute(sa.update(models.tenants).values(last_collected=later))
        self.site.collect()
        self.assertEqual({later + HOUR}, set(self.site.last_collected().values()))

    def test_delayed_window_exits_with_1(self) -> None:
        self.site.configure(collection_delay=6 * 3600)
        self.assertIn(f"last collected is {self.site.start}", self.site.collect(status=1))

    def test_end_is_rounded_down_to_hour(self) -> None:
        self.site.collect(self.site.end + HOUR / 2)
        self.assertEqual({self.site.end}, set(self.site.last_collected().values()))

    def test_start_of_interrupted_run_is_kept(self) -> None:
        """The first run gets no further than the starts; the second, with another start age, goes on from there."""
        self.site.cloud.add_fault("metering", "status", status=503)
        self.site.collect(status=1)
        starts = self.site.last_collected()
        self.assertEqual({self.site.start}, set(starts.values()))
        self.site.cloud.faults.clear()
        self.site.configure(max_collection_start_age=0)
        self.site.collect()
        self.assertEqual(self.site.start, min(entry.start for entry in self.site.usage()))
