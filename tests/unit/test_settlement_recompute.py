"""Every line that members see can be computed again from what it shows, by the README's formulas and nothing of the product."""

from collections.abc import Callable
from decimal import ROUND_HALF_UP, Decimal

import pytest

from shudian.contracts.agreements import rules as agreements
from shudian.contracts.metering.messages import CorrectReadings, UnbindMeter
from shudian.contracts.metering.rules_slots import pack
from shudian.contracts.settlement.messages import (
    AnswerObjection,
    IssueStatements,
    ObjectToLine,
    PublishRegulationPrices,
    ReclearDay,
)
from shudian.contracts.settlement.messages_facts import Formula, LineKind
from shudian.node.genesis import default_settings
from shudian.reading.tables import Row
from tests.unit.test_settlement import (
    CONTRACT_KWH,
    EVIDENCE,
    EXCHANGE,
    FEES_A1,
    FIRST,
    GRID,
    JULY,
    LAST,
    USER,
    USER_METER,
    flat_lines,
)
from tests.unit.test_settlement_corrections import set_rule
from tests.unit.test_settlement_green import terms
from tests.unit.test_settlement_views import Screen

Numbers = dict[str, list[int]]


def fen(yuan: Decimal) -> int:
    """Yuan rounded once to the fen, half away from zero."""
    return int((yuan * 100).to_integral_value(ROUND_HALF_UP))


def mwh(kwh: int) -> Decimal:
    return Decimal(kwh) / 1_000


def yuan_mwh(number: int) -> Decimal:
    return Decimal(number) / 1_000


def yuan_kwh(number: int) -> Decimal:
    return Decimal(number) / 10**8


def one(numbers: Numbers, name: str) -> int:
    (number,) = numbers[name]
    return number


def f4_short(n: Numbers) -> int:
    price = Decimal(one(n, "contract_fen")) / 100 / mwh(one(n, "contract_kwh"))
    transmission = yuan_kwh(one(n, "transmission_e8yuan_kwh")) * 1_000
    share = Decimal(one(n, "assessment_ppm")) / 10**6
    return max(0, fen(mwh(one(n, "short_kwh")) * share * (price + transmission)))


BY_HAND: dict[str, Callable[[Numbers], int]] = {
    "sum_of_days": lambda n: sum(n["daily_fen"]),
    "green_hours": lambda n: fen(mwh(sum(n["certified_kwh"])) * yuan_mwh(one(n, "environmental_myuan_mwh"))),
    "green_month": lambda n: fen(
        mwh(min(one(n, name) for name in ("contract_kwh", "generated_kwh", "used_kwh")))
        * yuan_mwh(one(n, "environmental_myuan_mwh"))
    ),
    "green_short": lambda n: fen(
        mwh(one(n, "contract_kwh") - one(n, "generated_kwh")) * yuan_mwh(one(n, "compensation_myuan_mwh"))
    ),
    "f4_contract": lambda n: fen(
        Decimal(one(n, "contract_fen")) / 100 * one(n, "settled_kwh") / one(n, "contract_kwh")
    ),
    "f4_over": lambda n: fen(
        mwh(one(n, "over_kwh")) * max(yuan_mwh(one(n, "up_myuan_mwh")), yuan_mwh(one(n, "increment_top_myuan_mwh")))
    ),
    "f4_short": f4_short,
    "tariff": lambda n: fen(one(n, "energy_kwh") * yuan_kwh(one(n, "tariff_e8yuan_kwh"))),
    "demand": lambda n: one(n, "contract_demand_kw") * one(n, "demand_fen_kw"),
    "corrected": lambda n: one(n, "corrected_to_fen"),
}


def recomputed_fen(row: Row) -> int:
    """The amount of a shown line, from its inputs by name (the last name takes all that remain), less what was billed before."""
    names, values = row["names"].split(), [int(number) for number in row["numbers"].split()]
    numbers = {name: [value] for name, value in zip(names[:-1], values, strict=False)}
    numbers[names[-1]] = values[len(names) - 1 :]
    return BY_HAND[row["formula"]](numbers) - int(row["billed_fen"])


def market_of_two_months() -> Screen:
    """F2 with F5, a green agreement, an upheld objection, and a day cleared anew."""
    town = Screen()
    set_rule(town, "settlement.f5_factor_ppm", 1_100_000, scope="user")
    town.agree(flat_lines(CONTRACT_KWH))
    agreements.bear(town.book.context(), terms(flat_lines(1_000_000)))
    town.month(940_000, 4_700_000)
    town.issue()
    objection = town.say(USER, ObjectToLine(town.line(LineKind.LOSS), 1, EVIDENCE, "too much"))[0]
    town.say(EXCHANGE, AnswerObjection(objection.objection_id, True, 100, "yes"))
    values = pack([1_000] * 96)
    town.say(GRID, CorrectReadings(USER_METER, FIRST, values, "meter replaced"))
    town.say(EXCHANGE, ReclearDay(FIRST))
    return town


def green_by_hour() -> Screen:
    town = Screen()
    set_rule(town, "settlement.green_rule_code", 1)
    agreements.bear(town.book.context(), terms(flat_lines(1_000_000)))
    town.month(940_000, 975_000)
    town.issue()
    return town


def month_of_f4(used_kwh: int) -> Screen:
    town = Screen()
    town.rule(4)
    town.agree(flat_lines(CONTRACT_KWH))
    town.month(10_000_000, used_kwh)
    town.say(EXCHANGE, PublishRegulationPrices(JULY, 300_001, 280_000, down_called=False))
    town.issue()
    return town


MARKETS: dict[str, Callable[[], Screen]] = {
    "two months": market_of_two_months,
    "green by hour": green_by_hour,
    "F4 short": lambda: month_of_f4(9_300_007),
    "F4 over": lambda: month_of_f4(11_000_003),
}
SEEN: set[str] = set()


@pytest.mark.parametrize("name", list(MARKETS))
def test_each_line_is_what_its_explanation_gives(name: str) -> None:
    rows = MARKETS[name]().show("lines", "exchange")
    for row in rows:
        assert abs(recomputed_fen(row)) == row["amount_fen"], row
    SEEN.update(row["formula"] for row in rows)
    if name == "two months":
        assert any(row["billed_fen"] for row in rows)


def test_no_formula_was_left_out() -> None:
    if len(SEEN) < len(BY_HAND):
        for make in MARKETS.values():
            SEEN.update(row["formula"] for row in make().show("lines", "exchange"))
    assert set(Formula) == SEEN == set(BY_HAND)


def test_corrections_are_a_group_of_their_own_on_the_sheet() -> None:
    town = market_of_two_months()
    rows = town.show("lines", "user", month=202608)
    assert {row["origin_month"] for row in rows} == {JULY}
    assert all("前已结算" in row["explanation_zh"] for row in rows if row["billed_fen"])
    assert "billed before" in rows[0]["explanation_en"]
    totals = {row["kind"]: row["amount_fen"] for row in town.show("market_summary", "public", month=JULY)}
    july = [row for row in town.show("lines", "exchange", month=JULY) if row["state"] != "corrected"]
    assert totals["loss"] == sum(row["amount_fen"] for row in july if row["kind"] == "loss") == 100


def test_the_sheet_of_the_later_month_keeps_corrections_apart() -> None:
    town = market_of_two_months()
    july_id = next(row["statement_id"] for row in town.show("statements", "user", month=JULY))
    for meter_id in (1, USER_METER):
        town.say(GRID, UnbindMeter(meter_id, LAST))
    town.go_to(20260901)
    ids = town.say(EXCHANGE, IssueStatements(202608, (GRID, USER)))[0].statement_ids
    later = town.show("statement_items", "user", statement_id=ids[1])
    assert {row["group"] for row in later} == {"retroactive", "total"}
    retroactive_fen = sum(
        row["amount_fen"] for row in later if row["group"] == "retroactive" and row["kind"] != "subtotal"
    )
    (total,) = (row["amount_fen"] for row in later if row["group"] == "total")
    assert total == retroactive_fen != 0
    bill = {row["item"]: row["amount_fen"] for row in town.show("user_bill", "user", statement_id=ids[1])}
    assert (bill["retroactive"], bill["loss"], bill["total"]) == (retroactive_fen, 0, total)
    july = town.show("statement_items", "user", statement_id=july_id)
    assert not [row for row in july if row["group"] == "retroactive"]


SHOWN_BY = (
    "settlement.tou_",
    "settlement.season_",
    "settlement.period_",
    "settlement.tip_",
    "settlement.system_part",
    "settlement.levy_part",
)
BILL_ROWS = [
    *("tip", "peak", "flat", "valley", "all"),
    *("energy", "green", "recovery", "loss", "transmission", "demand", "system", "catalogue", "levy", "power_factor"),
    *("retroactive", "total"),
]


def test_the_users_bill_has_its_rows_whatever_they_come_to() -> None:
    town = Screen()
    # The settings of genesis came before this screen listened.
    for entry in default_settings():
        if entry["name"].startswith(SHOWN_BY):
            set_rule(town, entry["name"], *entry["values"], scope=entry.get("scope", ""))
    ids = town.issued()
    rows = {row["item"]: row for row in town.show("user_bill", "user", statement_id=ids[USER])}
    assert [item for item, row in rows.items() if row["section"] not in ("meters", "parts")] == BILL_ROWS
    # Flat use of 12.5 MWh an hour; in July 3 tip hours a day, 7 peak hours beside them, 8 flat and 6 valley hours.
    energies = {item: rows[item]["energy_kwh"] for item in BILL_ROWS[:5]}
    assert sum(energies[item] for item in BILL_ROWS[:4]) == energies["all"] == 9_300_000
    assert energies == {"tip": 1_162_500, "peak": 2_712_500, "flat": 3_100_000, "valley": 2_325_000, "all": 9_300_000}
    assert {item: rows[item]["amount_fen"] for item in FEES_A1} == FEES_A1
    assert rows["energy"]["amount_fen"] == 210_000_000 - 21_000_000
    zero = ("green", "recovery", "catalogue", "power_factor", "retroactive")
    assert {rows[item]["amount_fen"] for item in zero} == {0}
    total = rows["total"]
    assert total["amount_fen"] == 189_000_000 + sum(FEES_A1.values())
    assert total["average_e8yuan_kwh"] == round(total["amount_fen"] * 10**6 / 9_300_000)
    shown = list(rows.values())
    assert 30 <= len(shown) <= 50
    for category, count in (("system", 8), ("levy", 5)):
        parts = [row for row in shown if row["item"].startswith(f"{category}_") and row["section"] == "parts"]
        assert len(parts) == count
        assert sum(row["amount_fen"] for row in parts) == rows[category]["amount_fen"]
    # 0.02 of 0.04716875 yuan/kWh is the rural grid's, to the fen
    assert abs(rows["levy_1"]["amount_fen"] * 4_716_875 - rows["levy"]["amount_fen"] * 2_000_000) < 4_716_875
    meters = {row["item"].partition("_")[2]: row["energy_kwh"] for row in shown if row["section"] == "meters"}
    assert meters["current"] - meters["previous"] == meters["billed"] == rows["all"]["energy_kwh"]
    assert town.show("user_bill", "hydro", statement_id=ids[USER]) == []
