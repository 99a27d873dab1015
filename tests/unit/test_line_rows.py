"""The rows behind a statement line are there, and the amount's own explanation can be read off them."""

from typing import Any

import pytest

from shudian.contracts.settlement import rules as settlement
from shudian.contracts.settlement.messages import AnswerObjection, ObjectToLine, PublishRegulationPrices
from shudian.contracts.settlement.messages_facts import BillLine, Formula, LineKind
from shudian.tools.line_rows import places_of_line
from tests.unit.test_settlement import CONTRACT_KWH, EVIDENCE, EXCHANGE, GRID, HYDRO, JULY, USER, Town, flat_lines

AROUND = {"settlement.lines", "settlement.statements"}
DAYS = {"settlement.day_bills"}
AGREEMENT = {"agreements.agreements", "settlement.accruals"}
LOAD = {"resources.resources", "governance.setting_rows"}
BAND = DAYS | {"settlement.accruals"}


def settled(code: int, used_kwh: int) -> Town:
    town = Town()
    town.rule(code)
    town.agree(flat_lines(CONTRACT_KWH))
    if code == 4:
        town.say(EXCHANGE, PublishRegulationPrices(JULY, 300_000, 310_000, False))
    town.month(CONTRACT_KWH, used_kwh)
    town.issue()
    return town


def rows_behind(town: Town, line_id: int) -> dict[str, list[Any]]:
    """The rows by table; each must be there."""
    found: dict[str, list[Any]] = {}
    for table, key in places_of_line(town.book, line_id):
        found.setdefault(table, []).append(town.book.store.rows[table].data[key])
    return found


def lines(town: Town) -> dict[int, BillLine]:
    return {
        line_id: row for member in (USER, HYDRO) for line_id, row in settlement.lines_of(town.book.store, member, JULY)
    }


@pytest.mark.parametrize(
    ("code", "used_kwh", "tables"),
    [
        (2, 9_300_000, {LineKind.ENERGY: AGREEMENT, LineKind.DEVIATION: DAYS}),
        (4, 9_300_000, {LineKind.ENERGY: AGREEMENT | BAND, LineKind.ASSESSMENT: BAND | {"governance.setting_rows"}}),
        (
            4,
            11_000_000,
            {LineKind.OVER_USE: BAND | {"governance.setting_rows", "settlement.regulation_prices"}},
        ),
    ],
)
def test_each_kind_of_line_names_what_it_came_from(code: int, used_kwh: int, tables: dict[LineKind, set[str]]) -> None:
    town = settled(code, used_kwh)
    tariff = LOAD | {"settlement.load_accruals"}
    tables = {LineKind.TRANSMISSION: tariff, LineKind.LEVY: tariff, LineKind.DEMAND: LOAD} | tables
    met = set()
    for line_id, row in lines(town).items():
        found = rows_behind(town, line_id)
        assert found["settlement.lines"] == [row]
        assert {one.member_id for one in found["settlement.statements"]} == {row.payer_id, row.payee_id}
        if row.kind in tables:
            assert set(found) == AROUND | tables[row.kind]
            met.add(row.kind)
        check_explanation(row, found)
    assert met == set(tables)


def check_explanation(row: BillLine, found: dict[str, list[Any]]) -> None:
    """The values that the amount was computed from, taken from the rows beside the line."""
    values = row.explanation.values
    sign = 1 if row.payee_id == GRID else -1
    match row.explanation.formula:
        case Formula.SUM_OF_DAYS if row.agreement_id:
            assert values[1:] == found["settlement.accruals"][0].daily_fen
        case Formula.SUM_OF_DAYS:
            assert (
                sum(bill.deviation_fen for bill in found["settlement.day_bills"])
                == sum(values[1:])
                == sign * row.amount_fen
            )
        case Formula.TARIFF:
            assert values == (
                sum(found["settlement.load_accruals"][0].daily_kwh),
                found["governance.setting_rows"][0].values[0],
            )
        case Formula.DEMAND:
            (load,), (price,) = found["resources.resources"], found["governance.setting_rows"]
            assert values == (load.contract_demand_kw, price.values[0])
        case Formula.F4_OVER:
            (prices,) = found["settlement.regulation_prices"]
            assert values[1:] == (prices.up_myuan_mwh, prices.increment_top_myuan_mwh)


def test_a_corrected_line_names_what_it_replaces() -> None:
    town = Town()
    town.issued()
    line_id = town.line(LineKind.ENERGY)
    reply = town.say(USER, ObjectToLine(line_id, 200_000_000, EVIDENCE, "meter fault"))[0]
    assert ("settlement.objections", (reply.objection_id,)) in places_of_line(town.book, line_id)
    town.say(EXCHANGE, AnswerObjection(reply.objection_id, True, 205_000_000, "half of it"))
    new_id = max(lines(town))
    assert places_of_line(town.book, new_id)[0] == ("settlement.lines", (new_id,))
    assert ("settlement.lines", (line_id,)) in places_of_line(town.book, new_id)
