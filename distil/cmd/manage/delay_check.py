# SPDX-License-Identifier: Apache-2.0
"""Recommends ``collection_delay`` from the samples that a check of the telemetry service has read."""

import datetime
from collections.abc import Collection

from distil.cmd.manage.config_checks import OK
from distil.cmd.manage.config_checks import WARNING
from distil.telemetry.driver import Recording
from distil.text import pluralize

_HOUR = datetime.timedelta(hours=1)
_MINUTE = datetime.timedelta(minutes=1)


def check_delay(recordings: Collection[Recording], configured: int) -> tuple[str, str]:
    """Status and detail of whether ``collection_delay`` would have caught these samples.

    A window may end at any full hour, so a sample needs as long a delay as it was recorded after the hour it is in.

    :param recordings: at least one.
    :param configured: seconds.
    """
    needed = max(0, *(-(-_after_hour(recording) // _MINUTE) * 60 for recording in recordings))
    latest = max(recordings, key=lambda recording: recording.recorded - recording.timestamp)
    seen = (
        f"of the {pluralize(len(recordings), 'sample')} of the last day that this check has read, the latest was"
        f" recorded {latest.recorded - latest.timestamp} after its time"
    )
    if needed <= configured:
        return OK, f"collection_delay = {configured} would have sufficed: {seen}"
    return WARNING, (
        f"collection_delay = {configured}: {seen}; windows that are collected so early lack samples, which are not"
        f" billed; {needed} would have caught these"
    )


def _after_hour(recording: Recording) -> datetime.timedelta:
    hour = recording.timestamp.replace(minute=0, second=0, microsecond=0)
    return recording.recorded - (hour + _HOUR)
