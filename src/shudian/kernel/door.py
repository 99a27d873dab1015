"""The door: everything about an envelope that can be settled without the state, done once, before or beside the machine.

Bytes become an :class:`Opened` envelope (form, signatures, messages decoded and checked) or a refusal. The machine takes only what has
been through a door; a node opens what comes in once, and a block that comes from elsewhere (a log, a consensus) before it applies it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from shudian.kernel import fields
from shudian.kernel.codec import Malformed, decode
from shudian.kernel.crypto import sha256
from shudian.kernel.envelope import BATCH_MAX_COUNT, CANONICAL, Envelope, open_envelope
from shudian.kernel.messages import Message
from shudian.kernel.outcomes import BATCH_SIZE_NOT_ALLOWED, UNKNOWN_MESSAGE, Refused


@dataclass(frozen=True, slots=True)
class Opened:
    """An envelope that went through the door. digest: SHA-256 of it without its signatures, which makes a repeat the same act."""

    data: bytes
    envelope: Envelope
    messages: tuple[Message, ...]
    digest: bytes


Arrival = Opened | Refused
"""What the door made of an envelope."""


class Door:
    """Opens the envelopes of one chain."""

    def __init__(self, chain_id: str, message_type: Any) -> None:
        """``message_type``: the union of all messages that the market knows."""
        self.chain_id = chain_id
        self._body_type: Any = list[message_type]

    def open(self, data: bytes, *, verify_signatures: bool = True) -> Opened:
        """Envelope and messages after every check that needs no state.

        ``verify_signatures`` may be False for envelopes that this very program has verified before.

        Raises:
            Refused: a kernel refusal.
        """
        envelope = open_envelope(data, self.chain_id, verify_signatures=verify_signatures)
        return Opened(data, envelope, self.messages(envelope), sha256(envelope.signed_bytes()))

    def messages(self, envelope: Envelope) -> tuple[Message, ...]:
        """The messages of an envelope, each checked by itself.

        Raises:
            Refused: a kernel refusal.
        """
        try:
            messages: list[Message] = decode(envelope.body, self._body_type)
        except Malformed as error:
            raise UNKNOWN_MESSAGE("body", error.place or fields.in_bytes(len(envelope.body)), CANONICAL) from None
        if not 1 <= len(messages) <= BATCH_MAX_COUNT:
            raise BATCH_SIZE_NOT_ALLOWED("body", len(messages), f"1..{BATCH_MAX_COUNT}")
        for message in messages:
            message.check()
        return tuple(messages)

    def open_all(self, envelopes: Sequence[bytes], *, verify_signatures: bool = True) -> list[Arrival]:
        """What the door makes of each envelope, in order."""
        arrivals: list[Arrival] = []
        for data in envelopes:
            try:
                arrivals.append(self.open(data, verify_signatures=verify_signatures))
            except Refused as error:
                arrivals.append(error)
        return arrivals
