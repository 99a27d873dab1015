"""Stateless checks of a message's fields; each refuses with the field, its value and what is allowed."""

from collections.abc import Sequence
from typing import Final

from shudian.kernel import clock
from shudian.kernel.outcomes import FIELD_NOT_ALLOWED, both

AMOUNT_MAX: Final = 10**15
DIGEST_BYTES: Final = 32

# Stated code points, not a Unicode table: tables differ between Python versions, and two nodes must answer alike.
_FORBIDDEN_RANGES: Final = (
    (0x00, 0x1F),
    (0x7F, 0x9F),
    (0x200B, 0x200F),
    (0x2028, 0x202E),
    (0x2066, 0x2069),
    (0xFEFF, 0xFEFF),
)
_FORBIDDEN: Final = frozenset(chr(point) for low, high in _FORBIDDEN_RANGES for point in range(low, high + 1))

_VISIBLE: Final = both("不含控制、方向或不可见字符", "no control, direction or invisible characters")


def in_bytes(count: int) -> str:
    """A number of bytes as a fact of a refusal.

    >>> in_bytes(32)
    '32 字节 ‖ 32 bytes'
    """
    return both(f"{count} 字节", f"{count} bytes")


def in_characters(count: int | str) -> str:
    """A number of characters, or a range, as a fact of a refusal."""
    return both(f"{count} 个字符", f"{count} characters")


def in_entries(count: int | str) -> str:
    """A number of entries, or a range, as a fact of a refusal."""
    return both(f"{count} 项", f"{count} entries")


def whole(name: str, value: int, low: int, high: int) -> None:
    """Refuse an integer outside [low, high]."""
    if not low <= value <= high:
        raise FIELD_NOT_ALLOWED(name, value, f"{low}..{high}")


def wholes(name: str, values: Sequence[int], count: int, low: int, high: int) -> None:
    """Refuse a list of integers of the wrong length or with a value outside [low, high]."""
    if len(values) != count:
        raise FIELD_NOT_ALLOWED(name, in_entries(len(values)), in_entries(count))
    for place, value in enumerate(values):
        whole(f"{name}[{place}]", value, low, high)


def text(name: str, value: str, longest: int, shortest: int = 1) -> None:
    """Refuse text that is too short or too long (in characters) or holds control, direction or invisible characters."""
    if not shortest <= len(value) <= longest:
        raise FIELD_NOT_ALLOWED(name, in_characters(len(value)), in_characters(f"{shortest}..{longest}"))
    if not _FORBIDDEN.isdisjoint(value):
        found = next(character for character in value if character in _FORBIDDEN)
        raise FIELD_NOT_ALLOWED(name, f"U+{ord(found):04X}", _VISIBLE)


def one_of(name: str, value: str, allowed: Sequence[str]) -> None:
    """Refuse a word that is not in the list."""
    if value not in allowed:
        raise FIELD_NOT_ALLOWED(name, value, " | ".join(allowed))


def digest(name: str, value: bytes) -> None:
    """Refuse anything but a 32-byte hash."""
    if len(value) != DIGEST_BYTES:
        raise FIELD_NOT_ALLOWED(name, in_bytes(len(value)), in_bytes(DIGEST_BYTES))


def day(name: str, value: int) -> None:
    """Refuse a day (yyyymmdd) that is not in the calendar."""
    if not clock.is_day(value):
        raise FIELD_NOT_ALLOWED(name, value, "yyyymmdd")


def month(name: str, value: int) -> None:
    """Refuse a month (yyyymm) that is not in the calendar."""
    if not clock.is_month(value):
        raise FIELD_NOT_ALLOWED(name, value, "yyyymm")


def count(name: str, values: Sequence[object], low: int, high: int) -> None:
    """Refuse a list with too few or too many entries."""
    if not low <= len(values) <= high:
        raise FIELD_NOT_ALLOWED(name, in_entries(len(values)), in_entries(f"{low}..{high}"))


def rising(name: str, values: Sequence[int]) -> None:
    """Refuse a list that is not strictly rising; this also forbids repetition."""
    for place in range(1, len(values)):
        if values[place] <= values[place - 1]:
            raise FIELD_NOT_ALLOWED(f"{name}[{place}]", values[place], f"> {values[place - 1]}")
