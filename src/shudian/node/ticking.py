"""Stored rows of a state, ticked off one by one as a replay comes to the block that wrote each."""

from collections.abc import Iterable, Sequence
from typing import Any

from shudian.kernel.tables import Change

Place = tuple[str, Any]
"""Table and stored key; a damaged key may be of any type."""


class StoredRows:
    """What a ledger stores of its state, to be compared with what its log leads to.

    Each row is looked at once, in the block whose height it names, while the bytes that were hashed there are at hand; nothing is encoded
    or walked through again at the end.
    """

    def __init__(self, rows: Iterable[Any]) -> None:
        """``rows``: (table, key, row, height of the block that wrote it last), as :meth:`LedgerStore.rows` gives them; any of it may be damaged."""
        self._rows: dict[str, dict[Any, Any]] = {}
        for found in rows:
            self._rows.setdefault(found[0], {})[found[1]] = found
        self._missing: dict[Place, None] = {}
        self._wrong: set[Place] = set()

    def tick_off(self, height: int, changes: Sequence[Change]) -> None:
        """Take in what the block of a height wrote; for the blocks in order."""
        table_before, stored = "", dict[Any, Any]()
        for table, key, row, _ in changes:
            if table != table_before:
                table_before, stored = table, self._rows.get(table, {})
            if key not in stored:
                if row is None:
                    self._missing.pop((table, key), None)
                else:
                    self._missing[table, key] = None
                continue
            found = stored[key]
            if found is None:  # it was ticked off, yet it did not stay as it was
                self._wrong.add((table, key))
            elif found[3] == height:
                if found[2] == row:
                    stored[key] = None
                else:
                    self._wrong.add((table, key))

    def first_wrong(self) -> Place | None:
        """After the last block: the first row that is missing, stands too much, or is another than the log leads to; None if all is well."""
        left = [(table, key) for table, rows in self._rows.items() for key, found in rows.items() if found is not None]
        return min([*self._wrong, *self._missing, *left], key=repr, default=None)
