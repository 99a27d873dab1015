"""The block log: what is stored of a block, and the results root that the next header carries.

Headers and results are the records that proofs are made of (:mod:`shudian.proofs`).
"""

from collections.abc import Sequence
from typing import Any

from shudian.kernel.codec import Record, decode, encode
from shudian.kernel.crypto import sha256
from shudian.kernel.machine import STEPPED
from shudian.kernel.merkle import merkle_root
from shudian.kernel.messages import Event
from shudian.kernel.outcomes import Outcome
from shudian.node.genesis import Genesis
from shudian.proofs.files import Result
from shudian.proofs.headers import FORMAT_VERSION, NO_HASH, Header


class Block(Record):
    """A block as it is stored. signature: the node's over the header's hash. market_ms, app_hash, results_hash: after this block.

    outcomes and events are the encoded results, kept so that readers can be rebuilt without executing anything.
    """

    header: Header
    signature: bytes
    envelopes: tuple[bytes, ...]
    outcomes: bytes
    events: bytes
    market_ms: int
    app_hash: bytes
    results_hash: bytes


def header_after(before: Block | None, genesis: Genesis, time_ms: int, envelopes: Sequence[bytes]) -> Header:
    """The header of the block that follows ``before`` (None: the first of the chain) with these envelopes."""
    stepped = genesis.clock == STEPPED
    data_hash = merkle_root(envelopes)
    if before is None:
        height, market_ms, link = 0, genesis.start_ms, (NO_HASH, data_hash, NO_HASH, NO_HASH)
    else:
        height, market_ms = before.header.height + 1, before.market_ms
        link = (before.header.hash(), data_hash, before.app_hash, before.results_hash)
    return Header(FORMAT_VERSION, genesis.chain_id, stepped, height, time_ms, market_ms, *link)


def results_leaves(
    envelopes: Sequence[bytes], outcomes: list[tuple[Outcome, ...]], events: list[tuple[int, Event]]
) -> list[bytes]:
    """One encoded :class:`Result` per envelope, then the list of the events of the hooks."""
    by_place: dict[int, list[Event]] = {}
    for place, event in events:
        by_place.setdefault(place, []).append(event)
    leaves = [
        encode(Result(sha256(envelope), answers, encode(by_place.get(place, []))))
        for place, (envelope, answers) in enumerate(zip(envelopes, outcomes, strict=True))
    ]
    return [*leaves, encode(by_place.get(-1, []))]


def results_hash(
    envelopes: Sequence[bytes], outcomes: list[tuple[Outcome, ...]], events: list[tuple[int, Event]]
) -> bytes:
    """RFC 6962 root over :func:`results_leaves`."""
    return merkle_root(results_leaves(envelopes, outcomes, events))


def encode_outcomes(outcomes: list[tuple[Outcome, ...]]) -> bytes:
    """The stored form of a block's outcomes."""
    return encode(outcomes)


def decode_outcomes(data: bytes) -> list[tuple[Outcome, ...]]:
    """The outcomes of their stored form."""
    return decode(data, list[tuple[Outcome, ...]])


def decode_events(data: bytes, event_type: Any) -> list[tuple[int, Event]]:
    """The events of their stored form, (place of the envelope or -1, event); ``event_type``: the machine's."""
    return decode(data, list[tuple[int, event_type]])
