"""The recording disk for crash tests: the ledger's file is opened with apsw, the read models' with Python's own module; both are put on it."""

import sqlite3
from collections.abc import Iterable, Sequence
from contextlib import suppress
from types import SimpleNamespace
from typing import Any

import apsw

from shudian.node import simulated_disk
from shudian.node.simulated_disk import Fate as Fate
from shudian.node.simulated_disk import Step as Step
from shudian.node.simulated_disk import Told as Told
from shudian.node.simulated_disk import all_arrives as all_arrives
from shudian.node.simulated_disk import left_by_crash as left_by_crash
from shudian.node.simulated_disk import nothing_arrives as nothing_arrives
from shudian.node.simulated_disk import torn as torn


class RecordingDisk(simulated_disk.RecordingDisk):
    """With what stands in for Python's module."""

    def module(self) -> Any:
        """What stands in for the module ``sqlite3`` where the product opens its files."""
        return SimpleNamespace(
            connect=lambda path, **_options: _Connection(str(path), self.name),
            Error=sqlite3.Error,
            DatabaseError=sqlite3.DatabaseError,
        )


class _Connection:
    """As much of ``sqlite3.Connection`` over apsw as the product uses; errors come as ``sqlite3.Error``."""

    def __init__(self, path: str, vfs: str) -> None:
        flags = apsw.SQLITE_OPEN_READWRITE | apsw.SQLITE_OPEN_CREATE | apsw.SQLITE_OPEN_URI
        self._db = apsw.Connection(path, flags=flags, vfs=vfs)
        self._may_write = "mode=ro" not in path

    def execute(self, sql: str, parameters: Sequence[Any] = ()) -> Any:
        with _as_sqlite3():
            return self._db.execute(sql, tuple(parameters))

    def executemany(self, sql: str, rows: Iterable[Any]) -> Any:
        with _as_sqlite3():
            return self._db.executemany(sql, rows)

    @property
    def in_transaction(self) -> bool:
        return self._db.in_transaction

    def close(self) -> None:
        with _as_sqlite3(), suppress(*(() if self._may_write else (apsw.IOError,))):
            self._db.close()  # a reader may not lock for a last checkpoint: Python's module keeps quiet about that


class _as_sqlite3:  # noqa: N801 - reads as a verb at its place
    def __enter__(self) -> None:
        return None

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        if isinstance(error, apsw.Error):
            raise sqlite3.OperationalError(str(error)) from None
