"""Payment against delivery 券款对付 (DvP): lines are paid in one linked group, paid agreements are settled in the same message."""

from collections.abc import Iterator

from msgspec.structs import replace

from shudian.contracts.agreements import rules as agreements
from shudian.contracts.funds import rules as funds
from shudian.contracts.funds.messages import Transfer
from shudian.contracts.settlement.messages import PaymentReply, PayStatement
from shudian.contracts.settlement.messages_events import LinePaid, LinesNetted, StatementOverdue, StatementPostponed
from shudian.contracts.settlement.messages_facts import BillLine, LineKind, LineState, Statement, StatementState
from shudian.contracts.settlement.messages_refusals import NOTHING_TO_PAY, STATEMENT_NOT_ACCEPTED
from shudian.contracts.settlement.rules_lines import account_code, discharged_agreements, payee, statement_of
from shudian.contracts.settlement.rules_payables import Net, Plan, plan, total_fen
from shudian.contracts.settlement.rules_statements import own_statement
from shudian.contracts.settlement.state import LINES, NETTINGS, STATEMENTS, Netting
from shudian.contracts.trading import rules as trading
from shudian.kernel import check, clock
from shudian.kernel.contract import BlockContext, Context
from shudian.kernel.ids import derived_id
from shudian.kernel.tables import HasStore, next_id

NETTING_TRANSFER_CODE = 1_000
FIRST_TRANSFER_CODE = 1_001
"""Transfer codes of settlement: one for differences, one per kind of line in the order of LineKind."""


def pay_statement(ctx: Context, message: PayStatement) -> PaymentReply:
    """Pay all lines of an own statement that can be paid, all or nothing; late payment works and says so.

    Refuses: 2003, 10012, 10013, 10015, 10022, and funds' 4001-4004 if the money is not there. Emits: LinesNetted, LinePaid per line, and
    what agreements and funds tell of it.
    """
    statement_id = message.statement_id
    row = own_statement(ctx, statement_id)
    if row.state is not StatementState.ACCEPTED:
        raise STATEMENT_NOT_ACCEPTED("statement_id", statement_id)
    wanted = plan(ctx, row, provisional=message.provisional)
    if not wanted.own:
        raise NOTHING_TO_PAY("statement_id", statement_id)
    # All that is written before the transfers is undone with this message if they are refused.
    nettings = [(next_id(ctx, "settlement.netting"), net) for net in wanted.nets]
    for line_id, item in wanted.alone:
        _pay_line(ctx, line_id, item, 0)
    for netting_id, net in nettings:
        _net(ctx, statement_id, row, netting_id, net)
    # Collateral is there to pay with, so it is freed first.
    settled = discharged_agreements(ctx, (item for _, item in (*wanted.own, *wanted.counter)))
    for agreement_id in settled:
        trading.release_collateral(ctx, agreement_id)
    funds.transfer(ctx, [*_transfers_alone(ctx, wanted), *_transfers_netted(ctx, row, nettings)])
    # no refusal below this line
    for agreement_id in settled:
        agreements.mark_settled(ctx, agreement_id, (f"statement:{statement_id}",))
    late = clock.day_of(ctx.market_ms) > row.due_day
    return PaymentReply(len(wanted.own), total_fen(wanted.own), total_fen(wanted.counter), late)


def transfer_id_of(line_id: int) -> bytes:
    """The id of the transfer that pays a line by itself."""
    return derived_id("settlement.line", str(line_id))


def netting_transfer_id_of(netting_id: int) -> bytes:
    """The id of the transfer that pays the difference of a netting."""
    return derived_id("settlement.netting", str(netting_id))


def _transfers_alone(at: HasStore, wanted: Plan) -> Iterator[Transfer]:
    for line_id, row in wanted.alone:
        if row.amount_fen:
            yield Transfer(
                transfer_id_of(line_id),
                funds.account_of(at, row.payer_id, account_code(at, row, row.payer_id)),
                payee(at, row),
                row.amount_fen,
                FIRST_TRANSFER_CODE + tuple(LineKind).index(row.kind),
                f"line:{line_id}",
            )


def _transfers_netted(at: HasStore, row: Statement, nettings: list[tuple[int, Net]]) -> Iterator[Transfer]:
    for netting_id, net in nettings:
        net_fen = total_fen(net.own) - total_fen(net.counter)
        if net_fen:
            yield Transfer(
                netting_transfer_id_of(netting_id),
                funds.account_of(at, row.member_id),
                funds.account_of(at, net.other_id),
                net_fen,
                NETTING_TRANSFER_CODE,
                f"netting:{netting_id}",
            )


def _net(ctx: BlockContext, statement_id: int, row: Statement, netting_id: int, net: Net) -> None:
    gross_fen, counter_fen = total_fen(net.own), total_fen(net.counter)
    NETTINGS.put(ctx, (netting_id,), Netting(row.member_id, net.other_id, gross_fen, counter_fen))
    ctx.emit(
        LinesNetted(
            deed=f"netting:{netting_id}",
            parties=(row.member_id, net.other_id),
            also=(f"statement:{statement_id}",),
            netting_id=netting_id,
            statement_id=statement_id,
            payer_id=row.member_id,
            payee_id=net.other_id,
            month=row.month,
            gross_fen=gross_fen,
            counter_fen=counter_fen,
            line_ids=tuple(line_id for line_id, _ in (*net.own, *net.counter)),
        )
    )
    for line_id, item in (*net.own, *net.counter):
        _pay_line(ctx, line_id, item, netting_id)


def _pay_line(ctx: BlockContext, line_id: int, row: BillLine, netting_id: int) -> None:
    """Mark a line paid and add it to the statements of both sides; late by the due day of its payer's statement."""
    payers, payees = statement_of(ctx, row.payer_id, row.month), statement_of(ctx, row.payee_id, row.month)
    if payers is None or payees is None:
        message = f"line {line_id} is paid on two statements"
        raise check.CheckFailed(message)
    late = clock.day_of(ctx.market_ms) > payers[1].due_day
    state = LineState.PAID_LATE if late else LineState.PAID
    LINES.put(ctx, (line_id,), replace(row, state=state, netting_id=netting_id))
    paid = replace(payers[1], paid_fen=payers[1].paid_fen + row.amount_fen)
    received = replace(payees[1], received_fen=payees[1].received_fen + row.amount_fen)
    STATEMENTS.put(ctx, (payers[0],), paid)
    STATEMENTS.put(ctx, (payees[0],), received)
    ctx.emit(
        LinePaid(
            deed=f"line:{line_id}",
            parties=(row.payer_id, row.payee_id),
            also=(f"statement:{payers[0]}",),
            line_id=line_id,
            statement_id=payers[0],
            payer_id=row.payer_id,
            payee_id=row.payee_id,
            month=row.month,
            amount_fen=row.amount_fen,
            netting_id=netting_id,
            late=late,
        )
    )


def mark_overdue(ctx: BlockContext) -> None:
    """Block hook: tell once of each statement whose due day has passed while lines could be paid. Emits: StatementOverdue, StatementPostponed.

    While nothing can be paid, because the other sides have not accepted, objections are open, or what is netted is the other side's to
    pay, the due day moves on day by day.
    """
    today = clock.day_of(ctx.market_ms)
    for key, row in STATEMENTS.due(ctx, "by_due", clock.day_after(today, -1)):
        statement_id = int(key[0])
        deed = f"statement:{statement_id}"
        wanted = plan(ctx, row)
        overdue_fen = total_fen(wanted.own) - total_fen(wanted.counter)
        if not overdue_fen:
            STATEMENTS.put(ctx, key, replace(row, due_day=today))
            ctx.emit(StatementPostponed(deed=deed, parties=(row.member_id,), statement_id=statement_id, due_day=today))
            continue
        STATEMENTS.put(ctx, key, replace(row, overdue=True))
        ctx.emit(
            StatementOverdue(deed=deed, parties=(row.member_id,), statement_id=statement_id, overdue_fen=overdue_fen)
        )
