# SPDX-License-Identifier: Apache-2.0
"""What stands in the collectors' groups and means nothing. oslo.config passes over it without a word."""

import pathlib
from collections.abc import Iterator

from oslo_config import cfg

from distil.conf.collector import GROUP
from distil.conf.collector import OPTS
from distil.transformers.options import unknown_key

_KNOWN = {option.dest for option in OPTS}
_OLDER = {older.name for option in OPTS for older in option.deprecated_opts}


def problems(conf: cfg.ConfigOpts) -> list[str]:
    """Misspelt options of ``[collector]`` and ``[collector:NAME]``, and groups of collectors that are not enabled."""
    found = []
    for path, sections in _files(conf):
        for section, options in sections.items():
            kind, _, name = section.partition(":")
            if kind != GROUP:
                continue
            if name and name not in conf.enabled_collectors:
                found.append(f"{path}: [{section}] means nothing: {name} is not in [DEFAULT] enabled_collectors")
            strange = [key for key in options if key.replace("-", "_") not in _KNOWN | _OLDER]
            found += [f"{path}: [{section}] {unknown_key(key, _KNOWN)}" for key in strange]
    return found


def _files(conf: cfg.ConfigOpts) -> Iterator[tuple[str, dict[str, dict[str, list[str]]]]]:
    folders = [pathlib.Path(folder).expanduser() for folder in conf.config_dirs]
    paths = [*conf.config_file, *(str(path) for folder in folders for path in sorted(folder.glob("*.conf")))]
    for path in dict.fromkeys(paths):
        sections: dict[str, dict[str, list[str]]] = {}
        cfg.ConfigParser(path, sections).parse()
        yield path, sections
