"""What receivables shows, and to whom: the read tables agree with the ledger after every kind of event."""

from typing import Any

import pytest

from shudian.contracts.funds.messages import ConfirmDeposit
from shudian.contracts.receivables.messages import (
    ConfirmInvoice,
    RejectReceivable,
    SplitReceivable,
    TransferReceivable,
    WriteOffReceivable,
)
from shudian.contracts.receivables.messages_finance import ClaimRecourse, ReleasePledge, WithdrawFinance
from shudian.contracts.receivables.views import VIEWS
from shudian.contracts.roles import OVERSIGHT, Kind
from shudian.kernel.crypto import sha256
from shudian.kernel.messages import Event
from shudian.reading.projector import Projector
from shudian.reading.reader import THE_PUBLIC, Viewer
from shudian.reading.tables import Row
from tests.unit.test_receivables import (
    BANK,
    CONTRACTOR,
    DUE_DAY,
    EXCHANGE,
    GRID,
    PAPER,
    RIVAL_BANK,
    SUPPLIER,
    Town,
    invoice,
)

QUERIES = {query.__name__: query for query in VIEWS.queries}
VIEWERS = {
    "public": THE_PUBLIC,
    "exchange": Viewer(EXCHANGE, Kind.EXCHANGE),
    "grid": Viewer(GRID, Kind.GRID_COMPANY),
    "contractor": Viewer(CONTRACTOR, Kind.USER),
    "supplier": Viewer(SUPPLIER, Kind.USER),
    "bank": Viewer(BANK, Kind.BANK),
    "rival": Viewer(RIVAL_BANK, Kind.BANK),
    "stranger": Viewer(99, Kind.USER),
}


class Screen(Town):
    """A town whose every block is projected."""

    def __init__(self, **fen: int) -> None:
        self.projector = Projector(None, (VIEWS,), OVERSIGHT)
        super().__init__(**fen)

    def balanced(self) -> None:
        super().balanced()
        last = self.book.last
        told: list[tuple[int, Event]] = [pair for pair in last.events if type(pair[1]) in VIEWS.projections]
        self.projector.project(self.projector.height + 1, last.market_ms, [], told)

    def show(self, query: str, viewer: str, **filters: Any) -> list[Row]:
        rows: list[Row] = QUERIES[query](self.projector.reader, VIEWERS[viewer], **filters)
        return rows

    def agrees(self) -> None:
        """Every part and debt that the exchange sees is as the ledger has it."""
        for row in self.show("receivables", "exchange"):
            held = self.part(row["receivable_id"])
            for name in ("root_id", "parent_id", "holder_id", "tier_no", "amount_fen", "paid_fen", "state"):
                assert row[name] == getattr(held, name), (name, row)
            for name in ("seller_id", "pledgee_id", "secured_fen", "recourse"):
                assert row[name] == getattr(held, name), (name, row)
        for row in self.show("debts", "exchange"):
            owed = self.debt(row["receivable_id"])
            assert (row["state"], row["open_fen"]) == (owed.state, owed.open_fen)
        for row in self.show("debtors", "exchange"):
            debts = [row for row in self.show("debts", "exchange") if row["state"] in ("accepted", "overdue")]
            assert row["open_fen"] == sum(debt["open_fen"] for debt in debts)
            assert row["overdue_count"] == sum(debt["state"] == "overdue" for debt in debts)


@pytest.fixture(scope="module")
def screen() -> Screen:
    """Every kind of event once: split, transfer, quotes of two banks, a pledge, payment in part, recourse, write-off, late payment."""
    town = Screen(grid=60_000_000)
    root = town.accepted()
    parts = town.done(CONTRACTOR, SplitReceivable(root, (50_000_000, 30_000_000, 15_000_000, 5_000_000)))
    first, second, third, fourth = parts.receivable_ids
    town.done(CONTRACTOR, TransferReceivable(third, SUPPLIER, "cables", PAPER))
    town.done(CONTRACTOR, WithdrawFinance(town.requested(second)))
    request_id = town.requested(second)
    town.quoted(request_id, RIVAL_BANK, rate_ppm=50_000)
    town.quoted(request_id, rate_ppm=40_000)
    town.done(CONTRACTOR, town.choice(town.quoted(request_id, recourse=True)))
    town.done(CONTRACTOR, town.pledge(first, 1_000_000))
    town.done(BANK, ReleasePledge(first))
    town.done(CONTRACTOR, town.pledge(first, 2_000_000, RIVAL_BANK))
    refused = town.done(CONTRACTOR, invoice(2)).receivable_id
    town.done(GRID, RejectReceivable(refused, "not delivered"))
    waiting = town.done(CONTRACTOR, invoice(3, 7, 20260801)).receivable_id
    town.done(GRID, ConfirmInvoice(waiting, 7))
    town.agrees()
    town.day(DUE_DAY)
    town.agrees()
    town.day(20260701)
    town.agrees()
    town.done(BANK, ClaimRecourse(second))
    town.done(CONTRACTOR, WriteOffReceivable(fourth, "small", PAPER))
    town.agrees()
    town.done(BANK, ConfirmDeposit(GRID, 80_000_000, sha256(b"late money")))
    town.agrees()
    return town


SCOPES = [
    ("debts", {}, "exchange", 3),
    ("debts", {"state": "rejected"}, "contractor", 1),
    ("debts", {}, "grid", 3),
    ("debts", {}, "supplier", 0),
    ("debts", {}, "public", 0),
    ("receivables", {}, "grid", 6),
    ("receivables", {}, "supplier", 1),
    ("receivables", {}, "stranger", 0),
    ("receivables", {"holder_id": CONTRACTOR, "state": "redeemed"}, "contractor", 2),
    ("endorsements", {"root_id": 1}, "exchange", 3),
    ("endorsements", {}, "supplier", 1),
    ("endorsements", {}, "stranger", 0),
    ("finance_requests", {}, "rival", 2),
    ("finance_requests", {}, "supplier", 0),
    ("quotes", {"request_id": 2}, "contractor", 3),
    ("quotes", {}, "rival", 1),
    ("quotes", {}, "grid", 0),
    ("payments", {}, "grid", 7),
    ("payments", {}, "rival", 1),
    ("payments", {}, "stranger", 0),
    ("debtors", {}, "rival", 1),
    ("debtors", {}, "grid", 1),
    ("debtors", {}, "supplier", 0),
    ("receivables_months", {}, "public", 3),
]


@pytest.mark.parametrize(("query", "filters", "viewer", "count"), SCOPES)
def test_everybody_sees_what_is_theirs(
    screen: Screen, query: str, filters: dict[str, Any], viewer: str, count: int
) -> None:
    assert len(screen.show(query, viewer, **filters)) == count


def test_quotes_stand_side_by_side_the_best_first(screen: Screen) -> None:
    rows = screen.show("quotes", "contractor", request_id=2)
    assert [(row["bank_id"], row["state"]) for row in rows] == [
        (BANK, "chosen"),
        (BANK, "replaced"),
        (RIVAL_BANK, "passed_over"),
    ]
    assert (rows[0]["net_fen"], rows[0]["cost_ppm"]) == (29_640_000, 36_437)


def test_the_chain_of_titles_is_shown(screen: Screen) -> None:
    rows = screen.show("endorsements", "exchange", root_id=1)
    assert [(row["way"], row["from_id"], row["to_id"]) for row in rows] == [
        ("financed", CONTRACTOR, BANK),
        ("transferred", CONTRACTOR, SUPPLIER),
        ("recourse", BANK, CONTRACTOR),
    ]


def test_the_months_add_up(screen: Screen) -> None:
    rows = screen.show("receivables_months", "public")
    total = {name: sum(row[name] for row in rows) for name in rows[0]}
    assert (total["issued_count"], total["issued_fen"]) == (2, 100_000_007)
    assert (total["financed_count"], total["financed_fen"], total["net_fen"]) == (1, 30_000_000, 29_640_000)
    assert total["paid_fen"] == sum(
        row["holder_fen"] + row["pledgee_fen"] for row in screen.show("payments", "exchange")
    )
    assert total["overdue_count"] == 1
