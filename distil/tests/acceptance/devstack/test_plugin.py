# SPDX-License-Identifier: Apache-2.0
"""The devstack plugin, phase by phase, with stand-ins for devstack's functions and a real Keystone behind them."""

import os
import pathlib
import shlex
import stat
import subprocess
import sys
import tempfile
import unittest
from typing import ClassVar

from distil.tests.support import databases
from distil.tests.support.processes import wait_for
from distil.tests.support.real import keystone

ROOT = pathlib.Path(__file__).parents[4]
FUNCTIONS = pathlib.Path(__file__).with_name("functions.sh")


class DevstackPluginTest(unittest.TestCase):
    keystone: ClassVar[keystone.Keystone]

    @classmethod
    def setUpClass(cls) -> None:
        cls.keystone = keystone.Keystone()
        cls.addClassCleanup(cls.keystone.stop)
        # What devstack's own part of stack.sh has made by then.
        cls.keystone.call("POST", "projects", project={"name": "service", "domain_id": "default"})
        cls.keystone.call("POST", "roles", role={"name": "ResellerAdmin"})

    def setUp(self) -> None:
        self.folder = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))
        self.conf = self.folder / "etc" / "distil.conf"
        url = self.enterContext(databases.database(databases.SQLITE, migrated=False))
        self.environment = os.environ | {
            "DEST": str(ROOT.parent),
            "DISTIL_DIR": str(ROOT),
            "DISTIL_CONF_DIR": str(self.conf.parent),
            "DISTIL_EXPORTER_PORT": "0",
            "ENABLE_DEBUG_LOG_LEVEL": "False",
            "KEYSTONE_SERVICE_URI": self.keystone.auth_url,
            "OS_USERNAME": self.keystone.username,
            "OS_PASSWORD": self.keystone.password,
            "OS_PROJECT_NAME": self.keystone.project_name,
            "REGION_NAME": self.keystone.region_name,
            "SERVICE_DOMAIN_NAME": "Default",
            "SERVICE_PASSWORD": "service-secret",
            "SERVICE_PROJECT_NAME": "service",
            "STACK_USER": str(os.getuid()),
            "TEST_DATABASE_URL": url,
            "TEST_FOLDER": str(self.folder),
            "TEST_PYTHON": sys.executable,
            "TEST_SERVICES": "key swift",
        }

    def phase(self, *arguments: str) -> None:
        command = [str(FUNCTIONS), str(ROOT / "devstack"), *arguments]
        done = subprocess.run(command, env=self.environment, cwd=ROOT, capture_output=True, text=True, check=False)
        self.assertEqual(0, done.returncode, done.stdout + done.stderr)

    def called(self, function: str) -> list[str]:
        """The arguments of each call."""
        lines = (self.folder / "calls").read_text().splitlines()
        calls = [line.partition(" ") for line in lines]
        return [arguments for name, _, arguments in calls if name == function]

    def command(self) -> list[str]:
        """What the plugin has devstack run."""
        (arguments,) = self.called("run_process")
        name, command = arguments.split(maxsplit=1)
        self.assertEqual("distil-collector", name)
        return shlex.split(command)

    def start(self, command: list[str]) -> pathlib.Path:
        """:return: the file that the process logs to."""
        log = self.folder / "log"
        with log.open("w") as file:
            process = subprocess.Popen(command, stdout=file, stderr=subprocess.STDOUT)
        self.addCleanup(process.wait, 60)
        self.addCleanup(process.terminate)
        return log

    def test_stack_configures_working_collector(self) -> None:
        for phase in ("install", "post-config", "extra"):
            self.phase("stack", phase)
        self.assertEqual([str(ROOT)], self.called("setup_develop"))
        self.assertEqual(["distil"], self.called("recreate_database"))
        self.assertEqual(0o600, stat.S_IMODE(self.conf.stat().st_mode))
        log = self.start(self.command())
        wait_for(lambda: "Run of collector" in log.read_text())
        # With a token, and with the role that may list every project. There is no telemetry service to ask.
        projects = self.keystone.call("GET", "projects")["projects"]
        self.assertIn(f"finished: {len(projects)} projects", log.read_text())

    def test_restacking_keeps_one_service(self) -> None:
        for _ in range(2):
            self.phase("stack", "post-config")
        services = self.keystone.call("GET", "services?name=distil")["services"]
        self.assertEqual([("rating", "Usage collection")], [(each["type"], each["description"]) for each in services])

    def test_unstack_stops_clean_removes_configuration(self) -> None:
        self.phase("stack", "post-config")
        self.phase("unstack")
        self.assertEqual(["distil-collector"], self.called("stop_process"))
        self.assertTrue(self.conf.exists())
        self.phase("clean")
        self.assertFalse(self.conf.parent.exists())

    def test_tls_proxy_sets_cafile(self) -> None:
        self.environment |= {"TEST_SERVICES": "key tls-proxy", "SSL_BUNDLE_FILE": "/opt/stack/data/ca-bundle.pem"}
        self.phase("stack", "post-config")
        self.assertIn("cafile = /opt/stack/data/ca-bundle.pem\n", self.conf.read_text())
