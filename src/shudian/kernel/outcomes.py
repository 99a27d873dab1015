"""What the ledger answers: a refusal with a number, or an outcome with a reply.

A refusal's number is contract x 1000 + n and is never reused; its words live beside it in Chinese and English. Only the
number and the three facts (field, value, allowed) are kept on the ledger, the words are added where they are shown. Facts are numbers,
code words (``open | close``) and symbols (``<= 300``); where words cannot be avoided :func:`both` gives them in both languages.
"""

from dataclasses import dataclass
from typing import Literal

from shudian.kernel.codec import Record

Language = Literal["zh", "en"]

FACT_MAX_COUNT = 200
"""Characters kept of a fact."""

_DIVIDER = " ‖ "
_HALF_MAX_COUNT = 98


class Refused(Exception):
    """Raised by a rule that says no; only the machine and the client catch it."""

    def __init__(self, refusal: "Refusal", field: str, value: str, allowed: str) -> None:
        """Keep the refusal and its facts; ``field`` names the offending field, ``allowed`` what would have passed."""
        super().__init__(f"{refusal.number} {refusal.name}: {field}={value} ({allowed})")
        self.refusal = refusal
        self.field = field
        self.value = value
        self.allowed = allowed


@dataclass(frozen=True)
class Refusal:
    """One numbered way to say no.

    ``name`` is a full statement in lower case; ``zh`` and ``en`` are the words a person reads; ``status`` is the HTTP
    status that fits; ``retry`` tells whether the same message could pass later; ``uses_id`` whether it is the answer to the
    envelope's id for good: not where the signers may not speak for the sender, or a stranger could use up a member's ids.
    """

    number: int
    name: str
    zh: str
    en: str
    status: int = 422
    retry: bool = False
    uses_id: bool = True

    def __call__(self, field: str = "", value: object = "", allowed: object = "") -> Refused:
        """Make the exception that a rule raises: ``raise BALANCE_TOO_LOW("amount_fen", 500, "<= 300")``."""
        return Refused(self, field, str(value)[:FACT_MAX_COUNT], str(allowed)[:FACT_MAX_COUNT])


class Outcome(Record):
    """The answer to one message of an envelope.

    number: 0 for done, otherwise a refusal's number. field, value, allowed: the facts of a refusal. reply: the encoded
    reply record of the handler, empty if none.
    """

    number: int
    field: str = ""
    value: str = ""
    allowed: str = ""
    reply: bytes = b""

    @property
    def done(self) -> bool:
        """Whether the message was carried out."""
        return self.number == 0


class Reply(Record, tag=True):
    """Base of what handlers answer; each subclass belongs to one contract's messages."""


def refused(error: Refused) -> Outcome:
    """The outcome that records a refusal."""
    return Outcome(error.refusal.number, error.field, error.value, error.allowed)


def both(zh: str, en: str) -> str:
    """A fact that needs words, in both languages; each is cut at 98 characters, so that the bound on facts keeps both.

    >>> both("每个岗位一次", "each role once")
    '每个岗位一次 ‖ each role once'
    """
    return zh[:_HALF_MAX_COUNT] + _DIVIDER + en[:_HALF_MAX_COUNT]


def in_language(fact: str, language: Language) -> str:
    """What a reader of one language sees of a fact.

    >>> in_language(both("每个岗位一次", "each role once"), "en"), in_language("<= 300", "en")
    ('each role once', '<= 300')
    """
    zh, divider, en = fact.partition(_DIVIDER)
    return en if divider and language == "en" else zh


def sentence(refusal: Refusal, outcome: Outcome, language: Language) -> str:
    """One clear sentence for a person: number, words, then field, value and what is allowed where known."""
    zh = language == "zh"
    words = refusal.zh if zh else refusal.en
    value, allowed = in_language(outcome.value, language), in_language(outcome.allowed, language)
    facts = []
    if outcome.field:
        facts.append(f"{outcome.field} = {value}" if value else outcome.field)
    if allowed:
        facts.append(f"允许：{allowed}" if zh else f"allowed: {allowed}")
    tail = ("（" + "；".join(facts) + "）" if zh else " (" + "; ".join(facts) + ")") if facts else ""
    return f"[{refusal.number}] {words}{tail}"


INTERNAL_FAULT = Refusal(
    1000, "internal_fault", "系统内部故障，本消息未生效", "internal fault; nothing was changed", 500, retry=True
)
MALFORMED = Refusal(1001, "malformed", "消息格式不合规", "the message is malformed", 400)
OVERSIZED = Refusal(1002, "oversized", "消息超过长度上限", "the message is too large", 413)
WRONG_CHAIN = Refusal(1003, "wrong_chain", "消息属于另一条链", "the message is for another chain", 400)
UNSIGNED = Refusal(1004, "unsigned", "缺少签名", "a signature is missing", 401)
SIGNATURE_INVALID = Refusal(1005, "signature_invalid", "签名无效", "a signature is invalid", 401)
UNKNOWN_MESSAGE = Refusal(1006, "unknown_message", "未知的消息类型", "the type of message is unknown", 400)
MESSAGE_EXPIRED = Refusal(1007, "message_expired", "消息已过有效期", "the message has expired", 410)
EXPIRY_TOO_FAR = Refusal(
    1008, "expiry_too_far", "消息有效期超过 24 小时", "the expiry is more than 24 hours ahead", 422
)
ID_USED_FOR_ANOTHER = Refusal(
    1009, "id_used_for_another", "该消息编号已用于另一条消息", "the id was used for another message", 409
)
BATCH_FAILED = Refusal(
    1010,
    "batch_failed",
    "同批另一条消息被拒，整批未生效",
    "another message of the batch was refused",
    409,
    uses_id=False,  # the refusal of the other message decides
)
FIELD_NOT_ALLOWED = Refusal(1011, "field_not_allowed", "字段取值不合规", "a field has a value that is not allowed")
BATCH_SIZE_NOT_ALLOWED = Refusal(
    1012, "batch_size_not_allowed", "批内消息数不合规", "the number of messages in the batch is not allowed"
)
VERSION_UNKNOWN = Refusal(1013, "version_unknown", "信封版本未知", "the envelope's version is unknown", 400)
BODY_NOT_OPENED = Refusal(
    1014, "body_not_opened", "密文无法打开", "the body cannot be opened with the secret of its epoch", 400
)
EPOCH_NOT_IN_FORCE = Refusal(
    1015,
    "epoch_not_in_force",
    "密钥期不在使用中",
    "the epoch is neither the present one nor the one before",
    409,
    retry=True,
)

KERNEL_REFUSALS = (
    INTERNAL_FAULT,
    MALFORMED,
    OVERSIZED,
    WRONG_CHAIN,
    UNSIGNED,
    SIGNATURE_INVALID,
    UNKNOWN_MESSAGE,
    MESSAGE_EXPIRED,
    EXPIRY_TOO_FAR,
    ID_USED_FOR_ANOTHER,
    BATCH_FAILED,
    FIELD_NOT_ALLOWED,
    BATCH_SIZE_NOT_ALLOWED,
    VERSION_UNKNOWN,
    BODY_NOT_OPENED,
    EPOCH_NOT_IN_FORCE,
)
