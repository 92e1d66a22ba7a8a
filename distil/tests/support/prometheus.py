# SPDX-License-Identifier: Apache-2.0
"""A Prometheus of a test's own."""

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

from distil.tests.support.prometheus_programs import ETC
from distil.tests.support.prometheus_programs import program
from distil.tests.support.site import free_port
from distil.tests.support.site import wait_for


class Prometheus:
    """One that runs at an address."""

    def __init__(self, address: str) -> None:
        self._address = address

    def query(self, expression: str) -> list[Any]:
        """The series of an instant query, each with its labels and value.

        :raises AssertionError: it is refused.
        """
        url = f"http://{self._address}/api/v1/query?{urllib.parse.urlencode({'query': expression})}"
        try:
            with urllib.request.urlopen(url, timeout=30) as answer:
                series: list[Any] = json.load(answer)["data"]["result"]
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
    """One that scrapes exporters and evaluates the rules every second.

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
    command = [program("prometheus"), *(f"--{option}={value}" for option, value in options.items())]
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
