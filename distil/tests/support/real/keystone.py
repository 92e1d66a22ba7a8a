# SPDX-License-Identifier: Apache-2.0
"""A real Keystone, on SQLite."""

import functools
import getpass
import grp
import os
import pathlib
import shutil
import sys
import tempfile
import uuid
from typing import Any

from keystoneauth1 import session as ks_session
from keystoneauth1.identity import v3

from distil.tests.support.real import environments
from distil.tests.support.real.servers import ListeningProcess

_REQUIREMENT = "keystone==30.0.0"
_SERVE = pathlib.Path(__file__).with_name("serve_wsgi.py")
_NOWHERE = "http://127.0.0.1:1/v3"
# The memory cache is one for each process, which is enough for one process; cheap hashes make cheap tokens.
_CONFIGURATION = """\
[database]
connection = sqlite:///{directory}/keystone.db
[fernet_tokens]
key_repository = {directory}/fernet
[credential]
key_repository = {directory}/credential
[cache]
enabled = true
backend = dogpile.cache.memory
[identity]
password_hash_rounds = 4
"""
_AUTHTOKEN = """\
[keystone_authtoken]
auth_type = password
www_authenticate_uri = {keystone.auth_url}
auth_url = {keystone.auth_url}
username = {keystone.username}
password = {keystone.password}
project_name = {keystone.project_name}
user_domain_id = {keystone.domain_id}
project_domain_id = {keystone.domain_id}
region_name = {keystone.region_name}
"""


class Keystone:
    """A Keystone process of its own, with nothing but what ``keystone-manage bootstrap`` makes.

    Call :meth:`stop` at the end. Tests that only add to it may use :func:`shared`.

    :param configuration: more of its configuration file.
    """

    region_name = "RegionOne"
    username = "admin"
    password = "secret"
    project_name = "admin"
    domain_id = "default"

    def __init__(self, configuration: str = "") -> None:
        environment = prepare()
        self._directory = tempfile.TemporaryDirectory(prefix="keystone-")
        directory = pathlib.Path(self._directory.name)
        shutil.copytree(environment / "template", directory, dirs_exist_ok=True)
        _configure(directory, configuration)
        self._server = ListeningProcess(
            # -P, lest this file beside the script be taken for the package.
            [environment / "venv/bin/python", "-P", _SERVE, "keystone.wsgi.api:application"],
            directory / "log",
            os.environ | {"OS_KEYSTONE_CONFIG_DIR": str(directory)},
        )
        self.auth_url = f"http://127.0.0.1:{self._server.port}/v3"
        self._correct_own_endpoints()

    def session(self, **credentials: Any) -> ks_session.Session:
        """A session of the administrator, or with some of the credentials changed.

        :param credentials: parameters of keystoneauth's v3 password plugin.
        """
        defaults = {
            "auth_url": self.auth_url,
            "username": self.username,
            "password": self.password,
            "project_name": self.project_name,
            "user_domain_id": self.domain_id,
            "project_domain_id": self.domain_id,
        }
        return ks_session.Session(auth=v3.Password(**defaults | credentials), timeout=60)

    def user_session(self, role_name: str) -> ks_session.Session:
        """A session of a new user with one role in a new project; the role is created if it does not exist."""
        name = uuid.uuid4().hex
        member = {"name": name, "domain_id": self.domain_id}
        project_id = self.call("POST", "projects", project=member)["project"]["id"]
        user_id = self.call("POST", "users", user=member | {"password": name})["user"]["id"]
        self.call("PUT", f"projects/{project_id}/users/{user_id}/roles/{self._role_id(role_name)}")
        return self.session(username=name, password=name, project_name=name)

    def authtoken_section(self) -> str:
        """The section of a service's configuration with which keystonemiddleware validates tokens."""
        return _AUTHTOKEN.format(keystone=self)

    def add_service(self, service_type: str, url: str, name: str | None = None) -> None:
        """Put a service into the catalog, with one URL for all interfaces.

        :param name: by default the type.
        """
        service = self.call("POST", "services", service={"type": service_type, "name": name or service_type})["service"]
        for interface in ("public", "internal", "admin"):
            endpoint = {"service_id": service["id"], "region_id": self.region_name, "interface": interface, "url": url}
            self.call("POST", "endpoints", endpoint=endpoint)

    def call(self, method: str, path: str, **document: Any) -> Any:
        """Send a request of the administrator.

        :param path: below the version, as in ``projects``.
        :return: the answer's document, None where it has none.
        """
        response = self.session().request(f"{self.auth_url}/{path}", method, json=document or None)
        return response.json() if response.content else None

    def stop(self) -> None:
        self._server.stop()
        self._directory.cleanup()

    def _role_id(self, name: str) -> str:
        roles = self.call("GET", f"roles?name={name}")["roles"]
        role = roles[0] if roles else self.call("POST", "roles", role={"name": name})["role"]
        return str(role["id"])

    def _correct_own_endpoints(self) -> None:
        for endpoint in self.call("GET", "endpoints")["endpoints"]:
            self.call("PATCH", f"endpoints/{endpoint['id']}", endpoint={"url": self.auth_url})


def prepare() -> pathlib.Path:
    """Return the directory that holds Keystone's environment and the files that every Keystone starts from."""
    return environments.prepare("keystone", f"{sys.version}\n{_REQUIREMENT}\n{_CONFIGURATION}", _build)


@functools.cache
def shared() -> Keystone:
    """The Keystone of this test process; it ends with it."""
    return Keystone()


def _build(directory: pathlib.Path) -> None:
    """Install, and prepare what every Keystone starts from, for that takes longer than the start itself."""
    environments.run(sys.executable, "-m", "venv", directory / "venv")
    environments.run(directory / "venv/bin/pip", "install", "-q", _REQUIREMENT)
    template = directory / "template"
    for keys in ("fernet", "credential"):
        (template / keys).mkdir(parents=True)
    _configure(template)
    # The configuration is named each time: without it, everything would quietly go to the default places.
    manage = (directory / "venv/bin/keystone-manage", "--config-file", template / "keystone.conf")
    owner = ("--keystone-user", getpass.getuser(), "--keystone-group", grp.getgrgid(os.getgid()).gr_name)
    environments.run(*manage, "db_sync")
    environments.run(*manage, "fernet_setup", *owner)
    environments.run(*manage, "credential_setup", *owner)
    environments.run(*manage, "bootstrap", *_bootstrap())


def _bootstrap() -> list[str]:
    urls = [f"--bootstrap-{interface}-url={_NOWHERE}" for interface in ("public", "internal", "admin")]
    return [f"--bootstrap-password={Keystone.password}", f"--bootstrap-region-id={Keystone.region_name}", *urls]


def _configure(directory: pathlib.Path, more: str = "") -> None:
    (directory / "keystone.conf").write_text(_CONFIGURATION.format(directory=directory) + more)
