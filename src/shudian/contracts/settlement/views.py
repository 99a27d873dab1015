"""What settlement tells: a projection per event; the queries stand in ``views_queries`` and ``views_tariffs``."""

from shudian.contracts.settlement.messages_events import (
    AgreementDaysBooked,
    DayAheadPublished,
    DayBilled,
    DayCleared,
    LineConverted,
    LineIssued,
    LineObjected,
    LinePaid,
    LineRedeemed,
    LinesNetted,
    MediationRequested,
    ObjectionDecided,
    ReferencePricesPublished,
    RegulationPricesPublished,
    StatementAccepted,
    StatementIssued,
    StatementOverdue,
    StatementPostponed,
)
from shudian.contracts.settlement.messages_facts import LineState, ObjectionState, StatementState
from shudian.contracts.settlement.views_queries import (
    agreement_days,
    day_ahead_awards,
    day_bills,
    lines,
    market_days,
    market_summary,
    nettings,
    objections,
    reference_prices,
    regulation_prices,
    statements,
)
from shudian.contracts.settlement.views_sheets import statement_items, user_bill
from shudian.contracts.settlement.views_tables import (
    AGREEMENT_DAYS,
    DAY_AHEAD,
    DAY_BILLS,
    DAYS,
    LINES,
    MONTH_TOTALS,
    NETTINGS,
    OBJECTIONS,
    REFERENCE_PRICES,
    REGULATION_PRICES,
    STATEMENTS,
    TABLES,
)
from shudian.contracts.settlement.views_tariffs import tariff_table, tou_table
from shudian.contracts.settlement.views_words import KINDS, text_of
from shudian.kernel.units import SEGMENTS_PER_DAY
from shudian.reading.tables import At, Views
from shudian.reading.writer import Writer


def reference_prices_published(db: Writer, event: ReferencePricesPublished, _at: At) -> None:
    """One row per segment; a correction replaces them."""
    db.delete(REFERENCE_PRICES, {"day": event.day})
    for segment in range(SEGMENTS_PER_DAY):
        db.insert(
            REFERENCE_PRICES,
            day=event.day,
            segment=segment,
            day_ahead_myuan_mwh=event.day_ahead_myuan_mwh[segment],
            real_time_myuan_mwh=event.real_time_myuan_mwh[segment],
            market_myuan_mwh=event.market_myuan_mwh[segment],
            version_no=event.version_no,
        )


def regulation_prices_published(db: Writer, event: RegulationPricesPublished, _at: At) -> None:
    """One row per month; a correction replaces it."""
    db.delete(REGULATION_PRICES, {"month": event.month})
    db.insert(
        REGULATION_PRICES,
        month=event.month,
        up_myuan_mwh=event.up_myuan_mwh,
        increment_top_myuan_mwh=event.increment_top_myuan_mwh,
        down_called=int(event.down_called),
    )


def day_ahead_published(db: Writer, event: DayAheadPublished, _at: At) -> None:
    """One row per member; a correction replaces it."""
    for place, member_id in enumerate(event.member_ids):
        segments = event.quantities_kwh[place * SEGMENTS_PER_DAY : (place + 1) * SEGMENTS_PER_DAY]
        db.delete(DAY_AHEAD, {"day": event.day, "member_id": member_id})
        db.insert(DAY_AHEAD, day=event.day, member_id=member_id, segments_kwh=_numbers(segments))


def day_billed(db: Writer, event: DayBilled, _at: At) -> None:
    """A member's day; cleared anew it replaces the former one."""
    db.delete(DAY_BILLS, {"day": event.day, "member_id": event.member_id})
    db.insert(
        DAY_BILLS,
        day=event.day,
        member_id=event.member_id,
        contract_kwh=event.contract_kwh,
        metered_kwh=event.metered_kwh,
        contract_fen=event.contract_fen,
        day_ahead_kwh=event.day_ahead_kwh,
        day_ahead_fen=event.day_ahead_fen,
        deviation_kwh=event.deviation_kwh,
        deviation_fen=event.deviation_fen,
        recovery_fen=event.recovery_fen,
        returned_fen=event.returned_fen,
        total_fen=event.contract_fen
        + event.day_ahead_fen
        + event.deviation_fen
        + event.recovery_fen
        + event.returned_fen,
        contract_segments_kwh=_numbers(event.contract_segments_kwh),
        metered_segments_kwh=_numbers(event.metered_segments_kwh),
        used_segments_kwh=_numbers(event.used_segments_kwh),
    )


def agreement_days_booked(db: Writer, event: AgreementDaysBooked, _at: At) -> None:
    """What each agreement delivered on the day."""
    columns = (event.agreement_ids, event.seller_ids, event.buyer_ids, event.energies_kwh, event.amounts_fen)
    for agreement_id, seller_id, buyer_id, energy_kwh, amount_fen in zip(*columns, strict=True):
        db.insert(
            AGREEMENT_DAYS,
            agreement_id=agreement_id,
            day=event.day,
            seller_id=seller_id,
            buyer_id=buyer_id,
            energy_kwh=energy_kwh,
            amount_fen=amount_fen,
        )


def day_cleared(db: Writer, event: DayCleared, at: At) -> None:
    """The market's day; cleared anew it replaces the former one."""
    db.delete(DAYS, {"day": event.day})
    db.insert(
        DAYS,
        day=event.day,
        version_no=event.version_no,
        member_count=event.member_count,
        agreement_count=event.agreement_count,
        contract_kwh=event.contract_kwh,
        contract_fen=event.contract_fen,
        generation_kwh=event.generation_kwh,
        load_kwh=event.load_kwh,
        charged_fen=event.charged_fen,
        credited_fen=event.credited_fen,
        recovered_fen=event.recovered_fen,
        late=int(event.late),
        cleared_ms=at.market_ms,
    )


def line_issued(db: Writer, event: LineIssued, _at: At) -> None:
    """A line, and its share of the month's totals; one that replaces another of its month is in them already."""
    line = event.line
    db.insert(
        LINES,
        line_id=event.line_id,
        month=line.month,
        kind=line.kind,
        payer_id=line.payer_id,
        payee_id=line.payee_id,
        amount_fen=line.amount_fen,
        energy_kwh=line.energy_kwh,
        agreement_id=line.agreement_id,
        resource_id=line.resource_id,
        state=line.state,
        formula=line.explanation.formula,
        names=" ".join(line.explanation.names),
        numbers=_numbers(line.explanation.values),
        billed_fen=line.explanation.billed_fen,
        explanation_zh=text_of(line.explanation, "zh"),
        explanation_en=text_of(line.explanation, "en"),
        corrects_line_id=line.corrects_line_id,
        origin_month=line.origin_month,
        replaced_by_line_id=0,
        netting_id=0,
        converted_for="",
        paid_ms=0,
    )
    if event.is_replacement:
        return
    key = {"month": line.month, "kind": line.kind}
    if not db.exists(MONTH_TOTALS, key):
        zh, en = KINDS[line.kind]
        db.insert(MONTH_TOTALS, **key, zh=zh, en=en, line_count=0, energy_kwh=0, amount_fen=0)
    db.add(MONTH_TOTALS, key, line_count=1, energy_kwh=line.energy_kwh, amount_fen=line.amount_fen)


def statement_issued(db: Writer, event: StatementIssued, _at: At) -> None:
    """A statement."""
    row = event.statement
    db.insert(
        STATEMENTS,
        statement_id=event.statement_id,
        member_id=row.member_id,
        month=row.month,
        issued_day=row.issued_day,
        issued_late=int(event.late),
        objection_end_day=row.objection_end_day,
        due_day=row.due_day,
        payable_fen=row.payable_fen,
        receivable_fen=row.receivable_fen,
        paid_fen=row.paid_fen,
        received_fen=row.received_fen,
        converted_fen=row.converted_fen,
        assigned_fen=row.assigned_fen,
        state=row.state,
        accepted_in_silence=0,
        overdue_fen=0,
    )


def statement_accepted(db: Writer, event: StatementAccepted, _at: At) -> None:
    """It stands."""
    where = {"statement_id": event.statement_id}
    db.update(STATEMENTS, where, state=StatementState.ACCEPTED, accepted_in_silence=int(event.silent))


def statement_postponed(db: Writer, event: StatementPostponed, _at: At) -> None:
    """The due day moved."""
    db.update(STATEMENTS, {"statement_id": event.statement_id}, due_day=event.due_day)


def statement_overdue(db: Writer, event: StatementOverdue, _at: At) -> None:
    """Marked with what was open then."""
    db.update(STATEMENTS, {"statement_id": event.statement_id}, overdue_fen=event.overdue_fen)


def line_objected(db: Writer, event: LineObjected, _at: At) -> None:
    """An objection, seen by both sides of the line."""
    payer_id, payee_id = event.parties
    db.update(LINES, {"line_id": event.line_id}, state=LineState.DISPUTED)
    db.insert(
        OBJECTIONS,
        objection_id=event.objection_id,
        line_id=event.line_id,
        member_id=event.member_id,
        payer_id=payer_id,
        payee_id=payee_id,
        claimed_fen=event.claimed_fen,
        evidence=event.evidence,
        reason=event.reason,
        answer_due_day=event.answer_due_day,
        state=ObjectionState.OPEN,
        answer="",
        answered_late=0,
        mediation_end_day=0,
        mediation_reason="",
        decision="",
        standing_line_id=event.line_id,
        change_fen=0,
    )


def mediation_requested(db: Writer, event: MediationRequested, _at: At) -> None:
    """A side asks the regulator."""
    where = {"objection_id": event.objection_id}
    db.update(OBJECTIONS, where, state=ObjectionState.IN_MEDIATION, mediation_reason=event.reason)
    db.update(LINES, {"line_id": event.line_id}, state=event.line_state)


def objection_decided(db: Writer, event: ObjectionDecided, _at: At) -> None:
    """The answer or the decision; totals of both statements and of the month move by what changes in the line's own month."""
    where = {"objection_id": event.objection_id}
    if event.state == ObjectionState.MEDIATED:
        db.update(OBJECTIONS, where, decision=event.reason)
    else:
        late, end_day = int(event.late), event.mediation_end_day
        db.update(OBJECTIONS, where, answer=event.reason, answered_late=late, mediation_end_day=end_day)
    db.update(OBJECTIONS, where, state=event.state)
    db.add(OBJECTIONS, where, change_fen=event.change_fen)
    is_replaced = event.line_state == LineState.CORRECTED
    if is_replaced:
        db.update(OBJECTIONS, where, standing_line_id=event.new_line_id)
    replaced_by_line_id = event.new_line_id if is_replaced else 0
    db.update(LINES, {"line_id": event.line_id}, state=event.line_state, replaced_by_line_id=replaced_by_line_id)
    change_fen = event.statement_change_fen
    db.add(STATEMENTS, {"member_id": event.payer_id, "month": event.month}, payable_fen=change_fen)
    db.add(STATEMENTS, {"member_id": event.payee_id, "month": event.month}, receivable_fen=change_fen)
    db.add(MONTH_TOTALS, {"month": event.month, "kind": event.kind}, amount_fen=change_fen)


def line_paid(db: Writer, event: LinePaid, at: At) -> None:
    """Money moved: the line and both statements."""
    state = LineState.PAID_LATE if event.late else LineState.PAID
    where = {"line_id": event.line_id}
    db.update(LINES, where, state=state, paid_ms=at.market_ms, netting_id=event.netting_id)
    db.add(STATEMENTS, {"statement_id": event.statement_id}, paid_fen=event.amount_fen)
    db.add(STATEMENTS, {"member_id": event.payee_id, "month": event.month}, received_fen=event.amount_fen)


def lines_netted(db: Writer, event: LinesNetted, at: At) -> None:
    """What two members paid by the difference."""
    db.insert(
        NETTINGS,
        netting_id=event.netting_id,
        statement_id=event.statement_id,
        month=event.month,
        payer_id=event.payer_id,
        payee_id=event.payee_id,
        gross_fen=event.gross_fen,
        counter_fen=event.counter_fen,
        net_fen=event.gross_fen - event.counter_fen,
        line_ids=_numbers(event.line_ids),
        paid_ms=at.market_ms,
    )


def line_converted(db: Writer, event: LineConverted, _at: At) -> None:
    """The line became a receivable; both statements count it as discharged."""
    db.update(LINES, {"line_id": event.line_id}, state=LineState.CONVERTED, converted_for=event.converted_for)
    db.add(STATEMENTS, {"member_id": event.payer_id, "month": event.month}, converted_fen=event.amount_fen)
    db.add(STATEMENTS, {"member_id": event.payee_id, "month": event.month}, assigned_fen=event.amount_fen)


def line_redeemed(db: Writer, event: LineRedeemed, at: At) -> None:
    """The receivable paid it."""
    db.update(LINES, {"line_id": event.line_id}, state=LineState.REDEEMED, paid_ms=at.market_ms)


def _numbers(numbers: tuple[int, ...]) -> str:
    return " ".join(map(str, numbers))


VIEWS = Views(
    "settlement",
    TABLES,
    {
        ReferencePricesPublished: reference_prices_published,
        RegulationPricesPublished: regulation_prices_published,
        DayAheadPublished: day_ahead_published,
        DayBilled: day_billed,
        AgreementDaysBooked: agreement_days_booked,
        DayCleared: day_cleared,
        LineIssued: line_issued,
        StatementIssued: statement_issued,
        StatementAccepted: statement_accepted,
        StatementPostponed: statement_postponed,
        StatementOverdue: statement_overdue,
        LineObjected: line_objected,
        MediationRequested: mediation_requested,
        ObjectionDecided: objection_decided,
        LinePaid: line_paid,
        LinesNetted: lines_netted,
        LineConverted: line_converted,
        LineRedeemed: line_redeemed,
    },
    (
        reference_prices,
        regulation_prices,
        day_ahead_awards,
        day_bills,
        agreement_days,
        statements,
        lines,
        objections,
        nettings,
        statement_items,
        user_bill,
        market_days,
        market_summary,
        tariff_table,
        tou_table,
    ),
)
