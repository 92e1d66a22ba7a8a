# SPDX-License-Identifier: Apache-2.0
"""Owners of leases that are gone, and those of which that cannot be known."""

import subprocess
import unittest

from distil.db import models
from distil.db.lease_owner import is_gone
from distil.db.lease_owner import owner_name
from distil.tests.support import requirements
from distil.tests.support.lease_owners import dead_owner
from distil.tests.support.lease_owners import owner_process
from distil.tests.support.processes import children
from distil.tests.support.processes import terminate
from distil.tests.support.processes import wait_for


class LeaseOwnerTest(unittest.TestCase):
    def start(self, *prefix: str) -> "tuple[subprocess.Popen[str], str]":
        process, owner = owner_process(*prefix)
        self.addCleanup(terminate, process)
        return process, owner

    def test_running_process_is_not_gone(self) -> None:
        self.assertFalse(is_gone(owner_name("default")))
        _, owner = self.start()
        self.assertFalse(is_gone(owner))

    def test_killed_process_is_gone(self) -> None:
        self.assertTrue(is_gone(dead_owner()))

    def test_unreaped_process_is_gone(self) -> None:
        process, owner = self.start()
        process.kill()
        wait_for(lambda: is_gone(owner), 10)
        self.assertIsNone(process.returncode)

    def test_later_process_is_another(self) -> None:
        host, pid, start, collector = owner_name("default").split(":")
        ticks, namespace = start.split("-")
        self.assertTrue(is_gone(f"{host}:{pid}:{int(ticks) - 1}-{namespace}:{collector}"))

    def test_other_hosts_process_may_run(self) -> None:
        owner = dead_owner()
        host, pid, start, collector = owner.split(":")
        ticks, namespace = start.split("-")
        other = namespace[::-1] if namespace != namespace[::-1] else "0" * len(namespace)
        for doubtful in (
            f"other-host:{pid}:{start}:{collector}",
            f"{host}:{pid}:{ticks}-{other}:{collector}",
            f"{host}:{pid}:{namespace}:{collector}",
            "host-1",
            "",
        ):
            self.assertFalse(is_gone(doubtful), doubtful)
        self.assertTrue(is_gone(owner))

    def test_other_containers_process_may_run(self) -> None:
        unshare = requirements.program("unshare")
        container = (unshare, "--pid", "--fork", "--mount-proc")
        if subprocess.run([*container, "true"], capture_output=True, check=False).returncode:
            requirements.unmet("this user cannot make namespaces")
        process, owner = self.start(*container)
        self.assertEqual("1", owner.split(":")[1])
        self.assertFalse(is_gone(owner))
        (child,) = children(process.pid)
        subprocess.run(["kill", "-KILL", str(child)], check=True)
        process.wait(10)
        self.assertFalse(is_gone(owner))

    def test_foreign_proc_gives_no_identity(self) -> None:
        unshare = requirements.program("unshare")
        if subprocess.run([unshare, "--pid", "--fork", "true"], capture_output=True, check=False).returncode:
            requirements.unmet("this user cannot make namespaces")
        _, owner = self.start(unshare, "--pid", "--fork")
        self.assertRegex(owner, "^[^:]+:1:[0-9a-f]{12}:default$")

    def test_longest_name_fits_column(self) -> None:
        host, rest = owner_name("c" * 100).split(":", 1)
        longest = 80 - len(host) + len("4194304") + len("9" * 13)
        self.assertLess(len(f"{host}:{rest}") + longest, models.MAX_OWNER)
