"""The envelope: who says what, signed; one message or a batch.

Version 1 carries its body in clear; the body is a field of its own so that a later version can carry ciphertext in its place.
"""

from itertools import pairwise

from shudian.kernel import fields
from shudian.kernel.codec import Malformed, Record, decode, encode
from shudian.kernel.crypto import SigningKey, verify
from shudian.kernel.ids import ID_BYTES
from shudian.kernel.outcomes import (
    FIELD_NOT_ALLOWED,
    MALFORMED,
    OVERSIZED,
    SIGNATURE_INVALID,
    UNSIGNED,
    VERSION_UNKNOWN,
    WRONG_CHAIN,
    both,
)

VERSION = 1
ENVELOPE_MAX_BYTES = 1 << 20
BATCH_MAX_COUNT = 4_096
SIGNATURES_MAX_COUNT = 8
CANONICAL = both("规范编码", "canonical encoding")
_SIGNED = both("对除签名外全部内容的签名", "a signature over all but the signatures")
UNREGISTERED = 0
"""The sender of those who are not members yet; only messages open to applicants may come from it."""

_DOMAIN = b"shudian/envelope\x00"


class Signature(Record):
    """One signature: the public key (32 bytes) stands for the person, ``value`` is 64 bytes."""

    public_key: bytes
    value: bytes


class Envelope(Record):
    """A signed act.

    version: format of the envelope. chain_id: the chain it is for. sender_id: member, or 0 for an applicant. id: 16 bytes made by
    the client. expires_ms: market time after which it is refused. atomic: whether a batch stands or falls as a whole. body: the
    encoded list of messages. signatures: one or more, each over everything else.
    """

    version: int
    chain_id: str
    sender_id: int
    id: bytes
    expires_ms: int
    atomic: bool
    body: bytes
    signatures: tuple[Signature, ...]

    def signed_bytes(self) -> bytes:
        """What each signature signs."""
        return _DOMAIN + encode(
            (self.version, self.chain_id, self.sender_id, self.id, self.expires_ms, self.atomic, self.body)
        )


def seal(
    chain_id: str,
    sender_id: int,
    message_id: bytes,
    expires_ms: int,
    body: bytes,
    keys: list[SigningKey],
    *,
    atomic: bool,
) -> bytes:
    """The bytes of an envelope around ``body``, signed by ``keys`` in public-key order."""
    unsigned = Envelope(VERSION, chain_id, sender_id, message_id, expires_ms, atomic, body, ())
    content = unsigned.signed_bytes()
    ordered = sorted(keys, key=lambda key: key.public_key)
    signatures = tuple(Signature(key.public_key, key.sign(content)) for key in ordered)
    return encode(Envelope(VERSION, chain_id, sender_id, message_id, expires_ms, atomic, body, signatures))


def open_envelope(data: bytes, chain_id: str, *, verify_signatures: bool = True) -> Envelope:
    """Decode an envelope and check all that needs no state: size, form, chain, id, and its signatures.

    Raises:
        Refused: 1001-1005, 1011, 1013.
    """
    if len(data) > ENVELOPE_MAX_BYTES:
        raise OVERSIZED("envelope", fields.in_bytes(len(data)), f"<= {ENVELOPE_MAX_BYTES}")
    try:
        envelope = decode(data, Envelope)
    except Malformed as error:
        raise MALFORMED("envelope", error.place or fields.in_bytes(len(data)), CANONICAL) from None
    if envelope.version != VERSION:
        raise VERSION_UNKNOWN("version", envelope.version, VERSION)
    if envelope.chain_id != chain_id:
        raise WRONG_CHAIN("chain_id", envelope.chain_id, chain_id)
    if len(envelope.id) != ID_BYTES:
        raise FIELD_NOT_ALLOWED("id", fields.in_bytes(len(envelope.id)), fields.in_bytes(ID_BYTES))
    if not envelope.signatures:
        raise UNSIGNED("signatures", 0, f"1..{SIGNATURES_MAX_COUNT}")
    if len(envelope.signatures) > SIGNATURES_MAX_COUNT:
        raise FIELD_NOT_ALLOWED("signatures", len(envelope.signatures), f"1..{SIGNATURES_MAX_COUNT}")
    keys = [signature.public_key for signature in envelope.signatures]
    if any(left >= right for left, right in pairwise(keys)):
        raise FIELD_NOT_ALLOWED("signatures", "", both("各不相同、按公钥递增", "distinct keys in rising order"))
    if verify_signatures:
        content = envelope.signed_bytes()
        for signature in envelope.signatures:
            if not verify(signature.public_key, signature.value, content):
                raise SIGNATURE_INVALID("signatures", signature.public_key.hex()[:16], _SIGNED)
    return envelope
