# SPDX-License-Identifier: Apache-2.0
"""Secrets that can be told from everything else, and a search for them in whatever guise."""

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
    """A password.

    :param special: what is in it that URLs, JSON and shells may write differently.
    """
    return f"{secrets.token_hex(8)}{special}{secrets.token_hex(8)}"


def found(text: str, hidden: Iterable[str]) -> list[str]:
    """The lines of a text that hold one of the secrets, however it is written."""
    forms = {form for each in hidden for form in _forms(each)}
    return [line for line in text.splitlines() if any(form in line for form in forms)]


def _forms(each: str) -> set[str]:
    plain = each.encode()
    latin = each.encode("latin-1", errors="replace")
    forms = {each, urllib.parse.quote(each, safe=""), urllib.parse.quote(each), urllib.parse.quote_plus(each)}
    forms |= {sa.URL.create("x", "u", each).render_as_string(False).partition("u:")[2].removesuffix("@")}
    forms |= {json.dumps(each)[1:-1], json.dumps(each, ensure_ascii=False)[1:-1], repr(each)[1:-1], repr(plain)[2:-1]}
    forms |= {plain.hex(), repr(latin)[2:-1], ascii(each)[1:-1]}
    return forms | {form for raw in (plain, latin) for form in _base64(raw)}


def _base64(raw: bytes) -> Iterator[str]:
    """What is the same in the base64 of every text that holds ``raw``, whatever comes before and after it."""
    for before in range(3):
        coded = base64.b64encode(b"\0" * before + raw).decode().rstrip("=")
        middle = coded[(0, 2, 3)[before] : len(coded) - 1]
        yield middle
        yield middle.translate(str.maketrans("+/", "-_"))


@contextlib.contextmanager
def mariadb_user(url: str, password: str, lacking: Collection[str] = ()) -> Iterator[str]:
    """The URL of a MariaDB database with a user of one's own, whose password is a secret.

    The tests' user must not grant anything, but may write the tables that grants are kept in.

    :param lacking: rights that the user does not have: ``Delete``, ...
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
