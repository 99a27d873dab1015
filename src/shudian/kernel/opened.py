"""What the door makes of an envelope, and all that the machine looks at of it."""

from typing import Generic, TypeVar

from shudian.kernel.codec import Record
from shudian.kernel.messages import Message
from shudian.kernel.outcomes import Refused

Said = TypeVar("Said", bound=Message)


class Opened(Record, Generic[Said]):
    """An envelope that went through the door.

    sender_id, id, expires_ms, atomic, epoch_no: of its header. signers: public keys of the good signatures. digest: of the act, the same
    for a repeat. data_digest: SHA-256 of the whole envelope. messages: what was said, each checked by itself. ``Said`` is the union of a
    market's messages, for whoever decodes this.
    """

    sender_id: int
    id: bytes
    expires_ms: int
    atomic: bool
    epoch_no: int
    signers: tuple[bytes, ...]
    digest: bytes
    data_digest: bytes
    messages: tuple[Said, ...]


Arrival = Opened[Message] | Refused
"""What the door made of an envelope."""
