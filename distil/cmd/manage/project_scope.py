# SPDX-License-Identifier: Apache-2.0
"""Finds out which collector collects which project."""

from collections.abc import Iterable
from collections.abc import Iterator
from typing import NamedTuple

from distil import model
from distil.cloud.keystone import KeystoneProjects
from distil.cmd.manage.collectors import read_valid_collectors
from distil.collector.plan import Plan
from distil.conf.registry import TrackedConfigOpts
from distil.db.projects import ProjectStatus
from distil.factory.collector import CollectorFactory
from distil.factory.session import connect


class ScopedProject(NamedTuple):
    """A project, with a collector that has it in its scope.

    :param collector: None if there is none, or it is unknown.
    :param plan: the collector's; None if it is unknown.
    """

    project_id: str
    name: str | None = None
    domain_id: str | None = None
    collector: str | None = None
    plan: Plan | None = None


def in_scope(conf: TrackedConfigOpts) -> list[ScopedProject]:
    """The projects in scope, from Keystone, ordered by collector and ID. A project may be in several scopes.

    :raises IdentityError: Keystone gave no usable answer.
    """
    keystone = KeystoneProjects(connect(conf))
    enabled = sorted(keystone.enabled(), key=lambda project: project.id)
    return [
        project
        for options in read_valid_collectors(conf)
        for project in _in_scope_of(CollectorFactory(conf, options), keystone, enabled)
    ]


def stored(statuses: Iterable[ProjectStatus], plan: Plan | None = None) -> Iterator[ScopedProject]:
    """The projects as they are stored."""
    return (ScopedProject(status.project_id, status.name, status.domain_id, plan=plan) for status in statuses)


def departed(
    conf: TrackedConfigOpts, statuses: Iterable[ProjectStatus], *, with_finished: bool = False
) -> list[ScopedProject]:
    """The projects that Keystone no longer lists and whose collection has not ended, with their collectors.

    :param with_finished: also those whose collection has ended.
    """
    plans = {options.name: CollectorFactory(conf, options).plan() for options in read_valid_collectors(conf)}
    return [
        ScopedProject(
            status.project_id, status.name, status.domain_id, status.in_scope_of, plans.get(status.in_scope_of or "")
        )
        for status in statuses
        if status.departed and (status.in_scope_of or with_finished)
    ]


def common_plan(conf: TrackedConfigOpts) -> Plan | None:
    """The plan of all collectors, if it is the same."""
    plans = {CollectorFactory(conf, options).plan() for options in read_valid_collectors(conf)}
    return plans.pop() if len(plans) == 1 else None


def _in_scope_of(
    factory: CollectorFactory, keystone: KeystoneProjects, projects: Iterable[model.Project]
) -> Iterator[ScopedProject]:
    scope, plan = factory.scope(), factory.plan()
    for project in scope.select(projects, keystone.domain_ids(scope.domains)):
        yield ScopedProject(project.id, project.name, project.domain_id, factory.name, plan)
