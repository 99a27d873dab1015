"""Cold rows: large blobs that live in the node's store, with their digest in a hot row.

A contract keeps a :class:`ColdColumn` declaration; what it puts is part of the block's commit, what it gets is checked against
the digest, so a damaged or exchanged blob is never silently used.
"""

from collections.abc import Callable

from shudian.kernel import check
from shudian.kernel.crypto import sha256

Fetch = Callable[[bytes], bytes | None]


class ColdStore:
    """Blobs by digest: those put in the current block, and behind them the node's store.

    The node's key is the blob's own digest, so the same column is kept once, and a correction never overwrites what a past block
    used: history stays readable.
    """

    def __init__(self, fetch: Fetch) -> None:
        """``fetch(digest)`` reads a committed blob."""
        self._fetch = fetch
        self._put: dict[bytes, bytes] = {}

    def put(self, blob: bytes) -> bytes:
        """Keep a blob; returns its digest, which the contract keeps in a hot row."""
        digest = sha256(blob)
        self._put[digest] = blob
        return digest

    def get(self, digest: bytes) -> bytes:
        """The blob of a digest that a hot row holds.

        Raises:
            CheckFailed: if the store lost or changed it.
        """
        blob = self._put.get(digest)
        if blob is None:
            blob = self._fetch(digest)
        if blob is None or sha256(blob) != digest:
            message = f"cold blob {digest.hex()} is as it was put"
            raise check.CheckFailed(message)
        return blob

    def pending(self) -> list[tuple[bytes, bytes]]:
        """Blobs put since :meth:`settle`, by digest."""
        return sorted(self._put.items())

    def settle(self) -> None:
        """The block is durable: forget what was put."""
        self._put.clear()
