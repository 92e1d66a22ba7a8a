# SPDX-License-Identifier: Apache-2.0
"""Whether Aetos shows the samples of all projects. To a user who may see those of one only, it shows no others."""

from http import HTTPStatus

from distil import exceptions
from distil.telemetry.http_client import StatusError
from distil.telemetry.prometheus.api import PrometheusAPI


def require_all_projects(api: PrometheusAPI) -> None:
    """Ask what only those may read who may read the samples of all projects.

    :raises TelemetryError: the user may not, or the service gave no usable answer.
    """
    try:
        api.runtime_info()
    except StatusError as error:
        if error.status != HTTPStatus.FORBIDDEN:
            raise
        raise exceptions.TelemetryError(
            f"the user of [keystone_authtoken] may not read the samples of all projects, and needs the role admin or"
            f" service: {error}",
            affects_all=True,
        ) from error
