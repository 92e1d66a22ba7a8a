# SPDX-License-Identifier: Apache-2.0
"""Makes users, roles and services in Keystone, as devstack's functions of these names do with the openstack client."""

import os
import sys
from collections.abc import Callable

import openstack
from openstack.identity.v3 import _proxy


def user(identity: _proxy.Proxy, name: str, password: str, domain: str) -> None:
    domain_id = _domain_id(identity, domain)
    if identity.find_user(name, domain_id=domain_id) is None:
        identity.create_user(name=name, password=password, domain_id=domain_id)


def role(
    identity: _proxy.Proxy, role_name: str, user_name: str, project: str, user_domain: str, project_domain: str
) -> None:
    found_user = identity.find_user(user_name, ignore_missing=False, domain_id=_domain_id(identity, user_domain))
    found_project = identity.find_project(project, ignore_missing=False, domain_id=_domain_id(identity, project_domain))
    found_role = identity.find_role(role_name, ignore_missing=False)
    identity.assign_project_role_to_user(found_project, found_user, found_role)


def service(identity: _proxy.Proxy, name: str, service_type: str, description: str) -> None:
    if not list(identity.services(name=name)):
        identity.create_service(name=name, type=service_type, description=description)


def _domain_id(identity: _proxy.Proxy, name: str) -> str:
    return str(identity.find_domain(name, ignore_missing=False).id)


COMMANDS: dict[str, Callable[..., None]] = {"user": user, "role": role, "service": service}

if __name__ == "__main__":
    connection = openstack.connect(
        auth_url=os.environ["KEYSTONE_SERVICE_URI"],
        username=os.environ["OS_USERNAME"],
        password=os.environ["OS_PASSWORD"],
        project_name=os.environ["OS_PROJECT_NAME"],
        user_domain_name="Default",
        project_domain_name="Default",
    )
    COMMANDS[sys.argv[1]](connection.identity, *sys.argv[2:])
