"""The verbs by which the contracts above ask who a member is and how it stands."""

from collections.abc import Collection
from typing import Final

from shudian.contracts.identity.messages import (
    KIND_NOT_ALLOWED,
    MEMBER_FROZEN,
    MEMBER_NOT_ACTIVE,
    MEMBER_UNKNOWN,
    NOT_THE_ONLY_ONE,
    Member,
    Standing,
)
from shudian.contracts.identity.state import KEYS, MEMBERS
from shudian.contracts.roles import Kind
from shudian.kernel.tables import HasStore

# Members at hand: to fetch one from its enumeration takes Python 3.11 as long as ten look-ups, and these are asked for with every order.
_ACTIVE: Final = Standing.ACTIVE


def deed_of(member_id: int) -> str:
    """The deed under which everything about a member is told."""
    return f"member:{member_id}"


def member(at: HasStore, member_id: int) -> Member:
    """The member of a number, whatever its standing. Refuses: 3001."""
    row = MEMBERS.get(at, member_id)
    if row is None:
        raise MEMBER_UNKNOWN("member_id", member_id)
    return row


def require_good(at: HasStore, member_id: int) -> Member:
    """The member, active and not frozen. Refuses: 3001, 3002, 3003."""
    row = member(at, member_id)
    refuse_frozen(member_id, row)
    if row.standing != _ACTIVE:
        raise MEMBER_NOT_ACTIVE("member_id", f"{member_id} {row.standing}", Standing.ACTIVE)
    return row


def refuse_frozen(member_id: int, row: Member) -> None:
    """Refuses: 3003."""
    if row.frozen:
        raise MEMBER_FROZEN("member_id", member_id)


def is_good(at: HasStore, member_id: int) -> bool:
    """Whether the member is there, active and not frozen."""
    row = MEMBERS.get(at, member_id)
    return row is not None and row.standing == _ACTIVE and not row.frozen


def require_kind(at: HasStore, member_id: int, kinds: Collection[Kind]) -> Member:
    """The member, if it is of one of the kinds, whatever its standing. Refuses: 3001, 3004."""
    row = member(at, member_id)
    if row.kind not in kinds:
        raise KIND_NOT_ALLOWED("member_id", f"{member_id} {row.kind}", " | ".join(kinds))
    return row


def the_only(at: HasStore, kind: Kind) -> int:
    """The number of the only active member of a kind, such as the grid company or the exchange. Refuses: 3005 if none or several."""
    found = [key[0] for key, _ in MEMBERS.find(at, "by_kind", kind)]
    if len(found) != 1:
        raise NOT_THE_ONLY_ONE("kind", f"{len(found)} {kind}", 1)
    return int(found[0])


def barred(at: HasStore) -> list[int]:
    """Numbers, rising, of the members that may take on nothing new: suspended, exiting, exited or frozen."""
    return [int(key[0]) for key, _ in MEMBERS.find(at, "barred")]


def member_of_key(at: HasStore, public_key: bytes) -> int | None:
    """The member whose person signs with this key, in force or not; None if the key is not known."""
    row = KEYS.get(at, public_key)
    return None if row is None else row.member_id
