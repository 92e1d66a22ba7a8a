# SPDX-License-Identifier: Apache-2.0
"""Assesses a run that has reached its end: whether usage is being collected."""

from collections import Counter
from collections.abc import Mapping

from distil import exceptions
from distil.monitoring.history import RunResult
from distil.text import pluralize


def require_collection(result: RunResult, failures: Mapping[str, str], collector: str, enabled: int) -> None:
    """Raise an error if the run collected nothing although it should have.

    If the failed projects are a minority, the others are up to date: the services work, and a run that follows shortly
    after another has nothing but the failed projects to do. Projects held by other collectors say nothing.

    :param failures: reason by project id.
    :param collector: name of the collector.
    :param enabled: number of projects that Keystone lists.
    :raises NothingCollected: no project is in scope, or no window was committed and at least half of the projects
        failed.
    """
    if not result.projects:
        listed = pluralize(enabled, "enabled project")
        raise exceptions.NothingCollected(f"no project is in the scope of collector {collector}; Keystone has {listed}")
    # Departed projects may fail, too.
    projects = result.projects + result.departing
    if failures and not result.windows and 2 * len(failures) >= projects - result.skipped:
        raise exceptions.NothingCollected(_reason(failures, projects, result.still_due))


def _reason(failures: Mapping[str, str], projects: int, due: int) -> str:
    counts = Counter(failures.values())
    ((reason, _),) = counts.most_common(1)
    if not due and len(counts) == 1 and len(failures) == projects:
        return f"none of {pluralize(projects, 'project')} is collected: {reason}"
    still_due = f", and {pluralize(due, 'window is', 'windows are')} still due" if due else ""
    number = f"{len(failures)} of {pluralize(projects, 'project')}"
    return f"no window was committed{still_due}; {number} failed, for example: {reason}"
