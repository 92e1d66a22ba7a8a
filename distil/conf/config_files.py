# SPDX-License-Identifier: Apache-2.0
"""The settings of the configuration files as written, each with its file, which oslo.config does not tell."""

import pathlib
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Mapping
from typing import NamedTuple

from oslo_config import cfg

# oslo.config's, for distil.conf and for a file named after the command.
_DEFAULT_PLACES = ("~/.distil", "~", "/etc/distil", "/etc")


class Setting(NamedTuple):
    """An option in one of the files.

    :param values: as written; more than one if the option is repeated.
    """

    path: str
    group: str
    key: str
    values: list[str]


class ParsedFile(NamedTuple):
    """:param groups: group -> option -> values; groups without options are included."""

    path: str
    groups: Mapping[str, Mapping[str, list[str]]]


def settings(conf: cfg.ConfigOpts) -> Iterator[Setting]:
    """The settings of all files that have been read, in order of increasing precedence."""
    for path, groups in parse(conf):
        for group, options in groups.items():
            for key, values in options.items():
                yield Setting(path, group, key, values)


def parse(conf: cfg.ConfigOpts) -> Iterator[ParsedFile]:
    """The files that have been read, in order of increasing precedence."""
    for path in paths(conf.config_file, conf.config_dir):
        groups: dict[str, dict[str, list[str]]] = {}
        cfg.ConfigParser(str(path), groups).parse()
        yield ParsedFile(str(path), groups)


def none_found(conf: cfg.ConfigOpts) -> str | None:
    """Where files were looked for, if none has been read; None if one has."""
    if paths(conf.config_file, conf.config_dir):
        return None
    places = conf.config_dir or _DEFAULT_PLACES
    return f"no configuration file found; looked in {', '.join(map(str, places))}"


def paths(config_files: Iterable[str], config_dirs: Iterable[str]) -> list[pathlib.Path]:
    """The files that ``--config-file`` and ``--config-dir`` name, in order of increasing precedence."""
    found = [pathlib.Path(path).expanduser() for path in config_files]
    for directory in config_dirs:
        found += sorted(pathlib.Path(directory).expanduser().glob("*.conf"))
    return list(dict.fromkeys(found))
