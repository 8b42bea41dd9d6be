"""A state file: opened for this process alone, or refused with the reason."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from common.errors import ConfigError
from services.mock_exchange.io.state_tables import APPLICATION_ID, SCHEMA_VERSION, TABLES

KEY: Final = "mock_exchange.state_file"
_ANOTHER: Final = "Give another path, or move the file away to begin anew"


def open_state_file(path: str) -> sqlite3.Connection:
    """The file's connection; a file that is not there is made.

    Raises:
        ConfigError: it cannot be opened, another process has it, or it is not a state file of this schema version.
    """
    try:
        connection = sqlite3.connect(path, timeout=0.5, isolation_level=None)
    except sqlite3.Error as exc:
        raise ConfigError(KEY, f"{path} cannot be opened ({exc})", "Give a path in a folder that is there") from exc
    try:
        connection.row_factory = sqlite3.Row
        connection.execute("PRAGMA locking_mode = EXCLUSIVE")
        _check(connection, path)
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")
    except ConfigError:
        connection.close()
        raise
    except sqlite3.Error as exc:
        connection.close()
        if exc.sqlite_errorcode in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
            raise ConfigError(KEY, f"{path} is in use", "Stop the other exchange, or give another path") from exc
        raise ConfigError(KEY, f"{path} cannot be used ({exc})", _ANOTHER) from exc
    return connection


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """All of the block's statements, or none."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
    except BaseException:
        connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")


def _check(connection: sqlite3.Connection, path: str) -> None:
    """Ours and of this version; an empty file becomes so."""
    with transaction(connection):
        application_id, version, tables = (
            connection.execute(query).fetchone()[0]
            for query in ("PRAGMA application_id", "PRAGMA user_version", "SELECT count(*) FROM sqlite_master")
        )
        if not tables and not application_id and not version:
            for statement in TABLES:
                connection.execute(statement)
            connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
            connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
        elif application_id != APPLICATION_ID:
            raise ConfigError(KEY, f"{path} is a SQLite file of something else", _ANOTHER)
        elif version != SCHEMA_VERSION:
            raise ConfigError(
                KEY,
                f"{path} holds state of schema version {version}, this build knows version {SCHEMA_VERSION}",
                "Use the build that wrote it, or move the file away to begin anew",
            )
