"""The verifier: says what a proof file proves, or why it proves nothing. Whatever the bytes, it ends in one of the two.

Nothing in the file is believed: all of it leads by hashes to one header, and enough of the trusted keys must have signed that.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from shudian.kernel import merkle
from shudian.kernel.clock import STEPPED, WALL, Clock
from shudian.kernel.codec import Malformed, decode, encode
from shudian.kernel.comet import Header, SignedHeader, validators_hash
from shudian.kernel.crypto import sha256, verify
from shudian.kernel.envelope import Envelope, open_body, open_envelope
from shudian.kernel.outcomes import Outcome, Refused
from shudian.proofs.files import (
    FORMAT_VERSION,
    PROOF_MAX_BYTES,
    MessageProof,
    Proof,
    Result,
    RowProof,
    StateProof,
    result_leaf,
)

_TABLE_NAME = re.compile(r"([a-z_]{1,40})\.[a-z_]{1,40}")


class NotProvenError(Exception):
    """The file proves nothing; one clear sentence in each language."""

    def __init__(self, zh: str, en: str) -> None:
        """Keep both sentences."""
        super().__init__(en)
        self.zh = zh
        self.en = en


@dataclass(frozen=True)
class ProvenRow:
    """A row of a table and the height of the block that wrote it last, or None where there is no row of that key (columns)."""

    table: str
    key: tuple[int | str | bytes, ...]
    row: bytes | None
    version: int | None


@dataclass(frozen=True)
class ProvenMessage:
    """A signed envelope of a block and what it led to.

    body: the encoded list of its messages, None if the proof leaves it sealed. events: the encoded list of them.
    """

    envelope: Envelope
    body: bytes | None
    outcomes: tuple[Outcome, ...]
    events: bytes


@dataclass(frozen=True)
class Proven:
    """What a file proves of the chain that ``carrier`` names, whose clock then stood so."""

    carrier: Header
    clock: Clock
    rows: tuple[ProvenRow, ...] = ()
    message: ProvenMessage | None = None

    @property
    def height(self) -> int:
        """The height of the block after which, and for a message in which, this holds."""
        return self.carrier.height - 1


def check(data: bytes, trusted: Sequence[bytes] | Mapping[bytes, int]) -> Proven:
    """What the bytes of a proof file prove to somebody who trusts these validators.

    trusted: all validators of the chain, as public keys with their power, or keys alone where each has power 1; an embedded chain
    has one. The header must name just these, and more than two thirds of their power must have voted for it.

    Raises:
        NotProvenError: naming what does not fit.
    """
    if len(data) > PROOF_MAX_BYTES:
        raise NotProvenError(f"文件超过 {PROOF_MAX_BYTES} 字节", f"the file has more than {PROOF_MAX_BYTES} bytes")
    kind: Any = Proof
    try:
        proof: Proof = decode(data, kind)
    except Malformed:
        raise NotProvenError("文件不是合规的证明", "the file is not a well-formed proof") from None
    powers = dict(trusted) if isinstance(trusted, Mapping) else dict.fromkeys(trusted, 1)
    _check_signed(proof.carrier, powers)
    if proof.clock.mode not in (WALL, STEPPED):
        raise NotProvenError("没有这种时钟", "there is no such clock")
    if isinstance(proof, StateProof):
        return Proven(proof.carrier.header, proof.clock, rows=_proven_rows(proof))
    return Proven(proof.carrier.header, proof.clock, message=_proven_message(proof))


def _check_signed(carrier: SignedHeader, powers: Mapping[bytes, int]) -> None:
    version = carrier.header.app_version
    if version != FORMAT_VERSION:
        raise NotProvenError(
            f"区块格式为 {version}，本程序核对格式 {FORMAT_VERSION}",
            f"the block has format {version}, this program checks format {FORMAT_VERSION}",
        )
    signers = [vote.public_key for vote in carrier.votes]
    if any(key not in powers for key in signers):
        raise NotProvenError("区块头由不受信任的密钥签名", "the header is signed by a key that is not trusted")
    contents = zip(carrier.votes, carrier.signed_bytes(), strict=True)
    if not all(verify(vote.public_key, vote.signature, content) for vote, content in contents):
        raise NotProvenError("区块头的签名无效", "a signature of the header is invalid")
    power, total = sum(powers[key] for key in signers), sum(powers.values())
    if signers != sorted(dict.fromkeys(signers)) or 3 * power <= 2 * total:
        raise NotProvenError(
            f"区块头须由超过三分之二的受信任表决权各签一次，现有 {power}/{total}",
            f"more than two thirds of the trusted power must have signed the header, each key once; {power} of {total} did",
        )
    if carrier.header.validators_hash != validators_hash(powers):
        raise NotProvenError(
            "受信任的密钥与表决权不是该区块的验证者集合",
            "the trusted keys and powers are not the block's set of validators",
        )


def _proven_rows(proof: StateProof) -> tuple[ProvenRow, ...]:
    if not proof.rows:
        raise NotProvenError("证明中没有任何一行", "the proof is of no row at all")
    if merkle.app_hash(proof.sub_roots, encode(proof.clock)) != proof.carrier.header.app_hash:
        raise NotProvenError(
            "合约子根与时钟同区块头的状态根不符", "the sub-roots and the clock do not lead to the header's app hash"
        )
    sub_roots = dict(proof.sub_roots)
    return tuple(_proven_row(row, sub_roots) for row in proof.rows)


def _proven_row(proof: RowProof, sub_roots: dict[str, bytes]) -> ProvenRow:
    named = _TABLE_NAME.fullmatch(proof.table)
    if named is None or named[1] not in sub_roots:
        raise NotProvenError("表不属于该链的任何合约", "the table belongs to no contract of the chain")
    key = _key(proof.key)
    if any(len(part) != merkle.HASH_BYTES for pair in proof.bucket for part in pair) or not merkle.are_aunts(
        proof.aunts
    ):
        raise NotProvenError("行的证明路径形式不符", "the path of a row has a wrong form")
    path = merkle.row_path(proof.table, proof.key)
    if merkle.sub_root_of_bucket(merkle.bucket_no(path), proof.bucket, proof.aunts) != sub_roots[named[1]]:
        raise NotProvenError("行的证明路径与合约子根不符", "the path of a row does not lead to its contract's sub-root")
    shown = proof.row
    if shown is not None and (len(shown.blind) != merkle.HASH_BYTES or shown.version < 0):
        raise NotProvenError("行的盲值或版本不合规", "the blind or version of a row is malformed")
    leaf = None if shown is None else merkle.row_leaf(shown.blind, shown.version, shown.row)
    if dict(proof.bucket).get(path) != leaf:
        raise NotProvenError("行的内容与状态不符", "a row is not what the state holds")
    row, version = (None, None) if shown is None else (shown.row, shown.version)
    return ProvenRow(proof.table, key, row, version)


def _key(data: bytes) -> tuple[int | str | bytes, ...]:
    """The columns of a key. One in another encoding than the ledger's would lie elsewhere in the tree and seem absent."""
    try:
        key = decode(data, tuple[Any, ...])
    except Malformed:
        key = (None,)
    if not all(type(column) in (int, str, bytes) for column in key):
        raise NotProvenError("行的键不合规", "the key of a row is malformed")
    return key


def _proven_message(proof: MessageProof) -> ProvenMessage:
    header, carrier = proof.header, proof.carrier.header
    if header.hash() != carrier.last_block_id.hash or header.height + 1 != carrier.height:
        raise NotProvenError(
            "消息所在区块不是签名区块的上一块", "the message's block is not the one before the signed block"
        )
    if merkle.root_of_leaf(merkle.clock_leaf(encode(proof.clock)), proof.clock_path) != carrier.app_hash:
        raise NotProvenError("时钟与区块头的状态根不符", "the clock does not lead to the header's app hash")
    if merkle.root_of_leaf(sha256(proof.envelope), proof.envelope_path) != header.data_hash:
        raise NotProvenError("消息不在该区块中", "the message does not stand in that block")
    if merkle.root_of_leaf(result_leaf(proof.result), proof.result_path) != carrier.last_results_hash:
        raise NotProvenError("结果不在该区块的结果中", "the outcome is not one of that block's results")
    try:
        result = decode(proof.result, Result)
        envelope = open_envelope(proof.envelope, carrier.chain_id)
        body = open_body(envelope, proof.message_key) if proof.message_key else None
    except Malformed:
        raise NotProvenError("结果的形式不符", "the outcome is malformed") from None
    except Refused as error:
        raise NotProvenError(
            f"消息不合规：{error.refusal.zh}", f"the message does not fit: {error.refusal.en}"
        ) from None
    if result.envelope_digest != sha256(proof.envelope):
        raise NotProvenError("结果属于另一条消息", "the outcome belongs to another message")
    return ProvenMessage(envelope, body, result.outcomes, result.events)
