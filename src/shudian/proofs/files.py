"""What a proof file holds: canonical bytes of one of two records, complete in itself."""

from shudian.kernel.clock import Clock
from shudian.kernel.codec import Record, encode
from shudian.kernel.comet import DIGEST_RESULT_HEAD, Header, SignedHeader
from shudian.kernel.crypto import sha256
from shudian.kernel.merkle import Aunts, Bucket, Step
from shudian.kernel.outcomes import Outcome

FORMAT_VERSION = 4
"""Version of the chain's format, the header's app_version. 1 and 2 had headers of our own, 3 an answer a row."""

PROOF_MAX_BYTES = 64 << 20


class Result(Record):
    """What one envelope led to, bound to its envelope whatever its place; its digest is the data of a leaf of the results root.

    blind: 32 bytes, without which the digest tells nothing to whoever guesses the rest. envelope_digest: SHA-256 of the envelope's bytes.
    events: the encoded list of the events of its messages, in order.
    """

    blind: bytes
    envelope_digest: bytes
    outcomes: tuple[Outcome, ...]
    events: bytes


def result_leaf(result: bytes) -> bytes:
    """The leaf of the results root for an encoded :class:`Result`."""
    return DIGEST_RESULT_HEAD + sha256(result)


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
    """Rows of one state. carrier: the header of the block after it. sub_roots: every contract's, in the order of names. clock: then."""

    carrier: SignedHeader
    clock: Clock
    sub_roots: tuple[tuple[str, bytes], ...]
    rows: tuple[RowProof, ...]


class MessageProof(Record, tag=True):
    """That an envelope stands in a block, and what it led to.

    header: of that block. carrier: the header of the block after it, whose votes count for both. clock: after the block, with its
    path to the app hash. message_key: opens this envelope and no other; empty where the proof leaves it sealed. result: an encoded :class:`Result`.
    """

    carrier: SignedHeader
    clock: Clock
    clock_path: tuple[Step, ...]
    header: Header
    envelope: bytes
    message_key: bytes
    envelope_path: tuple[Step, ...]
    result: bytes
    result_path: tuple[Step, ...]


Proof = StateProof | MessageProof


def to_bytes(proof: Proof) -> bytes:
    """The bytes of a proof file."""
    return encode(proof)
