# SPDX-License-Identifier: Apache-2.0
"""Collectors with processes, scopes and exporters of their own under one parent."""

import os
import pathlib
import resource
import signal
import time
import unittest

from distil.tests.support.collector_types import CollectorTypesTestCase
from distil.tests.support.exporter import metrics
from distil.tests.support.processes import free_port
from distil.tests.support.processes import wait_for
from distil.tests.support.site import Site


class CollectorTypesTest(CollectorTypesTestCase):
    def domains_collected(self) -> set[str]:
        find = self.site.cloud.projects.find
        names = {domain["id"]: domain["name"] for domain in self.site.cloud.projects.domains}
        return {names[(find(project_id) or {})["domain_id"]] for project_id in self.site.last_collected()}

    def test_each_collects_and_exports_own_scope(self) -> None:
        self.site.collector()
        for port in self.ports.values():
            self.wait_for_run(port)
        self.assertEqual({"Default", "customers"}, self.domains_collected())
        counted = [
            sum(value for name, value in metrics(port).items() if name.startswith("distil_collector_usage_total c1"))
            for port in self.ports.values()
        ]
        stored = sum(float(entry.volume) for entry in self.site.usage() if entry.service.startswith("c1"))
        self.assertAlmostEqual(stored, sum(counted))
        self.assertTrue(all(counted))

    def test_collector_option_runs_one_type(self) -> None:
        self.site.collector("--collector", "two")
        self.wait_for_run(self.ports["two"])
        self.assertEqual({"customers"}, self.domains_collected())
        self.assertEqual({}, metrics(self.ports["one"]))

    def test_end_time_run_collects_all_types(self) -> None:
        self.site.collect()
        self.assertEqual({"Default", "customers"}, self.domains_collected())

    def test_end_time_failure_is_isolated(self) -> None:
        self.site.cloud.add_fault("identity", "status", path="/projects", status=503, times=3)
        self.assertIn("collector one: ", self.site.collect(status=1))
        self.assertEqual({"customers"}, self.domains_collected())

    def test_killed_type_restarts_without_affecting_other(self) -> None:
        self.site.collector()
        ends = {name: self.wait_for_run(port) for name, port in self.ports.items()}
        before, other = self.site.usage(), self.pid_of("two")
        os.kill(self.pid_of("one"), signal.SIGKILL)
        self.wait_for_run(self.ports["one"], after=ends["one"])
        self.assertEqual(before, self.site.usage())
        self.assertEqual(other, self.pid_of("two"))
        self.assertEqual(ends["two"], metrics(self.ports["two"])["distil_collector_last_run_end"])

    def test_repeated_crashes_lengthen_restart_delay(self) -> None:
        self.site.collector()
        end = self.wait_for_run(self.ports["one"])
        pauses = []
        for _ in range(3):
            os.kill(self.pid_of("one"), signal.SIGKILL)
            died = time.monotonic()
            end = self.wait_for_run(self.ports["one"], after=end)
            pauses.append(time.monotonic() - died)
        self.assertGreater(pauses[2] - pauses[0], 2)
        self.assertIn("this one starts in 4 seconds", self.log.read_text())

    def test_hung_type_does_not_affect_other(self) -> None:
        self.site.collector()
        for port in self.ports.values():
            self.wait_for_run(port)
        os.kill(self.pid_of("one"), signal.SIGSTOP)
        self.addCleanup(os.kill, self.pid_of("one"), signal.SIGCONT)
        self.assertIn("distil_collector_last_run_end", metrics(self.ports["two"]))

    def test_failing_type_does_not_affect_other(self) -> None:
        default = self.site.cloud.projects.enabled_ids[0]
        self.site.cloud.add_fault("metering", "status", project_id=default, status=500)
        self.site.collector()
        self.wait_for_run(self.ports["two"])
        self.wait_for_run(self.ports["one"])
        self.assertEqual([], self.site.usage(tenant_id=default))
        self.assertTrue(self.site.usage())


class ForkTest(CollectorTypesTestCase):
    def test_failure_ends_parent_and_children(self) -> None:
        collector = self.site.collector()
        for port in self.ports.values():
            self.wait_for_run(port)
        children = {self.pid_of(name) for name in self.ports}
        _, most = resource.prlimit(collector.pid, resource.RLIMIT_NOFILE)
        resource.prlimit(collector.pid, resource.RLIMIT_NOFILE, (4, most))
        os.kill(self.pid_of("one"), signal.SIGKILL)
        self.assertEqual(1, collector.wait(30))
        wait_for(lambda: not any(pathlib.Path(f"/proc/{pid}").exists() for pid in children))


class WorkersTest(unittest.TestCase):
    def test_each_worker_exports_without_duplicate_usage(self) -> None:
        site = self.enterContext(Site(projects=3, resources=1))
        undisturbed = self.enterContext(Site(cloud=site.cloud))
        undisturbed.collect()
        port = free_port()
        site.configure(enable_exporter=True, exporter_host="127.0.0.1", exporter_port=port, workers=2)
        site.collector()
        for worker_port in (port, port + 1):
            wait_for(lambda port=worker_port: metrics(port).get("distil_collector_last_run_end", 0))  # type: ignore[misc]
        self.assertEqual(undisturbed.usage(), site.usage())


class UnknownOptionsTest(CollectorTypesTestCase):
    def test_unknown_options_and_groups_are_logged(self) -> None:
        self.groups["collector:two"]["ignore_domain"] = "heat"
        self.groups["collector:forgotten"] = {"ignore_tenants": "a"}
        self.configure(periodic_intervall=5)
        self.site.collect()
        output = self.log.read_text()
        self.assertIn("[collector:two] unknown key 'ignore_domain'; did you mean ignore_domains?", output)
        self.assertIn("[collector] unknown key 'periodic_intervall'; did you mean periodic_interval?", output)
        self.assertIn("[collector:forgotten] is ignored", output)
        self.assertNotIn("ignore_tenants", output)


class InvalidConfigurationTest(CollectorTypesTestCase):
    def test_duplicate_port_is_rejected(self) -> None:
        self.groups["collector:two"]["exporter_port"] = self.ports["one"]
        self.configure()
        self.assertIn(f"exporter_port: {self.ports['one']} is used by more than one", self.site.refused())

    def test_conflicting_or_invalid_port_is_rejected(self) -> None:
        self.groups["collector:two"] |= {"exporter_port": self.ports["one"], "exporter_host": "0.0.0.0"}
        self.configure()
        self.assertIn("is used by more than one", self.site.refused())
        self.groups["collector:two"] |= {"exporter_port": 65535, "workers": 2}
        self.configure()
        self.assertIn("exporter_port: worker port 65536 exceeds 65535", self.site.refused())

    def test_duplicate_or_undefined_name_is_rejected(self) -> None:
        self.configure("one, one, three")
        output = self.site.refused()
        self.assertIn("duplicate name one", output)
        self.assertIn("no group [collector:three]", output)

    def test_selecting_disabled_name_is_rejected(self) -> None:
        self.assertIn("--collector three is not in", self.site.refused("--collector", "three"))

    def test_error_names_group(self) -> None:
        self.groups["collector:two"]["ignore_domains"] = "customers"
        self.configure()
        self.assertIn("[collector:two] 'customers' is in both include_domains", self.site.refused())
