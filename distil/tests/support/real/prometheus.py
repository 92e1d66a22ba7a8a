# SPDX-License-Identifier: Apache-2.0
"""A real Prometheus, with samples of any time, and promtool."""

import datetime
import functools
import json
import os
import pathlib
import re
import subprocess
import tempfile
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any
from typing import NamedTuple

import yaml

from distil.tests.support import requirements
from distil.tests.support.processes import free_port
from distil.tests.support.real.servers import ListeningProcess

# The order in which both are logged is not certain.
_READY = re.compile(r'\A(?=.*"Server is ready).*"Listening on"[^\n]*? address=127\.0\.0\.1:(\d+)', re.DOTALL)
MAX_SAMPLES = 1000
"""How many samples a query to the shared Prometheus can load."""

_EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)
_MILLISECOND = datetime.timedelta(milliseconds=1)
# Of Prometheus.password, as cheap as bcrypt allows.
_PASSWORD_HASH = "$2b$04$35UzpV90tBGHf26N/Ngp2u98GFmNoXrWMCIt8bHVm9ijnb91/muRa"


class Series(NamedTuple):
    """:ivar labels: with the metric's name as ``__name__``.
    :ivar samples: times, in ascending order and of whole milliseconds, and values.
    """

    labels: Mapping[str, str]
    samples: Sequence[tuple[datetime.datetime, float]]


class Prometheus:
    """A Prometheus process of its own, which keeps its port until :meth:`stop`.

    Tests that only add to it may use :func:`shared`.

    :param configuration: of what it scrapes and evaluates, as in its configuration file.
    :param basic_auth: whether each request must have the class's user name and password.
    :param certificate: a certificate's file and its key's, for TLS.
    :param client_cafile: certificates of the authorities, one of which must have issued a client's certificate.
    :param options: of the command line, as in ``{"query.max-samples": 1000}``.
    :raises unittest.SkipTest: it is not installed; in CI that is an AssertionError.
    """

    username = "distil"
    password = "secret"

    def __init__(
        self,
        configuration: Mapping[str, Any] | None = None,
        basic_auth: bool = False,
        certificate: tuple[pathlib.Path, pathlib.Path] | None = None,
        client_cafile: pathlib.Path | None = None,
        options: Mapping[str, object] | None = None,
    ) -> None:
        self._directory = tempfile.TemporaryDirectory(prefix="prometheus-")
        self._folder = pathlib.Path(self._directory.name)
        self._write("prometheus.yml", configuration or {})
        self._write("web.yml", _web_configuration(basic_auth, certificate, client_cafile))
        self.port = free_port()
        self.url = f"{'https' if certificate else 'http'}://127.0.0.1:{self.port}"
        self._options = self._default_options() | dict(options or {})
        self._process = self._start()

    def add(self, *series: Series) -> None:
        """Store samples. Prometheus is restarted, because it looks for new blocks only once a minute."""
        text = self._folder / "openmetrics"
        text.write_text(_openmetrics(series))
        promtool("tsdb", "create-blocks-from", "openmetrics", str(text), str(self._data()))
        self._process.stop()
        self._process = self._start()

    def query(self, expression: str) -> list[Any]:
        """Return the series of an instant query, each with its labels and value.

        :raises AssertionError: Prometheus rejects the query.
        """
        url = f"{self.url}/api/v1/query?{urllib.parse.urlencode({'query': expression})}"
        try:
            with urllib.request.urlopen(url, timeout=30) as response:
                series: list[Any] = json.load(response)["data"]["result"]
                return series
        except urllib.error.HTTPError as error:
            raise AssertionError(f"{expression}: {error.read().decode()}") from error

    @property
    def pid(self) -> int:
        """It is another after :meth:`add`."""
        return self._process.pid

    def stop(self) -> None:
        self._process.stop()
        self._directory.cleanup()

    def _start(self) -> ListeningProcess:
        options = [f"--{option}={value}" for option, value in self._options.items()]
        return ListeningProcess(
            [requirements.program("prometheus"), *options], self._folder / "log", os.environ, announcement=_READY
        )

    def _default_options(self) -> dict[str, object]:
        return {
            "config.file": self._folder / "prometheus.yml",
            "web.config.file": self._folder / "web.yml",
            "web.listen-address": f"127.0.0.1:{self.port}",
            "storage.tsdb.path": self._data(),
            "storage.tsdb.retention.time": "100y",
        }

    def _data(self) -> pathlib.Path:
        return self._folder / "data"

    def _write(self, name: str, document: Mapping[str, Any]) -> None:
        (self._folder / name).write_text(yaml.safe_dump(document))


@functools.cache
def shared() -> Prometheus:
    """The Prometheus of this test process; it ends with it.

    :raises unittest.SkipTest: it is not installed; in CI that is an AssertionError.
    """
    return Prometheus(options={"query.max-samples": MAX_SAMPLES})


def promtool(*arguments: str) -> str:
    """Return the output of promtool.

    :raises AssertionError: promtool reports a problem.
    """
    command = [requirements.program("promtool"), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    if done.returncode:
        raise AssertionError(done.stdout + done.stderr)
    return done.stdout


def _web_configuration(
    basic_auth: bool, certificate: tuple[pathlib.Path, pathlib.Path] | None, client_cafile: pathlib.Path | None
) -> dict[str, Any]:
    configuration: dict[str, Any] = {}
    if basic_auth:
        configuration["basic_auth_users"] = {Prometheus.username: _PASSWORD_HASH}
    if certificate:
        cert_file, key_file = map(str, certificate)
        configuration["tls_server_config"] = {"cert_file": cert_file, "key_file": key_file}
    if client_cafile:
        client = {"client_auth_type": "RequireAndVerifyClientCert", "client_ca_file": str(client_cafile)}
        configuration["tls_server_config"] |= client
    return configuration


def _openmetrics(series: Sequence[Series]) -> str:
    """The text without types: blocks do not keep them."""
    lines = [
        f"{_selector(labels)} {value!r} {_seconds(time)}\n" for labels, samples in series for time, value in samples
    ]
    return "".join([*lines, "# EOF\n"])


def _selector(labels: Mapping[str, str]) -> str:
    pairs = [f'{name}="{_escape(value)}"' for name, value in labels.items() if name != "__name__"]
    return f"{labels['__name__']}{{{','.join(pairs)}}}"


def _escape(value: str) -> str:
    return value.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")


def _seconds(time: datetime.datetime) -> str:
    seconds, milliseconds = divmod((time - _EPOCH) // _MILLISECOND, 1000)
    return f"{seconds}.{milliseconds:03d}"
