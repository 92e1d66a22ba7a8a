# SPDX-License-Identifier: Apache-2.0
"""``distil-manage``: what an operator asks and does about projects, usage, leases and rejected samples.

The commands of a noun are in its file: one class each, derived from :class:`base.Listing` or :class:`base.Showing`,
and an entry point of the group ``distil.manage``, whose name is the command with ``_`` for each blank. Its docstring
is what ``--help`` shows, the first line what the list of commands does. Then:

- ``get_parser`` adds the arguments. Those that several commands have (``--project``, ``--start``, ``--end``,
  ``--limit``) are in :mod:`base`, so that they look alike everywhere.
- ``take_action`` asks a function of ``distil.db`` and shows what it says. ``self.app.engine`` is the database, which
  is at the newest revision; ``self.app.conf`` the configuration. Rows may come from a generator.
- Times are shown by :func:`base.shown_time`, volumes by :func:`base.shown_volume`: as text, which every format keeps.
- What goes wrong is raised, as one of ``distil.exceptions``, and becomes a line on standard error and status 1, or 3
  for NotFound. A command that has shown its result and yet did not succeed sets ``self.status``.

No command is imported before it is chosen. What is slow to import and not needed by every command, as all that speaks
to the cloud is, is imported where it is used.
"""
