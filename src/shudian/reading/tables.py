"""Declarations of read tables: columns, key, who may see a row."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal

from shudian.kernel.messages import Event

Row = dict[str, Any]


@dataclass(frozen=True)
class Column:
    """One column: SQL type, and its name for people in Chinese and English (units in the code name's last word)."""

    name: str
    sql: Literal["INTEGER", "TEXT", "BLOB"]
    zh: str
    en: str


def integer(name: str, zh: str, en: str) -> Column:
    """A column of integers."""
    return Column(name, "INTEGER", zh, en)


def text(name: str, zh: str, en: str) -> Column:
    """A column of text."""
    return Column(name, "TEXT", zh, en)


def blob(name: str, zh: str, en: str) -> Column:
    """A column of bytes."""
    return Column(name, "BLOB", zh, en)


@dataclass(frozen=True)
class Scope:
    """Who may see a row. kind: public, members, parties (a column names the viewer) or kinds of member only.

    columns: the columns that hold member ids (parties). also: kinds of member that see every row.
    """

    kind: Literal["public", "members", "parties", "kinds"]
    columns: tuple[str, ...] = ()
    also: tuple[str, ...] = ()


PUBLIC = Scope("public")
MEMBERS = Scope("members")


def parties(*columns: str, also: tuple[str, ...]) -> Scope:
    """Rows that name the viewer in one of ``columns``; members of the kinds ``also`` see all."""
    return Scope("parties", columns, also)


def kinds(*also: str) -> Scope:
    """Rows that only members of some kinds see."""
    return Scope("kinds", (), also)


@dataclass(frozen=True)
class ReadTable:
    """A table of the reading database."""

    name: str
    columns: tuple[Column, ...]
    key: tuple[str, ...]
    scope: Scope
    indexes: tuple[tuple[str, ...], ...] = ()

    def create_sql(self) -> list[str]:
        """The statements that make the table and its indexes."""
        columns = ", ".join(f"{column.name} {column.sql}" for column in self.columns)
        create = f"CREATE TABLE {self.name} ({columns}, PRIMARY KEY ({', '.join(self.key)})) WITHOUT ROWID"
        indexes = [
            f"CREATE INDEX {self.name}_{place} ON {self.name} ({', '.join(names)})"
            for place, names in enumerate(self.indexes)
        ]
        return [create, *indexes]

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The names of its columns."""
        return tuple(column.name for column in self.columns)

    @cached_property
    def insert_sql(self) -> str:
        """The statement that adds a row, its columns in order."""
        return f"INSERT INTO {self.name} VALUES ({', '.join('?' * len(self.columns))})"  # noqa: S608 - a declared name

    @cached_property
    def replace_sql(self) -> str:
        """The statement that puts a row in the place of the one of its key."""
        return f"REPLACE{self.insert_sql.removeprefix('INSERT')}"

    @cached_property
    def select_sql(self) -> str:
        """The statement that reads the row of a key."""
        return f"SELECT * FROM {self.name} WHERE {self._is_key}"  # noqa: S608 - declared names

    @cached_property
    def delete_sql(self) -> str:
        """The statement that removes the row of a key."""
        return f"DELETE FROM {self.name} WHERE {self._is_key}"  # noqa: S608 - declared names

    @cached_property
    def _is_key(self) -> str:
        return " AND ".join(f"{name} = ?" for name in self.key)

    @cached_property
    def places(self) -> Mapping[str, int]:
        """The place of each column."""
        return {name: place for place, name in enumerate(self.names)}

    def key_in(self, where: Mapping[str, Any]) -> tuple[Any, ...] | None:
        """The key that a condition names whole, or None if it does not."""
        try:
            return tuple([where[name] for name in self.key])
        except KeyError:
            return None

    def has(self, name: str) -> bool:
        """Whether there is a column of that name."""
        return any(column.name == name for column in self.columns)


@dataclass(frozen=True)
class At:
    """Where an event stands: block height, place of its envelope in the block (-1: a block hook), market time."""

    height: int
    place: int
    market_ms: int


@dataclass(frozen=True)
class Views:
    """What a contract tells: its read tables, a projection per event, and its queries (functions of reader and viewer)."""

    name: str
    tables: tuple[ReadTable, ...]
    projections: Mapping[type[Event], Callable[..., None]]
    queries: tuple[Callable[..., Any], ...] = field(default=())
