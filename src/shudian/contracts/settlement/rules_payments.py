"""Payment against delivery 券款对付 (DvP): lines are paid in one linked group, paid agreements are settled in the same message."""

from collections.abc import Sequence

from msgspec.structs import replace

from shudian.contracts.agreements import rules as agreements
from shudian.contracts.funds import rules as funds
from shudian.contracts.funds.messages import Transfer
from shudian.contracts.settlement.messages import NOTHING_TO_PAY, STATEMENT_NOT_ACCEPTED, PaymentReply, PayStatement
from shudian.contracts.settlement.messages_events import LinePaid, StatementOverdue, StatementPostponed
from shudian.contracts.settlement.messages_facts import BillLine, LineKind, LineState, Statement, StatementState
from shudian.contracts.settlement.rules_lines import is_paid, payee, statement_of
from shudian.contracts.settlement.rules_statements import own_statement
from shudian.contracts.settlement.state import ISSUED_MONTHS, LINES, STATEMENTS
from shudian.contracts.trading import rules as trading
from shudian.kernel import clock
from shudian.kernel.contract import BlockContext, Context
from shudian.kernel.ids import derived_id
from shudian.kernel.tables import HasStore

FIRST_TRANSFER_CODE = 1_001
"""Transfer codes of settlement: one per kind of line, in the order of LineKind."""

Lines = Sequence[tuple[int, BillLine]]


def pay_statement(ctx: Context, message: PayStatement) -> PaymentReply:
    """Pay all lines of an own statement that can be paid, all or nothing; late payment works and says so.

    Refuses: 10012, 10013, 10015, 10022, and funds' 4001-4004 if the money is not there. Emits: LinePaid per line, and what agreements and
    funds tell of it.
    """
    row = own_statement(ctx, message.statement_id)
    if row.state is not StatementState.ACCEPTED:
        raise STATEMENT_NOT_ACCEPTED("statement_id", message.statement_id)
    lines = payable_lines(ctx, row)
    if not lines:
        raise NOTHING_TO_PAY("statement_id", message.statement_id)
    late = clock.day_of(ctx.market_ms) > row.due_day
    settled = _mark_paid(ctx, lines, late=late)
    # Collateral is there to pay with, so it is freed before the transfers; if they are refused, all of this message is undone.
    for agreement_id in settled:
        trading.release_collateral(ctx, agreement_id)
    funds.transfer(ctx, [_transfer(ctx, line_id, item) for line_id, item in lines if item.amount_fen])
    # no refusal below this line
    _book(ctx, message.statement_id, row, lines)
    _tell(ctx, message.statement_id, lines, late=late)
    for agreement_id in settled:
        agreements.mark_settled(ctx, agreement_id, (f"statement:{message.statement_id}",))
    return PaymentReply(len(lines), sum(item.amount_fen for _, item in lines), late)


def payable_lines(at: HasStore, row: Statement) -> list[tuple[int, BillLine]]:
    """(line_id, line) of the open lines that a member may pay now: those whose other side has accepted its statement too."""
    accepted: dict[int, bool] = {}
    found = []
    for key, item in LINES.find(at, "by_payer", row.member_id, row.month):
        if item.state is not LineState.OPEN:
            continue
        if item.payee_id not in accepted:
            other = statement_of(at, item.payee_id, item.month)
            accepted[item.payee_id] = other is not None and other[1].state is StatementState.ACCEPTED
        if accepted[item.payee_id]:
            found.append((int(key[0]), item))
    return found


def transfer_id_of(line_id: int) -> bytes:
    """The id of the transfer that pays a line."""
    return derived_id("settlement.line", str(line_id))


def _transfer(at: HasStore, line_id: int, row: BillLine) -> Transfer:
    return Transfer(
        transfer_id_of(line_id),
        funds.account_of(at, row.payer_id),
        payee(at, row),
        row.amount_fen,
        FIRST_TRANSFER_CODE + tuple(LineKind).index(row.kind),
        f"line:{line_id}",
    )


def _mark_paid(ctx: BlockContext, lines: Lines, *, late: bool) -> list[int]:
    """Mark lines paid; returns the agreements that have no unpaid line left."""
    state = LineState.PAID_LATE if late else LineState.PAID
    for line_id, row in lines:
        LINES.put(ctx, (line_id,), replace(row, state=state))
    touched = dict.fromkeys(row.agreement_id for _, row in lines if row.agreement_id)
    return [agreement_id for agreement_id in touched if _is_fully_paid(ctx, agreement_id)]


def _is_fully_paid(at: HasStore, agreement_id: int) -> bool:
    """Whether every month of an agreement has its lines, which are made when it is over, and all of them are paid."""
    agreement = agreements.agreement(at, agreement_id)
    month, last_month = clock.month_of(agreement.first_day), clock.month_of(agreement.last_day)
    while month <= last_month:
        if ISSUED_MONTHS.get(at, month) is None:
            return False
        month = clock.month_after(month)
    rows = [row for _, row in LINES.find(at, "by_agreement", agreement_id)]
    return all(is_paid(row) or row.state is LineState.CORRECTED for row in rows)


def _book(ctx: BlockContext, statement_id: int, row: Statement, lines: Lines) -> None:
    """Add what was paid to the payer's statement and to those of the payees."""
    paid_fen = sum(item.amount_fen for _, item in lines)
    STATEMENTS.put(ctx, (statement_id,), replace(row, paid_fen=row.paid_fen + paid_fen))
    received_fen: dict[int, int] = {}
    for _, item in lines:
        received_fen[item.payee_id] = received_fen.get(item.payee_id, 0) + item.amount_fen
    for payee_id, amount_fen in received_fen.items():
        other = statement_of(ctx, payee_id, row.month)
        if other is not None:
            other_id, held = other
            STATEMENTS.put(ctx, (other_id,), replace(held, received_fen=held.received_fen + amount_fen))


def _tell(ctx: BlockContext, statement_id: int, lines: Lines, *, late: bool) -> None:
    for line_id, row in lines:
        ctx.emit(
            LinePaid(
                deed=f"line:{line_id}",
                parties=(row.payer_id, row.payee_id),
                also=(f"statement:{statement_id}",),
                line_id=line_id,
                statement_id=statement_id,
                payer_id=row.payer_id,
                payee_id=row.payee_id,
                month=row.month,
                amount_fen=row.amount_fen,
                late=late,
            )
        )


def mark_overdue(ctx: BlockContext) -> None:
    """Block hook: tell once of each statement whose due day has passed while lines could be paid. Emits: StatementOverdue, StatementPostponed.

    While nothing can be paid, because the other sides have not accepted or objections are open, the due day moves on day by day.
    """
    today = clock.day_of(ctx.market_ms)
    for key, row in STATEMENTS.due(ctx, "by_due", clock.day_after(today, -1)):
        statement_id = int(key[0])
        deed = f"statement:{statement_id}"
        overdue_fen = sum(item.amount_fen for _, item in payable_lines(ctx, row))
        if not overdue_fen:
            STATEMENTS.put(ctx, key, replace(row, due_day=today))
            ctx.emit(StatementPostponed(deed=deed, parties=(row.member_id,), statement_id=statement_id, due_day=today))
            continue
        STATEMENTS.put(ctx, key, replace(row, overdue=True))
        ctx.emit(
            StatementOverdue(deed=deed, parties=(row.member_id,), statement_id=statement_id, overdue_fen=overdue_fen)
        )
