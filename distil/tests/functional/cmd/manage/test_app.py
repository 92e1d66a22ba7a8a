# SPDX-License-Identifier: Apache-2.0
"""The behaviour that all commands share."""

import csv
import datetime
import importlib.metadata
import io
import subprocess

from distil.db import migration
from distil.db import models
from distil.escaping import escape_control
from distil.tests.support import commands
from distil.tests.support import manage

START = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)


class ManageAppTest(manage.ManageTestCase):
    def test_outdated_database_error_suggests_upgrade(self) -> None:
        migration.stamp(self.engine, "007")
        self.addCleanup(migration.stamp, self.engine, "head")
        self.assertIn("run distil-db-manage upgrade head", self.error("lease", "list"))

    def test_parse_error_hides_passwords(self) -> None:
        self.config.write_text("[database]\nconnection = mysql://u:sekret@127.0.0.1/d\nsekret\n")
        error = self.error("lease", "list")
        self.assertIn(f"{self.config}:3", error)
        self.assertNotIn("sekret", error)

    def test_missing_configuration_file_exits_with_1(self) -> None:
        self.config.unlink()
        self.assertIn(str(self.config), self.error("lease", "list"))

    def test_unreachable_database_prints_one_line(self) -> None:
        self.config.write_text("[database]\nconnection = mysql://u:sekret@127.0.0.1:1/d\n")
        self.assertNotIn("sekret", self.error("lease", "list"))

    def test_unwritable_log_file_prints_one_line(self) -> None:
        problem = "the log file /nowhere/log cannot be written: No such file or directory"
        self.assertEqual(problem, self.error("--log-file", "/nowhere/log", "lease", "list"))

    def test_only_text_output_escapes_control_characters(self) -> None:
        name = "größe\n\x1b[31m\x9b2J\\"
        self.insert(models.tenants, {"id": "p1", "name": name})
        for words in (("list",), ("show", "p1")):
            command = ("project", *words, "--no-keystone", "--column", "name")
            shown = "größe\\n\\x1b[31m\\x9b2J\\"
            self.assertEqual(shown + "\n", self.output(*command, "--format", "value"))
            self.assertIn(f" {shown} |", self.output(*command))
            found = self.rows(*command)
            self.assertEqual(name, (found if isinstance(found, dict) else found[0])["name"])

    def test_csv_has_no_formula(self) -> None:
        self.insert(models.tenants, {"id": "p1", "name": '=HYPERLINK("http://x";"y")\x1b'}, {"id": "p2", "name": "-5"})
        shown = self.output("project", "list", "--no-keystone", "--column", "name", "--format", "csv")
        names = sorted(row["name"] for row in csv.DictReader(io.StringIO(shown), escapechar="\\"))
        self.assertEqual(['\'=HYPERLINK("http://x";"y")\\x1b', "-5"], names)

    def test_shell_runs_nothing_of_a_name(self) -> None:
        for name in ("$(echo ran)", "`echo ran`", '"; echo ran; "', "\\", '\\"; echo ran', "a\\$b", "$HOME"):
            self.empty(models.tenants)
            self.insert(models.tenants, {"id": "p1", "name": name})
            shown = self.output("project", "show", "p1", "--no-keystone", "--column", "name", "--format", "shell")
            script = shown + 'printf "%s" "$name"'
            result = subprocess.run(["sh", "-c", script], capture_output=True, text=True, check=True, timeout=60)
            self.assertEqual(name, result.stdout)

    def test_json_column_is_escaped_as_text(self) -> None:
        window = {"start": START, "end": START}
        row = {"tenant_id": "p1", "meter": "m", "resource_id": "r", "reason": "x", "sample": '"a\\n\\u001b"', **window}
        self.insert(models.rejected_samples, row | {"id": 1, "created": window["end"]})
        for shape in ("value", "shell"):
            shown = self.output("rejected", "show", "1", "--column", "sample", "--format", shape)
            self.assertNotIn("\x1b", shown)
            self.assertEqual(1, shown.count("\n"), shown)

    def test_messages_escape_control_characters(self) -> None:
        self.assertIn(r"\x1b[2J", self.error("usage", "list", "--project", "a\x1b[2J", status=3))
        log = self.config.parent / "log"
        manage.run(self.config, "--log-file", str(log), "usage", "list", "--project", "a\nb\x1b[2J")
        self.assertEqual("\n", "".join(set(log.read_text()) - set(escape_control(log.read_text()))))

    def test_debug_shows_traceback(self) -> None:
        self.config.write_text("")
        result = manage.run(self.config, "--debug", "lease", "list")
        self.assertEqual(1, result.returncode)
        self.assertIn("Traceback", result.stderr)

    def test_invalid_command_line_exits_with_2(self) -> None:
        for arguments in ((), ("lease",), ("frob", "it"), ("lease", "list", "--frob"), ("--frob", "lease", "list")):
            with self.subTest(arguments=arguments):
                result = manage.run(self.config, *arguments)
                self.assertEqual((2, ""), (result.returncode, result.stdout), result.stderr)

    def test_wrong_command_suggests_nearest(self) -> None:
        for words, hint in (
            (("lease",), "similar commands: lease list, lease release"),
            (("lease", "lst"), "similar commands: lease list"),
            (("lease", "frob"), "similar commands: lease list, lease release"),
            (("leese", "list"), "similar commands: lease list"),
            (("check",), "similar commands: config check, period check"),
            (("frob", "--it"), "--help lists the commands"),
        ):
            message = self.usage_error(*words)
            self.assertEqual(f"unknown command {' '.join(words).removesuffix(' --it')!r}; {hint}", message)

    def test_unknown_column_is_refused(self) -> None:
        columns = "the columns are: project_id, project, owner, acquired, expires, expired, dead"
        for option in ("--column", "--sort-column"):
            message = self.usage_error("lease", "list", "--column", "owner", option, "nosuch")
            self.assertEqual(f"unknown column 'nosuch'; {columns}", message)

    def test_empty_list_is_noted(self) -> None:
        self.assertEqual("distil-manage: No leases found\n", self.notes("lease", "list"))
        self.assertEqual("distil-manage: No leases found\n", self.notes("lease", "list", "--format", "json"))

    def test_version_has_same_shape_everywhere(self) -> None:
        versions = {
            commands.run(f"distil-{name}", "--version").stdout
            for name in ("collector", "db-manage", "manage", "sandbox", "status")
        }
        self.assertEqual({f"{importlib.metadata.version('distil')}\n"}, versions)

    def test_help_option_describes_command(self) -> None:
        self.assertIn("List the leases", self.output("lease", "list", "--help"))

    def test_help_lists_commands_without_configuration(self) -> None:
        result = subprocess.run([manage.PROGRAM, "--help"], capture_output=True, text=True, check=True, timeout=60)
        self.assertIn("lease list", result.stdout)
        self.assertNotIn("Could not", result.stdout)

    def test_closed_pipe_prints_no_error(self) -> None:
        listing = f"{manage.PROGRAM} --quiet --config-file {self.config} lease list --format csv"
        command = f"{listing} | true; exit ${{PIPESTATUS[0]}}"
        result = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False, timeout=60)
        self.assertEqual("", result.stderr)
