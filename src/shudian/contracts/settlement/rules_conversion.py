"""Lines that become receivables: the verbs for the contract of receivables."""

from msgspec.structs import replace

from shudian.contracts.agreements import rules as agreements
from shudian.contracts.settlement.messages_events import LineConverted, LineRedeemed
from shudian.contracts.settlement.messages_facts import LINES_CONVERTED, LINES_PAID, BillLine, LineState
from shudian.contracts.settlement.messages_refusals import (
    LINE_IS_CONVERTED,
    LINE_IS_CORRECTED,
    LINE_IS_DISPUTED,
    LINE_IS_PAID,
    LINE_NOT_ACCEPTED,
    NOTHING_TO_CONVERT,
)
from shudian.contracts.settlement.rules_lines import discharged_agreements, is_accepted, line, statement_of
from shudian.contracts.settlement.state import LINES, STATEMENTS
from shudian.contracts.trading import rules as trading
from shudian.kernel import check
from shudian.kernel.contract import BlockContext
from shudian.kernel.outcomes import both
from shudian.kernel.tables import HasStore


def require_convertible(at: HasStore, line_id: int) -> BillLine:
    """A line that can become a receivable: open, of some amount, accepted by both sides. Refuses: 10016, 10025-10030."""
    row = line(at, line_id)
    if row.state is LineState.DISPUTED:
        raise LINE_IS_DISPUTED("line_id", line_id)
    if row.state in LINES_PAID:
        raise LINE_IS_PAID("line_id", line_id)
    if row.state in LINES_CONVERTED:
        raise LINE_IS_CONVERTED("line_id", line_id, row.converted_for)
    if row.state is LineState.CORRECTED:
        raise LINE_IS_CORRECTED("line_id", line_id)
    for member_id in (row.payer_id, row.payee_id):
        if not is_accepted(at, member_id, row.month):
            raise LINE_NOT_ACCEPTED(
                "line_id",
                line_id,
                both(f"成员 {member_id} 先确认其结算单", f"member {member_id} accepts its statement first"),
            )
    if not row.amount_fen:
        raise NOTHING_TO_CONVERT("line_id", line_id, "> 0")
    return row


def convert_line(ctx: BlockContext, line_id: int, purpose: str) -> BillLine:
    """Turn a line into a receivable (``purpose``: its deed), through which alone it is paid from then on; returns the line before.

    The debt goes on in the receivable, so an agreement that owes nothing else is settled and its collateral is free.
    Refuses: 10016, 10025-10030. Emits: LineConverted, AgreementSettled.
    """
    row = require_convertible(ctx, line_id)
    # no refusal below this line
    LINES.put(ctx, (line_id,), replace(row, state=LineState.CONVERTED, converted_for=purpose))
    for member_id, total in ((row.payer_id, "converted_fen"), (row.payee_id, "assigned_fen")):
        own = statement_of(ctx, member_id, row.month)
        if own is not None:
            statement_id, held = own
            STATEMENTS.put(ctx, (statement_id,), replace(held, **{total: getattr(held, total) + row.amount_fen}))
    ctx.emit(
        LineConverted(
            deed=f"line:{line_id}",
            parties=(row.payer_id, row.payee_id),
            also=(purpose,),
            line_id=line_id,
            payer_id=row.payer_id,
            payee_id=row.payee_id,
            month=row.month,
            amount_fen=row.amount_fen,
            converted_for=purpose,
        )
    )
    for agreement_id in discharged_agreements(ctx, (row,)):
        trading.release_collateral(ctx, agreement_id)
        agreements.mark_settled(ctx, agreement_id, (purpose,))
    return row


def settle_converted(ctx: BlockContext, line_id: int) -> None:
    """Mark a converted line as paid through its receivable. Refuses: 10016. Emits: LineRedeemed."""
    row = line(ctx, line_id)
    check.that(row.state is LineState.CONVERTED, "only a converted line is redeemed")
    LINES.put(ctx, (line_id,), replace(row, state=LineState.REDEEMED))
    ctx.emit(
        LineRedeemed(
            deed=f"line:{line_id}",
            parties=(row.payer_id, row.payee_id),
            also=(row.converted_for,),
            line_id=line_id,
        )
    )
