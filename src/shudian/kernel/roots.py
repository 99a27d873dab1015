"""Merkle roots: RFC 6962 trees over lists, and a sub-root per contract over its rows.

A contract's rows fall into 65,536 buckets by the hash of their table and key; above the buckets stands a tree of fan-out 16 and
depth 4. The root is a function of the rows alone, whatever the order they came in, and a block costs time in proportion to the
rows that it changed. An absent subtree has the hash of nothing, 32 zero bytes.
"""

from shudian.kernel.crypto import sha256
from shudian.kernel.tables import Key, encode_key

HASH_BYTES = 32
_EMPTY = bytes(HASH_BYTES)
_FAN_OUT = 16
_LEVELS = 4
_NIBBLE_BITS = 4


def merkle_root(leaves: list[bytes]) -> bytes:
    """The RFC 6962 Merkle tree hash of a list of byte strings.

    >>> merkle_root([]).hex()[:8]
    'e3b0c442'
    """
    if not leaves:
        return sha256(b"")
    level = [sha256(b"\x00" + leaf) for leaf in leaves]
    while len(level) > 1:
        paired = [sha256(b"\x01" + left + right) for left, right in zip(level[::2], level[1::2], strict=False)]
        if len(level) & 1:
            paired.append(level[-1])
        level = paired
    return level[0]


class StateTree:
    """The sub-root of one contract's rows."""

    def __init__(self) -> None:
        """Start with no rows."""
        self._buckets: dict[int, dict[bytes, bytes]] = {}
        self._nodes: list[dict[int, bytes]] = [{} for _ in range(_LEVELS + 1)]

    @property
    def root(self) -> bytes:
        """The root over all rows, 32 bytes; zero bytes for no rows."""
        return self._nodes[0].get(0, _EMPTY)

    def update(self, changes: list[tuple[str, Key, bytes | None]]) -> None:
        """Take in changed rows: (table, key, encoded row or None when removed)."""
        dirty: dict[int, None] = {}
        for table, key, row in changes:
            path = sha256(table.encode() + b"\x00" + encode_key(key))
            bucket = int.from_bytes(path[:2], "big")
            dirty[bucket] = None
            leaves = self._buckets.setdefault(bucket, {})
            if row is None:
                leaves.pop(path, None)
            else:
                leaves[path] = sha256(row)
        for bucket in dirty:
            self._set(_LEVELS, bucket, self._bucket_hash(bucket))
        indexes = dirty
        for level in range(_LEVELS - 1, -1, -1):
            indexes = {index >> _NIBBLE_BITS: None for index in indexes}
            for index in indexes:
                self._set(level, index, self._node_hash(level, index))

    def _bucket_hash(self, bucket: int) -> bytes:
        leaves = self._buckets[bucket]
        if not leaves:
            del self._buckets[bucket]
            return _EMPTY
        return sha256(b"\x02" + b"".join(path + digest for path, digest in sorted(leaves.items())))

    def _node_hash(self, level: int, index: int) -> bytes:
        below = self._nodes[level + 1]
        first = index << _NIBBLE_BITS
        children = [below.get(child, _EMPTY) for child in range(first, first + _FAN_OUT)]
        return _EMPTY if all(child == _EMPTY for child in children) else sha256(b"\x03" + b"".join(children))

    def _set(self, level: int, index: int, digest: bytes) -> None:
        if digest == _EMPTY:
            self._nodes[level].pop(index, None)
        else:
            self._nodes[level][index] = digest


class StateRoots:
    """All contracts' trees under one app hash."""

    def __init__(self, contracts: tuple[str, ...]) -> None:
        """One empty tree per contract name."""
        self._trees = {name: StateTree() for name in sorted(contracts)}

    def update(self, changes: list[tuple[str, Key, bytes | None]]) -> None:
        """Take in changed rows of any contract; the table's name tells whose they are."""
        by_contract: dict[str, list[tuple[str, Key, bytes | None]]] = {}
        for change in changes:
            by_contract.setdefault(change[0].partition(".")[0], []).append(change)
        for name, own in by_contract.items():
            self._trees[name].update(own)

    def sub_roots(self) -> dict[str, bytes]:
        """The sub-root of each contract, by name."""
        return {name: tree.root for name, tree in self._trees.items()}

    def app_hash(self) -> bytes:
        """The hash of the whole state: RFC 6962 over (name, sub-root) in name order."""
        return merkle_root([name.encode() + b"\x00" + root for name, root in self.sub_roots().items()])
