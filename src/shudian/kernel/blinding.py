"""Blinds: what makes the leaves of the roots unguessable to whoever does not hold the state key of their epoch.

A blind is shown only in the proof of its own leaf; from one blind nothing follows about another.
"""

from collections.abc import Callable
from functools import lru_cache

from shudian.kernel.crypto import KeyedDigest

StateKeys = Callable[[int], bytes]
"""The state key, 32 bytes, of the epoch in force at a height."""


_KEPT_KEYS_COUNT = 16
_digest_under = lru_cache(maxsize=_KEPT_KEYS_COUNT)(KeyedDigest)


def height_bytes(height: int) -> bytes:
    """A height of 0 or more in eight bytes, the highest first.

    >>> height_bytes(258).hex()
    '0000000000000102'
    """
    return height.to_bytes(8, "big")


def row_blind(state_key: bytes, path: bytes, version: int) -> bytes:
    """The blind, 32 bytes, of the row of a path that the block of height ``version`` wrote last."""
    return _digest_under(state_key)(path + height_bytes(version))


class RowBlinds:
    """:func:`row_blind` for the rows of one block: key and version are made ready once."""

    def __init__(self, state_key: bytes, version: int) -> None:
        """Take in the state key and the height of the block."""
        self._version_bytes = height_bytes(version)
        self._digest_under_key = _digest_under(state_key)

    def __call__(self, path: bytes) -> bytes:
        """The blind of the row of a path."""
        return self._digest_under_key(path + self._version_bytes)


def result_blind(state_key: bytes, height: int, envelope_digest: bytes) -> bytes:
    """The blind, 32 bytes, of the result of an envelope in the block of a height."""
    return _digest_under(state_key)(b"result" + height_bytes(height) + envelope_digest)
