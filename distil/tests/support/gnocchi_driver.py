# SPDX-License-Identifier: Apache-2.0
"""Gnocchi drivers for tests."""

from typing import Any

from keystoneauth1 import session as ks_session

from distil.conf import gnocchi
from distil.telemetry.driver import DriverContext
from distil.telemetry.gnocchi.driver import GnocchiDriver


def create(session: ks_session.Session, **options: Any) -> GnocchiDriver:
    """Make a driver as the collector does.

    :param options: values of options, if not their defaults; there is no lag by default.
    """
    values = {option.dest: option.default for option in gnocchi.OPTS} | {"lag": 0} | options
    context = DriverContext(
        session=session, region_name=None, interface="public", options=values, open_session=_open_session
    )
    return GnocchiDriver.create(context)


def _open_session(auth: Any, verify: bool | str = True, cert: Any = None) -> ks_session.Session:
    raise NotImplementedError("Gnocchi authenticates at Keystone")
