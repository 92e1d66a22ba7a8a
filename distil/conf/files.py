# SPDX-License-Identifier: Apache-2.0
"""What stands in the configuration files, with the file that it stands in. oslo.config tells that of groups alone."""

import pathlib
from collections.abc import Iterable
from collections.abc import Iterator
from typing import NamedTuple

from oslo_config import cfg


class Setting(NamedTuple):
    """An option in one of the files, as it is written."""

    path: str
    group: str
    key: str
    values: list[str]
    """More than one where it is there more than once."""


def settings(conf: cfg.ConfigOpts) -> Iterator[Setting]:
    """Those of all files that have been read, the later over the earlier."""
    for path, sections in parse(conf):
        for group, options in sections.items():
            for key, values in options.items():
                yield Setting(path, group, key, values)


def parse(conf: cfg.ConfigOpts) -> Iterator[tuple[str, dict[str, dict[str, list[str]]]]]:
    """Each file with its groups, empty ones too."""
    for path in paths(conf.config_file, conf.config_dir):
        sections: dict[str, dict[str, list[str]]] = {}
        cfg.ConfigParser(str(path), sections).parse()
        yield str(path), sections


def paths(files: Iterable[str], folders: Iterable[str]) -> list[pathlib.Path]:
    """The files of ``--config-file`` and ``--config-dir``, the later over the earlier."""
    found = [pathlib.Path(file).expanduser() for file in files]
    for folder in folders:
        found += sorted(pathlib.Path(folder).expanduser().glob("*.conf"))
    return list(dict.fromkeys(found))
