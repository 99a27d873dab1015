"""Canonical bytes: msgpack of frozen array-like records, accepted only if equal to their re-encoding.

Depth is bounded by the types: no record refers to itself, so data nested deeper than its type is refused at once.
"""

from collections.abc import Callable, Hashable, Sequence
from functools import cache
from typing import Any, TypeVar, Union, cast, dataclass_transform

import msgspec

T = TypeVar("T")


@dataclass_transform(frozen_default=True)
class Record(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True, gc=False):
    """Base of everything that is stored, sent or hashed: an immutable row of named fields."""


class Malformed(ValueError):
    """The bytes are not the canonical encoding of the expected type. place: where, as ``$[0][2]``, empty if nowhere in particular."""

    def __init__(self, reason: str) -> None:
        """Keep the place that msgspec names at the end of its reason."""
        super().__init__(reason)
        _, found, rest = reason.rpartition("`$")
        self.place = f"${rest.rstrip('`')}" if found else ""


_encoder = msgspec.msgpack.Encoder(order="deterministic")


@cache
def _decoder(kind: Any) -> msgspec.msgpack.Decoder[Any]:  # one decoder per type for the life of the process
    return msgspec.msgpack.Decoder(kind)


encode: Callable[[object], bytes] = _encoder.encode
"""The canonical bytes of a record, or of a list or tuple of them: ``encode((1, "a")).hex()`` is ``9201a161``. The encoder's own method, since a
function around it would take as long again."""


def decode(data: bytes, kind: type[T]) -> T:
    """The value whose canonical bytes are ``data``.

    Raises:
        Malformed: if the bytes do not fit ``kind`` or are not its canonical form (long integers, trailing bytes).
    """
    value: T = decode_by(_decoder(cast("Hashable", kind)), data)
    return value


Decoder = msgspec.msgpack.Decoder[Any]


def decoder(kind: Any) -> Decoder:
    """For :func:`decode_by` and :func:`decode_own` where much is decoded: to look up what belongs to a union takes longer than to decode a short message."""
    return _decoder(kind)


def union_of(kinds: Sequence[type[Record]]) -> Any:
    """The type of a record that is of any of these kinds; ``None`` if there are none."""
    return Union[tuple(kinds)] if kinds else None  # noqa: UP007 - built at run time from the market's list


def decode_by(by: Decoder, data: bytes) -> Any:
    """:func:`decode` with the decoder at hand.

    Raises:
        Malformed: as :func:`decode` does.
    """
    value = decode_own(by, data)
    if _encoder.encode(value) != data:
        message = "the bytes are not canonical"
        raise Malformed(message)
    return value


def decode_own(by: Decoder, data: bytes) -> Any:
    """The value of bytes that this very program encoded, as another process of the same node did: whether they are canonical is not tested again.

    Raises:
        Malformed: if the bytes do not fit the decoder's type.
    """
    try:
        return by.decode(data)
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError) as error:
        raise Malformed(str(error)) from None
