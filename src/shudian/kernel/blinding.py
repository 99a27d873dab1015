"""Blinds: what makes the leaves of the roots unguessable to whoever does not hold the state key of their epoch.

A blind is shown only in the proof of its own leaf; from one blind nothing follows about another. Each is one SHA-256 over the state key of 32 secret bytes
and data of one length: 40 bytes for a row, 46 for a result. So no input of one blind is the beginning of another's, and there is nothing to extend: where that holds,
a hash that begins with its key is a pseudorandom function, and HMAC's second pass, which is there for data of any length, would add nothing.
"""

from collections.abc import Callable

from shudian.kernel.crypto import sha256

StateKeys = Callable[[int], bytes]
"""The state key, 32 bytes, of the epoch in force at a height."""


def height_bytes(height: int) -> bytes:
    """A height of 0 or more in eight bytes, the highest first.

    >>> height_bytes(258).hex()
    '0000000000000102'
    """
    return height.to_bytes(8, "big")


def row_blind(state_key: bytes, path: bytes, version: int) -> bytes:
    """The blind, 32 bytes, of the row of a path of 32 bytes that the block of height ``version`` wrote last."""
    return sha256(state_key + path + height_bytes(version))


def result_blind(state_key: bytes, height: int, envelope_digest: bytes) -> bytes:
    """The blind, 32 bytes, of the result of an envelope of a digest of 32 bytes in the block of a height."""
    return sha256(state_key + b"result" + height_bytes(height) + envelope_digest)
