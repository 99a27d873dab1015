"""What is decided on a member's persons and keys. A public key serves one person for ever; nobody can be left without an admin."""

from collections.abc import Sequence

from msgspec.structs import replace

from shudian.contracts.governance import rules as governance
from shudian.contracts.identity.messages import Member
from shudian.contracts.identity.messages_persons import (
    KEY_IN_USE,
    LAST_ADMIN,
    NEW_KEY_DID_NOT_SIGN,
    PERSON_KNOWN,
    PERSON_UNKNOWN,
    PERSONS_TOO_MANY,
    ROLE_NOT_FOR_KIND,
    ROLES_OF_KIND,
    SIGNERS_DO_NOT_FIT,
    AddPerson,
    KeyRevoked,
    KeyRotated,
    PersonAdded,
    PersonReply,
    RevokeKey,
    RolesSet,
    RotateKey,
    SetRoles,
)
from shudian.contracts.identity.rules_verbs import deed_of
from shudian.contracts.identity.state import KEYS, MEMBERS, PERSONS, Person, RegisteredKey
from shudian.contracts.roles import Kind, Role
from shudian.kernel import clock
from shudian.kernel.contract import BlockContext, Context
from shudian.kernel.outcomes import both
from shudian.kernel.tables import HasStore

PERSONS_MAX = "identity.persons_max_count"


def add_person(ctx: Context, message: AddPerson) -> PersonReply:
    """Add a person. Refuses: 3011, 3022, 3023, 3029. Emits: PersonAdded."""
    row = MEMBERS.need(ctx, ctx.sender_id)
    refuse_roles(row.kind, message.roles)
    refuse_known_key(ctx, "public_key", message.public_key)
    active = [person for _, person in PERSONS.range(ctx, ctx.sender_id) if person.active]
    refuse_known_person(active, message.person_digest)
    limit_count = governance.setting(ctx, PERSONS_MAX, clock.day_of(ctx.market_ms))
    if len(active) >= limit_count:
        raise PERSONS_TOO_MANY("public_key", len(active), f"<= {limit_count}")
    # no refusal below this line
    person = Person(message.person_digest, message.public_key, message.roles, active=True)
    return PersonReply(enter_person(ctx, ctx.sender_id, row, person))


def enter_person(ctx: BlockContext, member_id: int, row: Member, person: Person) -> int:
    """Write a person and its key under the member's next number; the caller has checked both. Emits: PersonAdded."""
    person_no = row.last_person_no + 1
    MEMBERS.put(ctx, (member_id,), replace(row, last_person_no=person_no))
    PERSONS.put(ctx, (member_id, person_no), person)
    KEYS.put(ctx, (person.public_key,), RegisteredKey(member_id, person_no, in_force=True))
    ctx.emit(
        PersonAdded(
            deed=deed_of(member_id),
            parties=(member_id,),
            member_id=member_id,
            person_no=person_no,
            public_key=person.public_key,
            roles=person.roles,
        )
    )
    return person_no


def set_roles(ctx: Context, message: SetRoles) -> None:
    """Set a person's roles. Refuses: 3021, 3023, 3024. Emits: RolesSet."""
    member_id = ctx.sender_id
    person = active_person(ctx, member_id, message.person_no)
    refuse_roles(MEMBERS.need(ctx, member_id).kind, message.roles)
    if Role.ADMIN not in message.roles:
        _refuse_last_admin(ctx, member_id, message.person_no)
    # no refusal below this line
    PERSONS.put(ctx, (member_id, message.person_no), replace(person, roles=message.roles))
    ctx.emit(
        RolesSet(
            deed=deed_of(member_id),
            parties=(member_id,),
            member_id=member_id,
            person_no=message.person_no,
            roles=message.roles,
        )
    )


def rotate_key(ctx: Context, message: RotateKey) -> None:
    """Replace the signer's key by the new one that signed too. Refuses: 3010, 3011, 3025. Emits: KeyRotated."""
    new_key = message.new_public_key
    if new_key not in ctx.signers:
        raise NEW_KEY_DID_NOT_SIGN("new_public_key", new_key.hex())
    refuse_known_key(ctx, "new_public_key", new_key)
    old_keys = [key for key in ctx.signers if key != new_key]
    if len(old_keys) != 1:
        raise SIGNERS_DO_NOT_FIT("signatures", len(ctx.signers), both("旧密钥与新密钥", "the old key and the new key"))
    # no refusal below this line
    old = KEYS.need(ctx, old_keys[0])
    place = (old.member_id, old.person_no)
    KEYS.put(ctx, (old_keys[0],), replace(old, in_force=False))
    KEYS.put(ctx, (new_key,), RegisteredKey(*place, in_force=True))
    PERSONS.put(ctx, place, replace(PERSONS.need(ctx, *place), public_key=new_key))
    ctx.emit(
        KeyRotated(
            deed=deed_of(old.member_id),
            parties=(old.member_id,),
            member_id=old.member_id,
            person_no=old.person_no,
            old_public_key=old_keys[0],
            new_public_key=new_key,
        )
    )


def revoke_key(ctx: Context, message: RevokeKey) -> None:
    """Take a person's key out of force. Refuses: 3021, 3024. Emits: KeyRevoked."""
    member_id = ctx.sender_id
    person = active_person(ctx, member_id, message.person_no)
    _refuse_last_admin(ctx, member_id, message.person_no)
    # no refusal below this line
    retire_person(ctx, member_id, message.person_no, person, message.reason)


def retire_person(ctx: BlockContext, member_id: int, person_no: int, person: Person, reason: str) -> None:
    """Take a person's key out of force. Emits: KeyRevoked."""
    PERSONS.put(ctx, (member_id, person_no), replace(person, active=False))
    KEYS.put(ctx, (person.public_key,), RegisteredKey(member_id, person_no, in_force=False))
    ctx.emit(
        KeyRevoked(
            deed=deed_of(member_id),
            parties=(member_id,),
            member_id=member_id,
            person_no=person_no,
            public_key=person.public_key,
            reason=reason,
        )
    )


def refuse_roles(kind: Kind, roles: tuple[Role, ...]) -> None:
    """Refuses: 3023."""
    for role in roles:
        if role not in ROLES_OF_KIND[kind]:
            raise ROLE_NOT_FOR_KIND("roles", role, " | ".join(ROLES_OF_KIND[kind]))


def refuse_known_key(at: HasStore, field: str, key: bytes) -> None:
    """Refuses: 3011."""
    if KEYS.get(at, key) is not None:
        raise KEY_IN_USE(field, key.hex())


def refuse_known_person(active: Sequence[Person], digest: bytes) -> None:
    """Refuses: 3022."""
    if any(person.person_digest == digest for person in active):
        raise PERSON_KNOWN("person_digest", digest.hex())


def active_person(at: HasStore, member_id: int, person_no: int) -> Person:
    """The person of a number, whose key is in force. Refuses: 3021."""
    person = PERSONS.get(at, member_id, person_no)
    if person is None or not person.active:
        raise PERSON_UNKNOWN("person_no", person_no)
    return person


def _refuse_last_admin(at: HasStore, member_id: int, person_no: int) -> None:
    others = (person for key, person in PERSONS.range(at, member_id) if key[1] != person_no)
    if not any(person.active and Role.ADMIN in person.roles for person in others):
        raise LAST_ADMIN("person_no", person_no, both("另有一名有效的管理员", "another active admin"))
