"""What the machine keeps of answers: the outcomes of an envelope until it expires, and the last events of hooks."""

from shudian.kernel.codec import Record
from shudian.kernel.outcomes import Outcome
from shudian.kernel.tables import Key, Table


class HookEvents(Record):
    """What hooks last told: in the block of that height, by the SHA-256 of the encoded list of their events."""

    height: int
    digest: bytes


class Answered(Record):
    """The first outcomes of an envelope, kept until it expires. digest: of the act, see :meth:`Envelope.act_digest`."""

    expires_ms: int
    digest: bytes
    outcomes: tuple[Outcome, ...]


def _by_expiry(_key: Key, row: Answered) -> Key:
    return (row.expires_ms,)


HOOK_EVENTS = Table("kernel.hook_events", HookEvents, ())
ANSWERED = Table("kernel.answered", Answered, ("sender_id", "id"), {"by_expiry": _by_expiry})
