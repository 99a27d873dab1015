"""What settlement tells: prices, day bills, statements and lines with their explanations, the month's totals."""

from shudian.contracts.settlement.messages import (
    AgreementDaysBooked,
    DayAheadPublished,
    DayBilled,
    DayCleared,
    LineIssued,
    LineKind,
    LineObjected,
    LinePaid,
    LineState,
    ObjectionAnswered,
    ObjectionState,
    ReferencePricesPublished,
    RegulationPricesPublished,
    StatementAccepted,
    StatementIssued,
    StatementOverdue,
    StatementPostponed,
    StatementState,
)
from shudian.contracts.settlement.views_tables import (
    AGREEMENT_DAYS,
    DAY_AHEAD,
    DAY_BILLS,
    DAYS,
    LINES,
    MONTH_TOTALS,
    OBJECTIONS,
    REFERENCE_PRICES,
    REGULATION_PRICES,
    STATEMENTS,
    TABLES,
)
from shudian.contracts.settlement.views_tariffs import tariff_table, tou_table
from shudian.contracts.settlement.views_words import GROUPS, KINDS, text_of
from shudian.kernel.units import PRICE_KWH_PER_FEN, SEGMENTS_PER_DAY, round_half_away
from shudian.reading.reader import Reader, Viewer, Writer
from shudian.reading.tables import At, Row, Views

DAILY_COLUMNS = {
    LineKind.ENERGY: "contract_fen",
    LineKind.DAY_AHEAD: "day_ahead_fen",
    LineKind.DEVIATION: "deviation_fen",
}


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
    """A member's day."""
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
        total_fen=event.contract_fen + event.day_ahead_fen + event.deviation_fen,
        contract_segments_kwh=_numbers(event.contract_segments_kwh),
        metered_segments_kwh=_numbers(event.metered_segments_kwh),
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
    """The market's day."""
    db.insert(
        DAYS,
        day=event.day,
        member_count=event.member_count,
        agreement_count=event.agreement_count,
        contract_kwh=event.contract_kwh,
        contract_fen=event.contract_fen,
        generation_kwh=event.generation_kwh,
        load_kwh=event.load_kwh,
        charged_fen=event.charged_fen,
        credited_fen=event.credited_fen,
        late=int(event.late),
        cleared_ms=at.market_ms,
    )


def line_issued(db: Writer, event: LineIssued, _at: At) -> None:
    """A line, and its share of the month's totals; a corrected line is in them already."""
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
        explanation_zh=text_of(line.explanation, "zh"),
        explanation_en=text_of(line.explanation, "en"),
        corrects_line_id=line.corrects_line_id,
        replaced_by_line_id=0,
        paid_ms=0,
    )
    if line.corrects_line_id:
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
    )


def objection_answered(db: Writer, event: ObjectionAnswered, _at: At) -> None:
    """The decision; totals of both statements and of the month move by the change."""
    state = ObjectionState.UPHELD if event.upheld else ObjectionState.DISMISSED
    db.update(OBJECTIONS, {"objection_id": event.objection_id}, state=state, answer=event.reason)
    line_state = LineState.CORRECTED if event.upheld else LineState.OPEN
    db.update(LINES, {"line_id": event.line_id}, state=line_state, replaced_by_line_id=event.replaced_by_line_id)
    db.add(STATEMENTS, {"member_id": event.payer_id, "month": event.month}, payable_fen=event.change_fen)
    db.add(STATEMENTS, {"member_id": event.payee_id, "month": event.month}, receivable_fen=event.change_fen)
    db.add(MONTH_TOTALS, {"month": event.month, "kind": event.kind}, amount_fen=event.change_fen)


def line_paid(db: Writer, event: LinePaid, at: At) -> None:
    """Money moved: the line and both statements."""
    state = LineState.PAID_LATE if event.late else LineState.PAID
    db.update(LINES, {"line_id": event.line_id}, state=state, paid_ms=at.market_ms)
    db.add(STATEMENTS, {"statement_id": event.statement_id}, paid_fen=event.amount_fen)
    db.add(STATEMENTS, {"member_id": event.payee_id, "month": event.month}, received_fen=event.amount_fen)


def _numbers(numbers: tuple[int, ...]) -> str:
    return " ".join(map(str, numbers))


def reference_prices(reader: Reader, viewer: Viewer, *, day: int | None = None) -> list[Row]:
    """Spot and market prices by day and segment."""
    return reader.select(viewer, REFERENCE_PRICES, {"day": day})


def regulation_prices(reader: Reader, viewer: Viewer, *, month: int | None = None) -> list[Row]:
    """Prices of F4 by month."""
    return reader.select(viewer, REGULATION_PRICES, {"month": month})


def day_ahead_awards(
    reader: Reader, viewer: Viewer, *, day: int | None = None, member_id: int | None = None
) -> list[Row]:
    """Day-ahead awards, 24 numbers a row."""
    return reader.select(viewer, DAY_AHEAD, {"day": day, "member_id": member_id})


def day_bills(
    reader: Reader,
    viewer: Viewer,
    *,
    day: int | None = None,
    month: int | None = None,
    member_id: int | None = None,
) -> list[Row]:
    """Day bills; amounts are positive where the member owes."""
    return reader.select(viewer, DAY_BILLS, {"day": _in_month(day, month), "member_id": member_id})


def agreement_days(
    reader: Reader, viewer: Viewer, *, agreement_id: int | None = None, day: int | None = None, month: int | None = None
) -> list[Row]:
    """What agreements delivered day by day."""
    return reader.select(viewer, AGREEMENT_DAYS, {"agreement_id": agreement_id, "day": _in_month(day, month)})


def _in_month(day: int | None, month: int | None) -> int | tuple[str, str] | None:
    """A filter for a day, or for all days of a month (yyyymm): a day's digits start with those of its month."""
    return (("LIKE", f"{month}%") if month is not None else None) if day is None else day


def statements(
    reader: Reader, viewer: Viewer, *, month: int | None = None, member_id: int | None = None, state: str | None = None
) -> list[Row]:
    """Statements with their totals and deadlines."""
    return reader.select(viewer, STATEMENTS, {"month": month, "member_id": member_id, "state": state})


def lines(
    reader: Reader,
    viewer: Viewer,
    *,
    month: int | None = None,
    line_id: int | None = None,
    agreement_id: int | None = None,
    kind: str | None = None,
    state: str | None = None,
) -> list[Row]:
    """Lines with their explanation in words and in numbers."""
    where = {"month": month, "line_id": line_id, "agreement_id": agreement_id, "kind": kind, "state": state}
    return reader.select(viewer, LINES, where)


def objections(reader: Reader, viewer: Viewer, *, line_id: int | None = None, state: str | None = None) -> list[Row]:
    """Objections and what became of them."""
    return reader.select(viewer, OBJECTIONS, {"line_id": line_id, "state": state})


def statement_items(reader: Reader, viewer: Viewer, *, statement_id: int) -> list[Row]:
    """A statement in the layout of the monthly settlement sheet 结算单 (domain 9.2): items of each group, group totals, total.

    energy_kwh is positive where the member takes it, amount_fen where it owes; average_myuan_mwh is one by the other. daily_difference_fen:
    the month's amount less the sum of the day bills, for what is cleared daily; it is what F4 and corrections change.
    """
    held = reader.one(viewer, STATEMENTS, {"statement_id": statement_id})
    if held is None:
        return []
    member_id, month = held["member_id"], held["month"]
    sums: dict[str, list[int]] = {}
    for side, sign in (("payer_id", 1), ("payee_id", -1)):
        for row in reader.select(viewer, LINES, {side: member_id, "month": month}):
            if row["state"] != LineState.CORRECTED:
                total = sums.setdefault(row["kind"], [0, 0, 0])
                total[0] += 1
                total[1] += sign * row["energy_kwh"]
                total[2] += sign * row["amount_fen"]
    bills = day_bills(reader, viewer, month=month, member_id=member_id)
    found: list[Row] = []
    for group, group_zh, group_en, kinds in GROUPS:
        items = [(kind, sums[kind]) for kind in kinds if kind in sums]
        names = {"group": group, "group_zh": group_zh, "group_en": group_en}
        for kind, total in items:
            daily_fen = sum(bill[DAILY_COLUMNS[kind]] for bill in bills) if kind in DAILY_COLUMNS else None
            found.append(names | _item(kind, KINDS[kind], total, daily_fen))
        if items:
            subtotal = [sum(total[place] for _, total in items) for place in range(3)]
            found.append(names | _item("subtotal", ("小计", "Subtotal"), subtotal, None))
    whole = [sum(total[place] for total in sums.values()) for place in range(3)]
    names = {"group": "total", "group_zh": "结算合计", "group_en": "Total"}
    return [*found, names | _item("total", ("结算合计", "Total"), whole, None)]


def _item(kind: str, words: tuple[str, str], total: list[int], daily_fen: int | None) -> Row:
    line_count, energy_kwh, amount_fen = total
    has_average = energy_kwh and kind not in ("subtotal", "total")
    return {
        "kind": kind,
        "zh": words[0],
        "en": words[1],
        "line_count": line_count,
        "energy_kwh": energy_kwh if kind not in ("subtotal", "total") else None,
        "average_myuan_mwh": round_half_away(amount_fen * PRICE_KWH_PER_FEN, energy_kwh) if has_average else None,
        "amount_fen": amount_fen,
        "daily_difference_fen": None if daily_fen is None else amount_fen - daily_fen,
    }


def market_days(reader: Reader, viewer: Viewer, *, month: int | None = None) -> list[Row]:
    """Totals of each cleared day."""
    return reader.select(viewer, DAYS, {"day": _in_month(None, month)})


def market_summary(reader: Reader, viewer: Viewer, *, month: int | None = None) -> list[Row]:
    """Totals of all lines of a month by kind."""
    return reader.select(viewer, MONTH_TOTALS, {"month": month})


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
        ObjectionAnswered: objection_answered,
        LinePaid: line_paid,
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
        statement_items,
        market_days,
        market_summary,
        tariff_table,
        tou_table,
    ),
)
