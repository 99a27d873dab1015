"""What identity tells of persons and their keys: to the member itself and to the overseers; of replaced admins to all."""

from collections.abc import Callable

from shudian.contracts.identity.messages_persons import AdminReplaced, KeyRevoked, KeyRotated, PersonAdded, RolesSet
from shudian.contracts.roles import OVERSIGHT
from shudian.kernel.messages import Event
from shudian.reading.reader import Reader, Viewer
from shudian.reading.tables import PUBLIC, At, ReadTable, Row, blob, integer, parties, text
from shudian.reading.writer import Writer

PERSONS = ReadTable(
    "identity_persons",
    (
        integer("member_id", "成员编号", "member"),
        integer("person_no", "人员序号", "person"),
        blob("public_key", "公钥", "public key"),
        text("roles", "岗位", "roles"),
        integer("active", "有效", "active"),
        integer("since_ms", "密钥生效时间", "key in force since"),
    ),
    ("member_id", "person_no"),
    parties("member_id", also=OVERSIGHT),
    (("public_key",),),
)

REPLACED_ADMINS = ReadTable(
    "identity_replaced_admins",
    (
        integer("member_id", "成员编号", "member"),
        integer("old_person_no", "原人员序号", "person before"),
        integer("new_person_no", "新人员序号", "person after"),
        integer("decided_by_id", "决定方", "decided by"),
        blob("evidence_digest", "核验材料摘要", "digest of the papers"),
        integer("replaced_ms", "更换时间", "replaced at"),
    ),
    ("member_id", "new_person_no"),
    PUBLIC,
)


def person_added(db: Writer, event: PersonAdded, at: At) -> None:
    """Keep the person and the key."""
    db.insert(
        PERSONS,
        member_id=event.member_id,
        person_no=event.person_no,
        public_key=event.public_key,
        roles=" ".join(event.roles),
        active=1,
        since_ms=at.market_ms,
    )


def roles_set(db: Writer, event: RolesSet, _at: At) -> None:
    """The person has other roles."""
    db.update(PERSONS, {"member_id": event.member_id, "person_no": event.person_no}, roles=" ".join(event.roles))


def key_rotated(db: Writer, event: KeyRotated, at: At) -> None:
    """The person has another key."""
    where = {"member_id": event.member_id, "person_no": event.person_no}
    db.update(PERSONS, where, public_key=event.new_public_key, since_ms=at.market_ms)


def key_revoked(db: Writer, event: KeyRevoked, _at: At) -> None:
    """The person's key is out of force."""
    db.update(PERSONS, {"member_id": event.member_id, "person_no": event.person_no}, active=0)


def admin_replaced(db: Writer, event: AdminReplaced, at: At) -> None:
    """Show it to all; the persons are told of by events of their own."""
    db.insert(
        REPLACED_ADMINS,
        member_id=event.member_id,
        old_person_no=event.old_person_no,
        new_person_no=event.new_person_no,
        decided_by_id=event.decided_by_id,
        evidence_digest=event.evidence_digest,
        replaced_ms=at.market_ms,
    )


def persons(
    reader: Reader, viewer: Viewer, *, member_id: int | None = None, public_key: bytes | None = None
) -> list[Row]:
    """Persons with keys and roles: of one's own member, or all for the overseers."""
    return reader.select(viewer, PERSONS, {"member_id": member_id, "public_key": public_key})


def replaced_admins(reader: Reader, viewer: Viewer, *, member_id: int | None = None) -> list[Row]:
    """Admins whom reviewers replaced because a key was lost; anybody may look."""
    return reader.select(viewer, REPLACED_ADMINS, {"member_id": member_id})


PROJECTIONS: dict[type[Event], Callable[..., None]] = {
    PersonAdded: person_added,
    RolesSet: roles_set,
    KeyRotated: key_rotated,
    KeyRevoked: key_revoked,
    AdminReplaced: admin_replaced,
}
