# SPDX-License-Identifier: Apache-2.0
"""A real Gnocchi, behind a real Keystone: its API, its metricd, and the test databases as its indexer."""

import atexit
import contextlib
import datetime
import functools
import itertools
import os
import pathlib
import sys
import tempfile
import uuid
from collections.abc import Collection
from collections.abc import Iterable
from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa

from distil.tests.support import databases
from distil.tests.support.real import environments
from distil.tests.support.real import keystone as real_keystone
from distil.tests.support.real.servers import ListeningProcess
from distil.tests.support.real.servers import ServerProcess

_REQUIREMENTS = pathlib.Path(__file__).with_name("gnocchi-requirements.txt")
_SERVE = pathlib.Path(__file__).with_name("serve_wsgi.py")
_DRIVERS = {databases.MYSQL: "mysql+pymysql", databases.POSTGRESQL: "postgresql"}
# A worker looks at each sack every second.
_SACKS = 8
# Service and middleware look for this file in the home directory first.
_CONFIGURATION = """\
[DEFAULT]
verbose = false
coordination_url = file://{directory}/coordination
[api]
auth_mode = keystone
max_limit = {max_limit}
[indexer]
url = {url}
[storage]
driver = file
file_basepath = {directory}/storage
[incoming]
driver = file
file_basepath = {directory}/incoming
[metricd]
workers = 1
metric_processing_delay = 1
metric_reporting_delay = -1
"""
_METRICD_READY = "Joined coordination group"
# What the indexer dates by its own clock.
_DATES = (
    *(("resource", column) for column in ("started_at", "revision_start", "ended_at")),
    *(("resource_history", column) for column in ("started_at", "revision_start", "revision_end", "ended_at")),
)


class Gnocchi:
    """Processes of Gnocchi's API and metricd, in the catalog of the Keystone that they are given.

    Call :meth:`stop` at the end. Tests that only add to it may use :func:`shared`.

    :param backend: the database of its indexer, :data:`databases.MYSQL` or :data:`databases.POSTGRESQL`.
    :param max_limit: the most rows of an answer.
    :raises unittest.SkipTest: no such database server answers; in CI that is an AssertionError.
    """

    service_type = "metric"

    def __init__(self, keystone: real_keystone.Keystone, backend: str = databases.MYSQL, max_limit: int = 1000) -> None:
        self._programs = prepare() / "bin"
        self.keystone = keystone
        self._session = keystone.session()
        with contextlib.ExitStack() as stack:
            self._directory = pathlib.Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="gnocchi-")))
            url = sa.make_url(stack.enter_context(databases.database(backend, migrated=False)))
            self._indexer = sa.create_engine(url)
            stack.callback(self._indexer.dispose)
            self._configure(url.set(drivername=_DRIVERS[backend]), max_limit)
            upgrade = (self._programs / "gnocchi-upgrade", f"--sacks-number={_SACKS}")
            environments.run(*upgrade, variables=self._variables())
            self._api = self._start_api()
            stack.callback(self._api.stop)
            self.resume_metricd()
            stack.callback(self.pause_metricd)
            self._stack = stack.pop_all()
        self.url = f"http://127.0.0.1:{self._api.port}"
        keystone.add_service(self.service_type, self.url, name="gnocchi")  # Ceilometer looks for it by this name

    @property
    def api_pid(self) -> int:
        return self._api.pid

    def add_archive_policy(
        self,
        name: str,
        aggregation_methods: Collection[str],
        granularity: str = "5 minutes",
        timespan: str = "90 days",
        back_window: int = 0,
    ) -> None:
        """:param back_window: buckets before the newest one that still take measures."""
        definition = [{"granularity": granularity, "timespan": timespan}]
        policy = {"name": name, "aggregation_methods": [*aggregation_methods], "definition": definition}
        self.call("POST", "archive_policy", policy | {"back_window": back_window})

    def add_resource_type(self, name: str, *attributes: str) -> None:
        """:param attributes: optional strings."""
        optional_string = {"type": "string", "required": False}
        self.call("POST", "resource_type", {"name": name, "attributes": dict.fromkeys(attributes, optional_string)})

    def add_resource(self, resource_type: str, project_id: str | None, **attributes: Any) -> str:
        """Create a resource, and return its ID.

        :param attributes: also ``id``, for another ID than a new UUID.
        """
        resource = {"id": str(uuid.uuid4()), "project_id": project_id} | attributes
        return str(self.call("POST", f"resource/{resource_type}", resource)["id"])

    def update_resource(self, resource_type: str, resource_id: str, **attributes: Any) -> None:
        self.call("PATCH", f"resource/{resource_type}/{resource_id}", attributes)

    def add_measures(
        self,
        resource_id: str,
        metric: str,
        archive_policy: str,
        measures: Iterable[tuple[datetime.datetime, float]],
        unit: str | None = None,
    ) -> None:
        """Post measures, which metricd processes later; create the metric if it does not exist."""
        points = [{"timestamp": time.isoformat(), "value": value} for time, value in measures]
        series = {"archive_policy_name": archive_policy, "measures": points} | ({"unit": unit} if unit else {})
        self.call("POST", "batch/resources/metrics/measures?create_metrics=true", {resource_id: {metric: series}})

    def call(self, method: str, path: str, document: Any = None) -> Any:
        """Send a request of the administrator.

        :param path: below the version, as in ``archive_policy``.
        :return: the answer's document, None where it has none.
        :raises keystoneauth1.exceptions.HttpError: Gnocchi refuses it.
        """
        headers = {"Accept": "application/json"}
        response = self._session.request(f"{self.url}/v1/{path}", method, json=document, headers=headers)
        return response.json() if response.content else None

    def process(self) -> None:
        """Wait until metricd has processed all measures.

        :raises RuntimeError: it ended, or takes too long.
        """
        self._metricd.wait_for(self._is_processed)

    def pause_metricd(self) -> None:
        """End metricd, so that measures stay unprocessed: merely stopped by a signal, it could keep locks."""
        self._metricd.stop()

    def resume_metricd(self) -> None:
        command = [self._programs / "gnocchi-metricd", "--verbose"]
        self._metricd = ServerProcess(command, self._directory / "metricd.log", os.environ | self._variables())
        self._metricd.wait_for(lambda: _METRICD_READY in self._metricd.log() or None)  # before, the status is HTTP 500

    @contextlib.contextmanager
    def dated(self, time: datetime.datetime) -> Iterator[None]:
        """Have what happens to resources in the meantime begin at another time.

        Gnocchi dates by its own clock when resources are created, changed and ended.
        """
        begun = datetime.datetime.now(datetime.UTC).replace(tzinfo=None)
        yield
        with self._indexer.begin() as connection:
            dates = {
                date
                for table, column in _DATES
                for date in connection.scalars(
                    _sql(f"SELECT {column} FROM {table} WHERE {column} >= :begun", begun=begun)
                )
            }
            delay = min(dates) - time.astimezone(datetime.UTC).replace(tzinfo=None)
            for date, (table, column) in itertools.product(sorted(dates), _DATES):
                update = f"UPDATE {table} SET {column} = :other WHERE {column} = :date"
                connection.execute(_sql(update, other=date - delay, date=date))

    def stop(self) -> None:
        self._stack.close()

    def _configure(self, url: sa.URL, max_limit: int) -> None:
        text = _CONFIGURATION.format(
            directory=self._directory, url=url.render_as_string(hide_password=False), max_limit=max_limit
        )
        (self._directory / "gnocchi.conf").write_text(text + self.keystone.authtoken_section())

    def _start_api(self) -> ListeningProcess:
        # -P, lest this file beside the script be taken for the package.
        command = [self._programs / "python", "-P", _SERVE, "gnocchi.rest.wsgi:application"]
        return ListeningProcess(command, self._directory / "api.log", os.environ | self._variables())

    def _variables(self) -> dict[str, str]:
        return {"HOME": str(self._directory)}

    def _is_processed(self) -> bool | None:
        return self.call("GET", "status?details=false")["storage"]["summary"]["measures"] == 0 or None


@functools.cache
def shared() -> Gnocchi:
    """The Gnocchi of this test process, behind its shared Keystone; it ends with it.

    :raises unittest.SkipTest: no database server answers; in CI that is an AssertionError.
    """
    gnocchi = Gnocchi(real_keystone.shared())
    atexit.register(gnocchi.stop)
    return gnocchi


def _sql(statement: str, **parameters: datetime.datetime) -> sa.TextClause:
    return sa.text(statement).bindparams(**parameters)


def prepare() -> pathlib.Path:
    """Return Gnocchi's virtual environment."""
    recipe = f"{sys.version}\n{_REQUIREMENTS.read_text()}"
    return environments.prepare("gnocchi", recipe, _build) / "venv"


def _build(directory: pathlib.Path) -> None:
    environments.install(directory / "venv", _REQUIREMENTS)
