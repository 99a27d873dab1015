"""Disclosure of one message or one statement to somebody outside: all of it, with its proof, and nothing else.

A message is opened by its own key, which opens no other; a statement by a proof of its row, its lines and what each line was computed from.
Whoever opens the content checks it against the keys that sign the chain's blocks, with no ledger at hand.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from shudian.contracts.settlement.messages_facts import BillLine, LineState, Statement
from shudian.contracts.settlement.rules_lines import lines_of
from shudian.kernel.codec import Malformed, Record, decode, encode
from shudian.kernel.machine import KERNEL_TABLES, Machine
from shudian.kernel.outcomes import Refused
from shudian.kernel.tables import HasStore
from shudian.market import MARKET
from shudian.node.embedded import EmbeddedNode
from shudian.node.errors import NodeError
from shudian.node.prove import prove_message, prove_rows
from shudian.proofs.check import NotProvenError, Proven, ProvenMessage, ProvenRow, check
from shudian.proofs.files import to_bytes
from shudian.tools.line_rows import Place, places_of_line

PURPOSE = "disclosure"
_STATEMENTS, _LINES = "settlement.statements", "settlement.lines"
_RECORDS = {
    table.name: table.record
    for table in (*KERNEL_TABLES, *(t for contract in MARKET.contracts for t in contract.tables))
}
_codec = Machine(MARKET, "", lambda _digest: None)


class Disclosure(Record):
    """What is handed over. statement_id: the statement that is opened, 0 for a message. proof: its proof file; a message's holds its key."""

    statement_id: int
    proof: bytes


@dataclass(frozen=True)
class Disclosed:
    """What a disclosure shows of the chain that ``proven`` names. said: the messages of its envelope, none for a statement."""

    proven: Proven
    said: tuple[Record, ...]
    events: tuple[Record, ...]
    statement_id: int

    def row(self, one: ProvenRow) -> Record | None:
        """A proven row with the names of its fields."""
        return None if one.row is None else _decoded(one)


def disclose_message(node: EmbeddedNode, member_id: int, message_id: bytes) -> bytes:
    """The content that opens one message of a member.

    Raises:
        NodeError: the member said no such message.
    """
    return encode(Disclosure(0, to_bytes(prove_message(node, member_id, message_id))))


def disclose_statement(node: EmbeddedNode, member_id: int, statement_id: int) -> bytes:
    """The content that opens one statement of a member, with its lines and their inputs; other members' statements stay closed.

    Raises:
        NodeError: the member has no such statement.
    """
    proof = prove_rows(node, lambda machine: places_of_statement(machine.store, member_id, statement_id))
    return encode(Disclosure(statement_id, to_bytes(proof)))


def places_of_statement(at: HasStore, member_id: int, statement_id: int) -> list[Place]:
    """Table and key of a statement's own row first, then of its lines and of what they were computed from, each once.

    Raises:
        NodeError: the member has no such statement.
    """
    own: Place = (_STATEMENTS, (statement_id,))
    row: Statement | None = at.store.rows[_STATEMENTS].data.get(own[1])
    if row is None or row.member_id != member_id:
        raise NodeError(
            f"成员 {member_id} 没有结算单 {statement_id}", f"member {member_id} has no statement {statement_id}"
        )
    behind = [place for line_id, _ in lines_of(at, member_id, row.month) for place in places_of_line(at, line_id)]
    return list(dict.fromkeys([own, *(place for place in behind if place[0] != _STATEMENTS)]))


def open_content(content: bytes, trusted_keys: Sequence[bytes]) -> Disclosed:
    """What a disclosure shows to somebody who trusts these keys, see :func:`shudian.proofs.check.check`.

    Raises:
        NotProvenError: it is no disclosure, its proof does not hold, its key does not open its message, or lines are missing.
    """
    try:
        found = decode(content, Disclosure)
    except Malformed:
        raise NotProvenError("内容不是合规的披露", "the content is not a well-formed disclosure") from None
    proven = check(found.proof, trusted_keys)
    message = proven.message
    if bool(found.statement_id) == (message is not None):
        raise NotProvenError("证明的不是所称的内容", "the proof is not of what the disclosure says")
    if message is None:
        check_statement(proven.rows, found.statement_id)
        return Disclosed(proven, (), (), found.statement_id)
    return Disclosed(proven, _said(message), _events(message), 0)


def _said(message: ProvenMessage) -> tuple[Record, ...]:
    if message.body is None:
        raise NotProvenError("披露没有打开消息", "the disclosure leaves the message sealed")
    try:
        return _codec.door.messages(message.body)
    except Refused as error:
        raise NotProvenError(
            f"消息内容不合规：{error.refusal.zh}", f"what the message says does not fit: {error.refusal.en}"
        ) from None


def _events(message: ProvenMessage) -> tuple[Record, ...]:
    try:
        return tuple(decode(message.events, _list_of(_codec.event_type)))
    except Malformed:
        raise NotProvenError("事件不属于本程序的版本", "the events are not of this program's version") from None


def _list_of(kind: Any) -> Any:
    return list[kind]


def check_statement(rows: Sequence[ProvenRow], statement_id: int) -> None:
    """The statement is there, and its lines add up to its totals: no amount was left out, none belongs to another."""
    statement = next((row for key, row in _of_table(rows, _STATEMENTS) if key == (statement_id,)), None)
    if not isinstance(statement, Statement):
        raise NotProvenError(f"证明中没有结算单 {statement_id}", f"the proof lacks statement {statement_id}")
    lines = {key: row for key, row in _of_table(rows, _LINES) if isinstance(row, BillLine)}
    counted = [row for row in lines.values() if row.month == statement.month and row.state != LineState.CORRECTED]
    payable_fen = sum(row.amount_fen for row in counted if row.payer_id == statement.member_id)
    receivable_fen = sum(row.amount_fen for row in counted if row.payee_id == statement.member_id)
    if (payable_fen, receivable_fen) != (statement.payable_fen, statement.receivable_fen):
        raise NotProvenError("结算单的行不齐全", "lines of the statement are missing")


def _of_table(rows: Sequence[ProvenRow], table: str) -> Iterator[tuple[tuple[int | str | bytes, ...], Record]]:
    return ((one.key, _decoded(one)) for one in rows if one.table == table and one.row is not None)


def _decoded(one: ProvenRow) -> Record:
    try:
        row: Record = decode(one.row or b"", _RECORDS[one.table])
    except (KeyError, Malformed):
        raise NotProvenError("行不属于本程序的版本", "a row is not of this program's version") from None
    return row
