"""The block log: what is stored of a block, and the results root that the next header carries.

The header is CometBFT's (:mod:`shudian.kernel.comet`); signed headers and results are the records that proofs are made of.
"""

from collections.abc import Sequence
from typing import Any

from shudian.kernel.blinding import result_blind
from shudian.kernel.codec import Record, decode, encode
from shudian.kernel.comet import (
    BLOCK_VERSION,
    EMPTY_HASH,
    BlockId,
    Header,
    SignedHeader,
    Vote,
    address,
    commit_hash,
    consensus_hash,
    data_hash,
    validators_hash,
    vote_bytes,
)
from shudian.kernel.crypto import sha256
from shudian.kernel.machine import placed_events
from shudian.kernel.merkle import Step, merkle_root
from shudian.kernel.messages import Event
from shudian.kernel.outcomes import Outcome
from shudian.node.genesis import Genesis
from shudian.proofs.files import FORMAT_VERSION, Result, result_leaf

BLOCK_MAX_BYTES = 8 << 20
NODE_POWER = 1
"""The node of an embedded chain is a set of one validator."""
_MS_NS = 1_000_000


class Block(Record):
    """A block as it is stored. signature: the node's vote for it. market_ms, app_hash, results_hash: after this block.

    clock_path: from the clock's leaf to app_hash, so that a proof of an old message can show the clock. outcomes and events are encoded, kept so that readers can be
    rebuilt without executing anything; events: of each envelope and of hooks, see :func:`encode_told`.
    """

    header: Header
    signature: bytes
    envelopes: tuple[bytes, ...]
    outcomes: bytes
    events: bytes
    market_ms: int
    app_hash: bytes
    results_hash: bytes
    clock_path: tuple[Step, ...]


def header_after(
    before: Block | None, genesis: Genesis, public_key: bytes, time_ms: int, digests: Sequence[bytes]
) -> Header:
    """The header of the block that follows ``before`` (None: block 0, the genesis), voted for by ``public_key``. digests: SHA-256 of each of its envelopes."""
    validators = validators_hash({public_key: NODE_POWER})
    if before is None:
        height, last_block_id, last_commit_hash, app_hash, last_results_hash = 0, BlockId(), EMPTY_HASH, b"", EMPTY_HASH
    else:
        height, last_block_id = before.header.height + 1, block_id(before.header)
        last_commit_hash = commit_hash([vote_for(before, public_key)])
        app_hash, last_results_hash = before.app_hash, before.results_hash
    return Header(
        block_version=BLOCK_VERSION,
        app_version=FORMAT_VERSION,
        chain_id=genesis.chain_id,
        height=height,
        time_ns=time_ms * _MS_NS,
        last_block_id=last_block_id,
        last_commit_hash=last_commit_hash,
        data_hash=data_hash(digests),
        validators_hash=validators,
        next_validators_hash=validators,
        consensus_hash=consensus_hash(BLOCK_MAX_BYTES),
        app_hash=app_hash,
        last_results_hash=last_results_hash,
        evidence_hash=EMPTY_HASH,
        proposer_address=address(public_key),
    )


def block_id(header: Header) -> BlockId:
    """The block id of an embedded chain: the block travels in one part, whose root is that of its envelopes."""
    return BlockId(header.hash(), 1, header.data_hash)


def precommit_bytes(header: Header) -> bytes:
    """What the node of an embedded chain signs: its vote in round 0, at the block's own time."""
    return vote_bytes(header.chain_id, header.height, 0, block_id(header), header.time_ns)


def vote_for(block: Block, public_key: bytes) -> Vote:
    """The node's vote for a block of an embedded chain."""
    return Vote(public_key, block.header.time_ns, block.signature)


def signed_header(block: Block, public_key: bytes) -> SignedHeader:
    """The header of a block of an embedded chain with the node's vote, as proofs carry it."""
    voted_for = block_id(block.header)
    return SignedHeader(block.header, 0, voted_for.parts_total, voted_for.parts_hash, (vote_for(block, public_key),))


def digests_of(envelopes: Sequence[bytes]) -> list[bytes]:
    """The SHA-256 of each envelope."""
    return [sha256(envelope) for envelope in envelopes]


def results(
    height: int,
    state_key: bytes,
    digests: Sequence[bytes],
    outcomes: Sequence[tuple[Outcome, ...]],
    told: Sequence[bytes],
) -> list[bytes]:
    """One encoded :class:`Result` per envelope of the block of a height, blinded with the state key of its epoch.

    digests: SHA-256 of each envelope. told: the encoded events, see :func:`encode_told`; those of hooks belong to no envelope, a row of the state keeps their digest.

    Raises:
        ValueError: there are not as many of one as of the others.
    """
    return [
        encode(Result(result_blind(state_key, height, digest), digest, answers, events))
        for digest, answers, events in zip(digests, outcomes, told[:-1], strict=True)
    ]


def results_hash(found: Sequence[bytes]) -> bytes:
    """RFC 6962 root over the leaves of :func:`results`."""
    return merkle_root([result_leaf(result) for result in found])


def encode_outcomes(outcomes: list[tuple[Outcome, ...]]) -> bytes:
    """The stored form of a block's outcomes."""
    return encode(outcomes)


def decode_outcomes(data: bytes) -> list[tuple[Outcome, ...]]:
    """The outcomes of their stored form."""
    return decode(data, list[tuple[Outcome, ...]])


def encode_told(told: list[list[Event]]) -> list[bytes]:
    """The events of each envelope and, last, those of hooks, each list encoded: so they stand in results and in the block."""
    return [encode(events) for events in told]


def decode_told(data: bytes) -> list[bytes]:
    """What :func:`encode_told` gave, from the stored form of a block's events.

    Raises:
        ValueError: it is something else.
    """
    told = decode(data, list[bytes])
    if not told:
        message = "the events of hooks are missing"
        raise ValueError(message)
    return told


def decode_events(data: bytes, event_type: Any) -> list[tuple[int, Event]]:
    """The events of their stored form, (place of the envelope or -1, event); ``event_type``: the machine's."""
    return placed_events([decode(events, list[event_type]) for events in decode_told(data)])
