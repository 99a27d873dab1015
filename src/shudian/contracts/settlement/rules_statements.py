"""Statements 结算单: issued once the month is cleared, accepted by word or silence."""

from msgspec.structs import replace

from shudian.contracts.agreements import rules as agreements
from shudian.contracts.governance import rules as governance
from shudian.contracts.identity import rules as identity
from shudian.contracts.metering import rules as metering
from shudian.contracts.roles import Kind
from shudian.contracts.settlement.messages import (
    AcceptStatement,
    IssueStatements,
    StatementsReply,
)
from shudian.contracts.settlement.messages_events import (
    StatementAccepted,
    StatementIssued,
)
from shudian.contracts.settlement.messages_facts import (
    LineState,
    Statement,
    StatementState,
)
from shudian.contracts.settlement.messages_refusals import (
    MEMBER_HAS_NO_DAY_BILLS,
    MONTH_NOT_CLEARED,
    NOT_OWN_STATEMENT,
    STATEMENT_EXISTS,
    STATEMENT_IS_ACCEPTED,
)
from shudian.contracts.settlement.rules_green import keep_certified
from shudian.contracts.settlement.rules_lines import (
    issue_line,
    lines_of,
    open_ledgers,
    statement,
    statement_of,
)
from shudian.contracts.settlement.rules_months import lines_of_month
from shudian.contracts.settlement.state import (
    CLEARED_DAYS,
    DAY_BILLS,
    ISSUED_MONTHS,
    STATEMENTS,
    IssuedMonth,
)
from shudian.kernel import clock
from shudian.kernel.contract import BlockContext, Context
from shudian.kernel.outcomes import both
from shudian.kernel.tables import HasStore, next_id

ISSUE_WITHIN = "settlement.issue_working_day_count"
OBJECT_WITHIN = "settlement.objection_working_day_count"
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
        if not _has_something(ctx, member_id, month):
            raise MEMBER_HAS_NO_DAY_BILLS("member_ids", member_id)
    late = today > working_days_after(ctx, clock.month_last_day(month), ISSUE_WITHIN)
    objection_end_day, due_day = (
        working_days_after(ctx, today, OBJECT_WITHIN),
        working_days_after(ctx, today, PAY_WITHIN),
    )
    is_first = ISSUED_MONTHS.get(ctx, month) is None
    made = list(lines_of_month(ctx, month)) if is_first else []
    # no refusal below this line
    if is_first:
        open_ledgers(ctx, identity.the_only(ctx, Kind.GRID_COMPANY))
        ISSUED_MONTHS.put(ctx, (month,), IssuedMonth(today, len(made)))
        keep_certified(ctx, month)
    for row in made:
        issue_line(ctx, row)
    dates = (today, objection_end_day, due_day)
    return StatementsReply(tuple(_issue(ctx, member_id, month, dates, late=late) for member_id in message.member_ids))


def _has_something(at: HasStore, member_id: int, month: int) -> bool:
    """Whether a member has day bills in a month, or corrections of an earlier one."""
    return any(True for _ in DAY_BILLS.range(at, month, member_id)) or bool(lines_of(at, member_id, month))


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


def working_days_after(at: HasStore, day: int, setting: str) -> int:
    """The day that lies as many working days later as a setting of that day says. Refuses: 2003."""
    return governance.working_day(at, day, governance.setting(at, setting, day))


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
