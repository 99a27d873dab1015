"""Funds' read models: they always agree with the ledger, and show each row to its parties only."""

from collections.abc import Callable, Iterator
from typing import Any

import msgspec
import pytest

from shudian.contracts.funds import rules as funds
from shudian.contracts.funds import views
from shudian.contracts.funds.messages import (
    CloseAccount,
    Code,
    ConfirmDeposit,
    ConfirmPayout,
    OpenAccount,
    RefusePayout,
    RequestPayout,
    Transfer,
)
from shudian.contracts.funds.state import ACCOUNTS
from shudian.contracts.roles import OVERSIGHT, Kind
from shudian.kernel.clock import DAY_MS, day_of
from shudian.kernel.ids import derived_id
from shudian.kernel.messages import Message
from shudian.reading.projector import Projector
from shudian.reading.reader import THE_PUBLIC, Reader, Viewer
from shudian.reading.tables import Row
from tests.unit.test_funds import BANK, CASH, DIGEST, EXCHANGE, OTHER_BANK, PLANT, USER, Town, reference

AUDITOR = Viewer(EXCHANGE, Kind.EXCHANGE)
PLANT_CASH, USER_CASH = PLANT * 100 + CASH, USER * 100 + CASH
MIRROR = BANK * 100 + Code.BANK


class WatchedTown(Town):
    """A town whose every block is projected; after each, the views must agree with the ledger."""

    def __init__(self) -> None:
        self.projector = Projector(None, (views.VIEWS,), OVERSIGHT)
        super().__init__()

    @property
    def reader(self) -> Reader:
        return self.projector.reader

    def done(self, sender_id: int, message: Message, count: int = 1) -> Any:
        reply = super().done(sender_id, message, count)
        self.project(self.book.last.events)
        return reply

    def advance(self, to_ms: int) -> None:
        self.project(self.book.advance(to_ms).events)

    def verbs(self, *acts: Callable[[Any], object]) -> None:
        """What a contract above would do within one message."""
        ctx = self.book.context()
        for act in acts:
            act(ctx)
        self.project([(0, event) for event in ctx.events])

    def project(self, events: Any) -> None:
        self.projector.project(self.projector.height + 1, self.book.now_ms, [], events)
        self.agree()

    def agree(self) -> None:
        for key, account in ACCOUNTS.range(self.book.store):
            account_id = int(key[0])
            row = self.reader.one(AUDITOR, views.ACCOUNTS, {"account_id": account_id})
            assert row is not None
            names = account.balances.__struct_fields__
            assert tuple(row[name] for name in names) == msgspec.structs.astuple(account.balances)
            free_fen = funds.free_fen(self.book.store, account_id)
            assert row["free_fen"] == free_fen
            position = views.positions(self.reader, AUDITOR, account_id=account_id)
            assert sum(line["amount_fen"] for line in position) == free_fen
            assert self.statement(account_id)[-1]["balance_fen"] == row["balance_fen"]

    def statement(self, account_id: int, first_day: int = 20260101, last_day: int = 20271231) -> list[Row]:
        return views.statement(self.reader, AUDITOR, account_id=account_id, first_day=first_day, last_day=last_day)


@pytest.fixture
def town() -> Iterator[WatchedTown]:
    watched = WatchedTown()
    yield watched
    watched.projector.close()


def order(name: str, debit: int, credit: int, fen: int) -> Transfer:
    return Transfer(derived_id(name), debit, credit, fen, 1000, "statement:1")


def test_every_way_money_moves_is_told(town: WatchedTown) -> None:
    expires_ms = town.book.now_ms + 1_000
    town.verbs(
        lambda ctx: funds.transfer(ctx, [order("t", PLANT_CASH, USER_CASH, 10_000)]),
        lambda ctx: funds.reserve(ctx, PLANT, "order:1", 5_000),
        lambda ctx: funds.reserve(ctx, PLANT, "order:2", 7_000),
        lambda ctx: funds.hold(ctx, order("h1", PLANT_CASH, USER_CASH, 4_000)),
        lambda ctx: funds.hold(ctx, order("h2", PLANT_CASH, USER_CASH, 3_000)),
        lambda ctx: funds.hold(ctx, order("h3", USER_CASH, PLANT_CASH, 2_000), expires_ms),
    )
    position = views.positions(town.reader, AUDITOR, account_id=PLANT_CASH)
    assert sorted((line["kind"], line["amount_fen"]) for line in position) == [
        ("balance", 90_000),
        ("hold", -4_000),
        ("hold", -3_000),
        ("reservation", -7_000),
        ("reservation", -5_000),
    ]
    town.verbs(
        lambda ctx: funds.post(ctx, derived_id("p1"), derived_id("h1"), 1_000),
        lambda ctx: funds.void(ctx, derived_id("v2"), derived_id("h2")),
        lambda ctx: funds.reserve(ctx, PLANT, "order:1", 0),
        lambda ctx: funds.reserve(ctx, PLANT, "order:2", 1_000),
    )
    town.advance(expires_ms)
    position = views.positions(town.reader, AUDITOR, account_id=PLANT_CASH)
    assert [(line["kind"], line["amount_fen"]) for line in position] == [("balance", 89_000), ("reservation", -1_000)]


def test_a_statement_runs_from_opening_to_closing(town: WatchedTown) -> None:
    first_day = day_of(town.book.now_ms)
    town.advance(town.book.now_ms + DAY_MS)
    town.verbs(
        lambda ctx: funds.transfer(ctx, [order("1", PLANT_CASH, USER_CASH, 30_000)]),
        lambda ctx: funds.transfer(ctx, [order("2", USER_CASH, PLANT_CASH, 10_000)]),
    )
    second_day = day_of(town.book.now_ms)
    town.advance(town.book.now_ms + DAY_MS)
    town.verbs(lambda ctx: funds.transfer(ctx, [order("3", PLANT_CASH, USER_CASH, 1)]))
    rows = town.statement(PLANT_CASH, second_day, second_day)
    assert [(row["kind"], row["amount_fen"], row["balance_fen"]) for row in rows] == [
        ("opening", 0, 100_000),
        ("movement", -30_000, 70_000),
        ("movement", 10_000, 80_000),
        ("closing", 0, 80_000),
    ]
    assert [row["balance_fen"] for row in town.statement(PLANT_CASH, first_day, first_day)] == [0, 100_000, 100_000]
    assert rows[0]["balance_fen"] + sum(row["amount_fen"] for row in rows) == rows[-1]["balance_fen"]


def test_a_mirrors_statement_shows_what_the_bank_holds(town: WatchedTown) -> None:
    town.verbs(lambda ctx: funds.transfer(ctx, [order("1", PLANT_CASH, USER_CASH, 30_000)]))
    amounts = [(row["kind"], row["amount_fen"], row["balance_fen"]) for row in town.statement(MIRROR)]
    assert amounts == [
        ("opening", 0, 0),
        ("movement", 100_000, 100_000),
        ("movement", -30_000, 70_000),
        ("closing", 0, 70_000),
    ]


def test_the_trial_balance_balances(town: WatchedTown) -> None:
    town.done(PLANT, RequestPayout(500))
    town.done(BANK, ConfirmPayout(1, reference("out")))
    town.verbs(lambda ctx: funds.transfer(ctx, [order("1", PLANT_CASH, USER_CASH, 30_000)]))
    rows = views.trial_balance(town.reader, AUDITOR)
    assert [(row["bank_id"], row["code"]) for row in rows] == [
        (BANK, 10),
        (BANK, 20),
        (OTHER_BANK, 10),
        (OTHER_BANK, 20),
    ]
    debits, credits_ = (sum(row[f"{side}_posted_fen"] for row in rows) for side in ("debits", "credits"))
    assert debits == credits_ == funds.trial_balance(town.book.store)[0] == 160_500


def test_payouts_and_deposits_keep_the_banks_words(town: WatchedTown) -> None:
    for _ in range(3):
        expires_ms = town.done(PLANT, RequestPayout(100)).expires_ms
    town.done(BANK, ConfirmPayout(1, reference("out")))
    town.done(BANK, RefusePayout(2, "closed"))
    town.advance(expires_ms)
    rows = views.payouts(town.reader, AUDITOR, owner_id=PLANT)
    assert [(row["payout_id"], row["state"], row["reason"]) for row in rows] == [
        (1, "paid", ""),
        (2, "refused", "closed"),
        (3, "expired", ""),
    ]
    assert rows[0]["bank_reference"] == reference("out")
    deposits = views.deposits(town.reader, AUDITOR, bank_id=BANK)
    assert [(row["bank_reference"], row["amount_fen"]) for row in deposits] == [(reference("first"), 100_000)]
    timeline = town.projector.timeline_of(Viewer(PLANT, Kind.GENERATOR), "payout:3")
    assert [row["event"] for row in timeline] == ["FundsHeld", "PayoutRequested", "HoldReleased"]


def test_an_account_closed_and_opened_again_goes_on(town: WatchedTown) -> None:
    town.done(USER, CloseAccount())
    assert [row["closed"] for row in views.accounts(town.reader, AUDITOR, owner_id=USER)] == [1]
    town.done(USER, OpenAccount(BANK, DIGEST))
    town.done(BANK, ConfirmDeposit(USER, 7, reference("x")))
    row = views.accounts(town.reader, AUDITOR, owner_id=USER)[0]
    assert (row["closed"], row["bank_id"], row["balance_fen"]) == (0, BANK, 7)


@pytest.mark.parametrize(
    ("viewer", "account_ids"),
    [
        (THE_PUBLIC, []),
        (Viewer(PLANT, Kind.GENERATOR), [PLANT_CASH]),
        (Viewer(USER, Kind.USER), [USER_CASH]),
        (Viewer(BANK, Kind.BANK), [MIRROR, PLANT_CASH]),
        (AUDITOR, [MIRROR, OTHER_BANK * 100 + Code.BANK, PLANT_CASH, USER_CASH]),
    ],
)
def test_who_sees_what(town: WatchedTown, viewer: Viewer, account_ids: list[int]) -> None:
    town.done(PLANT, RequestPayout(100))
    assert [row["account_id"] for row in views.accounts(town.reader, viewer)] == account_ids
    seen = {row["account_id"] for row in views.positions(town.reader, viewer)}
    assert seen == set(account_ids)
    statement = views.statement(town.reader, viewer, account_id=PLANT_CASH, first_day=20260101, last_day=20261231)
    assert bool(statement) == (PLANT_CASH in account_ids)
    assert bool(views.payouts(town.reader, viewer)) == (PLANT_CASH in account_ids)
