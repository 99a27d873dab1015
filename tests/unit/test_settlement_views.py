"""What settlement shows, and to whom; explanations in words; the monthly sheet adds up."""

from typing import Any

import pytest

from shudian.contracts.roles import OVERSIGHT, Kind
from shudian.contracts.settlement import rules as settlement
from shudian.contracts.settlement.messages import (
    AcceptStatement,
    AnswerObjection,
    ObjectToLine,
    PayStatement,
    PublishDayAhead,
    PublishRegulationPrices,
)
from shudian.contracts.settlement.messages_facts import Formula, LineKind
from shudian.contracts.settlement.rules_formulas import explain
from shudian.contracts.settlement.views import VIEWS
from shudian.contracts.settlement.views_words import text_of
from shudian.kernel.messages import Event
from shudian.reading.projector import Projector
from shudian.reading.reader import THE_PUBLIC, Viewer
from shudian.reading.tables import Row
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
    """A town whose every block is projected."""

    def __init__(self) -> None:
        self.projector = Projector(None, (VIEWS,), OVERSIGHT)
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
