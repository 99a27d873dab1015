"""The door: everything about an envelope that can be settled without the state, done once, before or beside the machine.

Bytes become an :class:`Opened` envelope (form, signatures, body opened, messages decoded and checked) or a refusal. The machine takes only what has
been through a door; a node opens what comes in once, and a block that comes from elsewhere (a log, a consensus) before it applies it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from shudian.kernel import fields
from shudian.kernel.codec import Malformed, decode
from shudian.kernel.crypto import BackEnd, sha256, sodium, verify_many
from shudian.kernel.envelope import (
    BATCH_MAX_COUNT,
    CANONICAL,
    Envelope,
    Signature,
    badly_signed,
    message_key,
    not_opened,
    open_body,
    open_envelope,
)
from shudian.kernel.epochs import Secrets
from shudian.kernel.messages import Message
from shudian.kernel.outcomes import BATCH_SIZE_NOT_ALLOWED, EPOCH_NOT_IN_FORCE, UNKNOWN_MESSAGE, Refused


@dataclass(frozen=True, slots=True)
class Opened:
    """An envelope that went through the door.

    digest: of the act, the same for a repeat. body: the opened body, an encoded list of messages. message_key: opens this envelope and
    no other, 32 secret bytes.
    """

    data: bytes
    envelope: Envelope
    messages: tuple[Message, ...]
    digest: bytes
    body: bytes
    message_key: bytes = field(repr=False)


VERIFIED_MAX_COUNT = 1 << 16
"""Envelopes that a door remembers as well signed, by SHA-256 of the whole: at least so many of the latest, and about twice at most."""

Arrival = Opened | Refused
"""What the door made of an envelope."""


class Door:
    """Opens the envelopes of one chain."""

    def __init__(self, chain_id: str, message_type: Any, secrets: Secrets) -> None:
        """``message_type``: the union of all messages that the market knows. ``secrets``: of the epochs that it can open."""
        self.chain_id = chain_id
        self.back_end: BackEnd = sodium
        self._secrets = secrets
        self._body_type: Any = list[message_type]
        self._verified: set[bytes] = set()
        self._verified_before: set[bytes] = set()

    def open(self, data: bytes, *, verify_signatures: bool = True) -> Opened:
        """Envelope and messages after every check that needs no state.

        ``verify_signatures`` may be False for envelopes that this very program has verified before.

        Raises:
            Refused: a kernel refusal.
        """
        (arrival,) = self.open_all([data], verify_signatures=verify_signatures)
        if isinstance(arrival, Refused):
            raise arrival
        return arrival

    def open_all(self, envelopes: Sequence[bytes], *, verify_signatures: bool = True) -> list[Arrival]:
        """What the door makes of each envelope, in order; the signatures of all are verified together."""
        seen = self.envelopes(envelopes, verify_signatures=verify_signatures)
        return [self._inside(data, envelope) for data, envelope in zip(envelopes, seen, strict=True)]

    def envelopes(self, envelopes: Sequence[bytes], *, verify_signatures: bool = True) -> list[Envelope | Refused]:
        """Each envelope without opening its body, or why it is refused; needs no secrets."""
        seen: list[Envelope | Refused] = []
        for data in envelopes:
            try:
                seen.append(open_envelope(data, self.chain_id, verify_signatures=False))
            except Refused as error:
                seen.append(error)
        return self._verify(envelopes, seen) if verify_signatures else seen

    def _verify(self, envelopes: Sequence[bytes], seen: list[Envelope | Refused]) -> list[Envelope | Refused]:
        """The same, where those with a bad signature are refused; an envelope that was verified before is not verified again."""
        keys: list[bytes] = []
        signatures: list[bytes] = []
        contents: list[bytes] = []
        owners: list[int] = []
        digests: dict[int, bytes] = {}
        for place, (data, envelope) in enumerate(zip(envelopes, seen, strict=True)):
            digest = sha256(data)
            if isinstance(envelope, Refused) or digest in self._verified or digest in self._verified_before:
                continue
            digests[place] = digest
            content = envelope.signed_bytes()
            for signature in envelope.signatures:
                keys.append(signature.public_key)
                signatures.append(signature.value)
                contents.append(content)
                owners.append(place)
        verdicts = verify_many(keys, signatures, contents, self.back_end)
        judged = list(seen)
        for place, key, value, good in zip(owners, keys, signatures, verdicts, strict=True):
            if not good and digests.pop(place, None) is not None:
                judged[place] = badly_signed(Signature(key, value))
        if len(self._verified) >= VERIFIED_MAX_COUNT:
            self._verified_before, self._verified = self._verified, set()
        self._verified.update(digests.values())
        return judged

    def _inside(self, data: bytes, envelope: Envelope | Refused) -> Arrival:
        if isinstance(envelope, Refused):
            return envelope
        try:
            key = self.message_key(envelope)
            body = open_body(envelope, key)
            return Opened(data, envelope, self.messages(body), envelope.act_digest(body), body, key)
        except Refused as error:
            return error

    def opened_elsewhere(self, data: bytes, body: bytes, digest: bytes, key: bytes) -> Opened:
        """What a door of the same program, in another process, has opened: the records are made again, nothing is checked again."""
        return Opened(data, decode(data, Envelope), tuple(decode(body, self._body_type)), digest, body, key)

    def message_key(self, envelope: Envelope) -> bytes:
        """The key of this one envelope, 32 secret bytes.

        Raises:
            Refused: 1014, 1015.
        """
        secret = self._secrets.of(envelope.epoch_no)
        if secret is None:
            raise EPOCH_NOT_IN_FORCE("epoch_no", envelope.epoch_no)
        key = message_key(envelope, secret.agreement, envelope.sealer_key)
        if key is None:
            raise not_opened(envelope)
        return key

    def messages(self, body: bytes) -> tuple[Message, ...]:
        """The messages of an opened body, each checked by itself.

        Raises:
            Refused: a kernel refusal.
        """
        try:
            messages: list[Message] = decode(body, self._body_type)
        except Malformed as error:
            raise UNKNOWN_MESSAGE("body", error.place or fields.in_bytes(len(body)), CANONICAL) from None
        if not 1 <= len(messages) <= BATCH_MAX_COUNT:
            raise BATCH_SIZE_NOT_ALLOWED("body", len(messages), f"1..{BATCH_MAX_COUNT}")
        for message in messages:
            message.check()
        return tuple(messages)
