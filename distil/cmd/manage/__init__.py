# SPDX-License-Identifier: Apache-2.0
"""``distil-manage``: inspects and changes projects, usage, leases and rejected samples on behalf of an operator.

The commands of a noun are in the module named after it (those that change projects in ``project_changes``): one class
each, derived from :class:`base.ListCommand` or :class:`base.ShowCommand`, and an entry point in the group
``distil.manage``, whose name is the command with ``_`` for each space. The docstring is the text of ``--help``; its
first line is the command's entry in the list of commands.

- ``get_parser`` adds the arguments. Those that several commands have are in :mod:`base` (``--project``, ``--limit``,
  ``--dry-run``) and :mod:`period` (``--start``, ``--end``, ``--month``, ``--time-zone``), so that they are the same
  everywhere.
- ``take_action`` calls a function of ``distil.db`` and returns column names and rows, which may come from a generator.
  ``self.app.engine`` is the database, at the newest revision; ``self.app.conf`` is the configuration.
- Times are formatted by :func:`base.format_time`, volumes by :func:`base.format_volume`: as text, which is exact in
  every format.
- An error is raised, as one of ``distil.exceptions``; it becomes a line on standard error and status 1, or 3 for
  NotFound. A command line that makes no sense is refused by ``self.refuse``, with status 2. A command that shows
  results of which some are failures counts these with ``self.failures``.
- What a command says about its result is logged at INFO, which ``--quiet`` leaves out.

A command is imported when it is chosen. What is slow to import and not needed by every command, such as everything that
speaks to the cloud, is imported where it is used.
"""
