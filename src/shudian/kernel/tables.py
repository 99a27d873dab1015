"""Typed tables in memory with an undo log: what the ledger remembers.

A :class:`Table` is a declaration (name, record, key columns, indexes) made once at import; the rows live in a
:class:`Store`. Keys are tuples of integers, strings or bytes; iteration is always in key order. Indexes are derived
from rows, never hashed nor stored.
"""

from collections.abc import Callable, ItemsView, Iterable, Iterator, Mapping
from functools import partial
from itertools import chain
from typing import Any, Final, Generic, Protocol, TypeVar

from shudian.kernel import check
from shudian.kernel.codec import Record, decode, encode
from shudian.kernel.ordered import Ordered
from shudian.kernel.sequences import Sequence

Key = tuple[int | str | bytes, ...]
Change = tuple[str, bytes, bytes | None, int]
"""Table, encoded key, encoded row (None when removed), and its version: the height of the block that wrote it."""

R = TypeVar("R", bound=Record)
IndexOf = Callable[[Key, Any], Key | None]


_FEW_COUNT: Final = 8
"""Up to so many entries are put in order one by one."""


class InOrder:
    """Tuples in ascending order, put in order when somebody asks: a table that nobody walks does not pay for its order.

    Once asked, it follows the changes, until they outnumber the entries; then it is made anew when somebody asks again.
    """

    def __init__(self, entries: Callable[[], Iterable[Key]]) -> None:
        """``entries``: gives all entries of the moment, in any order."""
        self._entries = entries
        self._sorted: Ordered | None = None
        self._waiting: dict[Key, bool] = {}
        self._waiting_max_count = 0

    def add(self, entry: Key) -> None:
        """Take in an entry that is not there."""
        if self._sorted is not None and self._waiting.pop(entry, None) is None:
            self._wait(entry, comes=True)

    def remove(self, entry: Key) -> None:
        """Take out an entry that is there."""
        if self._sorted is not None and self._waiting.pop(entry, None) is None:
            self._wait(entry, comes=False)

    def _wait(self, entry: Key, *, comes: bool) -> None:
        self._waiting[entry] = comes
        if len(self._waiting) > self._waiting_max_count:
            self._sorted = None
            self._waiting.clear()

    def sorted(self) -> Ordered:
        """The entries in order; to be read before the next change."""
        if self._sorted is None:
            self._sorted = Ordered(self._entries())
        elif not self._waiting:
            return self._sorted
        else:
            self._follow(self._sorted)
        self._waiting_max_count = len(self._sorted) + _FEW_COUNT
        return self._sorted

    def starting(self, prefix: Key) -> Iterator[Key]:
        """The entries that start with ``prefix``, in order; to be read before the next change."""
        return self.sorted().starting(prefix)

    def _follow(self, ordered: Ordered) -> None:
        waiting = self._waiting
        if len(waiting) > _FEW_COUNT:
            ordered.add_all([entry for entry, comes in waiting.items() if comes])
        for entry, comes in waiting.items():
            if not comes:
                ordered.remove(entry)
            elif len(waiting) <= _FEW_COUNT:
                ordered.add(entry)
        waiting.clear()


class InGroups:
    """Tuples in ascending order, apart by their first columns: whoever names all of these finds the others without a search.

    A group is made when somebody first asks for any, and followed from then on.
    """

    def __init__(self, entries: Callable[[], Iterable[Key]], width: int) -> None:
        """``entries``: gives all entries of the moment, in any order. width: how many columns name a group."""
        self._entries = entries
        self._width = width
        self._groups: dict[Key, Ordered] | None = None

    def add(self, entry: Key) -> None:
        """Take in an entry that is not there."""
        if self._groups is not None:
            group = self._groups.get(entry[: self._width])
            if group is None:
                self._groups[entry[: self._width]] = Ordered((entry,))
            else:
                group.add(entry)

    def remove(self, entry: Key) -> None:
        """Take out an entry that is there."""
        if self._groups is not None:
            group = self._groups[entry[: self._width]]
            group.remove(entry)
            if not group:
                del self._groups[entry[: self._width]]

    def starting(self, prefix: Key) -> Iterator[Key]:
        """The entries that start with ``prefix``, at most the columns of a group, in order; to be read before the next change."""
        groups = self._made() if self._groups is None else self._groups
        size = len(prefix)
        if size == self._width:
            return iter(groups.get(prefix, ()))
        check.that(size < self._width, "nobody searches within a group")
        return chain.from_iterable(groups[name] for name in sorted(groups) if name[:size] == prefix)

    def _made(self) -> dict[Key, Ordered]:
        entries: dict[Key, list[Key]] = {}
        for entry in self._entries():
            entries.setdefault(entry[: self._width], []).append(entry)
        self._groups = {name: Ordered(group) for name, group in entries.items()}
        return self._groups


class Rows:
    """The rows of one table of one store, with their order, versions and indexes."""

    def __init__(self, table: "Table[Any]") -> None:
        """Start empty."""
        self.table = table
        self.data: dict[Key, Any] = {}
        self.versions: dict[Key, int] = {}
        self.keys = _ordered(lambda: self.data, table.key_group)
        self.indexes = {
            name: _ordered(partial(self._index_entries, of), table.groups.get(name, 0))
            for name, of in table.indexes.items()
        }
        self._indexed = [(self.indexes[name], index_of) for name, index_of in table.indexes.items()]

    def _index_entries(self, index_of: IndexOf) -> Iterator[Key]:
        for key, row in self.data.items():
            columns = index_of(key, row)
            if columns is not None:
                yield (*columns, *key)

    def replace(self, key: Key, row: Record | None) -> Record | None:
        """Set or remove (None) a row and its index entries; returns the old row."""
        old: Record | None = self.data.get(key)
        for index, index_of in self._indexed:
            before = None if old is None else index_of(key, old)
            after = None if row is None else index_of(key, row)
            if before != after:
                if before is not None:
                    index.remove((*before, *key))
                if after is not None:
                    index.add((*after, *key))
        if row is not None:
            self.data[key] = row
            if old is None:
                self.keys.add(key)
        elif old is not None:
            del self.data[key]
            self.keys.remove(key)
        return old


def _ordered(entries: Callable[[], Iterable[Key]], group_width: int) -> InOrder | InGroups:
    return InGroups(entries, group_width) if group_width else InOrder(entries)


class HasStore(Protocol):
    """Whatever carries a store: a context of a message, a block or a check."""

    @property
    def store(self) -> "Store":
        """The store."""
        ...


class Table(Generic[R]):
    """Declaration of a table: a contract's ``state.py`` makes one per kind of row.

    name: ``contract.noun``. record: the row type. key: names of the key columns. indexes: name -> function of (key, row)
    giving the leading index columns or None (row not in the index); an index is searched by :meth:`find`. groups: name of an index ->
    how many of its first columns are all given in the searches that have to be fast; key_group: the same of the key and :meth:`range`.
    """

    def __init__(
        self,
        name: str,
        record: type[R],
        key: tuple[str, ...],
        indexes: Mapping[str, IndexOf] | None = None,
        *,
        groups: Mapping[str, int] | None = None,
        key_group: int = 0,
    ) -> None:
        """Declare the table; nothing is allocated."""
        self.name = name
        self.record = record
        self.key = key
        self._width = len(key)
        self.indexes = dict(indexes or {})
        self.groups = dict(groups or {})
        self.key_group = key_group

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
        if type(row) is not self.record or len(key) != self._width:
            message = f"{self.name} takes its own rows and keys"
            raise check.CheckFailed(message)
        at.store.change(self.name, key, row)

    def delete(self, at: HasStore, *key: int | str | bytes) -> None:
        """Remove a row that must exist."""
        if at.store.change(self.name, key, None) is None:
            message = f"{self.name}{key} exists"
            raise check.CheckFailed(message)

    def range(self, at: HasStore, *prefix: int | str | bytes) -> Iterator[tuple[Key, R]]:
        """All rows whose key starts with ``prefix``, in key order; do not change the table while iterating."""
        rows = at.store.rows[self.name]
        data = rows.data
        for key in rows.keys.starting(prefix):
            yield key, data[key]

    def every(self, at: HasStore) -> ItemsView[Key, R]:
        """All rows in no order that means anything, without putting them in order: for what depends on none, as sums and tests do."""
        rows: dict[Key, R] = at.store.rows[self.name].data
        return rows.items()

    def find(self, at: HasStore, index: str, *prefix: int | str | bytes) -> Iterator[tuple[Key, R]]:
        """All rows whose index columns start with ``prefix``, in index then key order."""
        rows = at.store.rows[self.name]
        data, key_size = rows.data, self._width
        for entry in rows.indexes[index].starting(prefix):
            key = entry[-key_size:]
            yield key, data[key]

    def find_rows(self, at: HasStore, index: str, *prefix: int | str | bytes) -> Iterator[R]:
        """The rows of :meth:`find` without their keys."""
        rows = at.store.rows[self.name]
        data, key_size = rows.data, self._width
        for entry in rows.indexes[index].starting(prefix):
            yield data[entry[-key_size:]]

    def due(self, at: HasStore, index: str, limit: int) -> list[tuple[Key, R]]:
        """All rows whose first index column is <= ``limit``, in index order; a list, so the table may be changed."""
        rows = at.store.rows[self.name]
        data = rows.data
        ordered = rows.indexes[index]
        if not isinstance(ordered, InOrder):
            message = f"{index} of {self.name} is in one order, not in groups"
            raise check.CheckFailed(message)
        keys = [entry[-self._width :] for entry in ordered.sorted().below((limit + 1,))]
        return [(key, data[key]) for key in keys]

    def count(self, at: HasStore) -> int:
        """How many rows there are."""
        return len(at.store.rows[self.name].data)


SEQUENCES = Table("kernel.sequences", Sequence, ("name",))


def next_id(at: HasStore, name: str) -> int:
    """The next integer id, from 1, of a named sequence; a rolled-back message gives its ids back."""
    return at.store.draw(name)


Mark = tuple[int, dict[str, int]]
"""A point to roll back to: how many changes there were, and the last ids given out."""


class Store:
    """All rows of a ledger, with an undo log of the current message and the changes of the current block.

    Ids are drawn many times a block, so the last ones stand in a dictionary and become rows once, at the end of the block.
    """

    def __init__(self, tables: tuple[Table[Any], ...]) -> None:
        """Make empty tables."""
        self.rows: dict[str, Rows] = {table.name: Rows(table) for table in tables}
        self._undo: list[tuple[Rows, Key, Record | None]] = []
        self._last_ids: dict[str, int] = {}

    @property
    def store(self) -> "Store":
        """Itself, so that a bare store can be read through a table."""
        return self

    def change(self, table: str, key: Key, row: Record | None) -> Record | None:
        """Set or remove a row, remembering how to undo it."""
        rows = self.rows[table]
        old = rows.replace(key, row)
        self._undo.append((rows, key, old))
        return old

    def draw(self, name: str) -> int:
        """The next id of a sequence, see :func:`next_id`."""
        given = self._last_ids.get(name, 0) + 1
        self._last_ids[name] = given
        return given

    def mark(self) -> Mark:
        """A point to roll back to."""
        return len(self._undo), self._last_ids.copy()

    def rollback(self, mark: Mark) -> None:
        """Undo every change after ``mark``, and take back the ids given out since."""
        count, last_ids = mark
        while len(self._undo) > count:
            rows, key, old = self._undo.pop()
            rows.replace(key, old)
        self._last_ids = last_ids.copy()

    def write_sequences(self) -> None:
        """Write the last ids that were given out into their rows: the machine does so at the end of a block."""
        for name in sorted(self._last_ids):
            last_id = self._last_ids[name]
            row = SEQUENCES.get(self, name)
            if row is None or row.last_id != last_id:
                SEQUENCES.put(self, (name,), Sequence(last_id))

    def check_sequences(self) -> None:
        """No last id has fallen behind its row, or an id would be given out twice.

        Raises:
            CheckFailed: if one has.
        """
        for (name,), row in SEQUENCES.range(self):
            check.that(self._last_ids.get(str(name), 0) >= row.last_id, "an id is given out once")

    def touched(self) -> list[tuple[Rows, dict[Key, None]]]:
        """The tables with rows written since :meth:`settle` and not rolled back, by name, and the keys of those rows by first writing."""
        by_rows: dict[Rows, dict[Key, None]] = {}
        for rows, key, _ in self._undo:
            keys = by_rows.get(rows)
            if keys is None:
                keys = by_rows[rows] = {}
            keys[key] = None
        return sorted(by_rows.items(), key=lambda item: item[0].table.name)

    def settle(self) -> None:
        """End the block: forget the undo log, and with it which rows were touched."""
        self._undo.clear()

    def load(self, table: str, key_bytes: bytes, row_bytes: bytes, version: int) -> None:
        """Put back a stored row and its version at start."""
        rows = self.rows[table]
        key = decode_key(key_bytes)
        row = decode(row_bytes, rows.table.record)
        rows.replace(key, row)
        rows.versions[key] = version
        if isinstance(row, Sequence):
            self._last_ids[str(key[0])] = row.last_id

    def order_indexes(self) -> None:
        """Put the indexes of all tables in order: at start, or the first blocks would wait for it."""
        for rows in self.rows.values():
            for index in rows.indexes.values():
                next(index.starting(()), None)


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
