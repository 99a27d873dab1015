"""A small well-formed instance of any message, made from the types of its fields."""

import typing
from enum import Enum
from typing import Any, TypeVar

import msgspec

from shudian.contracts.agreements.messages import Method
from shudian.contracts.identity.messages_registration import Declared, Document, Evidence, Particulars, all_passed
from shudian.contracts.metering.messages import DAY_BYTES
from shudian.contracts.resources.messages import Fuel, Regulation
from shudian.kernel.crypto import SigningKey, sha256
from shudian.kernel.messages import Message
from shudian.kernel.units import SEGMENTS_PER_DAY
from tests.support.ledger import START_MS

_S = TypeVar("_S", bound=msgspec.Struct)

DIGEST = bytes(range(32))
DAY = 20260701
NEW_KEY = SigningKey(sha256(b"new-key"))

_PARTICULARS = Particulars("样例公司", "Sample", DIGEST, (Document(Evidence.BUSINESS_LICENCE, DIGEST),), Declared())
_PRICES = (300_000,) * SEGMENTS_PER_DAY
_WITH_CARE: dict[str, Any] = {
    "uscc": "91510000MA0000005U",
    "particulars": _PARTICULARS,
    "public_key": NEW_KEY.public_key,
    "new_public_key": NEW_KEY.public_key,
    "month": 202607,
    "to_ms": START_MS + 1,
    "closes_ms": START_MS + 3_600_000,
    "opens_ms": START_MS + 1,
    "day_ahead_myuan_mwh": _PRICES,
    "real_time_myuan_mwh": _PRICES,
    "market_myuan_mwh": _PRICES,
    "quantities_kwh": (1,) * SEGMENTS_PER_DAY,
    "upheld": True,
    "checks": all_passed(),
    "values_wh": bytes(DAY_BYTES),
    "fuel": Fuel.HYDRO,
    "river": "岷江",
    "regulation": Regulation.DAILY,
    "method": Method.AUCTION,
    "first_month": 202607,
    "last_month": 202607,
    "invoice_codes": ("12345678",),
    "amounts_fen": (1, 1),
    "day_count": 360,
    "message_id": b"",
    "recipient_key": NEW_KEY.sealing.public_key,
}
"""Values that the type of a field does not tell; other fields with a default keep it."""


def minimal(kind: type[Message]) -> Message:
    """An instance that passes its own ``check``."""
    message = _made(kind)
    message.check()
    return message


def _made(kind: type[_S]) -> _S:
    hints = typing.get_type_hints(kind)
    required = kind.__struct_fields__[: len(kind.__struct_fields__) - len(kind.__struct_defaults__)]
    given = {field: _of_type(field, hints[field]) for field in required if field not in _WITH_CARE}
    given.update((field, value) for field, value in _WITH_CARE.items() if field in kind.__struct_fields__)
    return kind(**given)


def _of_type(field: str, hint: Any) -> Any:
    if typing.get_origin(hint) is tuple:
        return (_of_type(field, typing.get_args(hint)[0]),)
    if issubclass(hint, msgspec.Struct):
        return _made(hint)
    if issubclass(hint, Enum):
        return next(value for value in hint if value)
    if hint is int:
        return DAY if field.endswith("day") else 1
    return {str: "x", bytes: DIGEST, bool: False}[hint]
