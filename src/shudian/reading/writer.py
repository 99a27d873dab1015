"""Writing read tables: what a block does to a row is gathered in memory and written once, when the block is through.

A busy account or price level changes hundreds of times in one block; the database sees its last state only. Changes that name a whole
key touch the gathered rows; any other change first writes what was gathered of its table, then runs as SQL.
"""

import sqlite3
from collections.abc import Mapping, Sequence
from typing import Any

from shudian.reading.tables import ReadTable

_Key = tuple[Any, ...]
_Row = tuple[Any, ...]
_UNASKED: _Row = ()
_KEPT_MAX_COUNT = 10_000
"""Rows that a table keeps from one block to the next before it forgets them all."""


class _Gathered:
    """Rows of one table that the block touched, by key: their values, or None where there is no such row (any more)."""

    def __init__(self, table: ReadTable) -> None:
        """Start with nothing touched."""
        self.table = table
        self.rows: dict[_Key, list[Any] | None] = {}
        self.kept: dict[_Key, _Row | None] = {}
        """What the database holds, as far as it was asked or written: what one block touched, the next often touches again."""
        self.dropped: set[_Key] = set()
        """Keys of rows that were dropped without asking whether the database holds one."""

    def row(self, connection: sqlite3.Connection, key: _Key) -> list[Any] | None:
        """The present row of a key, read from the database when it is touched first."""
        if key in self.rows:
            return self.rows[key]
        if key in self.kept:
            found = self.kept[key]
        else:
            found = self.kept[key] = connection.execute(self.table.select_sql, key).fetchone()
        row = self.rows[key] = None if found is None else list(found)
        return row

    def drop(self, key: _Key) -> None:
        """No row of a key any more; whether there was one is not asked."""
        if key not in self.rows and key not in self.kept:
            self.dropped.add(key)
        self.rows[key] = None

    def put(self, key: _Key, row: list[Any]) -> None:
        """A new row.

        Raises:
            sqlite3.IntegrityError: if one is known.
        """
        known = self.rows[key] if key in self.rows else self.kept.get(key)
        if known is not None:
            message = f"{self.table.name} holds a row of the key {key}"
            raise sqlite3.IntegrityError(message)
        self.rows[key] = row

    def write(self, connection: sqlite3.Connection) -> None:
        """Write all of it to the database, each table in the order of its key, and touch nothing yet."""
        gone: list[_Key] = []
        new: list[tuple[_Key, _Row]] = []
        replaced: list[tuple[_Key, _Row]] = []
        changed: list[tuple[_Key, _Row]] = []
        indexed = self.table.indexed_of
        for key, touched in self.rows.items():
            row = None if touched is None else tuple(touched)
            before = self.kept.get(key, _UNASKED)
            if row == before:
                continue
            self.kept[key] = row
            if row is None:
                gone.append(key)
            elif before is None or (before is _UNASKED and key not in self.dropped):
                new.append((key, row))
            elif before is _UNASKED or indexed(row) != indexed(before):
                replaced.append((key, row))
            else:
                changed.append((key, row))
        self.rows.clear()
        self.dropped.clear()
        if len(self.kept) > _KEPT_MAX_COUNT:
            self.kept.clear()
        self._run(connection, gone, new, replaced, changed)

    def _run(
        self,
        connection: sqlite3.Connection,
        gone: list[_Key],
        new: list[tuple[_Key, _Row]],
        replaced: list[tuple[_Key, _Row]],
        changed: list[tuple[_Key, _Row]],
    ) -> None:
        table, values = self.table, self.table.values_of
        for sql, parameters in (
            (table.delete_sql, sorted(gone)),
            (table.insert_sql, [row for _, row in sorted(new)]),
            (table.replace_sql, [row for _, row in sorted(replaced)]),
            (table.update_sql, [(*values(row), *key) for key, row in sorted(changed)]),
        ):
            if parameters:
                connection.executemany(sql, parameters)


class Writer:
    """What projections write with; only the projector has one."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        """Write through an open transaction of the reading database."""
        self._connection = connection
        self._gathered: dict[str, _Gathered] = {}
        self._appended: dict[str, tuple[ReadTable, list[Sequence[Any]]]] = {}

    def flush(self) -> None:
        """Write what the block gathered; before its transaction is committed."""
        for table, rows in self._appended.values():
            rows.sort(key=table.key_of)
            self._connection.executemany(table.insert_sql, rows)
        self._appended.clear()
        for gathered in self._gathered.values():
            if gathered.rows:
                gathered.write(self._connection)

    def forget(self) -> None:
        """Drop what was gathered; its transaction is rolled back."""
        self._gathered.clear()
        self._appended.clear()

    def append(self, table: ReadTable, row: Sequence[Any]) -> None:
        """Add a row, its columns in order, to a table that is only ever added to: no other change of the block may touch it."""
        appended = self._appended.get(table.name)
        if appended is None:
            appended = self._appended[table.name] = (table, [])
        appended[1].append(row)

    def insert(self, table: ReadTable, **values: Any) -> None:
        """Add a row; all its columns must be given.

        Raises:
            ValueError: if a column is missing.
            sqlite3.IntegrityError: here or when the block is written, if there is a row of that key.
        """
        try:
            row = [values[name] for name in table.names]
        except KeyError:
            row = []
        if len(values) != len(row):
            message = f"{table.name} takes {table.names}, got {sorted(values)}"
            raise ValueError(message)
        self._of(table).put(table.key_of(row), row)

    def put(self, table: ReadTable, row: list[Any]) -> None:
        """Add a row, its columns in order: :meth:`insert` for what happens with every order.

        Raises:
            sqlite3.IntegrityError: here or when the block is written, if there is a row of that key.
        """
        self._of(table).put(table.key_of(row), row)

    def row(self, table: ReadTable, key: _Key) -> list[Any] | None:
        """The row of a key, its columns in order and to be changed in place (its key never); None if there is none."""
        gathered = self._gathered.get(table.name) or self._of(table)
        row = gathered.rows.get(key)
        return gathered.row(self._connection, key) if row is None else row

    def drop(self, table: ReadTable, key: _Key) -> None:
        """Remove the row of a key, if there is one."""
        self._of(table).drop(key)

    def update(self, table: ReadTable, where: Mapping[str, Any], **values: Any) -> None:
        """Set columns of the rows that fit."""
        key = table.key_in(where)
        if key is None:
            sets = ", ".join(f"{name} = ?" for name in values)
            self._run(table, f"UPDATE {table.name} SET {sets}", [*values.values()], where)  # noqa: S608 - declared names
            return
        row = self._fitting(table, key, where)
        if row is not None:
            for name, value in values.items():
                row[table.places[name]] = value

    def add(self, table: ReadTable, where: Mapping[str, Any], **amounts: int) -> None:
        """Add to integer columns of the rows that fit."""
        key = table.key_in(where)
        if key is None:
            sets = ", ".join(f"{name} = {name} + ?" for name in amounts)
            self._run(table, f"UPDATE {table.name} SET {sets}", [*amounts.values()], where)  # noqa: S608 - declared names
            return
        row = self._fitting(table, key, where)
        if row is not None:
            for name, amount in amounts.items():
                row[table.places[name]] += amount

    def delete(self, table: ReadTable, where: Mapping[str, Any]) -> None:
        """Remove the rows that fit."""
        key = table.key_in(where)
        if key is None:
            self._run(table, f"DELETE FROM {table.name}", [], where)  # noqa: S608 - a declared name
        elif len(where) == len(key) or self._fitting(table, key, where) is not None:
            self._of(table).drop(key)

    def exists(self, table: ReadTable, where: Mapping[str, Any]) -> bool:
        """Whether a row fits."""
        key = table.key_in(where)
        if key is not None:
            return self._fitting(table, key, where) is not None
        sql = f"SELECT 1 FROM {table.name}"  # noqa: S608 - a declared name
        return self._run(table, sql, [], where).fetchone() is not None

    def _of(self, table: ReadTable) -> _Gathered:
        gathered = self._gathered.get(table.name)
        if gathered is None:
            gathered = self._gathered[table.name] = _Gathered(table)
        return gathered

    def _fitting(self, table: ReadTable, key: _Key, where: Mapping[str, Any]) -> list[Any] | None:
        """The row of a key, if it also meets the rest of ``where``."""
        row = self._of(table).row(self._connection, key)
        if row is None or len(where) == len(key):
            return row
        return row if all(row[table.places[name]] == value for name, value in where.items()) else None

    def _run(self, table: ReadTable, sql: str, parameters: list[Any], where: Mapping[str, Any]) -> sqlite3.Cursor:
        gathered = self._gathered.get(table.name)
        if gathered is not None:
            if gathered.rows:
                gathered.write(self._connection)
            if not sql.startswith("SELECT"):
                gathered.kept.clear()
        conditions = " AND ".join(f"{name} = ?" for name in where)
        return self._connection.execute(f"{sql} WHERE {conditions}", [*parameters, *where.values()])
