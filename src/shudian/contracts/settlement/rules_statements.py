"""Statements 结算单: issued once the month is cleared, accepted by word or silence, objected to line by line and answered."""

from msgspec.structs import replace

from shudian.contracts.agreements import rules as agreements
from shudian.contracts.governance import rules as governance
from shudian.contracts.identity import rules as identity
from shudian.contracts.metering import rules as metering
from shudian.contracts.roles import Kind
from shudian.contracts.settlement.messages import (
    LINE_WAS_OBJECTED,
    MEMBER_HAS_NO_DAY_BILLS,
    MONTH_NOT_CLEARED,
    NOT_OWN_LINE,
    NOT_OWN_STATEMENT,
    OBJECTION_IS_ANSWERED,
    OBJECTION_TOO_LATE,
    OBJECTION_UNKNOWN,
    STATEMENT_EXISTS,
    STATEMENT_IS_ACCEPTED,
    STATEMENT_UNKNOWN,
    AcceptStatement,
    AnswerObjection,
    IssueStatements,
    ObjectionReply,
    ObjectToLine,
    StatementsReply,
)
from shudian.contracts.settlement.messages_events import (
    LineIssued,
    LineObjected,
    ObjectionAnswered,
    StatementAccepted,
    StatementIssued,
)
from shudian.contracts.settlement.messages_facts import (
    BillLine,
    Formula,
    LineState,
    ObjectionState,
    Statement,
    StatementState,
)
from shudian.contracts.settlement.rules_formulas import explain
from shudian.contracts.settlement.rules_lines import (
    is_paid,
    line,
    lines_of,
    lines_of_month,
    open_ledgers,
    statement,
    statement_of,
)
from shudian.contracts.settlement.state import (
    CLEARED_DAYS,
    DAY_BILLS,
    ISSUED_MONTHS,
    LINES,
    OBJECTIONS,
    STATEMENTS,
    IssuedMonth,
    Objection,
)
from shudian.kernel import clock
from shudian.kernel.contract import BlockContext, Context
from shudian.kernel.outcomes import both
from shudian.kernel.tables import HasStore, next_id

ISSUE_WITHIN = "settlement.issue_working_day_count"
OBJECT_WITHIN = "settlement.objection_working_day_count"
ANSWER_WITHIN = "settlement.answer_working_day_count"
PAY_WITHIN = "settlement.due_working_day_count"


def issue_statements(ctx: Context, message: IssueStatements) -> StatementsReply:
    """Issue statements of a month to members; the first time make all its lines.

    Refuses: 2003, 3001, 3005, 10006-10008, 10010, 10011. Emits: LineIssued, StatementIssued.
    """
    month, today = message.month, clock.day_of(ctx.market_ms)
    _require_cleared(ctx, month, today)
    for member_id in message.member_ids:
        identity.member(ctx, member_id)
        if statement_of(ctx, member_id, month) is not None:
            raise STATEMENT_EXISTS("member_ids", member_id)
        if not any(True for _ in DAY_BILLS.range(ctx, month, member_id)):
            raise MEMBER_HAS_NO_DAY_BILLS("member_ids", member_id)
    late = today > _after(ctx, clock.month_last_day(month), ISSUE_WITHIN)
    objection_end_day, due_day = _after(ctx, today, OBJECT_WITHIN), _after(ctx, today, PAY_WITHIN)
    is_first = ISSUED_MONTHS.get(ctx, month) is None
    made = list(lines_of_month(ctx, month)) if is_first else []
    # no refusal below this line
    if is_first:
        open_ledgers(ctx, identity.the_only(ctx, Kind.GRID_COMPANY))
        ISSUED_MONTHS.put(ctx, (month,), IssuedMonth(today, len(made)))
    for row in made:
        issue_line(ctx, row)
    dates = (today, objection_end_day, due_day)
    return StatementsReply(tuple(_issue(ctx, member_id, month, dates, late=late) for member_id in message.member_ids))


def _require_cleared(at: HasStore, month: int, today: int) -> None:
    """The month is over and every day on which a meter counts or an agreement delivers is cleared; a market may begin or end in mid month.

    What a day books after the month's lines are made would never be billed. Refuses: 10007.
    """
    last_day = clock.month_last_day(month)
    if today <= last_day:
        raise MONTH_NOT_CLEARED("month", month, f"< {clock.month_of(today)}")
    for day in clock.days(clock.month_first_day(month), last_day):
        if CLEARED_DAYS.get(at, day) is None and (metering.meters_on(at, day) or agreements.delivering_on(at, day)):
            raise MONTH_NOT_CLEARED("month", month, both(f"先完成 {day} 的日清", f"day {day} cleared first"))


def _after(at: HasStore, day: int, setting: str) -> int:
    return governance.working_day(at, day, governance.setting(at, setting, day))


def issue_line(ctx: BlockContext, row: BillLine) -> int:
    """Put a new line and tell both sides; returns its id."""
    line_id = next_id(ctx, "settlement.line")
    LINES.put(ctx, (line_id,), row)
    also = (f"agreement:{row.agreement_id}",) if row.agreement_id else ()
    sides = (row.payer_id, row.payee_id)
    ctx.emit(LineIssued(deed=f"line:{line_id}", parties=sides, also=also, line_id=line_id, line=row))
    return line_id


def _issue(ctx: BlockContext, member_id: int, month: int, dates: tuple[int, int, int], *, late: bool) -> int:
    lines = [row for _, row in lines_of(ctx, member_id, month) if row.state is not LineState.CORRECTED]
    owed = [row for row in lines if row.payer_id == member_id]
    due = [row for row in lines if row.payee_id == member_id]
    row = Statement(
        member_id,
        month,
        *dates,
        payable_fen=sum(item.amount_fen for item in owed),
        receivable_fen=sum(item.amount_fen for item in due),
        paid_fen=sum(item.amount_fen for item in owed if is_paid(item)),
        received_fen=sum(item.amount_fen for item in due if is_paid(item)),
    )
    statement_id = next_id(ctx, "settlement.statement")
    STATEMENTS.put(ctx, (statement_id,), row)
    deed = f"statement:{statement_id}"
    ctx.emit(StatementIssued(deed=deed, parties=(member_id,), statement_id=statement_id, statement=row, late=late))
    return statement_id


def own_statement(ctx: Context, statement_id: int) -> Statement:
    """The sender's own statement. Refuses: 10012, 10013."""
    row = statement(ctx, statement_id)
    if row.member_id != ctx.sender_id:
        raise NOT_OWN_STATEMENT("statement_id", statement_id)
    return row


def accept_statement(ctx: Context, message: AcceptStatement) -> None:
    """Accept an own statement. Refuses: 10012-10014. Emits: StatementAccepted."""
    row = own_statement(ctx, message.statement_id)
    if row.state is StatementState.ACCEPTED:
        raise STATEMENT_IS_ACCEPTED("statement_id", message.statement_id)
    # no refusal below this line
    _accept(ctx, message.statement_id, row, silent=False)


def accept_in_silence(ctx: BlockContext) -> None:
    """Block hook: statements whose objection period is over stand (silence is acceptance). Emits: StatementAccepted."""
    yesterday = clock.day_after(clock.day_of(ctx.market_ms), -1)
    for key, row in STATEMENTS.due(ctx, "by_objection_end", yesterday):
        _accept(ctx, int(key[0]), row, silent=True)


def _accept(ctx: BlockContext, statement_id: int, row: Statement, *, silent: bool) -> None:
    STATEMENTS.put(ctx, (statement_id,), replace(row, state=StatementState.ACCEPTED))
    deed, parties = f"statement:{statement_id}", (row.member_id,)
    ctx.emit(StatementAccepted(deed=deed, parties=parties, statement_id=statement_id, silent=silent))


def object_to_line(ctx: Context, message: ObjectToLine) -> ObjectionReply:
    """Object to a line of an own statement, once per line. Refuses: 2003, 10012, 10014, 10016-10019. Emits: LineObjected."""
    row = line(ctx, message.line_id)
    if ctx.sender_id not in (row.payer_id, row.payee_id):
        raise NOT_OWN_LINE("line_id", message.line_id)
    own = statement_of(ctx, ctx.sender_id, row.month)
    if own is None:
        raise STATEMENT_UNKNOWN("line_id", message.line_id, both("含该行的结算单", "a statement with this line"))
    statement_id, held = own
    today = clock.day_of(ctx.market_ms)
    if held.state is StatementState.ACCEPTED:
        raise STATEMENT_IS_ACCEPTED("statement_id", statement_id)
    if today > held.objection_end_day:
        raise OBJECTION_TOO_LATE("line_id", message.line_id, f"<= {held.objection_end_day}")
    if row.objection_id:
        raise LINE_WAS_OBJECTED("line_id", message.line_id)
    answer_due_day = _after(ctx, today, ANSWER_WITHIN)
    # no refusal below this line
    objection_id = next_id(ctx, "settlement.objection")
    objection = Objection(
        message.line_id, ctx.sender_id, message.claimed_fen, message.evidence, message.reason, answer_due_day
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
    """Dismiss an objection, or replace its line by one of the right amount, before any payment.

    Refuses: 10020, 10021. Emits: LineIssued if upheld, ObjectionAnswered.
    """
    objection = OBJECTIONS.get(ctx, message.objection_id)
    if objection is None:
        raise OBJECTION_UNKNOWN("objection_id", message.objection_id)
    if objection.state is not ObjectionState.OPEN:
        raise OBJECTION_IS_ANSWERED("objection_id", message.objection_id)
    # no refusal below this line
    row = LINES.need(ctx, objection.line_id)
    state = ObjectionState.UPHELD if message.upheld else ObjectionState.DISMISSED
    OBJECTIONS.put(ctx, (message.objection_id,), replace(objection, state=state))
    if message.upheld:
        replaced_by_line_id = _correct(ctx, objection.line_id, row, message)
    else:
        replaced_by_line_id = 0
        LINES.put(ctx, (objection.line_id,), replace(row, state=LineState.OPEN))
    ctx.emit(
        ObjectionAnswered(
            deed=f"line:{objection.line_id}",
            parties=(row.payer_id, row.payee_id),
            objection_id=message.objection_id,
            line_id=objection.line_id,
            upheld=message.upheld,
            replaced_by_line_id=replaced_by_line_id,
            change_fen=message.corrected_fen - row.amount_fen if message.upheld else 0,
            kind=row.kind,
            payer_id=row.payer_id,
            payee_id=row.payee_id,
            month=row.month,
            reason=message.reason,
        )
    )


def _correct(ctx: BlockContext, line_id: int, row: BillLine, message: AnswerObjection) -> int:
    """Close a line and make its successor; the totals of both sides' statements move by the difference."""
    LINES.put(ctx, (line_id,), replace(row, state=LineState.CORRECTED))
    explanation = explain(Formula.CORRECTED, (line_id, row.amount_fen, message.corrected_fen))
    successor = replace(
        row,
        amount_fen=message.corrected_fen,
        explanation=explanation,
        state=LineState.OPEN,
        corrects_line_id=line_id,
    )
    change_fen = message.corrected_fen - row.amount_fen
    for member_id, total in ((row.payer_id, "payable_fen"), (row.payee_id, "receivable_fen")):
        own = statement_of(ctx, member_id, row.month)
        if own is not None:
            statement_id, held = own
            STATEMENTS.put(ctx, (statement_id,), replace(held, **{total: getattr(held, total) + change_fen}))
    return issue_line(ctx, successor)
