"""Declarations of read tables: columns, key, who may see a row."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from operator import itemgetter
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


def _picker(places: Sequence[int]) -> Callable[[Sequence[Any]], tuple[Any, ...]]:
    """A function that picks some columns of a row, as a tuple however many they are."""
    if len(places) > 1:
        return itemgetter(*places)
    if not places:
        return lambda _row: ()
    (place,) = places
    return lambda row: (row[place],)


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
    def update_sql(self) -> str:
        """The statement that sets the columns of :attr:`values_of` in the row of a key: no index is touched."""
        sets = ", ".join(f"{self.names[place]} = ?" for place in self._value_places)
        return f"UPDATE {self.name} SET {sets} WHERE {self._is_key}"  # noqa: S608 - declared names

    @cached_property
    def key_of(self) -> Callable[[Sequence[Any]], tuple[Any, ...]]:
        """The key of a row, its columns in order."""
        return _picker([self.places[name] for name in self.key])

    @cached_property
    def indexed_of(self) -> Callable[[Sequence[Any]], tuple[Any, ...]]:
        """Those columns of a row that are in an index but not in the key."""
        return _picker([self.places[name] for name in self.names if name in self._indexed and name not in self.key])

    @cached_property
    def values_of(self) -> Callable[[Sequence[Any]], tuple[Any, ...]]:
        """Those columns of a row that are neither in the key nor in an index."""
        return _picker(self._value_places)

    @cached_property
    def _indexed(self) -> frozenset[str]:
        return frozenset(name for names in self.indexes for name in names)

    @cached_property
    def _value_places(self) -> list[int]:
        return [self.places[name] for name in self.names if name not in self._indexed and name not in self.key]

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
