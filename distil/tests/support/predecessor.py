# SPDX-License-Identifier: Apache-2.0
"""A database of an existing installation on MariaDB: revision 002, three-byte characters, rows in every table."""

import sqlalchemy as sa

_TABLE = "ENGINE=InnoDB DEFAULT CHARSET=utf8mb3 COLLATE=utf8mb3_general_ci"

DDL = (
    f"CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL, PRIMARY KEY (version_num)) {_TABLE}",
    f"CREATE TABLE distil_last_run (id INT NOT NULL AUTO_INCREMENT, last_run DATETIME, PRIMARY KEY (id)) {_TABLE}",
    f"""CREATE TABLE project_locks (created DATETIME NOT NULL, project_id VARCHAR(100) NOT NULL,
        owner VARCHAR(100) NOT NULL, PRIMARY KEY (project_id)) {_TABLE}""",
    f"""CREATE TABLE tenants (id VARCHAR(100) NOT NULL, name VARCHAR(100) NOT NULL, info TEXT, created DATETIME,
        last_collected DATETIME, PRIMARY KEY (id)) {_TABLE}""",
    f"""CREATE TABLE resources (id VARCHAR(100) NOT NULL, tenant_id VARCHAR(100) NOT NULL, info TEXT, created DATETIME,
        PRIMARY KEY (id, tenant_id), KEY tenant_id (tenant_id),
        CONSTRAINT resources_ibfk_1 FOREIGN KEY (tenant_id) REFERENCES tenants (id)) {_TABLE}""",
    f"""CREATE TABLE sales_orders (id INT NOT NULL, tenant_id VARCHAR(64) NOT NULL, start_at DATETIME NOT NULL,
        end_at DATETIME NOT NULL, PRIMARY KEY (id, tenant_id, start_at, end_at), KEY tenant_id (tenant_id),
        CONSTRAINT sales_orders_ibfk_1 FOREIGN KEY (tenant_id) REFERENCES tenants (id)) {_TABLE}""",
    f"""CREATE TABLE usage_entry (service VARCHAR(100) NOT NULL, unit VARCHAR(100) NOT NULL, volume DECIMAL(20, 2),
        tenant_id VARCHAR(100) NOT NULL, resource_id VARCHAR(100) NOT NULL, start DATETIME NOT NULL,
        end DATETIME NOT NULL, created DATETIME, PRIMARY KEY (service, tenant_id, resource_id, start, end),
        KEY tenant_id (tenant_id), KEY resource_id (resource_id),
        CONSTRAINT usage_entry_ibfk_1 FOREIGN KEY (tenant_id) REFERENCES tenants (id),
        CONSTRAINT usage_entry_ibfk_2 FOREIGN KEY (resource_id) REFERENCES resources (id)) {_TABLE}""",
)

ROWS = (
    "INSERT INTO alembic_version VALUES ('002')",
    "INSERT INTO distil_last_run VALUES (1, '2026-01-02 03:00:00')",
    "INSERT INTO project_locks VALUES ('2026-01-02 03:00:00', 'p1', 'host-1')",
    """INSERT INTO tenants VALUES ('p1', 'Öffentlich', 'the first', '2025-12-01 00:00:00', '2026-01-02 03:00:00'),
        ('p2', 'second', NULL, NULL, NULL)""",
    """INSERT INTO resources VALUES ('volume-1', 'p1', '{"name": "größe"}', '2026-01-01 00:00:00'),
        ('shared', 'p1', NULL, NULL)""",
    "INSERT INTO sales_orders VALUES (7, 'p1', '2026-01-01 00:00:00', '2026-02-01 00:00:00')",
    # The second row refers to another project's resource, which this schema allows.
    """INSERT INTO usage_entry VALUES
        ('b1.standard', 'byte', 514.29, 'p1', 'volume-1', '2026-01-02 02:00:00', '2026-01-02 03:00:00', NULL),
        ('b1.standard', 'byte', 0.00, 'p2', 'shared', '2026-01-02 02:00:00', '2026-01-02 03:00:00', NULL)""",
)

# Entries whose ids differ in case or trailing blanks from the rows that they refer to, which this collation allows.
INEXACT_IDS = (
    """INSERT INTO usage_entry VALUES
        ('b1.standard', 'byte', 1.25, 'p1', 'VOLUME-1', '2026-01-02 01:00:00', '2026-01-02 02:00:00', NULL),
        ('b1.standard', 'byte', NULL, 'P2', 'shared ', '2026-01-02 01:00:00', '2026-01-02 02:00:00', NULL)""",
)

TABLES = ("distil_last_run", "project_locks", "resources", "sales_orders", "tenants", "usage_entry")


def create(engine: sa.Engine, statements: tuple[str, ...] = DDL + ROWS) -> None:
    with engine.begin() as connection:
        for statement in statements:
            connection.exec_driver_sql(statement)


def rows(engine: sa.Engine) -> dict[str, set[tuple[object, ...]]]:
    """Every row of every table, as the driver returns it."""
    with engine.connect() as connection:
        return {table: {tuple(row) for row in connection.exec_driver_sql(_select(table))} for table in TABLES}


# Tables that have more columns at later revisions.
_COLUMNS = {"project_locks": "created, project_id, owner", "tenants": "id, name, info, created, last_collected"}


def _select(table: str) -> str:
    """Selects the predecessor's columns."""
    return f"SELECT {_COLUMNS.get(table, '*')} FROM {table}"


def schema(engine: sa.Engine) -> dict[str, list[tuple[object, ...]]]:
    """Columns, keys and foreign keys of the current database, from information_schema."""
    queries = {
        "columns": """SELECT table_name, ordinal_position, column_name, column_type, is_nullable, extra
            FROM information_schema.columns WHERE table_schema = DATABASE() ORDER BY 1, 2""",
        "keys": """SELECT table_name, index_name, seq_in_index, column_name, non_unique
            FROM information_schema.statistics WHERE table_schema = DATABASE() ORDER BY 1, 2, 3""",
        "foreign keys": """SELECT table_name, constraint_name, ordinal_position, column_name, referenced_table_name,
            referenced_column_name FROM information_schema.key_column_usage
            WHERE table_schema = DATABASE() AND referenced_table_name IS NOT NULL ORDER BY 1, 2, 3""",
    }
    with engine.connect() as connection:
        return {name: [tuple(row) for row in connection.exec_driver_sql(query)] for name, query in queries.items()}
