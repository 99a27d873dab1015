"""Say messages to a ledger and read from it, as one member with one or more keys."""

import secrets
from collections.abc import Sequence
from typing import Any, Protocol

from shudian.kernel.codec import encode
from shudian.kernel.crypto import SigningKey
from shudian.kernel.envelope import (
    UNREGISTERED,
    Envelope,
    EpochKey,
    message_key,
    not_opened,
    open_body,
    open_envelope,
    seal,
)
from shudian.kernel.ids import ID_BYTES
from shudian.kernel.machine import Machine
from shudian.kernel.messages import Message
from shudian.kernel.outcomes import Language, Outcome, Reply, sentence
from shudian.market import MARKET

EXPIRY_MS = 3_600_000
"""How long after now a message may still enter, unless told otherwise: one hour of market time."""

_codec = Machine(MARKET, "", lambda _digest: None)


class Transport(Protocol):
    """The way to a node: in the same process, or later over HTTP."""

    @property
    def chain_id(self) -> str:
        """The chain's name."""
        ...

    @property
    def market_ms(self) -> int:
        """Market time now."""
        ...

    @property
    def epoch(self) -> EpochKey:
        """The epoch to seal for."""
        ...

    def epoch_key(self, epoch_no: int) -> EpochKey:
        """An epoch that was or is; its public key stands in the state."""
        ...

    def submit(self, envelopes: list[bytes]) -> list[tuple[Outcome, ...]]:
        """Bring envelopes in; their outcomes when durable."""
        ...

    def query(self, member_id: int, name: str, /, **filters: Any) -> Any:
        """Run a query as a member."""
        ...

    def timeline(self, member_id: int, deed: str) -> list[dict[str, Any]]:
        """What happened to a deed."""
        ...

    def envelope(self, member_id: int, message_id: bytes) -> bytes:
        """An envelope as it stands in its block."""
        ...

    def outcomes(self, member_id: int, message_id: bytes | None = None) -> list[dict[str, Any]]:
        """What became of a message."""
        ...


class RefusedByLedgerError(Exception):
    """The ledger said no; ``sentence`` gives the words."""

    def __init__(self, outcome: Outcome) -> None:
        """Keep the outcome."""
        super().__init__(describe(outcome, "en"))
        self.outcome = outcome

    def sentence(self, language: Language) -> str:
        """One clear sentence in the reader's language."""
        return describe(self.outcome, language)


def describe(outcome: Outcome, language: Language) -> str:
    """The words of a refusal."""
    return sentence(_codec.refusals[outcome.number], outcome, language)


def next_step(outcome: Outcome, language: Language) -> str:
    """What the sender of a refused message can do; empty for one that was carried out."""
    if outcome.done:
        return ""
    zh = language == "zh"
    if _codec.refusals[outcome.number].retry:
        return "条件具备后可用新编号重新提交" if zh else "once the condition holds, send it again under a new id"
    return "更正后用新编号提交" if zh else "correct it and send it under a new id"


def reply_of(outcome: Outcome) -> Reply | None:
    """The decoded reply of an outcome."""
    return _codec.reply_of(outcome)


class Client:
    """One sender: a member (0 for an applicant) and the keys that sign for it."""

    def __init__(self, transport: Transport, member_id: int, keys: Sequence[SigningKey]) -> None:
        """Speak through a transport."""
        self.transport = transport
        self.member_id = member_id
        self.keys = list(keys)

    @classmethod
    def applicant(cls, transport: Transport, key: SigningKey) -> "Client":
        """A sender without a membership yet."""
        return cls(transport, UNREGISTERED, [key])

    def seal(
        self,
        messages: Sequence[Message],
        *,
        message_id: bytes | None = None,
        expires_ms: int | None = None,
        atomic: bool = False,
    ) -> bytes:
        """A sealed and signed envelope around messages; the first key seals. ``message_id``: 16 bytes of the caller's choice, random by default."""
        return seal(
            self.transport.chain_id,
            self.member_id,
            message_id or secrets.token_bytes(ID_BYTES),
            expires_ms or self.transport.market_ms + EXPIRY_MS,
            encode(list(messages)),
            self.keys,
            self.transport.epoch,
            atomic=atomic,
        )

    def reopen(self, data: bytes) -> tuple[Message, ...]:
        """What an envelope says that one of these keys sealed, with nothing but that key and the epoch's public key.

        Raises:
            Refused: 1014 if none of the keys sealed it, or a refusal of the envelope's form.
        """
        envelope = open_envelope(data, self.transport.chain_id)
        return _codec.door.messages(open_body(envelope, self.message_key(envelope)))

    def message_key(self, envelope: Envelope) -> bytes:
        """The key of an envelope that one of these keys sealed: 32 secret bytes that open this envelope and no other.

        Raises:
            Refused: 1014 if none of the keys sealed it.
        """
        epoch = self.transport.epoch_key(envelope.epoch_no)
        for key in self.keys:
            if key.sealing.public_key == envelope.sealer_key:
                found = message_key(envelope, key.sealing, epoch.public_key)
                if found is not None:
                    return found
        raise not_opened(envelope)

    def submit(self, message: Message, *, message_id: bytes | None = None) -> Any:
        """Say one message and wait until it is durable; returns its reply.

        Raises:
            RefusedByLedgerError: if the ledger says no.
        """
        outcome = self.transport.submit([self.seal([message], message_id=message_id)])[0][0]
        if not outcome.done:
            raise RefusedByLedgerError(outcome)
        return reply_of(outcome)

    def submit_batch(
        self, messages: Sequence[Message], *, message_id: bytes | None = None, atomic: bool = False
    ) -> tuple[Outcome, ...]:
        """Say many messages under one signature; returns their outcomes (one outcome if the envelope itself was refused)."""
        return self.transport.submit([self.seal(messages, message_id=message_id, atomic=atomic)])[0]

    def outcomes(self, message_id: bytes | None = None) -> list[dict[str, Any]]:
        """What became of a message of this sender, or of all, for good; empty if it never entered a block."""
        return self.transport.outcomes(self.member_id, message_id)

    def query(self, name: str, /, **filters: Any) -> Any:
        """Run a query ``contract.function`` as this member."""
        return self.transport.query(self.member_id, name, **filters)

    def timeline(self, deed: str) -> list[dict[str, Any]]:
        """What happened to a deed (``order:12``), as far as this member may see it."""
        return self.transport.timeline(self.member_id, deed)
