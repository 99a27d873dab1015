"""Block headers, linked by hash and signed: the one thing of a chain that a stranger must trust somebody for.

As in CometBFT, header h+1 carries the app hash and the results root after block h, so the state after block h is proved by header h+1.
"""

from shudian.kernel.codec import Record, encode
from shudian.kernel.crypto import sha256
from shudian.kernel.envelope import Signature
from shudian.kernel.merkle import HASH_BYTES

FORMAT_VERSION = 2
NO_HASH = bytes(HASH_BYTES)

_DOMAIN = b"shudian/header\x00"


class Header(Record):
    """Header of a block. Hashes are 32 bytes; time_ms is the node's wall time, never seen by rules.

    stepped_clock: whether market time moves by hand, which only a sandbox does. data_hash: RFC 6962 root of the block's envelopes.
    market_ms, app_hash, results_hash: market time, state and results after the block before.
    """

    format_version: int
    chain_id: str
    stepped_clock: bool
    height: int
    time_ms: int
    market_ms: int
    last_block_hash: bytes
    data_hash: bytes
    app_hash: bytes
    results_hash: bytes

    def hash(self) -> bytes:
        """The block's hash, which is signed and which the next header links to."""
        return sha256(_DOMAIN + encode(self))


class SignedHeader(Record):
    """A header and the signatures over its hash, by public key in rising order; an embedded chain has one."""

    header: Header
    signatures: tuple[Signature, ...]
