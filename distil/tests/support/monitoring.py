# SPDX-License-Identifier: Apache-2.0
"""The project's files for Prometheus, as operators use them."""

import pathlib
from typing import Any

import yaml

from distil.tests.support.real.prometheus import Prometheus

ETC = pathlib.Path(__file__).parents[3] / "etc" / "prometheus"


def monitor(*ports: int) -> Prometheus:
    """Start a Prometheus that scrapes exporters at these ports and evaluates the rules, every second."""
    return Prometheus(_configuration(ports))


def _configuration(ports: tuple[int, ...]) -> dict[str, Any]:
    configuration: dict[str, Any] = yaml.safe_load((ETC / "prometheus.yml").read_text())
    configuration["global"] = {"scrape_interval": "1s", "evaluation_interval": "1s"}
    configuration["rule_files"] = [str(ETC / name) for name in configuration["rule_files"]]
    configuration["scrape_configs"][0]["static_configs"] = [{"targets": [f"127.0.0.1:{port}" for port in ports]}]
    return configuration
