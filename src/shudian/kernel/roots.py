"""Roots of the state: a sub-root per contract over its rows, all of them under one app hash; and what proves a row against it.

A root is a function of the rows, their versions and the state keys alone, whatever the order they came in, and a block costs time in proportion to the rows that it
changed. The rules of hashing are in :mod:`shudian.kernel.merkle`.
"""

from collections.abc import Iterable

from shudian.kernel.blinding import StateKeys, row_blind
from shudian.kernel.merkle import (
    FAN_OUT,
    LEVELS,
    NIBBLE_BITS,
    NOTHING,
    Aunts,
    Bucket,
    app_hash,
    bucket_hash,
    bucket_no,
    node_hash,
    row_leaf,
    row_path,
)
from shudian.kernel.tables import Key, encode_key

Change = tuple[str, Key, bytes | None, int]
"""Table, key, encoded row (None when removed), and its version: the height of the block that wrote it."""


class StateTree:
    """The sub-root of one contract's rows."""

    def __init__(self) -> None:
        """Start with no rows."""
        self._buckets: dict[int, dict[bytes, bytes]] = {}
        self._nodes: list[dict[int, bytes]] = [{} for _ in range(LEVELS + 1)]

    @property
    def root(self) -> bytes:
        """The root over all rows, 32 bytes; zero bytes for no rows."""
        return self._nodes[0].get(0, NOTHING)

    def update(self, changes: Iterable[Change], state_key_at: StateKeys) -> None:
        """Take in changed rows."""
        dirty: dict[int, None] = {}
        version_before, state_key = -1, b""
        for table, key, row, version in changes:
            path = row_path(table, encode_key(key))
            bucket = bucket_no(path)
            dirty[bucket] = None
            leaves = self._buckets.setdefault(bucket, {})
            if row is None:
                leaves.pop(path, None)
                continue
            if version != version_before:
                version_before, state_key = version, state_key_at(version)
            leaves[path] = row_leaf(row_blind(state_key, path, version), version, row)
        for bucket in dirty:
            self._set(LEVELS, bucket, bucket_hash(self._content(bucket)))
            if not self._buckets[bucket]:
                del self._buckets[bucket]
        indexes = dirty
        for level in range(LEVELS - 1, -1, -1):
            indexes = {index >> NIBBLE_BITS: None for index in indexes}
            for index in indexes:
                self._set(level, index, node_hash(self._children(level, index)))

    def beside(self, table: str, key: Key) -> tuple[Bucket, Aunts]:
        """What proves that a row is there, or that none is: all of its bucket, and the bucket's aunts up to the root."""
        index = bucket_no(row_path(table, encode_key(key)))
        bucket = self._content(index)
        aunts = []
        for level in range(LEVELS - 1, -1, -1):
            parent = index >> NIBBLE_BITS
            children = self._children(level, parent)
            del children[index - (parent << NIBBLE_BITS)]
            aunts.append(tuple(b"" if child == NOTHING else child for child in children))
            index = parent
        return bucket, tuple(aunts)

    def _content(self, bucket: int) -> Bucket:
        return tuple(sorted(self._buckets.get(bucket, {}).items()))

    def _children(self, level: int, index: int) -> list[bytes]:
        below = self._nodes[level + 1]
        first = index << NIBBLE_BITS
        return [below.get(child, NOTHING) for child in range(first, first + FAN_OUT)]

    def _set(self, level: int, index: int, digest: bytes) -> None:
        if digest == NOTHING:
            self._nodes[level].pop(index, None)
        else:
            self._nodes[level][index] = digest


class StateRoots:
    """All contracts' trees under one app hash."""

    def __init__(self, contracts: tuple[str, ...]) -> None:
        """One empty tree per contract name."""
        self._trees = {name: StateTree() for name in sorted(contracts)}

    def update(self, changes: Iterable[Change], state_key_at: StateKeys) -> None:
        """Take in changed rows of any contract; the table's name tells whose they are."""
        by_contract: dict[str, list[Change]] = {}
        for change in changes:
            by_contract.setdefault(_contract_of(change[0]), []).append(change)
        for name, own in by_contract.items():
            self._trees[name].update(own, state_key_at)

    def sub_roots(self) -> dict[str, bytes]:
        """The sub-root of each contract, by name."""
        return {name: tree.root for name, tree in self._trees.items()}

    def app_hash(self) -> bytes:
        """The hash of the whole state, see :func:`shudian.kernel.merkle.app_hash`."""
        return app_hash(tuple(self.sub_roots().items()))

    def beside(self, table: str, key: Key) -> tuple[Bucket, Aunts]:
        """What proves a row against its contract's sub-root, see :meth:`StateTree.beside`."""
        return self._trees[_contract_of(table)].beside(table, key)


def _contract_of(table: str) -> str:
    return table.partition(".")[0]
