# SPDX-License-Identifier: Apache-2.0
"""A real Ceilometer v2 API, behind a real Keystone: the last release that has one, on the Python 2.7 that it needs."""

import configparser
import contextlib
import datetime
import functools
import os
import pathlib
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import unittest
import urllib.parse
import uuid
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Mapping
from typing import Any
from typing import NamedTuple

from distil.tests.support.real import environments
from distil.tests.support.real import keystone as real_keystone
from distil.tests.support.real.servers import ListeningProcess

_REQUIREMENTS = pathlib.Path(__file__).with_name("ceilometer-requirements.txt")
_VIRTUALENV = "virtualenv==20.21.1"  # the last series that can make an environment of Python 2.7
_CONFIGURATION = """\
[DEFAULT]
transport_url = fake://
api_paste_config = {directory}/api_paste.ini
[api]
gnocchi_is_enabled = false
aodh_is_enabled = false
panko_is_enabled = false
[database]
connection = sqlite:///{directory}/ceilometer.db
[oslo_policy]
policy_file = {environment}/etc/ceilometer/policy.json
[publisher]
telemetry_secret = secret
"""
_FIRST_SAMPLES = """\
SELECT meter.name || '/' || resource.resource_id, sample.id FROM sample
JOIN meter ON meter.id = sample.meter_id JOIN resource ON resource.internal_id = sample.resource_id
"""
_REPEAT_SAMPLE = """\
INSERT INTO sample (meter_id, resource_id, volume, timestamp, recorded_at, message_signature, message_id)
SELECT meter_id, resource_id, ?, ?, recorded_at, message_signature, ? FROM sample WHERE id = ?
"""


class Repetition(NamedTuple):
    """A sample like another of the resource.

    :ivar time: in UTC.
    """

    meter: str
    resource_id: str
    time: datetime.datetime
    volume: float


class Ceilometer:
    """A Ceilometer API process of its own, in the catalog of the Keystone that it is given.

    Call :meth:`stop` at the end. Tests that only add to it may use :func:`shared`.

    :raises unittest.SkipTest: this machine has no Python 2.7.
    """

    def __init__(self, keystone: real_keystone.Keystone) -> None:
        root = prepare()
        self._directory = tempfile.TemporaryDirectory(prefix="ceilometer-")
        directory = pathlib.Path(self._directory.name)
        self._database = shutil.copy(root / "ceilometer.db", directory)
        configuration = _configure(root / "venv", directory, keystone.authtoken_section())
        command = [root / "venv/bin/ceilometer-api", "-b", "127.0.0.1", "-p", "0", "--", "--config-file", configuration]
        self._server = ListeningProcess(command, directory / "log", os.environ)
        self.url = f"http://127.0.0.1:{self._server.port}"
        self._keystone = keystone
        keystone.add_service("metering", self.url)

    @property
    def pid(self) -> int:
        return self._server.pid

    def add_samples(self, project_id: str, meter: str, documents: Iterable[Mapping[str, Any]]) -> None:
        """Store samples of a project's meter.

        :param documents: with the keys that Ceilometer answers; it puts ``<project>:`` before each source.
        """
        path = f"{self.url}/v2/meters/{urllib.parse.quote(meter)}"
        samples = [_to_store(project_id, meter, document) for document in documents]
        self._keystone.session().post(path, params={"direct": "True"}, json=samples)

    def repeat_samples(self, repetitions: Iterable[Repetition]) -> None:
        """Store more samples of resources that have exactly one of the meter. Posted, many would take minutes."""
        with contextlib.closing(sqlite3.connect(self._database)) as connection:
            first = dict(connection.execute(_FIRST_SAMPLES))
            rows = [
                (volume, time.strftime("%Y-%m-%d %H:%M:%S.%f"), str(uuid.uuid4()), first[f"{meter}/{resource_id}"])
                for meter, resource_id, time, volume in repetitions
            ]
            connection.executemany(_REPEAT_SAMPLE, rows)
            connection.commit()

    def stop(self) -> None:
        self._server.stop()
        self._directory.cleanup()


@functools.cache
def shared() -> Ceilometer:
    """The Ceilometer of this test process, behind its shared Keystone; it ends with it.

    :raises unittest.SkipTest: this machine has no Python 2.7.
    """
    prepare()
    return Ceilometer(real_keystone.shared())


def prepare() -> pathlib.Path:
    """Return the directory that holds Ceilometer's environment and its empty database.

    :raises unittest.SkipTest: this machine has no Python 2.7.
    """
    python = _python27()
    recipe = f"{python}\n{_VIRTUALENV}\n{_REQUIREMENTS.read_text()}\n{_CONFIGURATION}"
    return environments.prepare("ceilometer", recipe, functools.partial(_build, python=python))


def _to_store(project_id: str, meter: str, document: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "counter_name": meter,
        "counter_type": "gauge",
        "counter_unit": document["unit"],
        "counter_volume": document["volume"],
        "project_id": project_id,
        "user_id": "nobody",
        "resource_id": document["resource_id"],
        "timestamp": document["timestamp"],
        "source": document["source"],
        "resource_metadata": document["metadata"],
    }


def _build(directory: pathlib.Path, python: str) -> None:
    """Install, and prepare the empty database that every Ceilometer starts from."""
    environments.run(sys.executable, "-m", "venv", directory / "builder")
    environments.run(directory / "builder/bin/pip", "install", "-q", _VIRTUALENV)
    environment = directory / "venv"
    environments.run(directory / "builder/bin/virtualenv", "-q", "-p", python, environment)
    environments.run(environment / "bin/pip", "install", "-q", "--no-deps", "-r", _REQUIREMENTS)
    configuration = _configure(environment, directory)
    upgrade = (environment / "bin/ceilometer-upgrade", "--skip-gnocchi-resource-types")
    environments.run(*upgrade, "--config-file", configuration)


def _configure(environment: pathlib.Path, directory: pathlib.Path, authentication: str = "") -> pathlib.Path:
    configuration = directory / "ceilometer.conf"
    configuration.write_text(_CONFIGURATION.format(directory=directory, environment=environment) + authentication)
    pipeline = configparser.ConfigParser(interpolation=None)
    pipeline.read(environment / "etc/ceilometer/api_paste.ini")
    # Beside the project's name it needs the file, else it looks for credentials in the default places alone.
    pipeline["filter:authtoken"]["oslo_config_file"] = str(configuration)
    with (directory / "api_paste.ini").open("w") as file:
        pipeline.write(file)
    return configuration


def _python27() -> str:
    for candidate in _candidates():
        if subprocess.run([candidate, "--version"], capture_output=True, check=False).returncode == 0:
            return candidate
    raise unittest.SkipTest("NO PYTHON 2.7 IN PATH OR PYENV: nothing is tested against the real Ceilometer")


def _candidates() -> Iterator[str]:
    """Those of pyenv first: its ``python2.7`` in PATH is a shim that may refuse to run."""
    pyenv = pathlib.Path(os.environ.get("PYENV_ROOT", "~/.pyenv")).expanduser()
    yield from map(str, sorted(pyenv.glob("versions/2.7*/bin/python2.7"), reverse=True))
    found = shutil.which("python2.7")
    if found:
        yield found
