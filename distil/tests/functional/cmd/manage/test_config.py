# SPDX-License-Identifier: Apache-2.0
"""``config check``."""

import json
import unittest
from typing import Any

import sqlalchemy as sa

from distil.db import models
from distil.sandbox.telemetry import telemetry_sections
from distil.tests.support import commands
from distil.tests.support import databases
from distil.tests.support import manage
from distil.tests.support import secrets
from distil.tests.support.site import HOUR
from distil.tests.support.site import Site


class ConfigCheckTest(unittest.TestCase):
    def setUp(self) -> None:
        self.site = self.enterContext(Site())

    def check(self, *arguments: str, status: int) -> list[tuple[str, str, str]]:
        result = manage.run(self.site.config, "config", "check", *arguments, "-f", "json")
        self.assertEqual((status, ""), (result.returncode, result.stderr), result.stdout)
        return [(row["check"], row["status"], row["detail"]) for row in json.loads(result.stdout)]

    def test_valid_site_passes(self) -> None:
        self.site.configure(collection_delay=300)
        findings = self.check("--live", status=0)
        self.assertEqual(set(), {finding for finding in findings if finding[1] != "ok"})
        self.assertIn("4 projects", [detail for check, _, detail in findings if check == "scope of default"])

    def test_late_samples_recommend_delay(self) -> None:
        project_id, timestamp = self.site.cloud.projects.enabled_ids[0], self.site.end - HOUR / 2
        recorded = (timestamp + HOUR).replace(tzinfo=None).isoformat()
        late = self.site.sample(
            project_id, "instance", timestamp=timestamp.replace(tzinfo=None).isoformat(), recorded_at=recorded
        )
        self.site.cloud.add_samples(project_id, "instance", [late])
        for delay, status, detail in (
            (300, "warning", "collection_delay = 300: of the "),
            (1800, "ok", "collection_delay = 1800 would have sufficed: of the "),
        ):
            self.site.configure(collection_delay=delay)
            found = [row for row in self.check("--live", status=0) if "collection_delay" in row[2]]
            ((check, found_status, found_detail),) = found
            self.assertEqual(("telemetry of default", status), (check, found_status))
            self.assertEqual(detail, found_detail[: len(detail)])
            self.assertIn("the latest was recorded 1:00:00 after its time", found_detail)
            self.assertEqual(delay == 300, found_detail.endswith("1800 would have caught these"))

    def test_database_of_other_region_is_error(self) -> None:
        self.site.configure(collection_delay=300)
        self.site.collect(self.site.start + HOUR)
        with self.site.engine.begin() as connection:
            connection.execute(sa.update(models.tenants).values(telemetry="ceilometer/north"))
        (wrong,) = (finding for finding in self.check("--live", status=1) if finding[1] == "error")
        self.assertEqual("region of default", wrong[0])
        problem = "the database has the usage of 4 projects from ceilometer/north, and this collector asks ceilometer/"
        self.assertEqual(problem, wrong[2][: len(problem)])
        self.assertIn("distil-manage telemetry rename ceilometer/north ", wrong[2])

    def test_meter_of_untrusted_source_is_warned_of(self) -> None:
        self.site.configure(collection_delay=300, trust_sources="openstack$")
        warned = [detail for _, status, detail in self.check("--live", status=0) if status == "warning"]
        self.assertTrue(warned)
        for detail in warned:
            self.assertRegex(
                detail,
                r"^meter \S*traffic\S*: all newest samples are of source '.{32}:TrafficAccounting' or of \d others?,"
                " which trust_sources does not match: they are not billed$",
            )

    def test_offline_check_reports_every_error(self) -> None:
        mappings, transformers = self.site.folder / "mappings.yml", self.site.folder / "transformers.yml"
        mappings.write_text("- meter: instance\n  transformer: uptime\n- unit: hour\n  transformer: nope\n")
        transformers.write_text("uptimes: {}\n")
        self.site.configure(
            meter_mappings_file=mappings,
            transformer_file=transformers,
            trust_sources="(",
            include_domainss="a",
            collection_delay=300,
            sections={"coordination": {"backend_url": "nope://"}},
        )
        findings = self.check(status=1)
        wrong = "\n".join(detail for _, status, detail in findings if status == "error")
        for part in ("unit is missing", "meter is missing", "'nope'", "'uptimes'", "trust_sources", "backend_url"):
            self.assertIn(part, wrong)
        (warning,) = (detail for _, status, detail in findings if status == "warning")
        self.assertIn("include_domains", warning)

    def test_unwritable_log_file_is_error(self) -> None:
        self.site.configure(sections={"DEFAULT": {"log_dir": self.site.folder / "nowhere"}})
        (wrong,) = (finding for finding in self.check(status=1) if finding[1] == "error")
        path = self.site.folder / "nowhere" / "distil-collector.log"
        self.assertEqual(("[DEFAULT]", f"the log file {path} cannot be written: No such file or directory"), wrong[::2])
        self.site.configure(sections={"DEFAULT": {"log_file": self.site.folder / "log"}})
        self.check(status=0)
        self.assertFalse((self.site.folder / "log").exists())

    def test_invalid_option_values_are_errors(self) -> None:
        self.site.configure(workers="many", project_order="sideways")
        wrong = [detail for _, status, detail in self.check("--live", status=1) if status == "error"]
        self.assertEqual(2, len(wrong), wrong)

    def test_coordination_backend_is_connected_to(self) -> None:
        for folder, status in ((self.site.folder, 0), ("/proc/none", 1)):
            self.site.configure(sections={"coordination": {"backend_url": f"file://{folder}"}})
            findings = {check: (result, detail) for check, result, detail in self.check("--live", status=status)}
            self.assertEqual("error" if status else "ok", findings["coordination"][0])
        self.assertIn("could not connect to the coordination backend", findings["coordination"][1])

    def test_risky_values_are_warnings(self) -> None:
        self.site.configure(max_windows_per_cycle=1, trust_sources="", enable_exporter="true")
        warned = [detail for _, status, detail in self.check(status=0) if status == "warning"]
        beginnings = (
            "max_windows_per_cycle = 1: a project that has fallen behind never catches up",
            "collection_delay = 0: samples that telemetry gets after the collection",
            "trust_sources is empty: samples that users post",
            "exporter_host = 0.0.0.0 (the default): everyone who can connect to this host",
        )
        self.assertEqual(len(beginnings), len(warned), warned)
        for beginning, detail in zip(beginnings, warned, strict=True):
            self.assertEqual(beginning, detail[: len(beginning)])
        self.site.configure(
            max_windows_per_cycle=1,
            periodic_interval=600,
            collection_delay=300,
            enable_exporter="true",
            exporter_host="127.0.0.1",
        )
        self.assertEqual([], [detail for _, status, detail in self.check(status=0) if status == "warning"])

    def use(self, telemetry: str, lag: int, **options: Any) -> None:
        sections = dict(telemetry_sections(self.site.cloud, telemetry))
        driver = str(sections.pop("collector")["collector_backend"])
        sections[driver] = {**sections[driver], "lag": lag}
        self.site.configure(sections=sections, collector_backend=driver, **options)

    def test_start_before_what_is_kept_is_warned_of(self) -> None:
        # What is in the way of the last hour is an error with Prometheus: there is nothing of it.
        for telemetry, kept, status in (("gnocchi", 30, 0), ("prometheus", 400, 1)):
            problem = rf"samples of meter \S+ \(and \d+ other meters\) are kept for {kept} d only"
            for days, expected in ((kept, "^$"), (kept + 1, problem)):
                with self.subTest(telemetry, days=days):
                    self.use(telemetry, 600, max_collection_start_age=days * 24)
                    details = [detail for _, _, detail in self.check("--live", status=status)]
                    found = [detail for detail in details if detail.startswith("max_collection_start_age = ")]
                    self.assertRegex("".join(found), expected)

    def test_lag_of_driver_delays_as_well(self) -> None:
        for lag, expected in ((0, True), (600, False)):
            self.use("gnocchi", lag)
            warned = [detail for _, status, detail in self.check(status=0) if status == "warning"]
            self.assertEqual(expected, any(detail.startswith("collection_delay = 0:") for detail in warned), warned)

    def test_missing_files_are_warned_of(self) -> None:
        home = {"HOME": str(self.site.folder / "home")}
        result = commands.run("distil-manage", "config", "check", "-f", "json", environment=home)
        first, *rest = [(row["check"], row["status"], row["detail"]) for row in json.loads(result.stdout)]
        places = "~/.distil, ~, /etc/distil, /etc"
        problem = f"no configuration file found; looked in {places}"
        self.assertEqual(("configuration files", "warning", problem), first)
        self.assertIn(("[database]", "error", f"[database] connection is not set: {problem}"), rest)
        for name, arguments in (("manage", ("lease", "list")), ("db-manage", ("current",))):
            result = commands.run(f"distil-{name}", *arguments, environment=home)
            self.assertEqual(f"distil-{name}: [database] connection is not set: {problem}\n", result.stderr)

    def test_missing_directory_is_named(self) -> None:
        for name, arguments in (("manage", ("lease", "list")), ("db-manage", ("current",)), ("collector", ())):
            result = commands.run(f"distil-{name}", "--config-dir", "/nowhere", *arguments)
            self.assertEqual(f"distil-{name}: /nowhere cannot be read: no such directory\n", result.stderr)

    def test_variables_replace_files(self) -> None:
        variables = {"HOME": "/nowhere", "OS_DATABASE__CONNECTION": self.site.url}
        result = commands.run("distil-manage", "--quiet", "lease", "list", "-f", "csv", environment=variables)
        self.assertEqual((0, ""), (result.returncode, result.stderr))

    def test_options_of_other_plugin_are_explained(self) -> None:
        self.site.configure({"application_credential_id": "abc"})
        (warning,) = (detail for _, status, detail in self.check(status=0) if "credential" in detail)
        self.assertIn("'application_credential_id'; it is an option of auth_type v3applicationcredential", warning)

    def test_no_command_offers_shell_completion(self) -> None:
        for name in ("collector", "db-manage", "status"):
            self.assertNotIn("completion", commands.run(f"distil-{name}", "--help").stdout)
            self.assertEqual(2, commands.run(f"distil-{name}", "--shell_completion", "bash").returncode)

    def test_unparsable_file_is_error(self) -> None:
        self.site.config.write_text("[database\n")
        ((check, status, detail),) = self.check(status=1)
        self.assertEqual(("configuration files", "error"), (check, status))
        self.assertIn(str(self.site.config), detail)

    def test_rejected_password_is_error_and_hidden(self) -> None:
        self.site.configure({"password": "sekret"})
        wrong = [finding for finding in self.check("--live", status=1) if finding[1] == "error"]
        self.assertEqual(["Keystone"], [check for check, _, _ in wrong])
        self.assertIn("401", wrong[0][2])
        self.assertNotIn("sekret", wrong[0][2])

    def test_region_without_services_is_error(self) -> None:
        self.site.configure({"region_name": "RegionTwo"})
        findings = self.check("--live", status=1)
        self.assertIn("Keystone", [check for check, status, _ in findings if status == "error"])

    def test_unavailable_telemetry_is_error(self) -> None:
        self.site.cloud.add_fault("metering", "status", status=503)
        wrong = [finding for finding in self.check("--live", status=1) if finding[1] == "error"]
        self.assertEqual(["telemetry of default"], [check for check, _, _ in wrong])

    def test_failing_lookup_services_are_errors(self) -> None:
        for status, service in ((403, "compute"), (401, "block-storage"), (503, "image"), (403, "object-store")):
            self.site.cloud.add_fault(service, "status", path="flavors|types|images|AUTH_", status=status)
        wrong = [finding for finding in self.check("--live", status=1) if finding[1] == "error"]
        self.assertEqual({"look-ups"}, {check for check, _, _ in wrong})
        for (_, _, detail), texts in zip(
            wrong,
            (
                ("compute GET /flavors/", "HTTP 403"),
                ("block_storage GET /types", "HTTP 401"),
                ("image GET /images", "HTTP 503"),
                ("object_store HEAD http", "HTTP 403"),
            ),
            strict=True,
        ):
            for text in texts:
                self.assertIn(text, detail)

    def test_empty_scope_is_error(self) -> None:
        self.site.configure(include_projects="projekt-0")
        findings = [finding for finding in self.check("--live", status=1) if finding[0] == "scope of default"]
        unmatched, empty = findings
        self.assertEqual(("warning", "error"), (unmatched[1], empty[1]))
        self.assertIn("'projekt-0' of include_projects matches no enabled project", unmatched[2])
        self.assertIn("no project is in scope; nothing would be collected", empty[2])

    def test_unmatched_meter_and_scope_are_warnings(self) -> None:
        mappings = self.site.folder / "mappings.yml"
        mappings.write_text("- meter: instances\n  unit: second\n  transformer: uptime\n")
        self.site.configure(meter_mappings_file=mappings, ignore_projects="unknown")
        findings = self.check("--live", status=0)
        details = "\n".join(detail for _, status, detail in findings if status == "warning")
        self.assertIn("meter instances: no samples", details)
        self.assertIn("'unknown' of ignore_projects", details)

    def test_paused_collector_is_warning(self) -> None:
        self.site.configure(max_windows_per_cycle=0, collection_delay=300)
        ((check, detail),) = ((check, detail) for check, status, detail in self.check(status=0) if status == "warning")
        self.assertEqual("[collector]", check)
        self.assertIn("max_windows_per_cycle = 0: the collector is paused", detail)

    def test_overlap_with_other_rules_is_warning(self) -> None:
        mappings = self.site.folder / "mappings.yml"
        mappings.write_text("- meter: instance\n  unit: second\n  transformer: uptime\n")
        sections: dict[str, dict[str, object]] = {
            "DEFAULT": {"enabled_collectors": "one, two"},
            "collector:one": {"ignore_domains": "customers"},
            "collector:two": {"meter_mappings_file": mappings},
        }
        self.site.configure(sections=sections, collection_delay=300)
        (warning,) = (detail for _, status, detail in self.check(status=0) if status == "warning")
        self.assertIn("one and two may have projects in common, but have different rules", warning)
        sections["collector:two"]["include_domains"] = "customers"
        self.site.configure(sections=sections, collection_delay=300)
        self.assertEqual({"ok"}, {status for _, status, _ in self.check(status=0)})

    def test_unmigrated_database_is_error(self) -> None:
        with Site(migrated=False, cloud=self.site.cloud) as other:
            result = manage.run(other.config, "config", "check", "--live", "-f", "value")
        self.assertEqual(1, result.returncode, result.stderr)
        self.assertIn("database error the database is at no revision", result.stdout)

    def test_missing_database_rights_are_errors(self) -> None:
        with (
            Site(databases.MYSQL, cloud=self.site.cloud) as other,
            secrets.mariadb_user(other.url, "sekret", lacking=["Delete"]) as url,
        ):
            other.config.write_text(other.config.read_text().replace(other.url, url))
            result = manage.run(other.config, "config", "check", "--live", "-f", "value")
        self.assertEqual(1, result.returncode, result.stderr)
        lines = [line for line in result.stdout.splitlines() if "error" in line]
        tables = ("project_locks", "project_failures", "rejected_samples")
        self.assertEqual(
            [f"rights error DELETE on {table}:" for table in tables], [x.partition(" 1142")[0] for x in lines]
        )
