"""What a proof file holds: canonical bytes of one of two records, complete in itself."""

from shudian.kernel.codec import Record, encode
from shudian.kernel.merkle import Aunts, Bucket, Step
from shudian.kernel.outcomes import Outcome
from shudian.proofs.headers import Header, SignedHeader

PROOF_MAX_BYTES = 64 << 20


class Result(Record):
    """What one envelope led to: a leaf of the results root, bound to its envelope whatever its place.

    envelope_digest: SHA-256 of the envelope's bytes. events: the encoded list of the events of its messages, in order.
    """

    envelope_digest: bytes
    outcomes: tuple[Outcome, ...]
    events: bytes


class ShownRow(Record):
    """A row in clear, with what makes its leaf. version: height of the block that wrote it last. blind: 32 bytes."""

    blind: bytes
    version: int
    row: bytes


class RowProof(Record):
    """That a row is there, or that none is (None), under the sub-root of its contract.

    key: canonical bytes of the list of its columns.
    """

    table: str
    key: bytes
    row: ShownRow | None
    bucket: Bucket
    aunts: Aunts


class StateProof(Record, tag=True):
    """Rows of one state. carrier: the header of the block after it. sub_roots: every contract's, in the order of names."""

    carrier: SignedHeader
    sub_roots: tuple[tuple[str, bytes], ...]
    rows: tuple[RowProof, ...]


class MessageProof(Record, tag=True):
    """That an envelope stands in a block, and what it led to.

    header: of that block. carrier: the header of the block after it, whose signatures count for both. result: an encoded
    :class:`Result`.
    """

    carrier: SignedHeader
    header: Header
    envelope: bytes
    envelope_path: tuple[Step, ...]
    result: bytes
    result_path: tuple[Step, ...]


Proof = StateProof | MessageProof


def to_bytes(proof: Proof) -> bytes:
    """The bytes of a proof file."""
    return encode(proof)
