"""What the machine keeps of answers: the outcomes of envelopes until they expire, a row a block, and the last events of hooks."""

from shudian.kernel.codec import Record
from shudian.kernel.outcomes import Outcome
from shudian.kernel.tables import Key, Table


class HookEvents(Record):
    """What hooks last told: in the block of that height, by the SHA-256 of the encoded list of their events."""

    height: int
    digest: bytes


class Answer(Record):
    """The first outcomes of an envelope. sender_id, id: see :func:`shudian.kernel.repeats.answer_key`. digest: of the act, see :func:`shudian.kernel.envelope.act_digest`."""

    sender_id: int
    id: bytes
    expires_ms: int
    digest: bytes
    outcomes: tuple[Outcome, ...]


class Answers(Record):
    """All answers that a block gave for good, in the order of its envelopes. expires_ms: the latest expiry of them, when the row leaves."""

    expires_ms: int
    answers: tuple[Answer, ...]


def _by_expiry(_key: Key, row: Answers) -> Key:
    return (row.expires_ms,)


HOOK_EVENTS = Table("kernel.hook_events", HookEvents, ())
ANSWERS = Table("kernel.answers", Answers, ("height",), {"by_expiry": _by_expiry})
