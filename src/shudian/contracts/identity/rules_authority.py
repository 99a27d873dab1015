"""The machine's port: whether those who signed may say a message (the message's own declaration, asked here once for all contracts)."""

from typing import Final

from shudian.contracts.governance import rules as governance
from shudian.contracts.identity.messages import ENDED, KIND_NOT_ALLOWED, MEMBER_NOT_ACTIVE, Member, Standing
from shudian.contracts.identity.messages_persons import (
    KEY_IN_USE,
    KEY_OF_ANOTHER_MEMBER,
    KEY_REVOKED,
    KEY_UNKNOWN,
    ROLE_MISSING,
    SIGNERS_DO_NOT_FIT,
    RotateKey,
)
from shudian.contracts.identity.rules_verbs import member, refuse_frozen
from shudian.contracts.identity.state import KEYS, PERSONS, RegisteredKey
from shudian.kernel import clock
from shudian.kernel.contract import Context
from shudian.kernel.envelope import UNREGISTERED
from shudian.kernel.messages import Authority, Message
from shudian.kernel.outcomes import both

# Members at hand: to fetch one from its enumeration takes Python 3.11 as long as ten look-ups, and these are asked for with every order.
_ACTIVE: Final = Standing.ACTIVE

_SHOWN_CHARACTERS: Final = 16


def authorise(ctx: Context, message: Message) -> None:
    """Refuse a message whose signers may not say it.

    The member has to exist, not be frozen and be in the standing the message asks for; it is of an allowed kind; every key that signed is
    in force, belongs to a person of this member who holds the role; and enough persons signed: one more from the message's four-eyes
    band on. A new key that signs :class:`RotateKey` is not asked who it is. Applicants have no membership: sender 0 and unknown keys.

    Refuses: 2003, 3001-3004, 3006-3011.
    """
    authority = message.authority
    if not authority.kinds:
        _admit_applicant(ctx, authority)
        return
    row = member(ctx, ctx.sender_id)
    newcomer = message.new_public_key if isinstance(message, RotateKey) else b""
    # Keys come first: a stranger's copy of an envelope must not use up the id of a member in whatever standing.
    signed = [_own_key(ctx, key) for key in ctx.signers if key != newcomer]
    _check_standing(ctx.sender_id, row, authority)
    if row.kind not in authority.kinds:
        raise KIND_NOT_ALLOWED("sender_id", f"{ctx.sender_id} {row.kind}", " | ".join(authority.kinds))
    persons = {_person_no(ctx, known, authority.role) for known in signed}
    needed_count = authority.signers + _second_signer_count(ctx, message)
    if len(persons) < needed_count:
        raise SIGNERS_DO_NOT_FIT("signatures", len(persons), f">= {needed_count}")


def _admit_applicant(ctx: Context, authority: Authority) -> None:
    if ctx.sender_id != UNREGISTERED:
        raise KIND_NOT_ALLOWED("sender_id", ctx.sender_id, UNREGISTERED)
    if len(ctx.signers) != authority.signers:
        raise SIGNERS_DO_NOT_FIT("signatures", len(ctx.signers), authority.signers)
    for key in ctx.signers:
        if KEYS.get(ctx, key) is not None:
            raise KEY_IN_USE("signatures", _shown(key))


def _check_standing(member_id: int, row: Member, authority: Authority) -> None:
    refuse_frozen(member_id, row)
    if row.standing in ENDED or (authority.active_only and row.standing != _ACTIVE):
        raise MEMBER_NOT_ACTIVE("sender_id", f"{member_id} {row.standing}", Standing.ACTIVE)


def _own_key(ctx: Context, key: bytes) -> RegisteredKey:
    known = KEYS.get(ctx, key)
    if known is None:
        raise KEY_UNKNOWN("signatures", _shown(key))
    if known.member_id != ctx.sender_id:
        raise KEY_OF_ANOTHER_MEMBER(
            "signatures", _shown(key), both(f"成员 {ctx.sender_id} 的密钥", f"a key of member {ctx.sender_id}")
        )
    if not known.in_force:
        raise KEY_REVOKED("signatures", _shown(key))
    return known


def _person_no(ctx: Context, known: RegisteredKey, role: str) -> int:
    if role and role not in PERSONS.need(ctx, known.member_id, known.person_no).roles:
        raise ROLE_MISSING("signatures", both(f"第 {known.person_no} 号人员", f"person {known.person_no}"), role)
    return known.person_no


def _second_signer_count(ctx: Context, message: Message) -> int:
    name = message.authority.second_signer_setting
    if not name:
        return 0
    return int(message.band_fen() >= governance.setting(ctx, name, clock.day_of(ctx.market_ms)))


def _shown(key: bytes) -> str:
    return key.hex()[:_SHOWN_CHARACTERS]
