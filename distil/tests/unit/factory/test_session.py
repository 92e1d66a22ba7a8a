# SPDX-License-Identifier: Apache-2.0
"""Sessions made from [keystone_authtoken], and the errors of one that cannot be used."""

import pathlib
import tempfile
import unittest

import certifi
from keystoneauth1 import identity as identity_plugins
from keystoneauth1 import session as ks_session
from keystoneauth1.identity import v3
from oslo_config import cfg

from distil import exceptions
from distil.conf import keystone_authtoken
from distil.factory.session import load_session

GOOD = {
    "auth_type": "password",
    "auth_url": "http://keystone.example.com/v3",
    "username": "distil",
    "password": "secret",
    "project_name": "service",
    "user_domain_name": "Default",
    "project_domain_name": "Default",
}

APPLICATION_CREDENTIAL = {
    "auth_type": "v3applicationcredential",
    "auth_url": GOOD["auth_url"],
    "application_credential_secret": "secret",
}


def read(section: dict[str, str], *others: str) -> cfg.ConfigOpts:
    conf = cfg.ConfigOpts()
    keystone_authtoken.register_opts(conf)
    with tempfile.TemporaryDirectory() as directory:
        path = pathlib.Path(directory, "distil.conf")
        lines = [f"{key} = {value}" for key, value in section.items()]
        path.write_text("\n".join(["[keystone_authtoken]", *lines, *others]))
        conf(["--config-file", str(path)], project="distil", default_config_files=[])
    return conf


class KeystoneAuthtokenTest(unittest.TestCase):
    def load(self, section: dict[str, str], *others: str) -> ks_session.Session:
        return load_session(read(section, *others))

    def _auth_url(self, session: ks_session.Session) -> str:
        self.assertIsInstance(session.auth, identity_plugins.Password)
        return str(vars(session.auth)["auth_url"])

    def assert_refused(self, section: dict[str, str], *expected: str) -> None:
        with self.assertRaises(exceptions.ConfigurationError) as caught:
            self.load(section)
        self.assertEqual(expected, caught.exception.problems)

    def test_complete_section_creates_session(self) -> None:
        session = self.load(GOOD)
        self.assertEqual(GOOD["auth_url"], self._auth_url(session))

    def test_defaults_set_timeout_and_verification(self) -> None:
        session = self.load(GOOD)
        self.assertEqual((60.0, True), (session.timeout, session.verify))

    def test_session_options_are_applied(self) -> None:
        bundle = certifi.where()
        session = self.load({**GOOD, "timeout": "5", "cafile": bundle})
        self.assertEqual((5.0, bundle), (session.timeout, session.verify))

    def test_region_and_interface_have_defaults(self) -> None:
        options = keystone_authtoken.read(read(GOOD))
        self.assertEqual((None, "public"), (options.region_name, options.interface))

    def test_auth_section_is_followed(self) -> None:
        cloud = ["[cloud]", *(f"{key} = {value}" for key, value in GOOD.items())]
        session = self.load({"auth_section": "cloud"}, *cloud)
        self.assertEqual(GOOD["auth_url"], self._auth_url(session))

    def test_missing_auth_type_is_rejected(self) -> None:
        self.assert_refused({}, "[keystone_authtoken] auth_type is not set")
        self.assert_refused({"auth_section": "cloud"}, "[cloud] auth_type is not set")

    def test_unknown_auth_type_is_rejected(self) -> None:
        self.assert_refused({"auth_type": "kerberos"}, "[keystone_authtoken] auth_type: unknown plugin 'kerberos'")

    def test_unknown_auth_type_suggests_nearest(self) -> None:
        for name, meant in (("applicationcredential", "v3applicationcredential"), ("pasword", "password")):
            problem = f"[keystone_authtoken] auth_type: unknown plugin {name!r}; did you mean {meant}?"
            self.assert_refused({"auth_type": name}, problem)

    def test_missing_password_is_rejected(self) -> None:
        without = {key: value for key, value in GOOD.items() if key != "password"}
        self.assert_refused(without, "[keystone_authtoken] password is not set")

    def test_application_credential_creates_session(self) -> None:
        by_id = {**APPLICATION_CREDENTIAL, "application_credential_id": "abc"}
        by_name = {**APPLICATION_CREDENTIAL, "application_credential_name": "abc", "user_id": "u"}
        for section in (by_id, by_name):
            self.assertIsInstance(self.load(section).auth, v3.ApplicationCredential)

    def test_incomplete_application_credential_is_rejected(self) -> None:
        group = "[keystone_authtoken]"
        self.assert_refused(
            {"auth_type": "v3applicationcredential", "auth_url": GOOD["auth_url"]},
            f"{group} application_credential_secret is not set",
            f"{group} application_credential_id is not set",
        )
        self.assert_refused(
            {**APPLICATION_CREDENTIAL, "application_credential_name": "abc", "username": "distil"},
            f"{group} application_credential_name needs user_id, or username and user_domain_name",
        )

    def test_application_credential_with_scope_is_rejected(self) -> None:
        self.assert_refused(
            {**APPLICATION_CREDENTIAL, "application_credential_id": "abc", "project_name": "service"},
            "[keystone_authtoken] project_name must not be set: an application credential is for the project that it"
            " was created in",
        )

    def test_missing_required_option_is_rejected(self) -> None:
        without = {key: value for key, value in GOOD.items() if key != "auth_url"}
        self.assert_refused(without, "[keystone_authtoken] auth_url is not set")

    def test_unusable_certificate_files_are_rejected(self) -> None:
        for certfile, reason in (
            ("/nowhere/a.pem", "cannot be read: No such"),
            (__file__, "contains no PEM certificate"),
        ):
            with self.assertRaises(exceptions.ConfigurationError) as caught:
                self.load({**GOOD, "cafile": certfile, "certfile": certfile})
            for option, problem in zip(("cafile", "certfile"), caught.exception.problems, strict=True):
                self.assertIn(f"[keystone_authtoken] {option}: {certfile} {reason}", problem)

    def test_key_without_certificate_is_rejected(self) -> None:
        self.assert_refused(
            {**GOOD, "keyfile": "/etc/distil/key.pem"},
            "[keystone_authtoken] keyfile is set, but certfile is not",
        )

    def test_list_opts_contains_each_option_once(self) -> None:
        names = [option.dest for option in keystone_authtoken.all_opts()]
        self.assertEqual(len(names), len(set(names)))
        self.assertLessEqual({*GOOD, "region_name", "interface", "timeout", "cafile", "insecure"}, set(names))
