# SPDX-License-Identifier: Apache-2.0
"""Options that can be asked about."""

from typing import Any

from oslo_config import cfg

DEFAULT_GROUP = "DEFAULT"

# They say which files are read, and stand in none.
_OF_THE_COMMAND_LINE = {"config_file", "config_dir"}


class TrackedConfigOpts(cfg.ConfigOpts):
    """A ConfigOpts that says which options it knows. oslo.config's own tells their names, and no old ones."""

    def __init__(self) -> None:
        self.known: dict[str, dict[str, cfg.Opt]] = {}
        super().__init__()

    def register_opt(
        self, opt: cfg.Opt, group: str | cfg.OptGroup | None = None, cli: bool = False, **more: Any
    ) -> bool:
        new: bool = super().register_opt(opt, group, cli, **more)
        if opt.dest not in _OF_THE_COMMAND_LINE and not isinstance(opt, cfg.SubCommandOpt):
            name = group.name if isinstance(group, cfg.OptGroup) else group
            self.known.setdefault(name or DEFAULT_GROUP, {})[opt.dest] = opt
        return new

    def deprecated_names(self, group: str) -> dict[str, str]:
        """What options were called that stood in the group, and what they are called now: ``[group] name``."""
        found = {}
        for current, options in self.known.items():
            for option in options.values():
                for old in option.deprecated_opts:
                    if (old.group or current) == group:
                        found[old.name or option.dest] = f"[{current}] {option.dest}"
        return found
