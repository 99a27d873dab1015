"""Writing read tables: what a block does to a row is gathered in memory and written once, when the block is through.

A busy account or price level changes hundreds of times in one block; the database sees its last state only. Changes that name a whole
key touch the gathered rows; any other change first writes what was gathered of its table, then runs as SQL.
"""

import sqlite3
from collections.abc import Mapping, Sequence
from typing import Any

from shudian.reading.tables import ReadTable

_Key = tuple[Any, ...]


class _Gathered:
    """Rows of one table that the block touched, by key: their values, or None where there is no such row (any more)."""

    def __init__(self, table: ReadTable) -> None:
        """Start with nothing touched."""
        self.table = table
        self.rows: dict[_Key, list[Any] | None] = {}
        self.is_stored: dict[_Key, bool | None] = {}
        """Whether the database holds a row of the key; None where nobody has asked."""

    def row(self, connection: sqlite3.Connection, key: _Key) -> list[Any] | None:
        """The present row of a key, read from the database when it is touched first."""
        if key not in self.rows:
            found = connection.execute(self.table.select_sql, key).fetchone()
            self.rows[key] = None if found is None else list(found)
            self.is_stored[key] = found is not None
        return self.rows[key]

    def write(self, connection: sqlite3.Connection) -> None:
        """Write all of it to the database and start anew."""
        gone, changed, new = [], [], []
        for key, row in self.rows.items():
            is_stored = self.is_stored[key]
            if row is None:
                if is_stored is not False:
                    gone.append(key)
            elif is_stored:
                changed.append(row)
            else:
                new.append(row)
        self.rows.clear()
        self.is_stored.clear()
        if gone:
            connection.executemany(self.table.delete_sql, gone)
        if changed:
            connection.executemany(self.table.replace_sql, changed)
        if new:
            connection.executemany(self.table.insert_sql, new)


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
        gathered = self._of(table)
        key = tuple(values[name] for name in table.key)
        if gathered.rows.get(key) is not None:
            message = f"{table.name} holds a row of the key {key}"
            raise sqlite3.IntegrityError(message)
        gathered.rows[key] = row
        gathered.is_stored.setdefault(key, None)

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
        elif self._fitting(table, key, where) is not None:
            self._of(table).rows[key] = None

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
        if gathered is not None and gathered.rows:
            gathered.write(self._connection)
        conditions = " AND ".join(f"{name} = ?" for name in where)
        return self._connection.execute(f"{sql} WHERE {conditions}", [*parameters, *where.values()])
