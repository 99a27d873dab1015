"""The hashing rules of all roots: RFC 6962 trees over lists, and buckets under a 16-ary tree over a contract's rows.

Every kind of hash begins with a byte of its own, so that none can stand for another:

======  =========================================  ============================================================
prefix  hash                                       over
======  =========================================  ============================================================
0x00    leaf of a list (RFC 6962)                  the leaf
0x01    inner node of a list (RFC 6962)            left, right
0x02    bucket of rows                             (path, leaf) of each row, by path
0x03    node of the tree above the buckets         its 16 children, 32 zero bytes for one without rows
0x04    leaf of a row                              blind, version in eight bytes, row
======  =========================================  ============================================================

The path of a row is the SHA-256 of table name, 0x00 and key; its first two bytes number the bucket, and each nibble of that number
chooses a child on the way down. The version of a row is the height of the block that wrote it last; its blind is a secret of that block's
epoch (:mod:`shudian.kernel.blinding`), so a leaf tells nothing to whoever guesses the row. A bucket or node without rows is not hashed: it is 32 zero bytes.
"""

from collections.abc import Sequence
from typing import Final

from shudian.kernel.blinding import height_bytes
from shudian.kernel.crypto import sha256
from shudian.kernel.steps import Step as Step

HASH_BYTES: Final = 32
NOTHING: Final = bytes(HASH_BYTES)
"""Stands for a bucket, node or contract without rows."""

FAN_OUT: Final = 16
LEVELS: Final = 4
NIBBLE_BITS: Final = 4
_NIBBLE: Final = FAN_OUT - 1

Bucket = tuple[tuple[bytes, bytes], ...]
"""(path, leaf) of all rows of a bucket, by path."""

Aunts = tuple[tuple[bytes, ...], ...]
"""From the bucket's level up: the hashes of the other 15 children, in order; empty bytes for one without rows."""


def _leaf_hash(leaf: bytes) -> bytes:
    return sha256(b"\x00" + leaf)


def _pair_hash(left: bytes, right: bytes) -> bytes:
    return sha256(b"\x01" + left + right)


def _level_above(level: list[bytes]) -> list[bytes]:
    paired = [sha256(b"\x01" + level[left] + level[left + 1]) for left in range(0, len(level) - 1, 2)]
    if len(level) & 1:
        paired.append(level[-1])
    return paired


def merkle_root(leaves: Sequence[bytes]) -> bytes:
    """The RFC 6962 Merkle tree hash of a list of byte strings.

    >>> merkle_root([]).hex()[:8]
    'e3b0c442'
    """
    if not leaves:
        return sha256(b"")
    level = [sha256(b"\x00" + leaf) for leaf in leaves]
    while len(level) > 1:
        level = _level_above(level)
    return level[0]


def merkle_path(leaves: Sequence[bytes], place: int) -> tuple[Step, ...]:
    """The neighbours that lead from the leaf at ``place`` (from 0) to :func:`merkle_root`, lowest first."""
    steps = []
    level = [_leaf_hash(leaf) for leaf in leaves]
    while len(level) > 1:
        neighbour = place ^ 1
        if neighbour < len(level):
            steps.append(Step(neighbour < place, level[neighbour]))
        level = _level_above(level)
        place >>= 1
    return tuple(steps)


def root_of_leaf(leaf: bytes, path: Sequence[Step]) -> bytes:
    """The root of the list in which ``leaf`` has the neighbours of ``path``.

    >>> root_of_leaf(b"b", merkle_path([b"a", b"b", b"c"], 1)) == merkle_root([b"a", b"b", b"c"])
    True
    """
    digest = _leaf_hash(leaf)
    for step in path:
        digest = _pair_hash(step.digest, digest) if step.left else _pair_hash(digest, step.digest)
    return digest


def row_path(table: str, key: bytes) -> bytes:
    """The path of a row, 32 bytes, from its table's name and the canonical bytes of its key."""
    return sha256(table.encode() + b"\x00" + key)


def row_leaf(blind: bytes, version: int, row: bytes) -> bytes:
    """The leaf of a row, from its blind of 32 bytes, its version of 0 or more and its canonical bytes."""
    return sha256(b"\x04" + blind + height_bytes(version) + row)


def bucket_no(path: bytes) -> int:
    """The bucket of a path, 0 to 65,535."""
    return path[0] << 8 | path[1]


def bucket_hash(bucket: Sequence[tuple[bytes, bytes]]) -> bytes:
    """The hash of a bucket's rows, which stand by path."""
    return sha256(b"\x02" + b"".join(path + digest for path, digest in bucket)) if bucket else NOTHING


def node_hash(children: Sequence[bytes]) -> bytes:
    """The hash of a node's 16 children."""
    return NOTHING if all(child == NOTHING for child in children) else sha256(b"\x03" + b"".join(children))


def are_aunts(aunts: Aunts) -> bool:
    """Whether they have their form: four times fifteen, each absent (empty) or a hash; an absent one has one spelling."""
    return len(aunts) == LEVELS and all(
        len(level) == FAN_OUT - 1 and all(not aunt or (len(aunt) == HASH_BYTES and aunt != NOTHING) for aunt in level)
        for level in aunts
    )


def sub_root_of_bucket(number: int, bucket: Bucket, aunts: Aunts) -> bytes:
    """The root over a contract's rows in which a bucket has this content and these aunts."""
    digest = bucket_hash(bucket)
    for level in aunts:
        children = [child or NOTHING for child in level]
        children.insert(number & _NIBBLE, digest)
        digest = node_hash(children)
        number >>= NIBBLE_BITS
    return digest


def clock_leaf(clock: bytes) -> bytes:
    """The last leaf under the app hash: "clock", 0x00, the clock's row. It is never as long as a contract named so would make it."""
    return b"clock\x00" + clock


def state_leaves(sub_roots: Sequence[tuple[str, bytes]], clock: bytes) -> list[bytes]:
    """The leaves under the app hash: (contract name, 0x00, sub-root) in the order of names, then the clock's row."""
    return [*(name.encode() + b"\x00" + root for name, root in sub_roots), clock_leaf(clock)]


def app_hash(sub_roots: Sequence[tuple[str, bytes]], clock: bytes) -> bytes:
    """The hash of the whole state: RFC 6962 over :func:`state_leaves`."""
    return merkle_root(state_leaves(sub_roots, clock))
