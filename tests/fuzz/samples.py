"""One small value of every record, to begin mutating from."""

import enum
import types
import typing
from typing import Any

from shudian.kernel.codec import Record

PLAIN: dict[Any, Any] = {int: 7, str: "a", bytes: bytes(16), bool: True, type(None): None, Any: 1}


def sample(kind: Any) -> Any:
    """A value of a type that a record may hold."""
    origin, inner = typing.get_origin(kind), typing.get_args(kind)
    if kind in PLAIN:
        made: Any = PLAIN[kind]
    elif origin in (typing.Union, types.UnionType, typing.Annotated):
        made = sample(inner[0])
    elif origin is typing.Literal:
        made = inner[0]
    elif origin in (tuple, list):
        made = origin(sample(part) for part in inner if part is not Ellipsis)
    elif issubclass(kind, enum.Enum):
        made = next(iter(kind))
    else:
        assert issubclass(kind, Record), kind
        hints = typing.get_type_hints(kind, include_extras=True)
        made = kind(**{name: sample(hints[name]) for name in kind.__struct_fields__})
    return made
