"""What identity tells of persons and their keys: to the member itself and to the overseers."""

from collections.abc import Callable

from shudian.contracts.identity.messages_persons import KeyRevoked, KeyRotated, PersonAdded, RolesSet
from shudian.contracts.roles import OVERSIGHT
from shudian.kernel.messages import Event
from shudian.reading.reader import Reader, Viewer
from shudian.reading.tables import At, ReadTable, Row, blob, integer, parties, text
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


def persons(
    reader: Reader, viewer: Viewer, *, member_id: int | None = None, public_key: bytes | None = None
) -> list[Row]:
    """Persons with keys and roles: of one's own member, or all for the overseers."""
    return reader.select(viewer, PERSONS, {"member_id": member_id, "public_key": public_key})


PROJECTIONS: dict[type[Event], Callable[..., None]] = {
    PersonAdded: person_added,
    RolesSet: roles_set,
    KeyRotated: key_rotated,
    KeyRevoked: key_revoked,
}
