"""Lines and statements looked up; how lines are issued, which account they concern, when an agreement owes nothing more."""

from collections.abc import Iterable, Iterator

from shudian.contracts.agreements import rules as agreements
from shudian.contracts.agreements.messages import State
from shudian.contracts.funds import rules as funds
from shudian.contracts.funds.messages import Code
from shudian.contracts.identity import rules as identity
from shudian.contracts.roles import Kind
from shudian.contracts.settlement.messages_events import LineIssued
from shudian.contracts.settlement.messages_facts import (
    LINES_CONVERTED,
    LINES_PAID,
    BillLine,
    LineKind,
    LineState,
    Statement,
    StatementState,
)
from shudian.contracts.settlement.messages_refusals import (
    LINE_UNKNOWN,
    STATEMENT_UNKNOWN,
)
from shudian.contracts.settlement.state import ISSUED_MONTHS, LINES, STATEMENTS
from shudian.kernel import clock
from shudian.kernel.contract import BlockContext
from shudian.kernel.tables import HasStore, next_id, number_in

LEDGERS = {
    LineKind.LEVY: Code.LEVY,
    LineKind.OVER_USE: Code.DEVIATION,
    LineKind.ASSESSMENT: Code.DEVIATION,
    LineKind.RECOVERY: Code.DEVIATION,
    LineKind.RECOVERY_RETURN: Code.DEVIATION,
}
"""Lines whose money goes to, or comes from, a ledger of the grid company instead of its cash."""


def line(at: HasStore, line_id: int) -> BillLine:
    """A line as it stands. Refuses: 10016."""
    row = LINES.get(at, line_id)
    if row is None:
        raise LINE_UNKNOWN("line_id", line_id)
    return row


def statement(at: HasStore, statement_id: int) -> Statement:
    """A statement as it stands. Refuses: 10012."""
    row = STATEMENTS.get(at, statement_id)
    if row is None:
        raise STATEMENT_UNKNOWN("statement_id", statement_id)
    return row


def statement_of(at: HasStore, member_id: int, month: int) -> tuple[int, Statement] | None:
    """The id and the statement of a member's month, or None if it is not issued."""
    for key, row in STATEMENTS.find(at, "by_member", member_id, month):
        return number_in(key), row
    return None


def lines_of(at: HasStore, member_id: int, month: int) -> list[tuple[int, BillLine]]:
    """(line_id, line) of a member's month on either side, corrected ones too, by id."""
    found = [
        (number_in(key), row)
        for side in ("by_payer", "by_payee")
        for key, row in LINES.find(at, side, member_id, month)
    ]
    return sorted(found, key=lambda item: item[0])


def lines_between(at: HasStore, one_id: int, other_id: int, month: int) -> Iterator[tuple[int, BillLine]]:
    """(line_id, line) of a month between two members, either way."""
    for payer_id, payee_id in ((one_id, other_id), (other_id, one_id)):
        for key, row in LINES.find(at, "by_payer", payer_id, month):
            if row.payee_id == payee_id:
                yield number_in(key), row


def account_code(at: HasStore, row: BillLine, member_id: int) -> Code:
    """Which account of a side a line concerns: the grid company keeps levies and deviation charges in ledgers, all else is cash."""
    is_grid = identity.member(at, member_id).kind is Kind.GRID_COMPANY
    return LEDGERS.get(row.kind, Code.CASH) if is_grid else Code.CASH


def payee(at: HasStore, row: BillLine) -> int:
    """The account that a line's money goes to. Refuses: 4001."""
    return funds.account_of(at, row.payee_id, account_code(at, row, row.payee_id))


def open_ledgers(ctx: BlockContext, grid_id: int) -> None:
    """Open the grid company's ledgers that lines pay to; those that are open are left alone."""
    for code in dict.fromkeys(LEDGERS.values()):
        funds.open_account(ctx, grid_id, code)


def is_paid(row: BillLine) -> bool:
    """Whether the money has moved through settlement."""
    return row.state in LINES_PAID


def is_discharged(row: BillLine) -> bool:
    """Whether nobody owes a line any more as a line: paid, turned into a receivable, or replaced."""
    return row.state in (*LINES_PAID, *LINES_CONVERTED, LineState.CORRECTED)


def is_accepted(at: HasStore, member_id: int, month: int) -> bool:
    """Whether a member's statement of a month stands."""
    own = statement_of(at, member_id, month)
    return own is not None and own[1].state is StatementState.ACCEPTED


def issue_line(ctx: BlockContext, row: BillLine, *, is_replacement: bool = False) -> int:
    """Put a new line and tell both sides; returns its id. Emits: LineIssued."""
    line_id = next_id(ctx, "settlement.line")
    LINES.put(ctx, (line_id,), row)
    also = (f"agreement:{row.agreement_id}",) if row.agreement_id else ()
    if row.corrects_line_id:
        also = (*also, f"line:{row.corrects_line_id}")
    ctx.emit(
        LineIssued(
            deed=f"line:{line_id}",
            parties=(row.payer_id, row.payee_id),
            also=also,
            line_id=line_id,
            line=row,
            is_replacement=is_replacement,
        )
    )
    return line_id


def discharged_agreements(at: HasStore, rows: Iterable[BillLine]) -> list[int]:
    """Of the agreements that lines are about, those delivered, with the lines of all months made, and none of them owed any more."""
    touched = dict.fromkeys(row.agreement_id for row in rows if row.agreement_id)
    return [agreement_id for agreement_id in touched if _is_discharged(at, agreement_id)]


def _is_discharged(at: HasStore, agreement_id: int) -> bool:
    agreement = agreements.agreement(at, agreement_id)
    if agreement.state is not State.DELIVERED:
        return False
    month, last_month = clock.month_of(agreement.first_day), clock.month_of(agreement.last_day)
    while month <= last_month:
        if ISSUED_MONTHS.get(at, month) is None:
            return False
        month = clock.month_after(month)
    return all(is_discharged(row) for _, row in LINES.find(at, "by_agreement", agreement_id))
