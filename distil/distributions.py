# SPDX-License-Identifier: Apache-2.0
"""The versions of the installed distributions that usage depends on."""

import importlib.metadata
from collections.abc import Collection
from collections.abc import Mapping

_GROUP = "distil.transformer"
# Ours, and that of the filters' language.
_ALWAYS = ("distil", "jmespath")


def versions_for(transformers: Collection[str]) -> dict[str, str]:
    """The version by name of each distribution that rules depend on.

    :param transformers: names of those that the rules use.
    """
    names = set(_ALWAYS)
    for entry_point in importlib.metadata.entry_points(group=_GROUP):
        if entry_point.name in transformers and entry_point.dist is not None:
            names.add(entry_point.dist.name)
    return {name: version for name in names if (version := _version(name)) is not None}


def changes(versions: Mapping[str, str]) -> list[str]:
    """A sentence for each distribution that has another version now.

    :param versions: by name, as they were.
    """
    installed = {name: _version(name) for name in versions}
    return [
        f"{name} was {version} and is {installed[name] or 'not installed'}"
        for name, version in versions.items()
        if installed[name] != version
    ]


def _version(name: str) -> str | None:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None
