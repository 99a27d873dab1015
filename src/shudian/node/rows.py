"""Rows and keys of the state as a person reads them in a finding."""

from typing import Any

from shudian.kernel.check import CheckFailed
from shudian.kernel.codec import Record
from shudian.kernel.tables import Key, Rows, decode_key

_SHORT_MAX_COUNT = 8
"""A list in a row of up to so many entries is shown whole."""


def shown_key(key: object) -> str:
    """The key of its stored bytes, or whatever stands in their place if they are damaged.

    >>> shown_key(bytes.fromhex("9203a161")), shown_key(b"?")
    ("(3, 'a')", '3f')
    """
    if not isinstance(key, bytes):
        return repr(key)
    try:
        columns = decode_key(key)
    except (ValueError, CheckFailed):
        return key.hex()
    return f"({', '.join(_shown(column) for column in columns)})"


def shown_row(rows: Rows, key: Key, beside: Record | None = None) -> str:
    """The fields of a row of a table and the block that wrote it last, ``absent`` for none; of a long list only where it parts from the row ``beside``."""
    row = rows.data.get(key)
    if row is None:
        return "absent"
    shown = [f"{name}={_shown(getattr(row, name), getattr(beside, name, None))}" for name in row.__struct_fields__]
    return ", ".join([*shown, f"written in block {rows.versions.get(key)}"])


def _shown(value: Any, beside: Any = None) -> str:
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, tuple) and len(value) > _SHORT_MAX_COUNT:
        place = next((at for at, pair in enumerate(zip(value, beside or (), strict=False)) if pair[0] != pair[1]), None)
        if place is None:
            return f"({len(value)})"
        return f"({len(value)})[{place}] {value[place]!r}"
    return repr(value)
