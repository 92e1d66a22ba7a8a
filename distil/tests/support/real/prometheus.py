# SPDX-License-Identifier: Apache-2.0
"""Prometheus servers for a single test, and promtool."""

import contextlib
import json
import pathlib
import subprocess
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from collections.abc import Sequence
from typing import Any

import yaml

from distil.tests.support import requirements
from distil.tests.support.processes import free_port
from distil.tests.support.processes import wait_for

ETC = pathlib.Path(__file__).parents[3] / "etc" / "prometheus"


class Prometheus:
    """The HTTP API of a running server."""

    def __init__(self, address: str) -> None:
        self._address = address

    def query(self, expression: str) -> list[Any]:
        """Return the series of an instant query, each with its labels and value.

        :raises AssertionError: Prometheus rejects the query.
        """
        url = f"http://{self._address}/api/v1/query?{urllib.parse.urlencode({'query': expression})}"
        try:
            with urllib.request.urlopen(url, timeout=30) as response:
                series: list[Any] = json.load(response)["data"]["result"]
                return series
        except urllib.error.HTTPError as error:
            raise AssertionError(f"{expression}: {error.read().decode()}") from error

    def ready(self) -> bool:
        try:
            urllib.request.urlopen(f"http://{self._address}/-/ready", timeout=30).close()
        except OSError:
            return False
        return True


@contextlib.contextmanager
def prometheus(folder: pathlib.Path, *ports: int) -> Iterator[Prometheus]:
    """Run a server that scrapes exporters and evaluates the rules every second.

    :param folder: for its configuration, data and log.
    :param ports: of the exporters.
    """
    (folder / "prometheus.yml").write_text(_configuration(ports))
    address = f"127.0.0.1:{free_port()}"
    options = {
        "config.file": folder / "prometheus.yml",
        "storage.tsdb.path": folder / "prometheus",
        "web.listen-address": address,
    }
    command = [requirements.program("prometheus"), *(f"--{option}={value}" for option, value in options.items())]
    log = folder / "prometheus.log"
    with log.open("w") as file, subprocess.Popen(command, cwd=folder, stdout=file, stderr=file) as process:
        try:
            wait_for(lambda: Prometheus(address).ready() or process.poll() is not None)
            if process.poll() is not None:
                raise AssertionError(log.read_text())
            yield Prometheus(address)
        finally:
            process.terminate()


def _configuration(ports: Sequence[int]) -> str:
    configuration = yaml.safe_load((ETC / "prometheus.yml").read_text())
    configuration["global"] = {"scrape_interval": "1s", "evaluation_interval": "1s"}
    configuration["rule_files"] = [str(ETC / name) for name in configuration["rule_files"]]
    configuration["scrape_configs"][0]["static_configs"] = [{"targets": [f"127.0.0.1:{port}" for port in ports]}]
    return yaml.safe_dump(configuration)


def promtool(*arguments: str) -> str:
    """Return the output of promtool.

    :raises AssertionError: promtool reports a problem.
    """
    command = [requirements.program("promtool"), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    if done.returncode:
        raise AssertionError(done.stdout + done.stderr)
    return done.stdout
