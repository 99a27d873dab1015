"""The block log: headers linked by hash, signed by the node; what verification needs is a function of these bytes.

As in CometBFT, a header carries the app hash and the results hash of the block before it, so the state after block h is proved by header h+1.
"""

from shudian.kernel.codec import Record, decode, encode
from shudian.kernel.crypto import sha256
from shudian.kernel.messages import Event
from shudian.kernel.outcomes import Outcome
from shudian.kernel.roots import HASH_BYTES, merkle_root

FORMAT_VERSION = 1
NO_HASH = bytes(HASH_BYTES)

_DOMAIN = b"shudian/header\x00"


class Header(Record):
    """Header of a block. Hashes are 32 bytes; time_ms is the node's wall time, never seen by rules.

    data_hash: RFC 6962 root of the block's envelopes. app_hash, results_hash: of the block before.
    """

    format_version: int
    chain_id: str
    height: int
    time_ms: int
    last_block_hash: bytes
    data_hash: bytes
    app_hash: bytes
    results_hash: bytes

    def hash(self) -> bytes:
        """The block's hash, which the node signs and the next header links to."""
        return sha256(_DOMAIN + encode(self))


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


def results_hash(outcomes: list[tuple[Outcome, ...]], events: list[tuple[int, Event]]) -> bytes:
    """RFC 6962 root over one leaf per envelope (its outcomes and events), then one leaf of the hooks' events."""
    by_place: dict[int, list[Event]] = {}
    for place, event in events:
        by_place.setdefault(place, []).append(event)
    leaves = [encode((answers, by_place.get(place, []))) for place, answers in enumerate(outcomes)]
    return merkle_root([*leaves, encode(by_place.get(-1, []))])


def encode_outcomes(outcomes: list[tuple[Outcome, ...]]) -> bytes:
    """The stored form of a block's outcomes."""
    return encode(outcomes)


def decode_outcomes(data: bytes) -> list[tuple[Outcome, ...]]:
    """The outcomes of their stored form."""
    return decode(data, list[tuple[Outcome, ...]])
