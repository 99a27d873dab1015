"""The door: everything about an envelope that can be settled without the state, done once, before or beside the machine.

Bytes become an :class:`~shudian.kernel.opened.Opened` envelope (form, signatures, body opened, messages decoded and checked) or a refusal. The machine takes only what has
been through a door; a node opens what comes in once, and a block that comes from elsewhere (a log, a consensus) before it applies it.
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, Final

from shudian.kernel import fields
from shudian.kernel.codec import Decoder, Malformed, decode_by, decoder, union_of
from shudian.kernel.crypto import AGREED_MAX_COUNT, BackEnd, KeyedDigest, sha256, sodium, verify_many
from shudian.kernel.envelope import (
    BATCH_MAX_COUNT,
    CANONICAL,
    account_of,
    act_digest,
    badly_signed,
    key_of_message,
    not_opened,
    open_body,
    read_envelope,
)
from shudian.kernel.envelope_records import Envelope, Signature, signed_bytes
from shudian.kernel.epochs import Secrets
from shudian.kernel.messages import Message
from shudian.kernel.opened import Arrival as Arrival
from shudian.kernel.opened import Opened as Opened
from shudian.kernel.outcomes import BATCH_SIZE_NOT_ALLOWED, EPOCH_NOT_IN_FORCE, UNKNOWN_MESSAGE, Refused

VERIFIED_MAX_COUNT: Final = 1 << 16
"""Envelopes that a door remembers as well signed, by SHA-256 of the whole: at least so many of the latest, and about twice at most."""


class Door:
    """Opens the envelopes of one chain."""

    def __init__(self, chain_id: str, messages: Sequence[type[Message]], secrets: Secrets) -> None:
        """``messages``: all that the market knows. ``secrets``: of the epochs that it can open."""
        self.chain_id = chain_id
        self.back_end: BackEnd = sodium
        self._secrets = secrets
        message_type: Any = union_of(messages)
        self.opened_type: Any = Opened[message_type]
        self._body: Decoder = decoder(list[message_type])
        self._account: Any = lru_cache(maxsize=AGREED_MAX_COUNT)(self._account_of)
        self._verified: set[bytes] = set()
        self._verified_before: set[bytes] = set()

    def open(self, data: bytes) -> Opened[Message]:
        """Envelope and messages after every check that needs no state.

        Raises:
            Refused: a kernel refusal.
        """
        (arrival,) = self.open_all([data])
        if isinstance(arrival, Refused):
            raise arrival
        return arrival

    def open_all(self, envelopes: Sequence[bytes], *, verify_signatures: bool = True) -> list[Arrival]:
        """What the door makes of each envelope, in order; the signatures of all are verified together.

        ``verify_signatures`` may be False for envelopes that this very program has verified before.
        """
        headers: list[bytes] = []
        digests = [sha256(data) for data in envelopes]
        seen = self._read(envelopes, headers)
        if verify_signatures:
            self._verify(seen, headers, digests)
        return [
            found if isinstance(found, Refused) else self._inside(found, header, digest)
            for found, header, digest in zip(seen, headers, digests, strict=True)
        ]

    def envelopes(self, envelopes: Sequence[bytes]) -> list[Envelope | Refused]:
        """Each envelope without opening its body, or why it is refused; needs no secrets."""
        headers: list[bytes] = []
        seen = self._read(envelopes, headers)
        self._verify(seen, headers, [sha256(data) for data in envelopes])
        return seen

    def _read(self, envelopes: Sequence[bytes], headers: list[bytes]) -> list[Envelope | Refused]:
        """Each envelope by its form, or why it is refused; ``headers`` takes the bytes of each one's header, none of a refused one."""
        seen: list[Envelope | Refused] = []
        for data in envelopes:
            try:
                envelope = read_envelope(data, self.chain_id)
            except Refused as error:
                seen.append(error)
                headers.append(b"")
            else:
                seen.append(envelope)
                headers.append(envelope.header_bytes())
        return seen

    def _verify(self, seen: list[Envelope | Refused], headers: list[bytes], digests: list[bytes]) -> None:
        """Put a refusal in the place of each envelope with a bad signature; one that was verified before is not verified again."""
        keys: list[bytes] = []
        signatures: list[bytes] = []
        contents: list[bytes] = []
        owners: list[int] = []
        for place, envelope in enumerate(seen):
            digest = digests[place]
            if isinstance(envelope, Refused) or digest in self._verified or digest in self._verified_before:
                continue
            content = signed_bytes(headers[place], envelope.body)
            for signature in envelope.signatures:
                keys.append(signature.public_key)
                signatures.append(signature.value)
                contents.append(content)
                owners.append(place)
        verdicts = verify_many(keys, signatures, contents, self.back_end)
        if not all(verdicts):
            for place, key, value, good in zip(owners, keys, signatures, verdicts, strict=True):
                if not good and not isinstance(seen[place], Refused):
                    seen[place] = badly_signed(Signature(key, value))
        if len(self._verified) >= VERIFIED_MAX_COUNT:
            self._verified_before, self._verified = self._verified, set()
        for place in owners:
            if not isinstance(seen[place], Refused):
                self._verified.add(digests[place])

    def _inside(self, envelope: Envelope, header: bytes, data_digest: bytes) -> Arrival:
        try:
            body = open_body(envelope, self.message_key(envelope), header)
            messages = self.messages(body)
        except Refused as error:
            return error
        return Opened(
            envelope.sender_id,
            envelope.id,
            envelope.expires_ms,
            envelope.atomic,
            envelope.epoch_no,
            envelope.signers,
            act_digest(envelope, body),
            data_digest,
            messages,
        )

    def message_key(self, envelope: Envelope) -> bytes:
        """The key of this one envelope, 32 secret bytes.

        Raises:
            Refused: 1014, 1015.
        """
        if self._secrets.of(envelope.epoch_no) is None:
            raise EPOCH_NOT_IN_FORCE("epoch_no", envelope.epoch_no)
        account: KeyedDigest | None = self._account(envelope.epoch_no, envelope.sealer_key)
        if account is None:
            raise not_opened(envelope)
        return key_of_message(account, envelope)

    def _account_of(self, epoch_no: int, sealer_key: bytes) -> KeyedDigest | None:
        secret = self._secrets.of(epoch_no)
        return None if secret is None else account_of(self.chain_id, epoch_no, sealer_key, secret.agreement, sealer_key)

    def messages(self, body: bytes) -> tuple[Message, ...]:
        """The messages of an opened body, each checked by itself.

        Raises:
            Refused: a kernel refusal.
        """
        try:
            messages: list[Message] = decode_by(self._body, body)
        except Malformed as error:
            raise UNKNOWN_MESSAGE("body", error.place or fields.in_bytes(len(body)), CANONICAL) from None
        if not 1 <= len(messages) <= BATCH_MAX_COUNT:
            raise BATCH_SIZE_NOT_ALLOWED("body", len(messages), f"1..{BATCH_MAX_COUNT}")
        for message in messages:
            message.check()
        return tuple(messages)
