# SPDX-License-Identifier: Apache-2.0
"""From a URL or a configuration file of another installation to the engine of its database."""

import sqlalchemy as sa
from oslo_config import cfg

from distil import exceptions
from distil.conf import database
from distil.conf import loader
from distil.factory.engine import build_engine

_OPTION = "[database] connection"


def engine_of_url(url: str, option: str) -> sa.Engine:
    """The engine of a URL from the command line.

    :param option: that it was given with, for messages.
    :raises ConfigurationError: the URL cannot be used.
    :raises StoreError: the connection failed.
    """
    conf = _conf([])
    # As if it were written in a file: a $ is no substitution.
    conf.set_override("connection", url.replace("$", "$$"), group=database.GROUP)
    try:
        return _build(conf)
    except exceptions.ConfigurationError as error:
        problems = [problem.replace(_OPTION, option) for problem in error.problems]
        raise exceptions.ConfigurationError(problems) from error
    except exceptions.StoreError as error:
        raise exceptions.StoreError(str(error).replace(_OPTION, option)) from error


def engine_of_file(path: str) -> sa.Engine:
    """The engine that [database] of a configuration file describes.

    :raises ConfigurationError: the file cannot be read, or its options cannot be used.
    :raises StoreError: the connection failed.
    """
    try:
        return _build(_conf([f"--config-file={path}"]))
    except cfg.Error as error:
        raise exceptions.ConfigurationError(loader.error_lines(error)) from error
    except UnicodeDecodeError as error:
        raise exceptions.ConfigurationError([f"{path} is not a text file: {error}"]) from error
    except exceptions.ConfigurationError as error:
        raise exceptions.ConfigurationError([f"{path}: {problem}" for problem in error.problems]) from error


def _conf(arguments: list[str]) -> cfg.ConfigOpts:
    """The options of the file alone: neither those of this installation nor of the environment."""
    conf = cfg.ConfigOpts()
    database.register_opts(conf)
    conf(arguments, project="distil", default_config_files=[], default_config_dirs=[], use_env=False)
    return conf


def _build(conf: cfg.ConfigOpts) -> sa.Engine:
    return build_engine(database.read(conf).without_retries())
