"""Statements as sheets: the wholesale settlement sheet 结算单 (domain 9.2) and the user's electricity bill 电费账单 (domain 9.3)."""

from collections.abc import Iterable, Sequence

from shudian.contracts.metering.views import DAYS as METER_DAYS
from shudian.contracts.settlement.messages_facts import LineKind, LineState, Period
from shudian.contracts.settlement.views_tables import DAY_BILLS, LINES, STATEMENTS
from shudian.contracts.settlement.views_tariffs import settings_on, tou_table
from shudian.contracts.settlement.views_words import BILL, BILL_PARTS, GROUPS, KINDS, PERIODS
from shudian.kernel.clock import month_first_day, month_of
from shudian.kernel.units import PRICE_KWH_PER_FEN, TARIFF_KWH_PER_FEN, round_half_away, split_largest_remainder
from shudian.reading.reader import Reader, Viewer
from shudian.reading.tables import Row

DAILY_COLUMNS = {
    LineKind.ENERGY: "contract_fen",
    LineKind.DAY_AHEAD: "day_ahead_fen",
    LineKind.DEVIATION: "deviation_fen",
    LineKind.RECOVERY: "recovery_fen",
    LineKind.RECOVERY_RETURN: "returned_fen",
}
_RETROACTIVE = ("retroactive", "退补", "Corrections of earlier months")


def _own_lines(reader: Reader, viewer: Viewer, statement: Row) -> list[Row]:
    """The lines that count on a statement, with energy and money seen from its member: positive where it takes or owes."""
    found = []
    for side, sign in (("payer_id", 1), ("payee_id", -1)):
        for row in reader.select(viewer, LINES, {side: statement["member_id"], "month": statement["month"]}):
            if row["state"] != LineState.CORRECTED:
                turned = {name: sign * row[name] for name in ("energy_kwh", "amount_fen")}
                found.append(row | turned)
    return found


def _days(reader: Reader, viewer: Viewer, statement: Row) -> list[Row]:
    where = {"member_id": statement["member_id"], "day": ("LIKE", f"{statement['month']}%")}
    return reader.select(viewer, DAY_BILLS, where)


def statement_items(reader: Reader, viewer: Viewer, *, statement_id: int) -> list[Row]:
    """A statement in the layout of the monthly settlement sheet 结算单 (domain 9.2): items of each group, group totals, total.

    energy_kwh is positive where the member takes it, amount_fen where it owes; average_myuan_mwh is one by the other. daily_difference_fen:
    the month's amount less the sum of the day bills, for what is cleared daily; it is what F4 and corrections change. Corrections of
    earlier months 退补 are a group of their own.
    """
    statement = reader.one(viewer, STATEMENTS, {"statement_id": statement_id})
    if statement is None:
        return []
    lines, bills = _own_lines(reader, viewer, statement), _days(reader, viewer, statement)
    found: list[Row] = []
    for names, kinds, rows in (
        *((group[:3], group[3], [row for row in lines if not row["origin_month"]]) for group in GROUPS),
        (_RETROACTIVE, tuple(KINDS), [row for row in lines if row["origin_month"]]),
    ):
        group = dict(zip(("group", "group_zh", "group_en"), names, strict=True))
        items = [(kind, [row for row in rows if row["kind"] == kind]) for kind in kinds]
        items = [(kind, own) for kind, own in items if own]
        for kind, own in items:
            has_days = kind in DAILY_COLUMNS and names is not _RETROACTIVE
            daily_fen = sum(bill[DAILY_COLUMNS[kind]] for bill in bills) if has_days else None
            found.append(group | _item(kind, KINDS[kind], own, daily_fen))
        if items:
            found.append(group | _sum("subtotal", ("小计", "Subtotal"), (row for _, own in items for row in own)))
    total = {"group": "total", "group_zh": "结算合计", "group_en": "Total"}
    return [*found, total | _sum("total", ("结算合计", "Total"), lines)]


def _item(kind: str, words: tuple[str, str], rows: list[Row], daily_fen: int | None) -> Row:
    energy_kwh, amount_fen = (sum(row[name] for row in rows) for name in ("energy_kwh", "amount_fen"))
    return _sum(kind, words, rows) | {
        "energy_kwh": energy_kwh,
        "average_myuan_mwh": round_half_away(amount_fen * PRICE_KWH_PER_FEN, energy_kwh) if energy_kwh else None,
        "daily_difference_fen": None if daily_fen is None else amount_fen - daily_fen,
    }


def _sum(kind: str, words: tuple[str, str], rows: Iterable[Row]) -> Row:
    """A row that has no energy of its own: energy of different items is not added up."""
    amounts_fen = [row["amount_fen"] for row in rows]
    return {
        "kind": kind,
        "zh": words[0],
        "en": words[1],
        "line_count": len(amounts_fen),
        "energy_kwh": None,
        "average_myuan_mwh": None,
        "amount_fen": sum(amounts_fen),
        "daily_difference_fen": None,
    }


def user_bill(reader: Reader, viewer: Viewer, *, statement_id: int) -> list[Row]:
    """A statement in the layout of the user's electricity bill 电费账单 (domain 9.3): always the same rows, those of 0 too.

    section: usage (metered load by time-of-use period, then in all), meters (registers), fees (fixed categories, each with its parts; what does not arise in the market, such as
    目录电费 and the power-factor adjustment, is 0), total. average_e8yuan_kwh: amount by all energy used.
    """
    statement = reader.one(viewer, STATEMENTS, {"statement_id": statement_id})
    if statement is None:
        return []
    used_kwh = _used_by_period(reader, viewer, statement)
    whole_kwh = sum(used_kwh.values())
    rows = [_bill_row("usage", period.name.lower(), PERIODS[period], used_kwh[period], None) for period in Period]
    rows.append(_bill_row("usage", "all", ("总电量", "All energy"), whole_kwh, None))
    lines = _own_lines(reader, viewer, statement)
    rows += _meter_rows(reader, viewer, statement)
    held = settings_on(reader, viewer, month_first_day(statement["month"]))
    for code, zh, en, kinds in BILL:
        own = [row for row in lines if row["kind"] in kinds and not row["origin_month"]]
        amount_fen = sum(row["amount_fen"] for row in own)
        rows.append(_bill_row("fees", code, (zh, en), None, amount_fen))
        if code in BILL_PARTS:
            setting, names = BILL_PARTS[code]
            rows += _part_rows(code, amount_fen, held.get((setting, ""), ()), names)
    corrections_fen = sum(row["amount_fen"] for row in lines if row["origin_month"])
    rows.append(_bill_row("fees", *_RETROACTIVE[:1], _RETROACTIVE[1:], None, corrections_fen))
    total = _bill_row("total", "total", ("电费合计", "Total"), whole_kwh, sum(row["amount_fen"] for row in lines))
    if whole_kwh:
        total["average_e8yuan_kwh"] = round_half_away(total["amount_fen"] * TARIFF_KWH_PER_FEN, whole_kwh)
    return [*rows, total]


def _part_rows(
    code: str, amount_fen: int, parts_e8yuan_kwh: Sequence[int], names: Sequence[tuple[str, str]]
) -> list[Row]:
    """A category's amount shared by its published parts, to the fen by the largest remainders; zero parts stay visible."""
    if len(parts_e8yuan_kwh) != len(names) or sum(parts_e8yuan_kwh) <= 0 or min(parts_e8yuan_kwh) < 0:
        return []
    sign = -1 if amount_fen < 0 else 1
    parts_fen = split_largest_remainder(abs(amount_fen), parts_e8yuan_kwh)
    return [
        _bill_row("parts", f"{code}_{place}", name, None, sign * part_fen)
        for place, (name, part_fen) in enumerate(zip(names, parts_fen, strict=True), 1)
    ]


def _meter_rows(reader: Reader, viewer: Viewer, statement: Row) -> list[Row]:
    """Register of each load meter before and after the month, in whole kWh, and the energy between; the multiplier is 1."""
    where = {"owner_id": statement["member_id"], "direction": "load"}
    registers: dict[int, list[int]] = {}
    for row in reader.select(viewer, METER_DAYS, where):
        month = month_of(row["day"])
        if month <= statement["month"]:
            register = registers.setdefault(row["meter_id"], [0, 0])
            register[0 if month < statement["month"] else 1] += row["energy_kwh"]
    rows = []
    for meter_id, (before_kwh, month_kwh) in sorted(registers.items()):
        for item, zh, en, energy_kwh in (
            ("previous", "上次示数", "Previous reading", before_kwh),
            ("current", "本次示数", "Current reading", before_kwh + month_kwh),
            ("billed", "计费电量（倍率 1）", "Billed energy (multiplier 1)", month_kwh),
        ):
            rows.append(
                _bill_row(
                    "meters", f"{meter_id}_{item}", (f"表 {meter_id} {zh}", f"Meter {meter_id}: {en}"), energy_kwh, None
                )
            )
    return rows


def _used_by_period(reader: Reader, viewer: Viewer, statement: Row) -> dict[Period, int]:
    """Metered load of the month by period of big industry's time-of-use table, that of two-part users."""
    used_kwh = dict.fromkeys(Period, 0)
    for bill in _days(reader, viewer, statement):
        periods = {
            row["segment"]: Period[row["industry_period"].upper()] for row in tou_table(reader, viewer, day=bill["day"])
        }
        for segment, energy_kwh in enumerate(bill["used_segments_kwh"].split()):
            used_kwh[periods.get(segment, Period.FLAT)] += int(energy_kwh)
    return used_kwh


def _bill_row(section: str, item: str, words: tuple[str, ...], energy_kwh: int | None, amount_fen: int | None) -> Row:
    zh, en = words
    return {
        "section": section,
        "item": item,
        "zh": zh,
        "en": en,
        "energy_kwh": energy_kwh,
        "amount_fen": amount_fen,
        "average_e8yuan_kwh": None,
    }
