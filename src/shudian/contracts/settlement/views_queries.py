"""The queries of settlement: functions of a reader and a viewer."""

from shudian.contracts.settlement.messages_facts import LineKind, LineState
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
)
from shudian.contracts.settlement.views_words import GROUPS, KINDS
from shudian.kernel.units import PRICE_KWH_PER_FEN, round_half_away
from shudian.reading.reader import Reader, Viewer
from shudian.reading.tables import Row

DAILY_COLUMNS = {
    LineKind.ENERGY: "contract_fen",
    LineKind.DAY_AHEAD: "day_ahead_fen",
    LineKind.DEVIATION: "deviation_fen",
}


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
