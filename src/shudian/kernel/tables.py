"""Typed tables in memory with an undo log: what the ledger remembers.

A :class:`Table` is a declaration (name, record, key columns, indexes) made once at import; the rows live in a
:class:`Store`. Keys are tuples of integers, strings or bytes; iteration is always in key order. Indexes are derived
from rows, never hashed nor stored.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Generic, Protocol, TypeVar

from sortedcontainers import SortedDict, SortedList

from shudian.kernel import check
from shudian.kernel.codec import Record, decode, encode

Key = tuple[int | str | bytes, ...]
R = TypeVar("R", bound=Record)
IndexOf = Callable[[Key, Any], Key | None]


class Rows:
    """The rows of one table of one store, in key order, with their versions and indexes."""

    def __init__(self, table: "Table[Any]") -> None:
        """Start empty."""
        self.table = table
        self.data: SortedDict = SortedDict()
        self.versions: dict[Key, int] = {}
        self.indexes: dict[str, SortedList] = {name: SortedList() for name in table.indexes}

    def replace(self, key: Key, row: Record | None) -> Record | None:
        """Set or remove (None) a row and its index entries; returns the old row."""
        old: Record | None = self.data.get(key)
        for name, index_of in self.table.indexes.items():
            before = None if old is None else index_of(key, old)
            after = None if row is None else index_of(key, row)
            if before != after:
                if before is not None:
                    self.indexes[name].remove((*before, *key))
                if after is not None:
                    self.indexes[name].add((*after, *key))
        if row is None:
            self.data.pop(key, None)
        else:
            self.data[key] = row
        return old


class HasStore(Protocol):
    """Whatever carries a store: a context of a message, a block or a check."""

    @property
    def store(self) -> "Store":
        """The store."""
        ...


class Table(Generic[R]):
    """Declaration of a table: a contract's ``state.py`` makes one per kind of row.

    name: ``contract.noun``. record: the row type. key: names of the key columns. indexes: name -> function of (key, row)
    giving the leading index columns or None (row not in the index); an index is searched by :meth:`find`.
    """

    def __init__(
        self, name: str, record: type[R], key: tuple[str, ...], indexes: Mapping[str, IndexOf] | None = None
    ) -> None:
        """Declare the table; nothing is allocated."""
        self.name = name
        self.record = record
        self.key = key
        self.indexes = dict(indexes or {})

    @property
    def contract(self) -> str:
        """The contract that owns the table."""
        return self.name.partition(".")[0]

    def get(self, at: HasStore, *key: int | str | bytes) -> R | None:
        """The row of a key, or None."""
        row: R | None = at.store.rows[self.name].data.get(key)
        return row

    def need(self, at: HasStore, *key: int | str | bytes) -> R:
        """The row of a key that must exist; a fault of ours otherwise."""
        row = self.get(at, *key)
        if row is None:
            message = f"{self.name}{key} exists"
            raise check.CheckFailed(message)
        return row

    def put(self, at: HasStore, key: Key, row: R) -> None:
        """Insert or replace a row."""
        check.that(type(row) is self.record and len(key) == len(self.key), f"{self.name} takes its own rows and keys")
        at.store.change(self.name, key, row)

    def delete(self, at: HasStore, *key: int | str | bytes) -> None:
        """Remove a row that must exist."""
        check.that(at.store.change(self.name, key, None) is not None, f"{self.name}{key} exists")

    def range(self, at: HasStore, *prefix: int | str | bytes) -> Iterator[tuple[Key, R]]:
        """All rows whose key starts with ``prefix``, in key order; do not change the table while iterating."""
        data = at.store.rows[self.name].data
        size = len(prefix)
        for key in data.irange(minimum=prefix):
            if key[:size] != prefix:
                return
            yield key, data[key]

    def find(self, at: HasStore, index: str, *prefix: int | str | bytes) -> Iterator[tuple[Key, R]]:
        """All rows whose index columns start with ``prefix``, in index then key order."""
        rows = at.store.rows[self.name]
        size, key_size = len(prefix), len(self.key)
        for entry in rows.indexes[index].irange(minimum=prefix):
            if entry[:size] != prefix:
                return
            key = entry[-key_size:]
            yield key, rows.data[key]

    def due(self, at: HasStore, index: str, limit: int) -> list[tuple[Key, R]]:
        """All rows whose first index column is <= ``limit``, in index order; a list, so the table may be changed."""
        rows = at.store.rows[self.name]
        entries = rows.indexes[index].irange(maximum=(limit + 1,), inclusive=(True, False))
        keys = [entry[-len(self.key) :] for entry in entries]
        return [(key, rows.data[key]) for key in keys]

    def count(self, at: HasStore) -> int:
        """How many rows there are."""
        return len(at.store.rows[self.name].data)


class Sequence(Record):
    """The last id given out for one name."""

    last_id: int


SEQUENCES = Table("kernel.sequences", Sequence, ("name",))


def next_id(at: HasStore, name: str) -> int:
    """The next integer id, from 1, of a named sequence; a rolled-back message gives its ids back."""
    before = SEQUENCES.get(at, name)
    given = 1 if before is None else before.last_id + 1
    SEQUENCES.put(at, (name,), Sequence(given))
    return given


class Store:
    """All rows of a ledger, with an undo log of the current message and the changes of the current block."""

    def __init__(self, tables: tuple[Table[Any], ...]) -> None:
        """Make empty tables."""
        self.rows: dict[str, Rows] = {table.name: Rows(table) for table in tables}
        self._undo: list[tuple[str, Key, Record | None]] = []

    @property
    def store(self) -> "Store":
        """Itself, so that a bare store can be read through a table."""
        return self

    def change(self, table: str, key: Key, row: Record | None) -> Record | None:
        """Set or remove a row, remembering how to undo it."""
        old = self.rows[table].replace(key, row)
        self._undo.append((table, key, old))
        return old

    def mark(self) -> int:
        """A point to roll back to."""
        return len(self._undo)

    def rollback(self, mark: int) -> None:
        """Undo every change after ``mark``."""
        while len(self._undo) > mark:
            table, key, old = self._undo.pop()
            self.rows[table].replace(key, old)

    def touched(self) -> list[tuple[str, Key, Record | None]]:
        """Rows written since :meth:`settle` and not rolled back, by table and key, with their present value (None: removed)."""
        written = sorted({(table, key) for table, key, _ in self._undo})
        return [(table, key, self.rows[table].data.get(key)) for table, key in written]

    def stamp(self, touched: list[tuple[str, Key, Record | None]], version: int) -> None:
        """Give each of these rows its version, the height of the block that wrote it; a removed row has none."""
        for table, key, row in touched:
            if row is None:
                self.rows[table].versions.pop(key, None)
            else:
                self.rows[table].versions[key] = version

    def settle(self) -> None:
        """End the block: forget the undo log, and with it which rows were touched."""
        self._undo.clear()

    def load(self, table: str, key_bytes: bytes, row_bytes: bytes, version: int) -> None:
        """Put back a stored row and its version at start."""
        rows = self.rows[table]
        key = decode_key(key_bytes)
        rows.replace(key, decode(row_bytes, rows.table.record))
        rows.versions[key] = version


def number_in(key: Key, place: int = -1) -> int:
    """An integer column of a key, the last by default; a key of another type there is a fault of ours.

    >>> number_in(("settlement.rate", 7))
    7
    """
    column = key[place]
    if not isinstance(column, int):
        message = f"column {place} of {key} is an integer"
        raise check.CheckFailed(message)
    return column


def encode_key(key: Key) -> bytes:
    """The canonical bytes of a key."""
    return encode(key)


def decode_key(data: bytes) -> Key:
    """The key of its canonical bytes."""
    columns: list[Any] = decode(data, list[Any])
    check.that(
        all(type(column) in (int, str, bytes) for column in columns), "a key is made of integers, texts and bytes"
    )
    return tuple(columns)
