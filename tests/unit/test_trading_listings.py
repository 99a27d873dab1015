"""Listings: one and two sides, taken by time or shared pro rata, partly or whole; collateral and stakes to the fen."""

from typing import Any

import pytest

from shudian.contracts.agreements import rules as agreements
from shudian.contracts.agreements.messages import Line, Method
from shudian.contracts.agreements.state import AGREEMENTS
from shudian.contracts.identity.messages import SuspendMember
from shudian.contracts.trading.messages import CancelSession, Side, TakeRule
from shudian.contracts.trading.messages_events import TradeMade
from shudian.contracts.trading.messages_listings import (
    ListingEnd,
    ListingEnded,
    ListingTaken,
    PostListing,
    TakeListing,
    TakeReply,
    WithdrawListing,
)
from shudian.contracts.trading.state import LISTINGS, STAKES, TAKES
from shudian.contracts.trading.views import tape
from shudian.contracts.trading.views_deals import listings, takes
from shudian.kernel.machine import CLOCK, STEPPED, Clock
from shudian.reading.reader import THE_PUBLIC, Viewer
from tests.unit.test_trading import (
    CAPACITY_KW,
    CLOSES_MS,
    EXCHANGE,
    OPENING_FEN,
    A,
    B,
    Trading,
    X,
    Y,
    Z,
    buy_fen,
    order,
    sell_fen,
)

TWO_HOURS = (Line(13, 2_000, 200_000), Line(14, 4_000, 210_000))


def market_with(take_rule: TakeRule = TakeRule.TIME, **changed: Any) -> Trading:
    market = Trading()
    market.open(Method.LISTING, segments=(13, 14), take_rule=take_rule, **changed)
    return market


def post(side: str = "sell", lines: tuple[Line, ...] = TWO_HOURS, session_id: int = 1, **more: bool) -> PostListing:
    return PostListing(session_id, Side(side), lines, **more)


def taken(market: Trading, member_id: int, quantity_kwh: int, listing_id: int = 1) -> TakeReply:
    return market.done(member_id, TakeListing(listing_id, quantity_kwh))  # type: ignore[no-any-return] # any reply


def bought(market: Trading) -> dict[tuple[int, int], int]:
    """Energy of every agreement by (seller, buyer)."""
    return {(row.seller_id, row.buyer_id): row.quantity_kwh for _, row in AGREEMENTS.range(market.store)}


def test_takers_by_time_trade_at_once_at_the_posted_prices() -> None:
    market = market_with()
    assert market.done(A, post()).open_kwh == 6_000
    assert market.reserved(A) == {"session:1": sell_fen(2_000) + sell_fen(4_000)}
    reply = taken(market, X, 1_500)
    assert (reply.taken_kwh, reply.waiting_kwh, reply.value_fen) == (1_500, 0, 10_000 + 21_000)
    told = [(event.segment, event.quantity_kwh, event.price_myuan_mwh) for event in market.told(TradeMade)]
    assert told == [(13, 500, 200_000), (14, 1_000, 210_000)]
    assert market.reserved(X) == {"session:1": buy_fen((500, 200_000), (1_000, 210_000))}
    assert market.reserved(A) == {"session:1": sell_fen(4_500) + sell_fen(1_500)}
    market.machine.check_all()
    assert market.refused(Y, TakeListing(1, 4_600)) == 9044
    taken(market, Y, 4_500)
    [event] = market.told(ListingEnded)
    assert (event.end, event.open_kwh, LISTINGS.count(market.store)) == (ListingEnd.TAKEN, 0, 0)
    market.machine.check_all()
    market.advance(CLOSES_MS)
    assert bought(market) == {(A, X): 1_500, (A, Y): 4_500}
    assert agreements.agreement(market.store, 1).method is Method.LISTING
    assert market.reserved(A) == {"agreement:1": sell_fen(1_500), "agreement:2": sell_fen(4_500)}
    assert STAKES.count(market.store) == 0
    market.machine.check_all()


def test_buyers_may_list_too_where_both_sides_are_open() -> None:
    market = market_with()
    market.done(X, post("buy"))
    assert market.reserved(X) == {"session:1": buy_fen((2_000, 200_000), (4_000, 210_000))}
    taken(market, A, 6_000)
    market.advance(CLOSES_MS)
    assert bought(market) == {(A, X): 6_000}
    assert market.reserved(X) == {"agreement:1": buy_fen((2_000, 200_000), (4_000, 210_000))}


@pytest.mark.parametrize(
    ("asked_kwh", "got_kwh"),
    [
        ((3_000, 2_000), (3_000, 2_000)),
        ((3_000, 3_000), (3_000, 3_000)),
        ((6_000, 3_000), (4_000, 2_000)),
        ((6_000, 6_000, 6_000), (2_000, 2_000, 2_000)),
        ((6_000, 6_000, 1_000), (2_800, 2_800, 400)),
        ((6_000, 100, 100), (5_800, 100, 100)),
    ],
)
def test_takes_are_shared_pro_rata_in_lots_at_the_close(asked_kwh: tuple[int, ...], got_kwh: tuple[int, ...]) -> None:
    market = market_with(TakeRule.PRO_RATA)
    market.done(A, post())
    for member_id, kwh in zip((X, Y, Z), asked_kwh, strict=False):
        assert taken(market, member_id, kwh).waiting_kwh == kwh
        market.machine.check_all()
    assert not AGREEMENTS.count(market.store)
    market.advance(CLOSES_MS)
    assert bought(market) == {(A, member_id): kwh for member_id, kwh in zip((X, Y, Z), got_kwh, strict=False)}
    assert [event.taken_kwh for event in market.told(ListingTaken)] == list(got_kwh)
    [event] = market.told(ListingEnded)
    left_kwh = 6_000 - sum(got_kwh)
    assert (event.end, event.open_kwh) == (ListingEnd.EXPIRED if left_kwh else ListingEnd.TAKEN, left_kwh)
    assert sum(market.reserved(A).values()) == sell_fen(sum(got_kwh))
    assert (TAKES.count(market.store), STAKES.count(market.store)) == (0, 0)
    market.machine.check_all()


def test_a_take_that_gets_less_than_a_lot_gets_nothing_and_its_money_back() -> None:
    market = market_with(TakeRule.PRO_RATA)
    market.done(A, post(lines=(Line(14, 100, 200_000),)))
    for member_id in (X, Y):
        taken(market, member_id, 100)
    market.advance(CLOSES_MS)
    assert bought(market) == {(A, X): 100}
    assert market.free_fen(Y) == OPENING_FEN
    market.machine.check_all()


def test_an_all_or_none_listing_is_taken_whole() -> None:
    market = market_with()
    market.done(A, post(all_or_none=True))
    assert market.refused(X, TakeListing(1, 5_900)) == 9045
    taken(market, X, 6_000)
    assert LISTINGS.count(market.store) == 0


def test_an_untaken_listing_expires_and_a_withdrawn_one_is_free() -> None:
    market = market_with()
    for _ in range(2):
        market.done(A, post())
    assert market.done(A, WithdrawListing(1)).open_kwh == 6_000
    market.advance(CLOSES_MS)
    assert [(event.listing_id, event.end) for event in market.told(ListingEnded)] == [(2, ListingEnd.EXPIRED)]
    assert market.free_fen(A) == OPENING_FEN
    assert not AGREEMENTS.count(market.store)


def test_a_cancelled_session_ends_listings_and_keeps_trades() -> None:
    market = market_with()
    market.done(A, post())
    taken(market, X, 600)
    market.done(EXCHANGE, CancelSession(1, "fault"))
    assert market.told(ListingEnded)[0].end is ListingEnd.SESSION_CANCELLED
    assert bought(market) == {(A, X): 600}
    market.machine.check_all()


@pytest.mark.parametrize("barred_id", [A, X])
def test_what_barred_members_have_waiting_ends(barred_id: int) -> None:
    market = market_with(TakeRule.PRO_RATA)
    market.done(A, post())
    for member_id in (X, Y):
        taken(market, member_id, 6_000)
    market.done(EXCHANGE, SuspendMember(barred_id, "late"))
    market.machine.check_all()
    assert market.free_fen(barred_id) == OPENING_FEN
    market.advance(CLOSES_MS)
    assert bought(market) == ({} if barred_id == A else {(A, Y): 6_000})


def test_listed_energy_counts_in_the_position() -> None:
    market = market_with()
    market.done(A, post(lines=(Line(14, CAPACITY_KW - 100, 200_000),)))
    assert market.refused(A, post(lines=(Line(14, 200, 200_000),))) == 9013
    market.done(A, post(lines=(Line(13, 200, 200_000),)))
    market.done(X, post("buy", lines=(Line(14, CAPACITY_KW, 100_000),)))
    assert market.refused(X, TakeListing(1, 100)) == 9013


def test_everybody_sees_the_listing_and_the_tape_but_no_names() -> None:
    market = market_with()
    market.done(A, post())
    taken(market, X, 600)
    reader = market.projector.reader
    [row] = listings(reader, THE_PUBLIC, session_id=1, ending="")
    assert (row["side"], row["open_kwh"], row["lines"]) == ("sell", 5_400, "13:2000@200000 14:4000@210000")
    assert "member_id" not in row
    assert len(tape(reader, THE_PUBLIC, session_id=1)) == 2
    assert [row["taken_kwh"] for row in takes(reader, Viewer(X, "user"))] == [600]
    assert not takes(reader, Viewer(Y, "user"))


@pytest.mark.parametrize(
    ("sender_id", "message", "number"),
    [
        (A, post(session_id=9), 9001),
        (A, post(session_id=2), 9018),
        (A, order("sell", 1_000, 200_000), 9018),
        (X, post("sell"), 9007),
        (X, post("buy", session_id=3), 9043),
        (A, post(lines=(Line(12, 100, 200_000),)), 9008),
        (A, post(lines=(Line(14, 100, 481_441),)), 9009),
        (A, post(lines=(Line(14, 150, 200_000),)), 9010),
        (A, post(lines=(Line(14, 50_000_100, 200_000),)), 9011),
        (A, post(lines=()), 1011),
        (A, post(lines=(Line(14, 100, 1), Line(14, 100, 2))), 1011),
        (A, post(lines=(Line(14, 0, 1),)), 1011),
        (X, TakeListing(9, 100), 9041),
        (B, TakeListing(1, 100), 9007),
        (X, TakeListing(1, 150), 9010),
        (X, TakeListing(1, 6_100), 9044),
        (X, TakeListing(1, 0), 1011),
        (B, WithdrawListing(1), 9042),
        (A, WithdrawListing(9), 9041),
        (A, WithdrawListing(1), 9046),
    ],
)
def test_what_does_not_fit_is_refused(sender_id: int, message: Any, number: int) -> None:
    """Session 1 shares pro rata, 2 is a rolling one, 3 takes listings of sellers alone; listing 1 of A has a take of Y."""
    market = market_with(TakeRule.PRO_RATA)
    market.open()
    market.open(Method.LISTING, listed_side="sell")
    market.done(A, post())
    taken(market, Y, 600)
    assert market.refused(sender_id, message) == number


def test_count_and_funds_bound_listings_and_takes() -> None:
    market = Trading(orders_max_count=1, buy_collateral_ppm=10_000_000, position_limit_ppm=100_000_000)
    market.open(Method.LISTING)
    market.done(A, post(lines=(Line(14, 10_000_000, 400_000),)))
    assert market.refused(A, post(lines=(Line(14, 100, 400_000),))) == 9012
    assert market.refused(X, TakeListing(1, 10_000_000)) == 4003
    assert market.refused(X, post("buy", lines=(Line(14, 10_000_000, 400_000),))) == 4003
    assert STAKES.count(market.store) == 1


@pytest.mark.parametrize(("sender_id", "message"), [(A, WithdrawListing(1)), (X, TakeListing(1, 100)), (B, post())])
def test_nothing_is_listed_nor_taken_once_the_gate_is_shut(sender_id: int, message: Any) -> None:
    market = market_with()
    market.done(A, post())
    CLOCK.put(market.store, (), Clock(STEPPED, CLOSES_MS))  # the block in which the gate closes: messages before hooks
    assert market.refused(sender_id, message) == 9006
