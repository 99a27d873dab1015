"""What may be said about disclosures: that a member opened one of its messages or bills to somebody outside, and to whom."""

from typing import ClassVar

from shudian.contracts.roles import ALL_KINDS, Role
from shudian.kernel import fields
from shudian.kernel.ids import ID_BYTES
from shudian.kernel.messages import Authority, Event, Message
from shudian.kernel.outcomes import FIELD_NOT_ALLOWED, Reply, both

KEY_BYTES = 32


class RecordDisclosure(Message):
    """Put on record that a file was made which opens one message or one statement to one recipient; said before the file is handed over.

    message_id: 16 bytes, empty where a statement is opened. statement_id: 0 where a message is. recipient_key: X25519 public key that
    can open the file. file_digest: SHA-256 of the file.
    """

    authority: ClassVar[Authority] = Authority(
        kinds=ALL_KINDS,
        role=Role.ADMIN,
        when_zh="管理员签名；暂停成员亦可",
        when_en="signed by an admin; suspended members may too",
        active_only=False,
    )

    message_id: bytes
    statement_id: int
    recipient_key: bytes
    file_digest: bytes

    def check(self) -> None:
        """Refuse malformed fields."""
        if len(self.message_id) not in (0, ID_BYTES):
            raise FIELD_NOT_ALLOWED("message_id", fields.in_bytes(len(self.message_id)), fields.in_bytes(ID_BYTES))
        fields.whole("statement_id", self.statement_id, 0, fields.AMOUNT_MAX)
        if bool(self.message_id) == bool(self.statement_id):
            one = both("消息编号与结算单号二者取一", "either a message or a statement")
            raise FIELD_NOT_ALLOWED("statement_id", self.statement_id, one)
        if len(self.recipient_key) != KEY_BYTES:
            raise FIELD_NOT_ALLOWED(
                "recipient_key", fields.in_bytes(len(self.recipient_key)), fields.in_bytes(KEY_BYTES)
            )
        fields.digest("file_digest", self.file_digest)


class DisclosureReply(Reply):
    """The number of the disclosure, of all."""

    disclosure_no: int


class DisclosureRecorded(Event):
    """A member opened a message or a statement to a recipient; seen by that member and the overseers."""

    step: ClassVar[str] = "disclosure_recorded"
    zh: ClassVar[str] = "已登记对外披露"
    en: ClassVar[str] = "disclosure recorded"

    member_id: int
    disclosure_no: int
    message_id: bytes
    statement_id: int
    recipient_key: bytes
    file_digest: bytes


EVENTS: tuple[type[Event], ...] = (DisclosureRecorded,)
REPLIES: tuple[type[Reply], ...] = (DisclosureReply,)
MESSAGES: tuple[type[Message], ...] = (RecordDisclosure,)
