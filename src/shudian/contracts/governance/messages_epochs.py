"""What may be said about epochs: that a new one begins, and that the secret of one was handed to somebody."""

from typing import ClassVar

from shudian.contracts.roles import Kind, Role
from shudian.kernel import fields
from shudian.kernel.crypto import is_sound_agreement_key
from shudian.kernel.envelope import EPOCH_NO_MAX
from shudian.kernel.messages import PUBLIC, Authority, Event, Message
from shudian.kernel.outcomes import FIELD_NOT_ALLOWED, Refusal, Reply, both

SOUND_KEY = both("可用的 X25519 公钥，32 字节", "a sound X25519 public key, 32 bytes")


def _check_key(name: str, value: bytes) -> None:
    if not is_sound_agreement_key(value):
        raise FIELD_NOT_ALLOWED(name, value.hex()[:16], SOUND_KEY)


class RotateEpoch(Message):
    """Begin a new epoch: from the next block on messages are sealed, and rows blinded, with its keys. What was said before stays readable as before.

    public_key: of the new epoch, X25519; ``shudian epoch rotate`` takes it from the node.
    """

    authority: ClassVar[Authority] = Authority(
        kinds=(Kind.EXCHANGE,),
        role=Role.OPERATOR,
        sees=PUBLIC,
        when_zh="本区块尚未更换密钥期",
        when_en="no other epoch began in this block",
    )

    public_key: bytes

    def check(self) -> None:
        """Refuse a key that everybody could open."""
        _check_key("public_key", self.public_key)


class HandOutEpoch(Message):
    """Put on record that a file was made which gives the secret of one epoch to one recipient; said before the file is handed over.

    recipient_key: X25519 public key that can open the file. file_digest: SHA-256 of the file.
    """

    authority: ClassVar[Authority] = Authority(
        kinds=(Kind.EXCHANGE,),
        role=Role.OPERATOR,
        sees=PUBLIC,
        when_zh="该密钥期存在",
        when_en="the epoch exists",
    )

    epoch_no: int
    recipient_key: bytes
    file_digest: bytes

    def check(self) -> None:
        """Refuse malformed fields."""
        fields.whole("epoch_no", self.epoch_no, 1, EPOCH_NO_MAX)
        _check_key("recipient_key", self.recipient_key)
        fields.digest("file_digest", self.file_digest)


class EpochReply(Reply):
    """The number of the new epoch."""

    epoch_no: int


class EpochRotated(Event):
    """A new epoch begins with the next block."""

    step: ClassVar[str] = "rotated"
    zh: ClassVar[str] = "密钥期已更换"
    en: ClassVar[str] = "epoch rotated"

    epoch_no: int
    public_key: bytes


class EpochHandedOut(Event):
    """The secret of an epoch was handed to somebody, who reads all of that epoch from then on."""

    step: ClassVar[str] = "handed_out"
    zh: ClassVar[str] = "密钥期的密钥已交出"
    en: ClassVar[str] = "secret of an epoch handed out"

    epoch_no: int
    recipient_key: bytes
    file_digest: bytes


EPOCH_JUST_ROTATED = Refusal(
    2007, "epoch_just_rotated", "本区块已更换过密钥期", "an epoch began in this block already", 409, retry=True
)
EPOCH_UNKNOWN = Refusal(2008, "epoch_unknown", "没有这个密钥期", "there is no such epoch", 404)

EVENTS: tuple[type[Event], ...] = (EpochRotated, EpochHandedOut)
REFUSALS: tuple[Refusal, ...] = (EPOCH_JUST_ROTATED, EPOCH_UNKNOWN)
REPLIES: tuple[type[Reply], ...] = (EpochReply,)
MESSAGES: tuple[type[Message], ...] = (RotateEpoch, HandOutEpoch)
