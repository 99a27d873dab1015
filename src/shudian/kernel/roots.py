"""Roots of the state: a sub-root per contract over its rows, all of them under one app hash; and what proves a row against it.

A root is a function of the rows, their versions and the state keys alone, whatever the order they came in, and a block costs time in proportion to the rows that it
changed. The rules of hashing are in :mod:`shudian.kernel.merkle`.
"""

from bisect import bisect_left
from collections.abc import Iterable
from typing import Final

from shudian.kernel.blinding import StateKeys, height_bytes
from shudian.kernel.crypto import sha256
from shudian.kernel.merkle import (
    FAN_OUT,
    HASH_BYTES,
    LEVELS,
    NIBBLE_BITS,
    NOTHING,
    Aunts,
    Bucket,
    Step,
    app_hash,
    bucket_no,
    merkle_path,
    row_path,
    state_leaves,
)
from shudian.kernel.tables import Change, Key, encode_key

CLOCK_TABLE: Final = "kernel.clock"

_NODE_PREFIX: Final = b"\x03"
_EMPTY_NODE: Final = _NODE_PREFIX + NOTHING * FAN_OUT


class StateTree:
    """The sub-root of one contract's rows.

    A bucket is kept as its (path, leaf) entries of 64 bytes, by path; a node as what is hashed of it: its prefix and the hashes of its 16 children.
    """

    def __init__(self) -> None:
        """Start with no rows."""
        self.root = NOTHING
        """The root over all rows, 32 bytes; zero bytes for no rows."""
        self._buckets: dict[int, list[bytes]] = {}
        self._nodes: list[dict[int, bytearray]] = [{} for _ in range(LEVELS)]

    def update(self, changes: Iterable[Change], state_key_at: StateKeys) -> None:
        """Take in changed rows."""
        buckets, dirty = self._buckets, dict[int, bytes]()
        state_keys: dict[int, bytes] = {}
        state_key, height, version_before = b"", b"", -1
        table_before, table_prefix = "", b""
        for table, key, row, version in changes:
            if table != table_before:
                table_before, table_prefix = table, table.encode() + b"\x00"
            path = sha256(table_prefix + key)  # merkle.row_path
            bucket = path[0] << 8 | path[1]  # merkle.bucket_no
            dirty[bucket] = NOTHING
            entries = buckets.get(bucket)
            if entries is None:
                entries = buckets[bucket] = []
            place = bisect_left(entries, path) if entries else 0
            is_there = place < len(entries) and entries[place].startswith(path)
            if row is None:
                if is_there:
                    del entries[place]
                continue
            if version != version_before or not state_key:
                version_before, height = version, height_bytes(version)
                if version not in state_keys:
                    state_keys[version] = state_key_at(version)
                state_key = state_keys[version]
            # merkle.row_leaf under blinding.row_blind, with the version's bytes made once for a block
            entry = path + sha256(b"\x04" + sha256(state_key + path + height) + height + row)
            if is_there:
                entries[place] = entry
            else:
                entries.insert(place, entry)
        self._hash_buckets(dirty)
        for nodes in reversed(self._nodes):
            dirty = self._level_up(nodes, dirty)
        self.root = dirty.get(0, self.root)

    def _hash_buckets(self, dirty: dict[int, bytes]) -> None:
        """Fill in the hashes of the buckets whose rows changed; those without rows go."""
        buckets = self._buckets
        for bucket in dirty:
            entries = buckets[bucket]
            if entries:
                dirty[bucket] = sha256(b"\x02" + b"".join(entries))
            else:
                del buckets[bucket]

    def _level_up(self, nodes: dict[int, bytearray], dirty: dict[int, bytes]) -> dict[int, bytes]:
        """Set the children that changed in the nodes of a level; returns the hashes of those nodes."""
        changed: dict[int, bytes] = {}
        for child, digest in dirty.items():
            parent = child >> NIBBLE_BITS
            node = nodes.get(parent)
            if node is None:
                node = nodes[parent] = bytearray(_EMPTY_NODE)
            first = 1 + HASH_BYTES * (child - (parent << NIBBLE_BITS))
            node[first : first + HASH_BYTES] = digest
            changed[parent] = NOTHING
        for index in changed:
            node = nodes[index]
            if node == _EMPTY_NODE:
                del nodes[index]
            else:
                changed[index] = sha256(node)
        return changed

    def beside(self, table: str, key: Key) -> tuple[Bucket, Aunts]:
        """What proves that a row is there, or that none is: all of its bucket, and the bucket's aunts up to the root."""
        index = bucket_no(row_path(table, encode_key(key)))
        bucket = tuple((entry[:HASH_BYTES], entry[HASH_BYTES:]) for entry in self._buckets.get(index, ()))
        aunts = []
        for nodes in reversed(self._nodes):
            parent = index >> NIBBLE_BITS
            node = bytes(nodes.get(parent, _EMPTY_NODE))
            children = [node[first : first + HASH_BYTES] for first in range(1, len(node), HASH_BYTES)]
            del children[index - (parent << NIBBLE_BITS)]
            aunts.append(tuple(b"" if child == NOTHING else child for child in children))
            index = parent
        return bucket, tuple(aunts)


class StateRoots:
    """All contracts' trees under one app hash."""

    def __init__(self, contracts: tuple[str, ...]) -> None:
        """One empty tree per contract name, and no clock yet."""
        self._clock = b""
        self._trees = {name: StateTree() for name in sorted(contracts)}

    def update(self, changes: Iterable[Change], state_key_at: StateKeys) -> None:
        """Take in changed rows of any contract; the table's name tells whose they are."""
        by_contract: dict[str, list[Change]] = {}
        own: list[Change] = []
        table_before = ""
        for change in changes:
            table = change[0]
            if table != table_before:  # they mostly come table by table
                table_before = table
                own = by_contract.setdefault(_contract_of(table), [])
            if table == CLOCK_TABLE:
                self._clock = change[2] or b""
            own.append(change)
        for name, changed in by_contract.items():
            self._trees[name].update(changed, state_key_at)

    def sub_roots(self) -> dict[str, bytes]:
        """The sub-root of each contract, by name."""
        return {name: tree.root for name, tree in self._trees.items()}

    def app_hash(self) -> bytes:
        """The hash of the whole state, see :func:`shudian.kernel.merkle.app_hash`."""
        return app_hash(tuple(self.sub_roots().items()), self._clock)

    def clock_path(self) -> tuple[Step, ...]:
        """What leads from the clock's leaf to the app hash."""
        leaves = state_leaves(tuple(self.sub_roots().items()), self._clock)
        return merkle_path(leaves, len(leaves) - 1)

    def beside(self, table: str, key: Key) -> tuple[Bucket, Aunts]:
        """What proves a row against its contract's sub-root, see :meth:`StateTree.beside`."""
        return self._trees[_contract_of(table)].beside(table, key)


def _contract_of(table: str) -> str:
    return table.partition(".")[0]
