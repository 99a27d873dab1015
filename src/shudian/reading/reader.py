"""Reading with a viewer: every select passes the scope of its table, in this one place."""

import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from shudian.reading.tables import ReadTable, Row, Scope

LIMIT_MAX_COUNT = 10_000
_OPERATORS = ("=", "<", "<=", ">", ">=", "<>", "LIKE")


@dataclass(frozen=True)
class Viewer:
    """Who looks. member_id 0 and an empty kind is the public."""

    member_id: int
    kind: str


THE_PUBLIC = Viewer(0, "")


def scope_clause(scope: Scope, viewer: Viewer) -> tuple[str, list[Any]]:
    """The SQL condition that a row must meet to be seen by the viewer, with its parameters."""
    if scope.kind == "public" or viewer.kind in scope.also:
        return "1", []
    if scope.kind == "members":
        return ("1" if viewer.member_id else "0"), []
    if scope.kind == "parties" and viewer.member_id:
        either = " OR ".join(f"{column} = ?" for column in scope.columns)
        return f"({either})", [viewer.member_id] * len(scope.columns)
    return "0", []


class Reader:
    """Selects from read tables on behalf of a viewer."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        """Read through an open connection to the reading database."""
        self._connection = connection

    def select(
        self,
        viewer: Viewer,
        table: ReadTable,
        where: Mapping[str, Any] | None = None,
        *,
        columns: Sequence[str] = ("*",),
        group_by: str = "",
        order_by: str = "",
        limit: int = LIMIT_MAX_COUNT,
    ) -> list[Row]:
        """Rows that the viewer may see.

        where: column -> value, or column -> (operator, value); a None value is left out, so that optional filters pass through.
        columns, group_by, order_by: SQL text written in the code, never taken from a user.
        """
        conditions, parameters = scope_clause(table.scope, viewer)
        conditions = f"WHERE {conditions}"
        for name, wanted in (where or {}).items():
            operator, value = wanted if isinstance(wanted, tuple) else ("=", wanted)
            if value is None:
                continue
            if operator not in _OPERATORS or not table.has(name):
                message = f"{table.name} has no filter {name} {operator}"
                raise ValueError(message)
            conditions += f" AND {name} {operator} ?"
            parameters.append(value)
        sql = f"SELECT {', '.join(columns)} FROM {table.name} {conditions}"  # noqa: S608 - names come from declarations
        sql += f" GROUP BY {group_by}" if group_by else ""
        sql += f" ORDER BY {order_by or ', '.join(table.key)}" if not group_by or order_by else ""
        sql += " LIMIT ?"
        cursor = self._connection.execute(sql, [*parameters, min(limit, LIMIT_MAX_COUNT)])
        names = [column[0] for column in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor]

    def one(self, viewer: Viewer, table: ReadTable, where: Mapping[str, Any]) -> Row | None:
        """The first row that fits, or None if there is none that the viewer may see."""
        rows = self.select(viewer, table, where, limit=1)
        return rows[0] if rows else None
