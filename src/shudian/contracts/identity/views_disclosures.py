"""What identity tells of disclosures: to the member that disclosed and to the overseers."""

from collections.abc import Callable

from shudian.contracts.identity.messages_disclosures import DisclosureRecorded
from shudian.contracts.roles import OVERSIGHT
from shudian.kernel.messages import Event
from shudian.reading.reader import Reader, Viewer
from shudian.reading.tables import At, ReadTable, Row, blob, integer, parties
from shudian.reading.writer import Writer

DISCLOSURES = ReadTable(
    "identity_disclosures",
    (
        integer("disclosure_no", "披露序号", "disclosure"),
        integer("member_id", "成员编号", "member"),
        blob("message_id", "消息编号", "message id"),
        integer("statement_id", "结算单", "statement"),
        blob("recipient_key", "接收方公钥", "key of the recipient"),
        blob("file_digest", "文件摘要", "digest of the file"),
        integer("recorded_ms", "登记时间", "recorded at"),
    ),
    ("disclosure_no",),
    parties("member_id", also=OVERSIGHT),
)


def disclosure_recorded(db: Writer, event: DisclosureRecorded, at: At) -> None:
    """Keep the disclosure."""
    db.insert(
        DISCLOSURES,
        disclosure_no=event.disclosure_no,
        member_id=event.member_id,
        message_id=event.message_id,
        statement_id=event.statement_id,
        recipient_key=event.recipient_key,
        file_digest=event.file_digest,
        recorded_ms=at.market_ms,
    )


def disclosures(reader: Reader, viewer: Viewer, *, member_id: int | None = None) -> list[Row]:
    """Disclosures, oldest first: those of one's own member, or all for the overseers."""
    return reader.select(viewer, DISCLOSURES, {"member_id": member_id})


PROJECTIONS: dict[type[Event], Callable[..., None]] = {DisclosureRecorded: disclosure_recorded}
