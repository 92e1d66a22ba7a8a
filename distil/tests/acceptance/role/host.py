# SPDX-License-Identifier: Apache-2.0
"""A host as deployment tools prepare one: files that belong to root, and a user of its own for the collectors."""

import contextlib
import os
import pathlib
import re
import subprocess
import tempfile
import unittest
from typing import Self

from distil.sandbox.cloud import Cloud
from distil.sandbox.data import catalog
from distil.tests.support.processes import free_port
from distil.tests.support.processes import script
from distil.tests.support.processes import terminate
from distil.tests.unit.conf.test_operator_files import MAPPINGS
from distil.tests.unit.conf.test_operator_files import TRANSFORMERS

USER = 305
# It may read whatever is there, so that an interpreter in root's home will do; it may write what is its own. access(2)
# would not count the capability unless it is told to.
_AS_USER = (
    "setpriv",
    *(f"--reuid={USER}", f"--regid={USER}", "--clear-groups"),
    "--securebits=+no_setuid_fixup",
    *(f"--{kind}=-all,+dac_read_search" for kind in ("inh-caps", "ambient-caps", "bounding-set")),
)

CONFIGURATION = """\
[DEFAULT]
debug = false
log_file = {log}
timezone = Pacific/Auckland

[collector]
collector_backend = ceilometer
meter_mappings_file = {etc}/meter_mappings.yml
transformer_file = {etc}/transformer.yml
periodic_interval = 1800
collect_window = 1
max_windows_per_cycle = 6
# partitioning_suffix =
{scope}
trust_sources = openstack, .{{8,40}}:Meters
max_collection_start_age = 4
enable_exporter = true
exporter_host = 127.0.0.1
exporter_port = {port}

[database]
connection = {database}
backend = sqlalchemy

[keystone_authtoken]
auth_type = password
{authentication}
region_name = {region}
"""


class Host(contextlib.ExitStack):
    """Within ``with``.

    :param bundle: certificates of the authorities that processes trust.
    """

    def __init__(self, cloud: Cloud, database: str, bundle: pathlib.Path) -> None:
        super().__init__()
        self._cloud = cloud
        self._database = database
        self._bundle = bundle

    def __enter__(self) -> Self:
        folder = pathlib.Path(self.enter_context(tempfile.TemporaryDirectory()))
        folder.chmod(0o755)
        self._etc, self._log = folder / "etc", folder / "log"
        self._etc.mkdir()
        self._log.mkdir()
        os.chown(self._log, USER, USER)
        self._write("meter_mappings.yml", MAPPINGS)
        self._write("transformer.yml", TRANSFORMERS)
        self._write("bundle.pem", self._bundle.read_text())
        self._etc.chmod(0o555)
        return self

    def configure(self, name: str, *scope: str) -> int:
        """Write a collector's file, as those of older releases are; the answer is its exporter's port.

        :param scope: further lines of [collector].
        """
        port = free_port()
        text = CONFIGURATION.format(
            log=self.log(name),
            etc=self._etc,
            scope="\n".join(scope),
            port=port,
            database=self._database,
            authentication="\n".join(f"{option} = {value}" for option, value in self._cloud.auth().items()),
            region=catalog.REGION,
        )
        self._write(f"{name}.conf", text)
        return port

    def log(self, name: str) -> pathlib.Path:
        return self._log / f"{name}.log"

    def start(self, program: str, name: str, *arguments: str) -> subprocess.Popen[str]:
        """A program, as the collectors' user, which ends with this at the latest."""
        process = subprocess.Popen(
            [*_AS_USER, script(program), "--config-file", str(self._etc / f"{name}.conf"), *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            # A user without an entry in passwd has this home in a container.
            env={"HOME": "/", "PATH": os.environ["PATH"], "REQUESTS_CA_BUNDLE": str(self._etc / "bundle.pem")},
        )
        self.callback(terminate, process)
        return process

    def warnings(self, name: str) -> list[str]:
        """What a log warns of, or worse."""
        return re.findall(r"(?:WARNING|ERROR|CRITICAL) \S+ \[.*?\] (.*)", self.log(name).read_text())

    def _write(self, name: str, text: str) -> None:
        path = self._etc / name
        path.write_text(text)
        path.chmod(0o444)


def skip_unless_users_can_be_changed() -> None:
    """:raises unittest.SkipTest: this is not root, or one without the rights, or there is no setpriv."""
    try:
        subprocess.run([*_AS_USER, "true"], check=True, capture_output=True)
    except (FileNotFoundError, subprocess.CalledProcessError) as error:
        raise unittest.SkipTest(f"no program can be started as another user: {error}") from error
