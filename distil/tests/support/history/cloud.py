# SPDX-License-Identifier: Apache-2.0
"""A cloud whose telemetry services show a history, and its drivers."""

import datetime
import pathlib
from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any

import yaml
from keystoneauth1 import plugin
from keystoneauth1 import session as ks_session
from keystoneauth1.identity import v3

from distil.sandbox.cloud import Cloud
from distil.telemetry.ceilometer import CeilometerDriver
from distil.telemetry.driver import DriverContext
from distil.telemetry.driver import TelemetryDriver
from distil.telemetry.gnocchi.driver import GnocchiDriver
from distil.telemetry.prometheus.driver import PrometheusDriver
from distil.tests.support.history import ceilometer
from distil.tests.support.history import gnocchi
from distil.tests.support.history import prometheus
from distil.tests.support.history.model import History
from distil.tests.support.site import ETC

_TIMEOUT_SECONDS = 30


class HistoryCloud(Cloud):
    """A sandbox cloud that shows one history after the other. Its own samples are of later times."""

    def __init__(self) -> None:
        super().__init__(projects=1)
        credentials: dict[str, Any] = {**self.auth()}
        self.session = ks_session.Session(auth=v3.Password(**credentials), timeout=_TIMEOUT_SECONDS)

    def show(self, history: History, delay: datetime.timedelta = datetime.timedelta(0)) -> None:
        """Show a history instead of the one before.

        :param delay: until Gnocchi knows what was measured.
        """
        self.injected_samples.clear()
        for sample in ceilometer.samples(history):
            self.add_samples(sample["project_id"], sample["meter"], [sample])
        self.gnocchi.clear()
        gnocchi.store(history, self.gnocchi, delay)
        self.added_series.clear()
        for labels, samples in prometheus.series(history):
            self.add_series(labels, samples)

    def ceilometer_driver(self) -> CeilometerDriver:
        return CeilometerDriver(self.session, None, "public")

    def gnocchi_driver(self, meters_file: pathlib.Path, **options: Any) -> GnocchiDriver:
        return GnocchiDriver.create(self._context(GnocchiDriver, meters_file, options))

    def prometheus_driver(self, meters_file: pathlib.Path, **options: Any) -> PrometheusDriver:
        return PrometheusDriver.create(
            self._context(PrometheusDriver, meters_file, {"url": self.prometheus_url} | options)
        )

    def _context(
        self, driver: type[TelemetryDriver], meters_file: pathlib.Path, options: Mapping[str, Any]
    ) -> DriverContext:
        defaults = {option.dest: option.default for option in driver.options}
        return DriverContext(
            session=self.session,
            region_name=None,
            interface="public",
            options={**defaults, "meters_file": str(meters_file), **options},
            open_session=_open_session,
        )


def write_meters_file(shipped: str, entries: Sequence[Mapping[str, Any]], path: pathlib.Path) -> None:
    """Write the shipped meters file, with entries that replace those of their meters.

    :param shipped: name of the file.
    """
    replaced = {entry["meter"] for entry in entries}
    kept = [entry for entry in yaml.safe_load((ETC / shipped).read_text()) if entry["meter"] not in replaced]
    path.write_text(yaml.safe_dump([*kept, *entries]))


def _open_session(
    auth: plugin.BaseAuthPlugin | None, verify: bool | str = True, cert: str | tuple[str, str] | None = None
) -> ks_session.Session:
    return ks_session.Session(auth, verify=verify, cert=cert, timeout=_TIMEOUT_SECONDS)
