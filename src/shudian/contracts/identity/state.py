"""What identity remembers: members, changes under review, persons, keys and freezes."""

from shudian.contracts.identity.messages import ENDED, Member, Standing
from shudian.contracts.identity.messages_registration import Particulars
from shudian.contracts.roles import Role
from shudian.kernel.codec import Record
from shudian.kernel.contract import BlockContext, RowInvariant, StateInvariant
from shudian.kernel.tables import Key, Table


class Change(Record):
    """Particulars that wait for review; those of the member hold until then."""

    particulars: Particulars


class Person(Record):
    """A person of a member.

    person_digest: salted hash of the identity, empty for persons of genesis. public_key: the key in force, or the last one. roles: what
    the person may do. active: whether the key is in force.
    """

    person_digest: bytes
    public_key: bytes
    roles: tuple[Role, ...]
    active: bool


class RegisteredKey(Record):
    """Whose key a public key is or was; it never serves anybody else. in_force: whether its signatures count."""

    member_id: int
    person_no: int
    in_force: bool


class Freeze(Record):
    """A freeze that stands. freeze_no: of all freezes. review_day: when it is looked at again. told: whether that was called due."""

    freeze_no: int
    reason: str
    review_day: int
    told: bool


def _by_uscc(_key: Key, row: Member) -> Key | None:
    return None if row.standing in ENDED else (row.uscc,)


def _by_kind(_key: Key, row: Member) -> Key | None:
    return (row.kind,) if row.standing == Standing.ACTIVE else None


def _by_notice(_key: Key, row: Member) -> Key | None:
    return (row.notice_until_ms,) if row.standing == Standing.NOTICED else None


def _barred(_key: Key, row: Member) -> Key | None:
    return () if row.frozen or row.standing in (Standing.SUSPENDED, Standing.EXITING, Standing.EXITED) else None


def _by_review_day(_key: Key, row: Freeze) -> Key | None:
    return None if row.told else (row.review_day,)


MEMBERS = Table(
    "identity.members",
    Member,
    ("member_id",),
    {"by_uscc": _by_uscc, "by_kind": _by_kind, "by_notice": _by_notice, "barred": _barred},
)
CHANGES = Table("identity.changes", Change, ("member_id",))
PERSONS = Table("identity.persons", Person, ("member_id", "person_no"))
KEYS = Table("identity.keys", RegisteredKey, ("public_key",))
FREEZES = Table("identity.freezes", Freeze, ("member_id",), {"by_review_day": _by_review_day})

TABLES = (MEMBERS, CHANGES, PERSONS, KEYS, FREEZES)


def _notice_has_an_end(_key: Key, row: Member) -> bool:
    return (row.notice_until_ms > 0) == (row.standing == Standing.NOTICED)


def _person_has_roles(_key: Key, row: Person) -> bool:
    return bool(row.roles)


def _one_membership_per_code(ctx: BlockContext) -> bool:
    codes = [row.uscc for _, row in MEMBERS.range(ctx) if row.standing not in ENDED]
    return len(codes) == len(set(codes))


def _every_member_has_an_admin(ctx: BlockContext) -> bool:
    return all(
        any(person.active and Role.ADMIN in person.roles for _, person in PERSONS.range(ctx, *key))
        for key, row in MEMBERS.range(ctx)
        if row.standing not in ENDED
    )


def _keys_and_persons_agree(ctx: BlockContext) -> bool:
    in_force = {key[0]: (row.member_id, row.person_no) for key, row in KEYS.range(ctx) if row.in_force}
    return in_force == {row.public_key: key for key, row in PERSONS.range(ctx) if row.active}


def _freezes_and_members_agree(ctx: BlockContext) -> bool:
    return [key for key, row in MEMBERS.range(ctx) if row.frozen] == [key for key, _ in FREEZES.range(ctx)]


INVARIANTS = (
    RowInvariant("a member has an end of notice exactly while it is on notice", MEMBERS, _notice_has_an_end),
    RowInvariant("a person has a role", PERSONS, _person_has_roles),
    StateInvariant("a credit code has one living membership", _one_membership_per_code),
    StateInvariant("every living member has an admin whose key is in force", _every_member_has_an_admin),
    StateInvariant("each active person has one key in force, and each such key its person", _keys_and_persons_agree),
    StateInvariant("a member is frozen exactly while a freeze stands", _freezes_and_members_agree),
)
