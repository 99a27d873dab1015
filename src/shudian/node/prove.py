"""Proof making: rows of the present state and messages of any block, as files that a stranger checks without a ledger.

A proof shows in clear what it proves and stays valid for ever, so it is made for those who may see that; the caller decides.
"""

from collections.abc import Callable, Sequence

from shudian.kernel.blinding import row_blind
from shudian.kernel.codec import decode, encode
from shudian.kernel.envelope import Envelope
from shudian.kernel.machine import CLOCK, Clock, Machine
from shudian.kernel.merkle import merkle_path, row_path
from shudian.kernel.repeats import answer_key
from shudian.kernel.tables import Key, encode_key
from shudian.market import OVERSIGHT
from shudian.node.blocks import Block, decode_outcomes, decode_told, digests_of, results, signed_header
from shudian.node.embedded import EmbeddedNode
from shudian.node.errors import NodeError
from shudian.proofs.files import MessageProof, RowProof, ShownRow, StateProof, result_leaf
from shudian.reading.reader import Viewer

Place = tuple[str, Key]
"""Table and key of a row."""

_OVERSEER = Viewer(0, OVERSIGHT[0])
"""Sees every message: who may have a proof was decided before."""


def prove_rows(node: EmbeddedNode, choose: Callable[[Machine], Sequence[Place]]) -> StateProof:
    """A proof of the present state: of each place that ``choose`` names, its row, or that there is none.

    Everything is read from one state; an empty block is made to carry it unless the last block changed no row.

    Raises:
        NodeError: a place is in no table of this chain or has a key of another length.
    """
    machine = node.machine

    def read() -> tuple[tuple[RowProof, ...], tuple[tuple[str, bytes], ...], Clock]:
        rows = tuple(_row_proof(machine, table, key) for table, key in choose(machine))
        return rows, tuple(machine.roots.sub_roots().items()), CLOCK.need(machine.store)

    (rows, sub_roots, clock), carrier = node.carried(read)
    return StateProof(signed_header(carrier, node.public_key), clock, sub_roots, rows)


def _row_proof(machine: Machine, table: str, key: Key) -> RowProof:
    rows = machine.store.rows.get(table)
    if rows is None:
        raise NodeError(f"没有表 {table}", f"there is no table {table}")
    columns = rows.table.key
    if len(key) != len(columns):
        named = ", ".join(columns) or "()"
        raise NodeError(f"表 {table} 的键为 {named}", f"the key of table {table} is {named}")
    key_bytes = encode_key(key)
    bucket, aunts = machine.roots.beside(table, key)
    row = rows.data.get(key)
    if row is None:
        return RowProof(table, key_bytes, None, bucket, aunts)
    version = rows.versions[key]
    blind = row_blind(machine.state_key_at(version), row_path(table, key_bytes), version)
    return RowProof(table, key_bytes, ShownRow(blind, version, encode(row)), bucket, aunts)


def prove_message(node: EmbeddedNode, sender_id: int, message_id: bytes) -> MessageProof:
    """A proof that a message stands in its block, with its outcomes and events; an empty block is made if its own is the last.

    sender_id, message_id: where its answer is kept, see :func:`shudian.kernel.repeats.answer_key`.

    Raises:
        NodeError: no block holds it.
    """
    block, place = find_message(node, sender_id, message_id)
    carrier = node.block_after(block.header.height)
    height = block.header.height
    digests = digests_of(block.envelopes)
    found = results(
        height,
        node.machine.state_key_at(height),
        digests,
        decode_outcomes(block.outcomes),
        decode_told(block.events),
    )
    return MessageProof(
        signed_header(carrier, node.public_key),
        Clock(node.genesis.clock, block.market_ms),
        block.clock_path,
        block.header,
        block.envelopes[place],
        node.machine.door.message_key(decode(block.envelopes[place], Envelope)),
        merkle_path(digests, place),
        found[place],
        merkle_path([result_leaf(result) for result in found], place),
    )


def find_message(node: EmbeddedNode, sender_id: int, message_id: bytes) -> tuple[Block, int]:
    """The block that a message stands in, and its place there; it is named as for :func:`prove_message`.

    Raises:
        NodeError: no block holds it.
    """
    projector = node.projector
    told = projector.reader.one(_OVERSEER, projector.messages, {"sender_id": sender_id, "id": message_id})
    if told is None:
        raise NodeError(
            f"成员 {sender_id} 没有消息 {message_id.hex()}", f"member {sender_id} has no message {message_id.hex()}"
        )
    block = node.block(told["height"])
    return block, _place(block, (sender_id, message_id))


def _place(block: Block, answered_at: tuple[int, bytes]) -> int:
    for place, data in enumerate(block.envelopes):
        if answer_key(decode(data, Envelope)) == answered_at:
            return place
    height = block.header.height
    raise NodeError(
        f"区块 {height} 中没有该消息；请删除查询库后重启",
        f"block {height} lacks that message; delete the read models and start again",
    )
