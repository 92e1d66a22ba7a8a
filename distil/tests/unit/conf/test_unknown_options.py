# SPDX-License-Identifier: Apache-2.0
"""Options and groups that have no effect are reported, and no others."""

from distil.conf import validate
from distil.tests.support.configuration import ConfigurationTestCase


class UnknownOptionsTest(ConfigurationTestCase):
    def problems(self, text: str) -> list[str]:
        found = validate.unknown_options(self.read(text))
        self.assertEqual([], [problem for problem in found if not problem.startswith(f"{self.path}: ")])
        return [problem.removeprefix(f"{self.path}: ") for problem in found]

    def test_library_and_plugin_options_are_accepted(self) -> None:
        text = (
            "[DEFAULT]\nlog_file = x\nlogdir = x\nlog-config = x\nuse_journal = false\nlog_options = false\n"
            "default_log_levels = a=INFO\n"
            "[database]\nconnection = sqlite://\nmax_pool_size = 5\n"
            "[coordination]\nbackend_url =\n"
            "[keystone_authtoken]\nauth_type = password\nauth_url = x\nusername = x\nuser-name = x\npassword = x\n"
            "tenant_name = x\nregion_name = x\ninterface = public\ntimeout = 1\ncafile = x\n"
            "[COLLECTOR]\nworkers = 1\nignore_tenants = x\n"
        )
        self.assertEqual([], self.problems(text))

    def test_misspelt_option_suggests_nearest_name(self) -> None:
        text = (
            "[DEFAULT]\nlogfiles = x\n[database]\nconection = x\n[coordination]\nbackendurl = x\n"
            "[keystone_authtoken]\nauth_type = password\npasword = x\n[collector]\ncollect-window = 1\n"
        )
        expected = [
            "[DEFAULT] unknown key 'logfiles'; did you mean log_file?",
            "[database] unknown key 'conection'; did you mean connection?",
            "[coordination] unknown key 'backendurl'; did you mean backend_url?",
            "[keystone_authtoken] unknown key 'pasword'; did you mean password?",
            "[collector] unknown key 'collect-window'; did you mean collect_window?",
        ]
        self.assertEqual(expected, self.problems(text))

    def test_unrelated_option_gets_no_suggestion(self) -> None:
        self.assertEqual(["[DEFAULT] unknown key 'zzz'"], self.problems("[DEFAULT]\nzzz = x\n"))

    def test_auth_section_options_are_checked(self) -> None:
        text = "[keystone_authtoken]\nauth_section = cloud\n[cloud]\nauth_type = password\npassword = x\nuser_nam = x\n"
        self.assertEqual(["[cloud] unknown key 'user_nam'; did you mean username?"], self.problems(text))

    def test_options_are_checked_without_known_plugin(self) -> None:
        for auth_type in ("", "auth_type = passport\n"):
            text = f"[keystone_authtoken]\n{auth_type}auth_url = x\nproject_name = x\npasword = x\n"
            expected = ["[keystone_authtoken] unknown key 'pasword'; did you mean password?"]
            self.assertEqual(expected, self.problems(text))

    def test_only_misspelt_own_groups_are_reported(self) -> None:
        text = (
            "[odoo]\na = 1\n[oslo_messaging_rabbit]\na = 1\n[default]\na = 1\n[collectors]\na = 1\n[data_base]\na = 1\n"
        )
        expected = [
            "[default] is ignored: unknown group; did you mean [DEFAULT]?",
            "[collectors] is ignored: unknown group; did you mean [collector]?",
            "[data_base] is ignored: unknown group; did you mean [database]?",
        ]
        self.assertEqual(expected, self.problems(text))

    def test_section_of_disabled_collector_is_reported(self) -> None:
        self.assertEqual(
            ["[collector:one] is ignored: one is not in [DEFAULT] enabled_collectors"],
            self.problems("[collector:one]\nworkers = 2\n"),
        )

    def test_obsolete_options_are_reported(self) -> None:
        expected = [
            "[DEFAULT] timezone has no effect and can be removed",
            "[database] backend has no effect and can be removed",
        ]
        self.assertEqual(expected, self.problems("[DEFAULT]\ntimezone = UTC\n[database]\nbackend = sqlalchemy\n"))

    def test_duplicate_option_is_reported(self) -> None:
        text = "[collector]\nworkers = 1\nconcurrency = 1\n[collector]\nworkers = 2\n"
        self.assertEqual(["[collector] workers is set 2 times; the last value is used"], self.problems(text))

    def test_renamed_options_name_their_replacement(self) -> None:
        text = "[collector]\nignore_tenants = a\ninclude_projects = b\n[keystone_authtoken]\nauth_plugin = password\n"
        expected = [
            f"{self.path}: [collector] ignore_tenants is deprecated; use [collector] ignore_projects",
            f"{self.path}: [keystone_authtoken] auth_plugin is deprecated; use [keystone_authtoken] auth_type",
        ]
        self.assertEqual(expected, validate.deprecated_options(self.read(text)))
