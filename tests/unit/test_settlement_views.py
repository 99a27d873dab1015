"""What settlement shows, and to whom; explanations in words; the monthly sheet adds up."""

from typing import Any

import pytest

from shudian.contracts.governance.messages import SetSetting
from shudian.contracts.governance.views import VIEWS as GOVERNANCE_VIEWS
from shudian.contracts.metering.views import VIEWS as METERING_VIEWS
from shudian.contracts.roles import OVERSIGHT, Kind
from shudian.contracts.settlement import rules as settlement
from shudian.contracts.settlement.messages import (
    AcceptStatement,
    AnswerObjection,
    DecideMediation,
    ObjectToLine,
    PayStatement,
    PublishDayAhead,
    PublishRegulationPrices,
    RequestMediation,
)
from shudian.contracts.settlement.messages_facts import Formula, LineKind
from shudian.contracts.settlement.rules_formulas import explain
from shudian.contracts.settlement.views import VIEWS
from shudian.contracts.settlement.views_words import text_of
from shudian.kernel.messages import Event
from shudian.reading.projector import Projector
from shudian.reading.reader import THE_PUBLIC, Viewer
from shudian.reading.tables import Row, Views
from tests.unit.test_settlement import EVIDENCE, EXCHANGE, FEES_A1, FIRST, GRID, HYDRO, JULY, PARTIES, USER, Town

QUERIES = {query.__name__: query for query in VIEWS.queries}
VIEWERS = {
    "public": THE_PUBLIC,
    "exchange": Viewer(EXCHANGE, Kind.EXCHANGE),
    "user": Viewer(USER, Kind.USER),
    "hydro": Viewer(HYDRO, Kind.GENERATOR),
    "spare": Viewer(6, Kind.USER),
    "grid": Viewer(GRID, Kind.GRID_COMPANY),
}


class Screen(Town):
    """A town whose every block is projected, with what governance and metering show, which bills read."""

    views: tuple[Views, ...] = (GOVERNANCE_VIEWS, METERING_VIEWS)

    def __init__(self) -> None:
        self.projector = Projector(None, (*self.views, VIEWS), OVERSIGHT)
        super().__init__()
        keep = self.book._keep

        def keep_and_project(applied: Any) -> Any:
            kept = keep(applied)
            events: list[tuple[int, Event]] = kept.events
            self.projector.project(self.projector.height + 1, kept.market_ms, [], events)
            return kept

        self.book._keep = keep_and_project  # type: ignore[method-assign] # the test listens to every block

    def show(self, query: str, viewer: str, **filters: Any) -> list[Row]:
        rows: list[Row] = QUERIES[query](self.projector.reader, VIEWERS[viewer], **filters)
        return rows


@pytest.fixture(scope="module")
def paid() -> tuple[Screen, dict[int, int]]:
    """July settled with a dismissed and an upheld objection, and paid by the user."""
    town = Screen()
    ids = town.issued()
    dismissed = town.say(USER, ObjectToLine(town.line(LineKind.LOSS), 1, EVIDENCE, "too much"))[0].objection_id
    upheld = town.say(USER, ObjectToLine(town.line(LineKind.ENERGY), 200_000_000, EVIDENCE, "fault"))[0].objection_id
    town.say(EXCHANGE, AnswerObjection(dismissed, False, 0, "metered so"))
    town.say(EXCHANGE, AnswerObjection(upheld, True, 205_000_000, "half"))
    for member_id in PARTIES:
        town.say(member_id, AcceptStatement(ids[member_id]))
    town.say(USER, PayStatement(ids[USER]))
    return town, ids


# query, filters, viewer -> how many rows it sees
SCOPES = [
    ("reference_prices", {"day": FIRST}, "public", 24),
    ("day_bills", {"day": FIRST}, "public", 0),
    ("day_bills", {"day": FIRST}, "user", 1),
    ("day_bills", {"month": JULY}, "user", 31),
    ("day_bills", {"month": 202608}, "user", 0),
    ("day_bills", {"day": FIRST}, "exchange", 3),
    ("agreement_days", {"month": JULY}, "hydro", 31),
    ("agreement_days", {"month": JULY}, "grid", 0),
    ("statements", {}, "user", 1),
    ("statements", {}, "exchange", 3),
    ("statements", {}, "spare", 0),
    ("lines", {"month": JULY}, "public", 0),
    ("lines", {"month": JULY}, "hydro", 3),
    ("lines", {"month": JULY}, "user", 8),
    ("lines", {"kind": "energy"}, "grid", 0),
    ("objections", {}, "user", 2),
    ("objections", {}, "hydro", 1),
    ("objections", {"state": "upheld"}, "exchange", 1),
    ("market_days", {"month": JULY}, "public", 31),
    ("market_summary", {"month": JULY}, "public", 7),
]


@pytest.mark.parametrize(("query", "filters", "viewer", "count"), SCOPES)
def test_who_sees_how_much(
    paid: tuple[Screen, dict[int, int]], query: str, filters: dict[str, Any], viewer: str, count: int
) -> None:
    assert len(paid[0].show(query, viewer, **filters)) == count


def test_the_read_model_agrees_with_the_ledger(paid: tuple[Screen, dict[int, int]]) -> None:
    town, ids = paid
    for statement_id in ids.values():
        row = next(row for row in town.show("statements", "exchange") if row["statement_id"] == statement_id)
        held = town.statement(statement_id)
        for name in ("payable_fen", "receivable_fen", "paid_fen", "received_fen", "due_day", "state"):
            assert row[name] == getattr(held, name), name
    for row in town.show("lines", "user"):
        line = next(line for line_id, line in town_lines(town) if line_id == row["line_id"])
        assert (row["amount_fen"], row["state"], row["payee_id"]) == (line.amount_fen, line.state, line.payee_id)


def town_lines(town: Screen) -> list[tuple[int, Any]]:
    return settlement.lines_of(town.book.store, USER, JULY)


def test_the_months_energy_is_the_sum_of_its_days(paid: tuple[Screen, dict[int, int]]) -> None:
    town, _ = paid
    daily = sum(row["amount_fen"] for row in town.show("agreement_days", "user", month=JULY))
    energy = next(row for row in town.show("lines", "user", kind="energy") if not row["corrects_line_id"])
    numbers = [int(number) for number in energy["numbers"].split()]
    assert (energy["amount_fen"], sum(numbers[1:]), numbers[0]) == (daily, daily, FIRST)


def test_the_monthly_sheet_adds_up(paid: tuple[Screen, dict[int, int]]) -> None:
    town, ids = paid
    rows = town.show("statement_items", "user", statement_id=ids[USER])
    by_kind = {row["kind"]: row for row in rows if row["kind"] != "subtotal"}
    assert by_kind["energy"]["amount_fen"] == 205_000_000
    assert by_kind["energy"]["daily_difference_fen"] == 205_000_000 - 210_000_000
    assert (by_kind["deviation"]["amount_fen"], by_kind["deviation"]["daily_difference_fen"]) == (-21_000_000, 0)
    assert (by_kind["deviation"]["energy_kwh"], by_kind["deviation"]["average_myuan_mwh"]) == (-700_000, 300_000)
    assert {kind: by_kind[kind]["amount_fen"] for kind in FEES_A1} == FEES_A1
    subtotals = [row["amount_fen"] for row in rows if row["kind"] == "subtotal"]
    assert sum(subtotals) == by_kind["total"]["amount_fen"] == 205_000_000 - 21_000_000 + sum(FEES_A1.values())
    assert town.show("statement_items", "hydro", statement_id=ids[USER]) == []


def test_market_totals_follow_corrections(paid: tuple[Screen, dict[int, int]]) -> None:
    town, _ = paid
    totals = {row["kind"]: row["amount_fen"] for row in town.show("market_summary", "public", month=JULY)}
    assert totals["energy"] == 205_000_000
    assert totals["levy"] == FEES_A1["levy"]


def test_names_of_others_stay_out_of_public_timelines(paid: tuple[Screen, dict[int, int]]) -> None:
    town, _ = paid
    public = {row["event"] for row in town.projector.timeline_of(THE_PUBLIC, f"day:{FIRST}")}
    assert public == {"ReferencePricesPublished", "DayCleared"}
    own = {row["event"] for row in town.projector.timeline_of(VIEWERS["user"], f"day:{FIRST}")}
    assert own == public | {"DayBilled"}


def test_day_ahead_awards_and_regulation_prices_are_shown() -> None:
    town = Screen()
    town.say(EXCHANGE, PublishDayAhead(FIRST, (HYDRO, USER), (*(-1,) * 24, *(2,) * 24)))
    town.say(EXCHANGE, PublishDayAhead(FIRST, (USER,), (3,) * 24))
    town.say(EXCHANGE, PublishRegulationPrices(JULY, 300_000, 280_000, down_called=False))
    town.say(EXCHANGE, PublishRegulationPrices(JULY, 310_000, 280_000, down_called=True))
    assert [row["segments_kwh"] for row in town.show("day_ahead_awards", "user", day=FIRST)] == [" ".join("3" * 24)]
    assert len(town.show("day_ahead_awards", "exchange", day=FIRST)) == 2
    rows = town.show("regulation_prices", "public", month=JULY)
    assert [(row["up_myuan_mwh"], row["down_called"]) for row in rows] == [(310_000, 1)]


TEXTS = [
    (Formula.DEMAND, (15_000, 2_700), "15,000 kW × 27.00 元/kW = 405,000.00 元"),
    (Formula.F4_OVER, (200_000, 300_000, 280_000), "300.000 元/MWh"),
    (Formula.F4_SHORT, (300_000, 100_000, 10_000_000, 210_000_000, 6_440_000), "10.00 %"),
    (Formula.F4_CONTRACT, (9_300_000, 10_000_000, 210_000_000), "1,953,000.00 元"),
    (Formula.SUM_OF_DAYS, (FIRST, 5, -7), "自 20260701 起"),
    (Formula.CORRECTED, (3, 210_000_000, 205_000_000), "更正第 3 行，2,100,000.00 元 改为 2,050,000.00 元"),
]


@pytest.mark.parametrize(("formula", "values", "part"), TEXTS)
def test_explanations_in_words(formula: Formula, values: tuple[int, ...], part: str) -> None:
    assert part in text_of(explain(formula, values), "zh")
    assert "{" not in text_of(explain(formula, values), "en")


def test_a_correction_of_a_paid_line_counts_in_its_own_month_and_leaves_the_first_alone() -> None:
    town = Screen()
    ids = town.issued()
    line_id = town.line(LineKind.ENERGY)
    objection_id = town.say(USER, ObjectToLine(line_id, 1, EVIDENCE, "fault"))[0].objection_id
    for member_id in PARTIES:
        town.say(member_id, AcceptStatement(ids[member_id]))
    town.say(USER, PayStatement(ids[USER], provisional=True))
    town.say(EXCHANGE, AnswerObjection(objection_id, True, 205_000_000, "half"))
    totals = [
        {row["kind"]: row["amount_fen"] for row in town.show("market_summary", "public", month=month)}.get("energy")
        for month in (JULY, 202608)
    ]
    assert totals == [210_000_000, 5_000_000]
    (line,) = town.show("lines", "user", line_id=line_id)
    assert (line["state"], line["replaced_by_line_id"]) == ("paid", 0)
    (row,) = town.show("objections", "hydro")
    assert (row["state"], row["change_fen"], row["standing_line_id"]) == ("upheld", -5_000_000, line_id)
    (held,) = town.show("statements", "user", month=JULY)
    assert held["payable_fen"] == town.statement(ids[USER]).payable_fen


def test_mediation_conversion_and_netting_are_shown() -> None:
    town = Screen()
    ids = town.issued()
    line_id = town.line(LineKind.ENERGY)
    objection_id = town.say(USER, ObjectToLine(line_id, 1, EVIDENCE, "fault"))[0].objection_id
    town.say(EXCHANGE, AnswerObjection(objection_id, False, 0, "no"))
    town.say(USER, RequestMediation(objection_id, "the photograph"))
    (row,) = town.show("objections", "user")
    assert (row["state"], row["mediation_reason"]) == ("in_mediation", "the photograph")
    assert town.show("lines", "user", line_id=line_id)[0]["state"] == "disputed"
    town.say(7, DecideMediation(objection_id, 209_000_000, "a little"))
    (row,) = town.show("objections", "user")
    assert (row["state"], row["answer"], row["decision"], row["change_fen"]) == (
        "mediated",
        "no",
        "a little",
        -1_000_000,
    )
    for member_id in PARTIES:
        town.say(member_id, AcceptStatement(ids[member_id]))
    town.say(EXCHANGE, SetSetting("settlement.netting_code", "", 20260801, (1,), "test"))
    context = town.book.context()
    settlement.convert_line(context, row["standing_line_id"], "receivable:1")
    settlement.settle_converted(context, row["standing_line_id"])
    told = [(-1, event) for event in context.events]
    town.projector.project(town.projector.height + 1, town.book.now_ms, [], told)
    (line,) = town.show("lines", "user", line_id=row["standing_line_id"])
    assert (line["state"], line["converted_for"]) == ("redeemed", "receivable:1")
    town.say(USER, PayStatement(ids[USER]))
    (net,) = town.show("nettings", "user")
    assert (net["payer_id"], net["payee_id"]) == (USER, GRID)
    assert net["net_fen"] == net["gross_fen"] - net["counter_fen"] > 0
    assert town.show("nettings", "hydro") == []
    assert {row["netting_id"] for row in town.show("lines", "user", kind="loss")} == {1}
    for statement_id in ids.values():
        (shown,) = (row for row in town.show("statements", "exchange") if row["statement_id"] == statement_id)
        held = town.statement(statement_id)
        for name in ("paid_fen", "received_fen", "converted_fen", "assigned_fen"):
            assert shown[name] == getattr(held, name), name
