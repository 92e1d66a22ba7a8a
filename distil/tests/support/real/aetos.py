# SPDX-License-Identifier: Apache-2.0
"""A real Aetos: a Prometheus's API behind a real Keystone."""

import functools
import os
import pathlib
import sys
import tempfile

from distil.tests.support.real import environments
from distil.tests.support.real import keystone as real_keystone
from distil.tests.support.real import prometheus as real_prometheus
from distil.tests.support.real.servers import ListeningProcess

_REQUIREMENTS = pathlib.Path(__file__).with_name("aetos-requirements.txt")
_SERVE = pathlib.Path(__file__).with_name("serve_wsgi.py")
_CONFIGURATION = """\
[DEFAULT]
auth_mode = keystone
[prometheus]
host = 127.0.0.1
port = {prometheus.port}
"""


class Aetos:
    """An Aetos process of its own, in the catalog of the Keystone that it is given.

    Call :meth:`stop` at the end. Tests that only read may use :func:`shared`.

    :param prometheus: without TLS and password.
    """

    service_type = "metric-storage"

    def __init__(self, keystone: real_keystone.Keystone, prometheus: real_prometheus.Prometheus) -> None:
        environment = prepare()
        self._directory = tempfile.TemporaryDirectory(prefix="aetos-")
        directory = pathlib.Path(self._directory.name)
        # Its application takes no arguments, and looks for this file in the home directory first.
        configuration = _CONFIGURATION.format(prometheus=prometheus) + keystone.authtoken_section()
        (directory / "aetos.conf").write_text(configuration)
        self._server = ListeningProcess(
            # -P, lest this file beside the script be taken for the package.
            [environment / "bin/python", "-P", _SERVE, "aetos.wsgi.api:application"],
            directory / "log",
            os.environ | {"HOME": str(directory)},
        )
        self.url = f"http://127.0.0.1:{self._server.port}"
        keystone.add_service(self.service_type, self.url)

    @property
    def pid(self) -> int:
        return self._server.pid

    def stop(self) -> None:
        self._server.stop()
        self._directory.cleanup()


@functools.cache
def shared() -> Aetos:
    """The Aetos of this test process, before its shared Prometheus and behind its shared Keystone; it ends with it.

    :raises unittest.SkipTest: Prometheus is not installed; in CI that is an AssertionError.
    """
    return Aetos(real_keystone.shared(), real_prometheus.shared())


def prepare() -> pathlib.Path:
    """Return Aetos's virtual environment."""
    return environments.prepare("aetos", f"{sys.version}\n{_REQUIREMENTS.read_text()}", _build) / "venv"


def _build(directory: pathlib.Path) -> None:
    environments.install(directory / "venv", _REQUIREMENTS)
