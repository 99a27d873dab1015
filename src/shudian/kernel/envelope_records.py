"""The form of an envelope: the records that travel, and the bytes that are signed."""

from shudian.kernel.codec import Record, encode

_DOMAIN = b"shudian/envelope\x00"


class EpochKey(Record):
    """What a member needs to seal: the number of an epoch and its public key."""

    epoch_no: int
    public_key: bytes


class Signature(Record):
    """One signature: the public key (32 bytes) stands for the person, ``value`` is 64 bytes."""

    public_key: bytes
    value: bytes


class Envelope(Record):
    """A signed act.

    version: format of the envelope. chain_id: the chain it is for. sender_id: member, or 0 for an applicant. id: 16 bytes made by
    the client. expires_ms: market time after which it is refused. atomic: whether a batch stands or falls as a whole. epoch_no: the
    epoch it is sealed for. sealer_key: X25519 public key of the person who sealed it. body: the sealed list of messages.
    signatures: one or more, each over everything else.
    """

    version: int
    chain_id: str
    sender_id: int
    id: bytes
    expires_ms: int
    atomic: bool
    epoch_no: int
    sealer_key: bytes
    body: bytes
    signatures: tuple[Signature, ...]

    @property
    def signers(self) -> tuple[bytes, ...]:
        """The public keys of those who signed."""
        return tuple(signature.public_key for signature in self.signatures)

    def header_bytes(self) -> bytes:
        """All but body and signatures: what everybody sees, and what the body is bound to."""
        return encode(
            (
                self.version,
                self.chain_id,
                self.sender_id,
                self.id,
                self.expires_ms,
                self.atomic,
                self.epoch_no,
                self.sealer_key,
            )
        )

    def signed_bytes(self) -> bytes:
        """What each signature signs."""
        return signed_bytes(self.header_bytes(), self.body)


def signed_bytes(header: bytes, body: bytes) -> bytes:
    """What each signature over a header and a sealed body signs."""
    return _DOMAIN + encode((header, body))
