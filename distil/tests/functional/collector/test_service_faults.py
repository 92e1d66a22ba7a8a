# SPDX-License-Identifier: Apache-2.0
"""Failing services: no usage from partial responses, other projects are billed, and a later run catches up."""

import itertools
import json
import time
import unittest
from typing import Any

import sqlalchemy as sa

from distil.db import models
from distil.tests.support.processes import free_port
from distil.tests.support.site import HOUR
from distil.tests.support.site import Site

BROKEN_ANSWERS: list[dict[str, Any]] = [
    {"kind": "status", "status": 401},
    {"kind": "status", "status": 404},
    {"kind": "status", "status": 500},
    {"kind": "status", "status": 503},
    {"kind": "html"},
    {"kind": "empty"},
    {"kind": "truncated"},
    {"kind": "cut"},
    {"kind": "reset"},
    {"kind": "timeout"},
    {"kind": "not_a_list"},
    {"kind": "not_a_list", "body": "null"},
]


class TelemetryFaultsTest(unittest.TestCase):
    def test_broken_answer_delays_only_its_project(self) -> None:
        """There is a project for each kind, and two without a fault."""
        site = self.enterContext(Site(projects=len(BROKEN_ANSWERS) + 2, resources=1))
        victims = site.cloud.projects.enabled_ids[2:]
        undisturbed = self.enterContext(Site(cloud=site.cloud))
        undisturbed.collect(site.start + HOUR)
        for project_id, fault in zip(victims, BROKEN_ANSWERS, strict=True):
            site.cloud.add_fault("metering", project_id=project_id, **fault)
        site.configure({"timeout": 2})
        log = site.collect(site.start + HOUR, status=1)
        for project_id, fault in zip(victims, BROKEN_ANSWERS, strict=True):
            with self.subTest(fault):
                self.assertRegex(log, f"Project {project_id} .*: not collected up to")
                self.assertEqual([], site.usage(tenant_id=project_id))
                self.assertEqual(site.start, site.last_collected()[project_id])
        self.assertEqual([entry for entry in undisturbed.usage() if entry.project_id not in victims], site.usage())
        self.assertEqual({(each, site.start, site.start + HOUR) for each in victims}, self.waiting(site))
        site.cloud.faults.clear()
        site.collect(site.start + HOUR)
        self.assertEqual(undisturbed.usage(), site.usage())
        self.assertEqual(set(), self.waiting(site))

    def waiting(self, site: Site) -> set[tuple[Any, ...]]:
        """Projects of which it is stored that they wait, with the window."""
        stored = models.project_failures.c
        return {tuple(row) for row in site.rows(sa.select(stored.tenant_id, stored.start, stored.end))}

    def test_transient_fault_is_retried_in_run(self) -> None:
        site = self.enterContext(Site())
        site.configure(concurrency=1)
        site.cloud.add_fault("metering", "status", status=503, times=2)
        self.assertIn("attempt 1 failed", site.collect())

    def test_usage_without_complex_queries_is_identical(self) -> None:
        site = self.enterContext(Site(projects=1, resources=1))
        undisturbed = self.enterContext(Site(cloud=site.cloud))
        undisturbed.collect()
        site.cloud.add_fault("metering", "status", path="/v2/query", status=404)
        site.collect()
        self.assertEqual(undisturbed.usage(), site.usage())


class StoredTimesTest(unittest.TestCase):
    """A project whose last collected would never be collected from."""

    def test_impossible_time_fails_its_project(self) -> None:
        times = {"0000-00-00": "is not a valid time", "2999-01-01 00:00:00.000000": "is in the future"}
        for value, problem in times.items():
            with self.subTest(value):
                site = self.enterContext(Site())
                site.collect(site.start + HOUR)
                odd = site.cloud.projects.enabled_ids[1]
                with site.engine.begin() as connection:
                    update = sa.text("UPDATE tenants SET last_collected = :value WHERE id = :id")
                    connection.execute(update, {"value": value, "id": odd})
                self.assertRegex(site.collect(status=1), rf"Project {odd} .* is not collected: .*{problem}")
                self.assertEqual(4, list(site.last_collected().values()).count(site.end) + 1)
                failures = models.project_failures.c
                ((failed, reason),) = site.rows(sa.select(failures.tenant_id, failures.reason))
                self.assertEqual(odd, failed)
                self.assertIn(problem, reason)


class CappedResponsesTest(unittest.TestCase):
    def setUp(self) -> None:
        self.site = self.enterContext(Site())
        self.undisturbed = self.enterContext(Site(cloud=self.site.cloud))
        self.undisturbed.collect()

    def test_usage_is_complete(self) -> None:
        for rows in (100, 20):
            with self.subTest(rows=rows):
                site = self.enterContext(Site(cloud=self.site.cloud))
                number = site.cloud.add_fault("metering", "capped", rows=rows)
                self.assertIn(f"cap its responses at {rows} samples, fewer than", site.collect())
                site.cloud.faults.clear(number)
                self.assertEqual(self.undisturbed.usage(), site.usage())

    def test_single_queries_are_complete(self) -> None:
        self.site.cloud.add_fault("metering", "status", path="/v2/query", status=404)
        self.site.cloud.add_fault("metering", "capped", rows=4)
        self.site.collect()
        self.assertEqual(self.undisturbed.usage(), self.site.usage())

    def test_one_row_is_never_believed(self) -> None:
        self.site.cloud.add_fault("metering", "capped", rows=1)
        self.assertIn("whether a response of 1 sample is complete is unknown", self.site.collect(status=1))
        self.assertEqual([], self.site.usage())

    def test_empty_metering_is_not_believed(self) -> None:
        self.site.cloud.add_fault("metering", "not_a_list", body="[]")
        self.assertIn("does the service have any samples?", self.site.collect(status=1))
        self.assertEqual({self.site.start}, set(self.site.last_collected().values()))

    def test_project_list_is_complete(self) -> None:
        self.site.cloud.add_fault("identity", "capped", rows=2, path="/projects")
        self.site.collect()
        self.assertEqual(self.undisturbed.usage(), self.site.usage())

    def test_volume_types_are_complete(self) -> None:
        self.site.cloud.add_fault("block-storage", "capped", rows=1, path="/types")
        self.site.collect()
        self.assertEqual(self.undisturbed.usage(), self.site.usage())


class OutageTest(unittest.TestCase):
    """What all projects meet is asked for, waited for and told once."""

    PROJECTS = 40

    def setUp(self) -> None:
        self.site = self.enterContext(Site(projects=self.PROJECTS, resources=1))

    def collect(self) -> list[str]:
        """Collect an hour, which fails, and return the lines that are not of INFO."""
        log = self.site.collect(self.site.start + HOUR, status=1)
        return [line for line in log.splitlines() if " INFO " not in line]

    def reasons(self, pattern: str) -> list[tuple[int, int]]:
        """Number of different stored reasons, and of projects that have one like the pattern."""
        reason = models.project_failures.c.reason
        query = sa.select(sa.func.count(sa.distinct(reason)), sa.func.count()).where(reason.like(pattern))
        return [(reasons, projects) for reasons, projects in self.site.rows(query)]

    def test_silent_telemetry_fails_all_projects_quickly(self) -> None:
        self.site.cloud.add_fault("metering", "status", status=503)
        began = time.monotonic()
        lines = self.collect()
        self.assertLess(time.monotonic() - began, 50)
        self.assertLess(self.site.cloud.requests.total("metering"), self.PROJECTS)
        number = self.PROJECTS + 1
        waiting, failed = lines
        self.assertIn("WARNING distil.cloud.outage", waiting)
        reason = r"telemetry \(metering\) answers no request: HTTP 503: Injected fault"
        self.assertRegex(waiting, f"{reason}; waiting up to 20 s for an answer$")
        self.assertRegex(failed, f"{number} of {number} projects failed, for example: {reason}$")
        self.assertEqual([(1, number)], self.reasons(r"telemetry (metering) answers no request: HTTP 503%"))
        self.assertEqual({self.site.start}, set(self.site.last_collected().values()))
        self.site.cloud.faults.clear()
        self.site.collect(self.site.start + HOUR)
        self.assertEqual({self.site.start + HOUR}, set(self.site.last_collected().values()))

    def test_restart_of_telemetry_delays_nothing(self) -> None:
        self.site.configure(concurrency=1)
        self.site.cloud.add_fault("metering", "reset", times=5)
        self.site.collect(self.site.start + HOUR)
        self.assertEqual({self.site.start + HOUR}, set(self.site.last_collected().values()))

    def test_silent_lookup_service_is_told_once(self) -> None:
        self.site.cloud.add_fault("block-storage", "status", status=500)
        lines = self.collect()
        self.assertLess(self.site.cloud.requests.total("block-storage"), self.PROJECTS)
        (failed,) = (line for line in lines if " ERROR " in line)
        self.assertRegex(
            failed, f"{self.PROJECTS} projects failed, retrying .*: block_storage .* answers no request: HTTP 500"
        )
        collected = [time for time in self.site.last_collected().values() if time != self.site.start]
        self.assertEqual([self.site.start + HOUR], collected, "the project without volumes")


class KeystoneFaultsTest(unittest.TestCase):
    def test_dead_keystone_is_named_only(self) -> None:
        site = self.enterContext(Site(projects=1, resources=1))
        for path in ("", "/v3"):
            url = f"http://127.0.0.1:{free_port()}{path}"
            site.configure({"auth_url": url})
            lines = [line for line in site.collect(status=1).splitlines() if " INFO " not in line]
            self.assertEqual(3, len(lines), lines)
            for line in lines:
                self.assertRegex(line, f": Keystone at {url} does not respond: Connection refused$")


class LookupFaultsTest(unittest.TestCase):
    def setUp(self) -> None:
        self.site = self.enterContext(Site(projects=1))

    def test_failed_lookup_delays_window(self) -> None:
        undisturbed = self.enterContext(Site(cloud=self.site.cloud))
        undisturbed.collect(self.site.start + HOUR)
        faults = (("status", 503), ("proxy", 404))
        for service, (kind, status) in itertools.product(("block-storage", "object-store"), faults):
            with self.subTest(service=service, kind=kind):
                site = self.enterContext(Site(cloud=self.site.cloud))
                number = site.cloud.add_fault(service, kind, status=status)
                site.collect(site.start + HOUR, status=1)
                self.assertEqual([], site.usage())
                site.cloud.faults.clear(number)
                site.collect(site.start + HOUR)
                self.assertEqual(undisturbed.usage(), site.usage())

    def test_missing_container_is_billed_as_standard(self) -> None:
        self.site.cloud.add_fault("object-store", "status", status=404)
        self.site.collect(self.site.start + HOUR)
        containers = [entry for entry in self.site.usage() if entry.service.startswith("o1.s")]
        self.assertEqual({"o1.standard"}, {entry.service for entry in containers})

    def test_next_window_retries_os_distro(self) -> None:
        self.site.cloud.add_fault("compute", "status", path="/servers", status=503)
        self.site.collect(self.site.start + HOUR)
        self.assertEqual({None}, self.os_distros())
        self.assertTrue(self.site.usage(unit="second"))
        self.site.cloud.faults.clear()
        self.site.collect()
        self.assertNotIn(None, self.os_distros())

    def test_failed_os_distro_affects_one_instance(self) -> None:
        site = self.enterContext(Site(projects=1, resources=3))
        (machine, *_) = {
            sample["resource_id"] for sample in site.samples(site.cloud.projects.enabled_ids[0], "instance")
        }
        site.cloud.add_fault("compute", "status", path=f"/servers/{machine}", status=500)
        site.collect()
        query = sa.select(models.resources.c.id, models.resources.c.info)
        infos = {resource_id: json.loads(info) for resource_id, info in site.rows(query)}
        machines = {each for each, info in infos.items() if info["type"] == "Virtual Machine"}
        self.assertEqual({machine}, {each for each in machines if "os_distro" not in infos[each]})
        self.assertLess(1, len(machines))

    def os_distros(self) -> set[str | None]:
        infos = [json.loads(info) for (info,) in self.site.rows(sa.select(models.resources.c.info))]
        return {info.get("os_distro") for info in infos if info["type"] == "Virtual Machine"}


class IdentityFaultsTest(unittest.TestCase):
    def setUp(self) -> None:
        self.site = self.enterContext(Site())

    def test_unavailable_keystone_exits_with_1(self) -> None:
        self.site.cloud.add_fault("identity", "status", path="/projects", status=503)
        self.assertIn("503", self.site.collect(status=1))
        self.assertEqual({}, self.site.last_collected())

    def test_transient_keystone_error_is_retried(self) -> None:
        self.site.cloud.add_fault("identity", "status", path="/projects", status=503, times=1)
        self.assertIn("Planning: attempt 1 failed", self.site.collect())

    def test_unknown_domain_is_reported_and_ignored(self) -> None:
        self.site.configure(ignore_domains="no-such-domain, customers")
        log = self.site.collect()
        self.assertIn("domain 'no-such-domain' of ignore_domains does not exist", log)
        customers = next(domain["id"] for domain in self.site.cloud.projects.domains if domain["name"] == "customers")
        ids = self.site.cloud.projects.enabled_ids
        kept = {each for each in ids if self.site.cloud.projects.find(each)["domain_id"] != customers}  # type: ignore[index]
        self.assertEqual(kept, {entry.project_id for entry in self.site.usage()})

    def test_disabled_project_is_not_collected(self) -> None:
        self.site.collect()
        users = {*self.site.cloud.projects.enabled_ids, self.site.cloud.projects.service_id}
        self.assertEqual(users, set(self.site.last_collected()))
