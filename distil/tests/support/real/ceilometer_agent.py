# SPDX-License-Identifier: Apache-2.0
"""Today's Ceilometer before a real Gnocchi: a notification agent that tests send the messages of a cloud to."""

import atexit
import functools
import json
import pathlib
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from typing import Any

from distil.tests.support.processes import terminate
from distil.tests.support.real import environments
from distil.tests.support.real import gnocchi as real_gnocchi

_REQUIREMENTS = pathlib.Path(__file__).with_name("ceilometer-agent-requirements.txt")
_PROGRAM = pathlib.Path(__file__).with_name("publish_telemetry.py")
_ETC = pathlib.Path(__file__).parents[4] / "etc" / "ceilometer"
# The pipelines and definitions are looked for beside it.
_CONFIGURATION = """\
[DEFAULT]
transport_url = fake://
log_file = {log}
[service_credentials]
auth_type = password
auth_url = {keystone.auth_url}
username = {keystone.username}
password = {keystone.password}
project_name = {keystone.project_name}
user_domain_id = {keystone.domain_id}
project_domain_id = {keystone.domain_id}
region_name = {keystone.region_name}
interface = public
"""
_MAX_OUTPUT_LENGTH = 4000
_COMMAND = re.compile(r"^# +openstack metric ((?:.*\\\n# +)*.*)$", re.MULTILINE)
_RUN_COMMANDS = """\
import json, sys
from gnocchiclient import shell
for command in json.loads(sys.argv[1]):
    if shell.main(command):
        sys.exit(f"failed: {command}")
"""


class CeilometerAgent:
    """A process that does what Ceilometer's notification agent does with messages, with the files in etc/ceilometer.

    Call :meth:`stop` at the end. Tests that only add to it may use :func:`shared`.

    :ivar gnocchi: where the samples go, after the types of resources have been created as the files say.
    """

    def __init__(self, gnocchi: real_gnocchi.Gnocchi) -> None:
        self.gnocchi = gnocchi
        self._programs = prepare() / "bin"
        self._directory = tempfile.TemporaryDirectory(prefix="ceilometer-agent-")
        self._folder = pathlib.Path(self._directory.name)
        self._log = self._folder / "ceilometer.log"
        shutil.copytree(_ETC, self._folder, dirs_exist_ok=True)
        self._configuration = self._folder / "ceilometer.conf"
        self._configuration.write_text(_CONFIGURATION.format(log=self._log, keystone=gnocchi.keystone))
        # The publisher does not store what belongs to this project, for Gnocchi's own data may be there.
        gnocchi.keystone.call("POST", "projects", project={"name": "service", "domain_id": gnocchi.keystone.domain_id})
        self._create_resource_types()
        self._process = self._start()

    def publish(self, *messages: Mapping[str, Any]) -> None:
        """Process messages, in their order.

        :param messages: of :mod:`.telemetry_messages`.
        :raises AssertionError: Ceilometer logs a warning or an error, which is all that it does if it loses samples.
        """
        if self._process.stdin is None or self._process.stdout is None:
            raise TypeError("the process has no pipes")
        self._process.stdin.write(json.dumps(messages) + "\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline()
        if answer != "[]\n":
            raise AssertionError(answer or f"the process ended: {self._log.read_text()[-_MAX_OUTPUT_LENGTH:]}")

    def stop(self) -> None:
        atexit.unregister(self.stop)
        terminate(self._process)
        self._directory.cleanup()

    def _create_resource_types(self) -> None:
        environments.run(self._programs / "ceilometer-upgrade", "--config-file", self._configuration)
        text = (self._folder / "billing_resources.yaml").read_text()
        commands = [shlex.split(match.replace("\\\n#", "")) for match in _COMMAND.findall(text)]
        run_commands = (self._programs / "python", "-c", _RUN_COMMANDS)
        environments.run(*run_commands, json.dumps(commands), variables=self._credentials())

    def _credentials(self) -> dict[str, str]:
        keystone = self.gnocchi.keystone
        return {
            "OS_AUTH_TYPE": "password",
            "OS_AUTH_URL": keystone.auth_url,
            "OS_USERNAME": keystone.username,
            "OS_PASSWORD": keystone.password,
            "OS_PROJECT_NAME": keystone.project_name,
            "OS_USER_DOMAIN_ID": keystone.domain_id,
            "OS_PROJECT_DOMAIN_ID": keystone.domain_id,
        }

    def _start(self) -> "subprocess.Popen[str]":
        # -P, lest a file beside the script be taken for a package.
        command = (self._programs / "python", "-P", _PROGRAM, "--config-file", self._configuration)
        process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
        atexit.register(self.stop)
        return process


@functools.cache
def shared() -> CeilometerAgent:
    """The agent of this test process, before its shared Gnocchi; it ends with it.

    :raises unittest.SkipTest: no database server answers; in CI that is an AssertionError.
    """
    return CeilometerAgent(real_gnocchi.shared())


def prepare() -> pathlib.Path:
    """Return the agent's virtual environment."""
    recipe = f"{sys.version}\n{_REQUIREMENTS.read_text()}"
    return environments.prepare("ceilometer-agent", recipe, _build) / "venv"


def _build(directory: pathlib.Path) -> None:
    environments.install(directory / "venv", _REQUIREMENTS)
