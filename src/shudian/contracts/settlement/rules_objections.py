"""Objections 异议: raised line by line, answered by the exchange, mediated by the regulator (domain 4.7).

A line that is not paid yet is replaced by one of the right amount in its own month; one that is paid or converted stays, and the difference
becomes a correction 退补 in a later month.
"""

from typing import NamedTuple

from msgspec.structs import replace

from shudian.contracts.settlement.messages import (
    AnswerObjection,
    DecideMediation,
    ObjectionReply,
    ObjectToLine,
    RequestMediation,
)
from shudian.contracts.settlement.messages_events import LineObjected, MediationRequested, ObjectionDecided
from shudian.contracts.settlement.messages_facts import (
    BillLine,
    Formula,
    LineState,
    ObjectionState,
    StatementState,
)
from shudian.contracts.settlement.messages_refusals import (
    LINE_WAS_OBJECTED,
    MEDIATION_TOO_LATE,
    MEDIATION_WAS_REQUESTED,
    NOT_IN_MEDIATION,
    NOT_OWN_LINE,
    OBJECTION_IS_ANSWERED,
    OBJECTION_NOT_ANSWERED,
    OBJECTION_TOO_LATE,
    OBJECTION_UNKNOWN,
    STATEMENT_IS_ACCEPTED,
    STATEMENT_UNKNOWN,
)
from shudian.contracts.settlement.rules_corrections import correction
from shudian.contracts.settlement.rules_formulas import explain
from shudian.contracts.settlement.rules_lines import issue_line, line, statement_of
from shudian.contracts.settlement.rules_statements import working_days_after
from shudian.contracts.settlement.state import LINES, OBJECTIONS, STATEMENTS, Objection
from shudian.kernel import clock
from shudian.kernel.contract import BlockContext, Context
from shudian.kernel.outcomes import both
from shudian.kernel.tables import next_id

ANSWER_WITHIN = "settlement.answer_working_day_count"
MEDIATE_WITHIN = "settlement.mediation_working_day_count"


def object_to_line(ctx: Context, message: ObjectToLine) -> ObjectionReply:
    """Object to a line of an own statement, once per line. Refuses: 2003, 10012, 10014, 10016-10019. Emits: LineObjected."""
    row = line(ctx, message.line_id)
    _require_side(ctx, message.line_id, row)
    own = statement_of(ctx, ctx.sender_id, row.month)
    if own is None:
        raise STATEMENT_UNKNOWN("line_id", message.line_id, both("含该结算行的结算单", "a statement with this line"))
    statement_id, held = own
    today = clock.day_of(ctx.market_ms)
    if held.state is StatementState.ACCEPTED:
        raise STATEMENT_IS_ACCEPTED("statement_id", statement_id)
    if today > held.objection_end_day:
        raise OBJECTION_TOO_LATE(
            "line_id", message.line_id, both(f"不晚于 {held.objection_end_day}", f"until {held.objection_end_day}")
        )
    if row.objection_id:
        raise LINE_WAS_OBJECTED("line_id", message.line_id)
    answer_due_day = working_days_after(ctx, today, ANSWER_WITHIN)
    # no refusal below this line
    objection_id = next_id(ctx, "settlement.objection")
    objection = Objection(
        message.line_id,
        ctx.sender_id,
        message.claimed_fen,
        message.evidence,
        message.reason,
        answer_due_day,
        standing_fen=row.amount_fen,
    )
    OBJECTIONS.put(ctx, (objection_id,), objection)
    LINES.put(ctx, (message.line_id,), replace(row, state=LineState.DISPUTED, objection_id=objection_id))
    ctx.emit(
        LineObjected(
            deed=f"line:{message.line_id}",
            parties=(row.payer_id, row.payee_id),
            also=(f"statement:{statement_id}",),
            objection_id=objection_id,
            line_id=message.line_id,
            member_id=ctx.sender_id,
            claimed_fen=message.claimed_fen,
            evidence=message.evidence,
            reason=message.reason,
            answer_due_day=answer_due_day,
        )
    )
    return ObjectionReply(objection_id)


def answer_objection(ctx: Context, message: AnswerObjection) -> None:
    """Dismiss an objection, or uphold it with the amount that is right. Refuses: 2003, 10020, 10021. Emits: LineIssued, ObjectionDecided."""
    objection = _objection(ctx, message.objection_id)
    if objection.state is not ObjectionState.OPEN:
        raise OBJECTION_IS_ANSWERED("objection_id", message.objection_id)
    today = clock.day_of(ctx.market_ms)
    mediation_end_day = working_days_after(ctx, today, MEDIATE_WITHIN)
    # no refusal below this line
    state = ObjectionState.UPHELD if message.upheld else ObjectionState.DISMISSED
    amount_fen = message.corrected_fen if message.upheld else objection.standing_fen
    decided = replace(objection, state=state, mediation_end_day=mediation_end_day)
    late = today > objection.answer_due_day
    _decide(ctx, message.objection_id, decided, amount_fen, message.reason, late=late)


def request_mediation(ctx: Context, message: RequestMediation) -> None:
    """Take an answered objection to mediation, once, either side. Refuses: 10017, 10020, 10031-10033. Emits: MediationRequested."""
    objection = _objection(ctx, message.objection_id)
    row = LINES.need(ctx, objection.line_id)
    _require_side(ctx, objection.line_id, row)
    if objection.state is ObjectionState.OPEN:
        raise OBJECTION_NOT_ANSWERED("objection_id", message.objection_id)
    if objection.state not in (ObjectionState.DISMISSED, ObjectionState.UPHELD):
        raise MEDIATION_WAS_REQUESTED("objection_id", message.objection_id)
    if clock.day_of(ctx.market_ms) > objection.mediation_end_day:
        raise MEDIATION_TOO_LATE(
            "objection_id",
            message.objection_id,
            both(f"不晚于 {objection.mediation_end_day}", f"until {objection.mediation_end_day}"),
        )
    # no refusal below this line
    OBJECTIONS.put(ctx, (message.objection_id,), replace(objection, state=ObjectionState.IN_MEDIATION))
    if row.state is LineState.OPEN:
        row = replace(row, state=LineState.DISPUTED)
        LINES.put(ctx, (objection.line_id,), row)
    ctx.emit(
        MediationRequested(
            deed=f"line:{objection.line_id}",
            parties=(row.payer_id, row.payee_id),
            objection_id=message.objection_id,
            line_id=objection.line_id,
            line_state=row.state,
            member_id=ctx.sender_id,
            reason=message.reason,
        )
    )


def decide_mediation(ctx: Context, message: DecideMediation) -> None:
    """End a mediation with an amount, which may be what the line has. Refuses: 10020, 10034. Emits: LineIssued, ObjectionDecided."""
    objection = _objection(ctx, message.objection_id)
    if objection.state is not ObjectionState.IN_MEDIATION:
        raise NOT_IN_MEDIATION("objection_id", message.objection_id)
    # no refusal below this line
    decided = replace(objection, state=ObjectionState.MEDIATED)
    _decide(ctx, message.objection_id, decided, message.decided_fen, message.reason, late=False)


def _objection(ctx: Context, objection_id: int) -> Objection:
    row = OBJECTIONS.get(ctx, objection_id)
    if row is None:
        raise OBJECTION_UNKNOWN("objection_id", objection_id)
    return row


def _require_side(ctx: Context, line_id: int, row: BillLine) -> None:
    if ctx.sender_id not in (row.payer_id, row.payee_id):
        raise NOT_OWN_LINE("line_id", line_id)


class _Effect(NamedTuple):
    """What a decision does to a line. new_line_id: 0 if none. statement_change_fen: of the statements of the line's month."""

    line_state: LineState
    new_line_id: int
    statement_change_fen: int


def _decide(
    ctx: BlockContext, objection_id: int, objection: Objection, amount_fen: int, reason: str, *, late: bool
) -> None:
    """Give the line the decided amount, in its own month while it is disputed, else by a correction, and tell both sides."""
    line_id, change_fen = objection.line_id, amount_fen - objection.standing_fen
    row = LINES.need(ctx, line_id)
    if not change_fen:
        effect = _leave(ctx, line_id, row)
    elif row.state is LineState.DISPUTED:
        effect = _replace(ctx, line_id, row, amount_fen)
    else:
        explanation = explain(Formula.CORRECTED, (line_id, objection.standing_fen, amount_fen), objection.standing_fen)
        added = correction(ctx, replace(row, corrects_line_id=line_id), row.origin_month or row.month, 0, explanation)
        effect = _Effect(row.state, issue_line(ctx, added), 0)
    standing_id = effect.new_line_id if effect.line_state is LineState.CORRECTED else line_id
    OBJECTIONS.put(ctx, (objection_id,), replace(objection, line_id=standing_id, standing_fen=amount_fen))
    ctx.emit(
        ObjectionDecided(
            deed=f"line:{line_id}",
            parties=(row.payer_id, row.payee_id),
            objection_id=objection_id,
            line_id=line_id,
            state=objection.state,
            line_state=effect.line_state,
            new_line_id=effect.new_line_id,
            change_fen=change_fen,
            statement_change_fen=effect.statement_change_fen,
            kind=row.kind,
            payer_id=row.payer_id,
            payee_id=row.payee_id,
            month=row.month,
            mediation_end_day=objection.mediation_end_day,
            reason=reason,
            late=late,
        )
    )


def _leave(ctx: BlockContext, line_id: int, row: BillLine) -> _Effect:
    state = LineState.OPEN if row.state is LineState.DISPUTED else row.state
    LINES.put(ctx, (line_id,), replace(row, state=state))
    return _Effect(state, 0, 0)


def _replace(ctx: BlockContext, line_id: int, row: BillLine, amount_fen: int) -> _Effect:
    """Close a line and make its successor; the totals of both sides' statements move by the difference."""
    LINES.put(ctx, (line_id,), replace(row, state=LineState.CORRECTED))
    explanation = explain(Formula.CORRECTED, (line_id, row.amount_fen, amount_fen))
    successor = replace(
        row, amount_fen=amount_fen, explanation=explanation, state=LineState.OPEN, corrects_line_id=line_id
    )
    change_fen = amount_fen - row.amount_fen
    for member_id, total in ((row.payer_id, "payable_fen"), (row.payee_id, "receivable_fen")):
        own = statement_of(ctx, member_id, row.month)
        if own is not None:
            statement_id, held = own
            STATEMENTS.put(ctx, (statement_id,), replace(held, **{total: getattr(held, total) + change_fen}))
    return _Effect(LineState.CORRECTED, issue_line(ctx, successor, is_replacement=True), change_fen)
