# SPDX-License-Identifier: Apache-2.0
"""Random passwords, and a search for them in any encoding."""

import base64
import contextlib
import json
import secrets
import urllib.parse
from collections.abc import Collection
from collections.abc import Iterable
from collections.abc import Iterator

import sqlalchemy as sa


def secret(special: str = "/p@ss:w%41rd\"'+") -> str:
    """Return a random password.

    :param special: characters in its middle, which URLs, JSON and shells may escape.
    """
    return f"{secrets.token_hex(8)}{special}{secrets.token_hex(8)}"


def found(text: str, hidden: Iterable[str]) -> list[str]:
    """Return the lines of a text that contain one of the secrets in any encoding."""
    forms = {form for secret in hidden for form in _encodings(secret)}
    return [line for line in text.splitlines() if any(form in line for form in forms)]


def _encodings(secret: str) -> set[str]:
    plain = secret.encode()
    latin = secret.encode("latin-1", errors="replace")
    forms = {secret, urllib.parse.quote(secret, safe=""), urllib.parse.quote(secret), urllib.parse.quote_plus(secret)}
    forms |= {sa.URL.create("x", "u", secret).render_as_string(False).partition("u:")[2].removesuffix("@")}
    forms |= {
        json.dumps(secret)[1:-1],
        json.dumps(secret, ensure_ascii=False)[1:-1],
        repr(secret)[1:-1],
        repr(plain)[2:-1],
    }
    forms |= {plain.hex(), repr(latin)[2:-1], ascii(secret)[1:-1]}
    return forms | {form for raw in (plain, latin) for form in _base64(raw)}


def _base64(raw: bytes) -> Iterator[str]:
    """Yield what the base64 of every text that contains ``raw`` has in common, for each alignment."""
    for before in range(3):
        coded = base64.b64encode(b"\0" * before + raw).decode().rstrip("=")
        middle = coded[(0, 2, 3)[before] : len(coded) - 1]
        yield middle
        yield middle.translate(str.maketrans("+/", "-_"))


@contextlib.contextmanager
def mariadb_user(url: str, password: str, lacking: Collection[str] = ()) -> Iterator[str]:
    """Create a user of a MariaDB database, and return the URL with its name and password.

    The tests' user cannot grant privileges, but can write the tables that hold them.

    :param lacking: privileges that the user does not have: ``Delete``, ...
    """
    own = sa.make_url(url)
    user = f"distil_{secrets.token_hex(4)}"
    engine = sa.create_engine(own)
    create = sa.text("CREATE USER :user@'%' IDENTIFIED BY :password")
    with engine.begin() as connection:
        columns = [row[0] for row in connection.exec_driver_sql("SHOW COLUMNS FROM mysql.db LIKE '%%_priv'")]
        connection.execute(create, {"user": user, "password": password})
        values = ", ".join("'N'" if column.removesuffix("_priv") in lacking else "'Y'" for column in columns)
        insert = f"INSERT INTO mysql.db (Host, Db, User, {', '.join(columns)}) VALUES ('%', :db, :user, {values})"
        connection.execute(sa.text(insert), {"db": own.database, "user": user})
        connection.exec_driver_sql("FLUSH PRIVILEGES")
    try:
        yield own.set(username=user, password=password).render_as_string(hide_password=False)
    finally:
        with engine.begin() as connection:
            connection.execute(sa.text("DROP USER :user@'%'"), {"user": user})
        engine.dispose()
