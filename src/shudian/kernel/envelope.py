"""The envelope: who says what, sealed and signed; one message or a batch.

Whoever carries an envelope sees its header; the body is for those who hold the epoch's secret and for the one who sealed it. They agree
once per epoch on an account key (X25519 of the epoch's key and the sealer's); each envelope's key follows from it by sender and id, so a
key that is handed on opens one envelope and no other. Signatures are over header and sealed body, so anybody can test them.

A sealed body is a commitment of 32 bytes, then AES-256-GCM with the header as associated data. The commitment is HMAC-SHA256 of header and
text under the message's key, and its first 12 bytes are the nonce: two texts never share one, whatever a client does with its ids; and no
envelope can be made that shows one text under one key and another text under another, which AES-GCM alone would allow.
"""

from itertools import pairwise
from typing import Final

from msgspec.structs import replace

from shudian.kernel import check, fields
from shudian.kernel.codec import Decoder, Malformed, decode_by, decoder, encode
from shudian.kernel.crypto import (
    DIGEST_BYTES,
    NONCE_BYTES,
    PUBLIC_KEY_BYTES,
    TAG_BYTES,
    AgreementKey,
    KeyedDigest,
    SigningKey,
    decrypt,
    encrypt,
    keyed_digest,
    sha256,
    verify,
)
from shudian.kernel.envelope_records import Envelope as Envelope
from shudian.kernel.envelope_records import EpochKey as EpochKey
from shudian.kernel.envelope_records import Signature as Signature
from shudian.kernel.envelope_records import signed_bytes
from shudian.kernel.ids import ID_BYTES
from shudian.kernel.outcomes import (
    BODY_NOT_OPENED,
    FIELD_NOT_ALLOWED,
    MALFORMED,
    OVERSIZED,
    SIGNATURE_INVALID,
    UNSIGNED,
    VERSION_UNKNOWN,
    WRONG_CHAIN,
    Refused,
    both,
)

VERSION: Final = 2
ENVELOPE_MAX_BYTES: Final = 1 << 20
BATCH_MAX_COUNT: Final = 4_096
EPOCH_NO_MAX: Final = 1_000_000_000
SIGNATURES_MAX_COUNT: Final = 8
SEALED_EXTRA_BYTES: Final = DIGEST_BYTES + TAG_BYTES
"""How much longer a sealed body is than its text."""
CANONICAL: Final = both("规范编码", "canonical encoding")
_SIGNED: Final = both("对除签名外全部内容的签名", "a signature over all but the signatures")
UNREGISTERED: Final = 0
"""The sender of those who are not members yet; only messages open to applicants may come from it."""

_ACT_DOMAIN: Final = b"shudian/act\x00"
_ACCOUNT_DOMAIN: Final = b"shudian/account\x00"
_MESSAGE_DOMAIN: Final = b"shudian/message\x00"
_envelope: Decoder = decoder(Envelope)


def act_digest(envelope: Envelope, text: bytes) -> bytes:
    """What makes a repeat the same act: SHA-256 of the header and the opened body, however and whenever it was sealed and signed."""
    act = (envelope.chain_id, envelope.sender_id, envelope.id, envelope.expires_ms, envelope.atomic, text)
    return sha256(_ACT_DOMAIN + encode(act))


def seal(
    chain_id: str,
    sender_id: int,
    message_id: bytes,
    expires_ms: int,
    text: bytes,
    keys: list[SigningKey],
    epoch: EpochKey,
    *,
    atomic: bool,
) -> bytes:
    """The bytes of an envelope around ``text``, an encoded list of messages: sealed for ``epoch`` by the first key, signed by all.

    The first key alone, of the senders', opens it again. An epoch whose key is not sound is a fault of ours.
    """
    sealer = keys[0].sealing
    unsealed = Envelope(
        VERSION, chain_id, sender_id, message_id, expires_ms, atomic, epoch.epoch_no, sealer.public_key, b"", ()
    )
    key = message_key(unsealed, sealer, epoch.public_key)
    check.that(key is not None, "the epoch has a sound public key")
    header = unsealed.header_bytes()
    commitment = _commitment(key or b"", header, text)
    body = commitment + encrypt(key or b"", commitment[:NONCE_BYTES], text, header)
    unsigned = replace(unsealed, body=body)
    content = signed_bytes(header, body)
    ordered = sorted(keys, key=lambda key: key.public_key)
    signatures = tuple(Signature(key.public_key, key.sign(content)) for key in ordered)
    return encode(replace(unsigned, signatures=signatures))


def message_key(envelope: Envelope, own: AgreementKey, other_public_key: bytes) -> bytes | None:
    """The key of one envelope, 32 bytes: from the sealer's own key and the epoch's public key, or the epoch's own and the sealer's public.

    None if the other's key is not sound.
    """
    account = account_of(envelope.chain_id, envelope.epoch_no, envelope.sealer_key, own, other_public_key)
    return None if account is None else key_of_message(account, envelope)


def account_of(
    chain_id: str, epoch_no: int, sealer_key: bytes, own: AgreementKey, other_public_key: bytes
) -> KeyedDigest | None:
    """What the keys of all envelopes of one sealer in one epoch follow from; None if the other's key is not sound."""
    account_key = own.agree(other_public_key, _ACCOUNT_DOMAIN + encode((chain_id, epoch_no, sealer_key)))
    return None if account_key is None else KeyedDigest(account_key)


def key_of_message(account: KeyedDigest, envelope: Envelope) -> bytes:
    """:func:`message_key` where what it follows from is at hand."""
    return account(_MESSAGE_DOMAIN + encode((envelope.sender_id, envelope.id)))


def open_body(envelope: Envelope, key: bytes, header: bytes = b"") -> bytes:
    """The text of an envelope under its message's key. header: its :meth:`Envelope.header_bytes` where they are at hand.

    Raises:
        Refused: 1014.
    """
    header = header or envelope.header_bytes()
    body = envelope.body
    commitment = body[:DIGEST_BYTES]
    text = None
    if len(body) >= SEALED_EXTRA_BYTES:
        text = decrypt(key, body[:NONCE_BYTES], body[DIGEST_BYTES:], header)
    if text is None or _commitment(key, header, text) != commitment:
        raise not_opened(envelope)
    return text


def not_opened(envelope: Envelope) -> Refused:
    """The refusal of an envelope that its epoch's secret does not open."""
    return BODY_NOT_OPENED("body", fields.in_bytes(len(envelope.body)), both("用该密钥期封存", "sealed for its epoch"))


def _commitment(key: bytes, header: bytes, text: bytes) -> bytes:
    return keyed_digest(key, encode((header, text)))


def open_envelope(data: bytes, chain_id: str) -> Envelope:
    """Decode an envelope and check all that needs no state: size, form, chain, id and signatures.

    Raises:
        Refused: 1001-1005, 1011, 1013.
    """
    envelope = read_envelope(data, chain_id)
    content = envelope.signed_bytes()
    for signature in envelope.signatures:
        if not verify(signature.public_key, signature.value, content):
            raise badly_signed(signature)
    return envelope


def read_envelope(data: bytes, chain_id: str) -> Envelope:
    """:func:`open_envelope` for whoever looks at the signatures apart.

    Raises:
        Refused: 1001-1004, 1011, 1013.
    """
    if len(data) > ENVELOPE_MAX_BYTES:
        raise OVERSIZED("envelope", fields.in_bytes(len(data)), f"<= {ENVELOPE_MAX_BYTES}")
    try:
        envelope: Envelope = decode_by(_envelope, data)
    except Malformed as error:
        raise MALFORMED("envelope", error.place or fields.in_bytes(len(data)), CANONICAL) from None
    _check_header(envelope, chain_id)
    _check_signers(envelope)
    return envelope


def badly_signed(signature: Signature) -> Refused:
    """The refusal of an envelope one of whose signatures is not by its key over header and body."""
    return SIGNATURE_INVALID("signatures", signature.public_key.hex()[:16], _SIGNED)


def _check_header(envelope: Envelope, chain_id: str) -> None:
    if envelope.version != VERSION:
        raise VERSION_UNKNOWN("version", envelope.version, VERSION)
    if envelope.chain_id != chain_id:
        raise WRONG_CHAIN("chain_id", envelope.chain_id, chain_id)
    if len(envelope.id) != ID_BYTES:
        raise FIELD_NOT_ALLOWED("id", fields.in_bytes(len(envelope.id)), fields.in_bytes(ID_BYTES))
    if len(envelope.sealer_key) != PUBLIC_KEY_BYTES:
        raise FIELD_NOT_ALLOWED(
            "sealer_key", fields.in_bytes(len(envelope.sealer_key)), fields.in_bytes(PUBLIC_KEY_BYTES)
        )
    fields.whole("epoch_no", envelope.epoch_no, 1, EPOCH_NO_MAX)


def _check_signers(envelope: Envelope) -> None:
    if not envelope.signatures:
        raise UNSIGNED("signatures", 0, f"1..{SIGNATURES_MAX_COUNT}")
    if len(envelope.signatures) > SIGNATURES_MAX_COUNT:
        raise FIELD_NOT_ALLOWED("signatures", len(envelope.signatures), f"1..{SIGNATURES_MAX_COUNT}")
    if len(envelope.signatures) > 1 and any(left >= right for left, right in pairwise(envelope.signers)):
        raise FIELD_NOT_ALLOWED("signatures", "", both("各不相同、按公钥递增", "distinct keys in rising order"))
