"""Corrections 退补: amounts of a month whose lines are made change by lines of a later month, linked to what they correct."""

from collections.abc import Callable, Iterable

from msgspec.structs import replace

from shudian.contracts.settlement.messages_facts import BillLine, Formula, LineExplanation, LineKind, LineState
from shudian.contracts.settlement.rules_formulas import amount_fen, explain
from shudian.contracts.settlement.rules_green import keep_certified
from shudian.contracts.settlement.rules_lines import issue_line, lines_between
from shudian.contracts.settlement.rules_months import lines_of_month
from shudian.contracts.settlement.state import ISSUED_MONTHS
from shudian.kernel import clock
from shudian.kernel.contract import BlockContext
from shudian.kernel.tables import HasStore

About = tuple[LineKind, int, int, int, int]
"""What a line of a month is about: kind, nominal payer and payee, agreement, resource. No two lines of a month are about the same."""


def open_month_after(at: HasStore, month: int) -> int:
    """The first later month whose lines are not made yet; corrections of what is made stand in it."""
    while ISSUED_MONTHS.get(at, month) is not None:
        month = clock.month_after(month)
    return month


def resettle(ctx: BlockContext, month: int, rebook: Callable[[], None]) -> tuple[int, ...]:
    """Change what a month has booked; if its lines are made, bill the differences in a later month. Returns the new lines' ids.

    What the formulas give counts, before and after: a line that was set by an objection keeps what the decision changed.
    Refuses: 2003, 3005, 10006, 10008. Emits: LineIssued.
    """
    if ISSUED_MONTHS.get(ctx, month) is None:
        rebook()
        return ()
    before = _by_subject(lines_of_month(ctx, month))
    rebook()
    after = _by_subject(lines_of_month(ctx, month))
    keep_certified(ctx, month)
    found = (
        _difference(ctx, month, about, before.get(about), after.get(about))
        for about in dict.fromkeys((*before, *after))
    )
    return tuple(issue_line(ctx, row) for row in found if row is not None)


def _by_subject(rows: Iterable[BillLine]) -> dict[About, BillLine]:
    return {_about(row): row for row in rows}


def _about(row: BillLine) -> About:
    payer_id, payee_id = row.payer_id, row.payee_id
    if amount_fen(row.explanation) < 0:
        payer_id, payee_id = payee_id, payer_id
    return row.kind, payer_id, payee_id, row.agreement_id, row.resource_id


def _difference(
    ctx: BlockContext, month: int, about: About, before: BillLine | None, after: BillLine | None
) -> BillLine | None:
    """The line that turns what was billed into what should have been; None if nothing changes."""
    billed_fen, billed_kwh = _signed(before)
    owed_fen, owed_kwh = _signed(after)
    pattern = before if after is None else after
    if pattern is None or (billed_fen, billed_kwh) == (owed_fen, owed_kwh):
        return None
    if after is None:
        explanation = explain(Formula.SUM_OF_DAYS, (clock.month_first_day(month), 0), billed_fen)
    else:
        explanation = replace(after.explanation, billed_fen=billed_fen)
    _, payer_id, payee_id, _, _ = about
    original_id = next(
        (line_id for line_id, row in lines_between(ctx, payer_id, payee_id, month) if _is_same(row, about)), 0
    )
    row = replace(pattern, payer_id=payer_id, payee_id=payee_id, corrects_line_id=original_id)
    return correction(ctx, row, month, owed_kwh - billed_kwh, explanation)


def _signed(row: BillLine | None) -> tuple[int, int]:
    """Amount and energy seen from the nominal payer."""
    if row is None:
        return 0, 0
    owed_fen = amount_fen(row.explanation)
    return owed_fen, -row.energy_kwh if owed_fen < 0 else row.energy_kwh


def _is_same(row: BillLine, about: About) -> bool:
    kind, _, _, agreement_id, resource_id = about
    is_first = not row.origin_month and row.state is not LineState.CORRECTED
    return is_first and (row.kind, row.agreement_id, row.resource_id) == (kind, agreement_id, resource_id)


def correction(
    at: HasStore, row: BillLine, origin_month: int, energy_kwh: int, explanation: LineExplanation
) -> BillLine:
    """The line of a later month that adds the explained difference to ``row``, whose payer owes it if it is positive."""
    difference_fen = amount_fen(explanation)
    payer_id, payee_id = row.payer_id, row.payee_id
    if difference_fen < 0:
        payer_id, payee_id, energy_kwh = payee_id, payer_id, -energy_kwh
    return BillLine(
        month=open_month_after(at, origin_month),
        kind=row.kind,
        payer_id=payer_id,
        payee_id=payee_id,
        amount_fen=abs(difference_fen),
        energy_kwh=energy_kwh,
        agreement_id=row.agreement_id,
        resource_id=row.resource_id,
        explanation=explanation,
        corrects_line_id=row.corrects_line_id,
        origin_month=origin_month,
    )
