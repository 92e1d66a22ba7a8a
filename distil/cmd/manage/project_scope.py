# SPDX-License-Identifier: Apache-2.0
"""Finds out which collector collects which project."""

import datetime
import logging
from collections.abc import Collection
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
from typing import NamedTuple

from distil import exceptions
from distil import model
from distil.cloud.keystone import KeystoneProjects
from distil.cmd.manage.collectors import read_valid_collectors
from distil.collector.plan import Plan
from distil.conf.registry import TrackedConfigOpts
from distil.db.projects import ProjectStatus
from distil.factory.collector import CollectorFactory
from distil.factory.session import connect

LOG = logging.getLogger(__name__)


class ScopedProject(NamedTuple):
    """A project, with a collector that has it in its scope.

    :param collector: None if there is none, or it is unknown.
    :param plan: the collector's; None if it is unknown.
    :param is_leaving: whether Keystone does not list it, which no run has noticed yet.
    """

    project_id: str
    name: str | None = None
    domain_id: str | None = None
    collector: str | None = None
    plan: Plan | None = None
    is_leaving: bool = False


class Scopes(NamedTuple):
    """What Keystone's list and the collectors' scopes give.

    :param projects: those in scope, ordered by collector and ID. A project may be in several scopes.
    :param enabled: ids of all projects that Keystone lists.
    :param unknown: a sentence for each entry of a scope that matches nothing.
    :param domains: names of domains by id; empty if Keystone does not list domains.
    """

    projects: Sequence[ScopedProject]
    enabled: Collection[str]
    unknown: Sequence[str]
    domains: Mapping[str, str]


def read_scopes(conf: TrackedConfigOpts) -> Scopes:
    """Ask Keystone.

    :raises IdentityError: Keystone gave no usable answer.
    """
    keystone = KeystoneProjects(connect(conf))
    enabled = sorted(keystone.enabled(), key=lambda project: project.id)
    projects: list[ScopedProject] = []
    unknown: list[str] = []
    for options in read_valid_collectors(conf):
        factory = CollectorFactory(conf, options)
        scope = factory.scope()
        domain_ids = keystone.domain_ids(scope.domains)
        projects += _scoped(scope.select(enabled, domain_ids), factory)
        unmatched = map(str, scope.unmatched(enabled, domain_ids))
        unknown += [f"[{options.group}] {problem}" for problem in (*unmatched, *scope.ids_as_names(enabled))]
    return Scopes(projects, {project.id for project in enabled}, unknown, _domain_names(keystone))


def _domain_names(keystone: KeystoneProjects) -> dict[str, str]:
    """Only for people: without domains in its scope, a collector needs no permission to list them."""
    try:
        return keystone.domain_names()
    except exceptions.IdentityError as error:
        LOG.info("The names of domains are unknown: %s", error)
        return {}


def _scoped(projects: Iterable[model.Project], factory: CollectorFactory) -> Iterator[ScopedProject]:
    plan = factory.plan()
    return (ScopedProject(project.id, project.name, project.domain_id, factory.name, plan) for project in projects)


def stored(statuses: Iterable[ProjectStatus], plan: Plan | None = None) -> Iterator[ScopedProject]:
    """The projects as they are stored."""
    return (ScopedProject(status.project_id, status.name, status.domain_id, plan=plan) for status in statuses)


def departed(
    conf: TrackedConfigOpts,
    statuses: Iterable[ProjectStatus],
    enabled: Collection[str] | None,
    *,
    with_finished: bool = False,
) -> list[ScopedProject]:
    """The projects that Keystone no longer lists and whose collection has not ended, with their collectors.

    :param enabled: ids of the projects that Keystone lists, to find those whose departure no run has noticed yet; None
        if they are unknown.
    :param with_finished: also those whose collection has ended.
    """
    plans = {options.name: CollectorFactory(conf, options).plan() for options in read_valid_collectors(conf)}
    return [
        ScopedProject(
            status.project_id,
            status.name,
            status.domain_id,
            status.in_scope_of,
            plans.get(status.in_scope_of or ""),
            is_leaving(status.project_id, status.in_scope_of, status.departed, enabled),
        )
        for status in statuses
        if (status.departed and (status.in_scope_of or with_finished))
        or is_leaving(status.project_id, status.in_scope_of, status.departed, enabled)
    ]


def is_leaving(
    project_id: str, in_scope_of: str | None, departed: datetime.datetime | None, enabled: Collection[str] | None
) -> bool:
    """Whether a project was in scope in the last run, and is not enabled in Keystone any more."""
    return enabled is not None and in_scope_of is not None and departed is None and project_id not in enabled


def common_plan(conf: TrackedConfigOpts) -> Plan | None:
    """The plan of all collectors, if it is the same."""
    plans = {CollectorFactory(conf, options).plan() for options in read_valid_collectors(conf)}
    return plans.pop() if len(plans) == 1 else None
