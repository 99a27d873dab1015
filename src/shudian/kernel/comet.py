"""CometBFT's bytes: headers, votes, commits, validators and results as its protobuf writes them, and the hashes over them.

The rules are those of CometBFT 0.38. A field at zero is left out, but a message that its schema calls not nullable (a
timestamp, a part-set header) is written even when it is empty. Integers are 64 bits, negative ones in two's complement.
Time is nanoseconds since the epoch. Nothing here is decoded: whoever checks a hash builds the bytes anew.
"""

from collections.abc import Iterable, Mapping, Sequence

from shudian.kernel.codec import Record
from shudian.kernel.crypto import DIGEST_BYTES, sha256
from shudian.kernel.merkle import merkle_root
from shudian.kernel.units import floor_div, remainder

BLOCK_VERSION = 11
"""The block protocol of CometBFT 0.38."""

ADDRESS_BYTES = 20
EMPTY_HASH = merkle_root(())
"""The hash of an empty list: of no evidence, no messages, the commit before the first block."""

_SECOND_NS = 1_000_000_000
_PRECOMMIT = 2
_FOR_THE_BLOCK = 2
_64_BITS = (1 << 64) - 1
_MORE = 0x80
_VARINT, _FIXED64, _LENGTH = 0, 1, 2


def _varint(value: int) -> bytes:
    value &= _64_BITS
    out = bytearray()
    while value >= _MORE:
        out.append(value & (_MORE - 1) | _MORE)
        value >>= 7
    out.append(value)
    return bytes(out)


def _number(field: int, value: int) -> bytes:
    return bytes((field << 3 | _VARINT,)) + _varint(value) if value else b""


def _fixed(field: int, value: int) -> bytes:
    return bytes((field << 3 | _FIXED64,)) + (value & _64_BITS).to_bytes(8, "little") if value else b""


def _message(field: int, content: bytes) -> bytes:
    return bytes((field << 3 | _LENGTH,)) + _varint(len(content)) + content


def _bytes(field: int, content: bytes) -> bytes:
    return _message(field, content) if content else b""


def _time(time_ns: int) -> bytes:
    return _number(1, floor_div(time_ns, _SECOND_NS)) + _number(2, remainder(time_ns, _SECOND_NS))


class BlockId(Record):
    """What a vote is for: a block's hash, and count and root of the parts it travels in. All empty: no block."""

    hash: bytes = b""
    parts_total: int = 0
    parts_hash: bytes = b""

    def to_bytes(self) -> bytes:
        """As protobuf; a canonical block id is written alike."""
        return _bytes(1, self.hash) + _message(2, _number(1, self.parts_total) + _bytes(2, self.parts_hash))


class Header(Record):
    """Header of a block, field by field as CometBFT has it. Hashes are 32 bytes, the address 20; time_ns is never seen by rules.

    app_version: our format. last_block_id, last_commit_hash: of the block before, and of the votes for it. data_hash: root of
    the SHA-256 of each envelope. app_hash, last_results_hash: state and results after the block before.
    """

    block_version: int
    app_version: int
    chain_id: str
    height: int
    time_ns: int
    last_block_id: BlockId
    last_commit_hash: bytes
    data_hash: bytes
    validators_hash: bytes
    next_validators_hash: bytes
    consensus_hash: bytes
    app_hash: bytes
    last_results_hash: bytes
    evidence_hash: bytes
    proposer_address: bytes

    @property
    def time_ms(self) -> int:
        """The block's time in milliseconds, rounded down."""
        return floor_div(self.time_ns, 1_000_000)

    def hash(self) -> bytes:
        """The block's hash: RFC 6962 over the encoded fields, versions as one; a field at zero is an empty leaf."""
        return merkle_root(
            (
                _number(1, self.block_version) + _number(2, self.app_version),
                _bytes(1, self.chain_id.encode()),
                _number(1, self.height),
                _time(self.time_ns),
                self.last_block_id.to_bytes(),
                _bytes(1, self.last_commit_hash),
                _bytes(1, self.data_hash),
                _bytes(1, self.validators_hash),
                _bytes(1, self.next_validators_hash),
                _bytes(1, self.consensus_hash),
                _bytes(1, self.app_hash),
                _bytes(1, self.last_results_hash),
                _bytes(1, self.evidence_hash),
                _bytes(1, self.proposer_address),
            )
        )


def vote_bytes(
    chain_id: str, height: int, round_no: int, block_id: BlockId, time_ns: int, kind: int = _PRECOMMIT
) -> bytes:
    """What a validator signs when it votes (kind 2: precommit); a vote for no block leaves the block id out."""
    content = b"".join(
        (
            _number(1, kind),
            _fixed(2, height),
            _fixed(3, round_no),
            b"" if block_id == BlockId() else _message(4, block_id.to_bytes()),
            _message(5, _time(time_ns)),
            _bytes(6, chain_id.encode()),
        )
    )
    return _varint(len(content)) + content


class Vote(Record):
    """A validator's precommit for a block. time_ns: of the vote."""

    public_key: bytes
    time_ns: int
    signature: bytes


class SignedHeader(Record):
    """A header and the votes for it in one round, by public key in rising order; an embedded chain has one vote, in round 0.

    parts_total, parts_hash: the rest of the block id that was voted for. Votes for no block are left out.
    """

    header: Header
    round_no: int
    parts_total: int
    parts_hash: bytes
    votes: tuple[Vote, ...]

    def signed_bytes(self) -> list[bytes]:
        """What each vote signs."""
        header = self.header
        block_id = BlockId(header.hash(), self.parts_total, self.parts_hash)
        return [
            vote_bytes(header.chain_id, header.height, self.round_no, block_id, vote.time_ns) for vote in self.votes
        ]


def address(public_key: bytes) -> bytes:
    """A validator's address: the first 20 bytes of the SHA-256 of its key."""
    return sha256(public_key)[:ADDRESS_BYTES]


def commit_hash(votes: Iterable[Vote]) -> bytes:
    """The root over the votes for a block, in the validators' order."""
    return merkle_root(
        [
            _number(1, _FOR_THE_BLOCK)
            + _bytes(2, address(vote.public_key))
            + _message(3, _time(vote.time_ns))
            + _bytes(4, vote.signature)
            for vote in votes
        ]
    )


def validators_hash(powers: Mapping[bytes, int]) -> bytes:
    """The root over Ed25519 keys and their power, by falling power, then address."""
    ordered = sorted(powers.items(), key=lambda one: (-one[1], address(one[0])))
    return merkle_root([_message(1, _bytes(1, key)) + _number(2, power) for key, power in ordered])


def consensus_hash(block_max_bytes: int) -> bytes:
    """The hash of the rules on a block's size; there is no limit on gas (-1)."""
    return sha256(_number(1, block_max_bytes) + _number(2, -1))


def data_hash(digests: Sequence[bytes]) -> bytes:
    """The root over the SHA-256 of each envelope of a block."""
    return merkle_root(digests)


def result_bytes(data: bytes, *, code: int = 0, gas_wanted: int = 0, gas_used: int = 0) -> bytes:
    """The fields of a result that count, a leaf of the results root. CometBFT shows results in clear, so ours say nothing but a digest."""
    return _number(1, code) + _bytes(2, data) + _number(5, gas_wanted) + _number(6, gas_used)


DIGEST_RESULT_HEAD = result_bytes(bytes(DIGEST_BYTES))[:-DIGEST_BYTES]
"""What stands before the digest in the :func:`result_bytes` of a digest of 32 bytes."""
