"""Identifiers of messages: 16 bytes, made by the client before the first send."""

from typing import Final

from shudian.kernel.crypto import sha256

ID_BYTES: Final = 16


def derived_id(*labels: str) -> bytes:
    """A message id that follows from labels, for clients that must be able to send the same message again.

    >>> derived_id("a", "b") == derived_id("a", "b"), derived_id("a", "b") == derived_id("ab")
    (True, False)
    """
    return sha256(b"shudian/id\x00" + b"\x00".join(label.encode() for label in labels))[:ID_BYTES]
