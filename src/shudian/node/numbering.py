"""The numbers of rows and tables in the store: a row has one for life, given when its key is first written, so that a block writes in order."""

from typing import Any

from shudian.kernel.tables import Change
from shudian.node.errors import NodeError
from shudian.node.rows import shown_key

RowIds = dict[str, dict[bytes, int]]
"""Number of each row that is there, by table and encoded key."""


class Numbered:
    """The rows of a block for the store's tables.

    tables: (number, name) of those that are new. rows: (number, table's number, key, row, height), by number. removed: numbers, each
    alone. Nothing is remembered before :meth:`keep`, but for the numbers of tables.
    """

    def __init__(self, changes: list[Change], ids: RowIds, table_ids: dict[str, int], last_id: int) -> None:
        """Number a block's changes, which come table by table. ids, table_ids, last_id: what was given before; new tables enter ``table_ids``."""
        self.tables: list[tuple[int, str]] = []
        self.rows: list[tuple[int, int, bytes, bytes, int]] = []
        self.removed: list[tuple[int]] = []
        self._given: RowIds = {}
        self._gone: list[tuple[str, bytes]] = []
        known: dict[bytes, int] = {}
        new: dict[bytes, int] = {}
        table_before, table_id = "", 0
        for table, key_bytes, row, height in changes:
            if table != table_before:
                if table not in table_ids:
                    table_ids[table] = max(table_ids.values(), default=0) + 1
                    self.tables.append((table_ids[table], table))
                table_before, table_id, known = table, table_ids[table], ids.get(table, {})
                new = self._given.setdefault(table, {})
            row_id = known.get(key_bytes)
            if row is None:
                if row_id is not None:  # a row that came and went in one block was never here
                    self.removed.append((row_id,))
                    self._gone.append((table, key_bytes))
                continue
            if row_id is None:
                last_id += 1
                row_id = new[key_bytes] = last_id
            self.rows.append((row_id, table_id, key_bytes, row, height))
        self.rows.sort()
        self.last_id = last_id

    def keep(self, ids: RowIds) -> None:
        """The block is durable: remember the numbers it gave, forget those of the rows it removed."""
        for table, new in self._given.items():
            ids.setdefault(table, {}).update(new)
        for table, key_bytes in self._gone:
            del ids[table][key_bytes]


def named_rows(names: dict[Any, str], found: list[Any]) -> tuple[list[Any], RowIds, int]:
    """Rows as they stand in the store, told by their tables' names: (table, key, row, height) of each; their numbers; and the last number.

    names: of the tables by their numbers. found: (number, table's number, key, row, height) of each; all but the number may be damaged.

    Raises:
        NodeError: rows stand out of order or a key stands twice.
    """
    ids: RowIds = {}
    numbers: dict[Any, Any] = {}
    rows: list[Any] = []
    table_before, last_id = "", 0
    for row_id, table_id, key, row, height in found:
        table = names.get(table_id) or f"? {table_id}"
        if table != table_before:
            table_before, numbers = table, ids.setdefault(table, {})
        if row_id <= last_id or key in numbers:
            raise NodeError(
                f"状态表 {table} {shown_key(key)} 这一行重复或错位",
                f"the row of the state table {table} {shown_key(key)} stands twice or out of order",
            )
        last_id = numbers[key] = row_id
        rows.append((table, key, row, height))
    return rows, ids, last_id
