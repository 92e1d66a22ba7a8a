# SPDX-License-Identifier: Apache-2.0
"""Registers the options of every group, in a ConfigOpts that can list what it knows."""

import contextlib
from typing import Any

from oslo_config import cfg
from oslo_service import opts as oslo_service

from distil import exceptions
from distil.conf import collector
from distil.conf import coordination
from distil.conf import database
from distil.conf import enabled_collectors
from distil.conf import keystone_authtoken
from distil.conf import log
from distil.conf import oslo_reports
from distil.conf import telemetry_drivers

DEFAULT_GROUP = "DEFAULT"

# These name the files to read, so they cannot be set in a file.
_COMMAND_LINE_ONLY = {"config_file", "config_dir"}


class CommandLine(cfg.ConfigOpts):
    """A ConfigOpts without ``--shell_completion``, whose templates oslo.config's packages lack."""

    def __init__(self) -> None:
        super().__init__()
        self.supported_shell_completion = []
        self.unregister_opt(self._shell_completion_opt)


class TrackedConfigOpts(CommandLine):
    """A ConfigOpts that lists its registered options. oslo.config's own gives their names only, without old ones.

    :ivar known: group -> name -> option.
    """

    def __init__(self) -> None:
        self.known: dict[str, dict[str, cfg.Opt]] = {}
        super().__init__()
        del self.known[DEFAULT_GROUP][self._shell_completion_opt.dest]

    def register_opt(
        self, opt: cfg.Opt, group: str | cfg.OptGroup | None = None, cli: bool = False, **options: Any
    ) -> bool:
        is_new: bool = super().register_opt(opt, group, cli, **options)
        if opt.dest not in _COMMAND_LINE_ONLY and not isinstance(opt, cfg.SubCommandOpt):
            name = group.name if isinstance(group, cfg.OptGroup) else group
            self.known.setdefault(name or DEFAULT_GROUP, {})[opt.dest] = opt
        return is_new

    def deprecated_names(self, group: str) -> dict[str, str]:
        """Deprecated option names of a group, each with its replacement: ``[group] name``."""
        replacements = {}
        for current, options in self.known.items():
            for option in options.values():
                for deprecated in option.deprecated_opts:
                    if (deprecated.group or current) == group:
                        replacements[deprecated.name or option.dest] = f"[{current}] {option.dest}"
        return replacements


def register_opts(conf: cfg.ConfigOpts) -> None:
    """Register the options of every group."""
    log.register_opts(conf)
    oslo_service.register_service_opts(conf)
    collector.register_opts(conf)
    enabled_collectors.register_opts(conf)
    coordination.register_opts(conf)
    database.register_opts(conf)
    keystone_authtoken.register_opts(conf)
    oslo_reports.register_opts(conf)


def register_dynamic_opts(conf: cfg.ConfigOpts) -> None:
    """Register the options of the named collectors, the auth plugin and the telemetry drivers: the files name these.

    A name that cannot be used is skipped: validation reports it. A group that the command did not register is skipped
    as well.
    """
    with contextlib.suppress(cfg.Error):
        if collector.GROUP in conf:
            collector.register_named_opts(conf, conf.enabled_collectors)
    with contextlib.suppress(cfg.Error):
        if keystone_authtoken.GROUP in conf:
            keystone_authtoken.register_plugin_opts(conf)
    for group in [group for group in conf if group.partition(":")[0] == collector.GROUP]:
        with contextlib.suppress(cfg.Error, exceptions.ConfigurationError):
            telemetry_drivers.register_opts(
                conf, conf[group].collector_backend or conf[collector.GROUP].collector_backend
            )
