"""The queries of settlement: functions of a reader and a viewer."""

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
)
from shudian.reading.reader import Reader, Viewer
from shudian.reading.tables import Row


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


def nettings(reader: Reader, viewer: Viewer, *, month: int | None = None) -> list[Row]:
    """What two members paid by the difference of what they owed each other."""
    return reader.select(viewer, NETTINGS, {"month": month})


def market_days(reader: Reader, viewer: Viewer, *, month: int | None = None) -> list[Row]:
    """Totals of each cleared day."""
    return reader.select(viewer, DAYS, {"day": _in_month(None, month)})


def market_summary(reader: Reader, viewer: Viewer, *, month: int | None = None) -> list[Row]:
    """Totals of all lines of a month by kind."""
    return reader.select(viewer, MONTH_TOTALS, {"month": month})
