"""Conditions of orders in a rolling session, tie rules and the high-low match of auctions."""

import pytest

from shudian.clearing.book import Condition
from shudian.contracts.agreements import rules as agreements
from shudian.contracts.agreements.messages import Line, Method
from shudian.contracts.agreements.state import AGREEMENTS
from shudian.contracts.resources.messages import (
    Decision,
    DispatchLevel,
    Fuel,
    RegisterResource,
    ResourceType,
    ReviewResource,
    Voltage,
)
from shudian.contracts.trading.messages import CancelReason, Cut, PlaceOrder, Side
from shudian.contracts.trading.messages_events import OrderCancelled, OrderCleared, SegmentCleared
from shudian.contracts.trading.state import ORDERS
from shudian.contracts.trading.views import cleared, depth, orders
from shudian.reading.reader import THE_PUBLIC, Viewer
from tests.unit.test_trading import CLOSES_MS, EXCHANGE, OPENING_FEN, A, B, C, Trading, X, Y, Z, buy_fen
from tests.unit.test_trading_auction import BUYS, MWH, SELLS, YUAN, play

PRICE = 200_000


def conditional(condition: Condition, side: str, quantity_kwh: int, price: int = PRICE) -> PlaceOrder:
    return PlaceOrder(1, 14, Side(side), price, quantity_kwh, condition)


@pytest.mark.parametrize(
    ("condition", "resting_kwh", "wanted_kwh", "filled_kwh", "left_kwh"),
    [
        (Condition.GTC, 1_000, 2_500, 1_000, 1_500),
        (Condition.IOC, 1_000, 2_500, 1_000, 0),
        (Condition.IOC, 0, 2_500, 0, 0),
        (Condition.IOC, 3_000, 2_500, 2_500, 0),
        (Condition.FOK, 2_400, 2_500, 0, 0),
        (Condition.FOK, 2_500, 2_500, 2_500, 0),
        (Condition.FOK, 3_000, 2_500, 2_500, 0),
        (Condition.AON, 2_400, 2_500, 0, 2_500),
        (Condition.AON, 2_500, 2_500, 2_500, 0),
    ],
)
def test_an_arriving_order_keeps_its_condition(
    condition: Condition, resting_kwh: int, wanted_kwh: int, filled_kwh: int, left_kwh: int
) -> None:
    market = Trading()
    market.open()
    if resting_kwh:
        market.order(A, "sell", resting_kwh, PRICE)
    reply = market.done(X, conditional(condition, "buy", wanted_kwh))
    assert (reply.filled_kwh, reply.resting_kwh) == (filled_kwh, left_kwh)
    reserved_fen = buy_fen((left_kwh, PRICE)) + buy_fen((filled_kwh, PRICE))
    assert sum(market.reserved(X).values()) == reserved_fen
    assert reply.free_fen == market.free_fen(X) == OPENING_FEN - reserved_fen
    gone_kwh = wanted_kwh - filled_kwh - left_kwh
    told = [(event.open_kwh, event.reason) for event in market.told(OrderCancelled)]
    assert told == ([(gone_kwh, CancelReason.CONDITION)] if gone_kwh else [])
    market.machine.check_all()
    levels = depth(market.projector.reader, THE_PUBLIC, session_id=1)
    assert sum(row["quantity_kwh"] for row in levels if row["side"] == "buy") == left_kwh
    [row] = orders(market.projector.reader, Viewer(X, "user"))
    assert (row["condition"], row["filled_kwh"], row["open_kwh"]) == (condition, filled_kwh, left_kwh)


def test_a_resting_all_or_none_order_waits_for_one_that_takes_it_whole() -> None:
    market = Trading()
    market.open()
    market.done(A, conditional(Condition.AON, "sell", 2_000))
    market.order(B, "sell", 1_000, PRICE)
    assert market.order(X, "buy", 1_500, PRICE).filled_kwh == 1_000  # passes over the first in the book
    market.machine.check_all()
    assert market.done(Y, conditional(Condition.IOC, "buy", 1_900)).filled_kwh == 0
    assert market.order(Z, "buy", 2_500, PRICE).filled_kwh == 2_000
    market.machine.check_all()
    market.advance(CLOSES_MS)
    pairs = sorted((row.seller_id, row.buyer_id, row.quantity_kwh) for _, row in AGREEMENTS.range(market.store))
    assert pairs == [(A, Z, 2_000), (B, X, 1_000)]


@pytest.mark.parametrize("condition", [Condition.IOC, Condition.FOK, Condition.AON])
def test_an_auction_takes_no_conditions(condition: Condition) -> None:
    market = Trading()
    market.open(Method.AUCTION)
    assert market.refused(A, conditional(condition, "sell", 1_000)) == 9017


# ------------------------------------------------------------------------------------------------------- tie rules


@pytest.mark.parametrize(
    ("tie_rule", "fills_mwh", "cut"),
    [
        ("pro_rata", (655, 545), Cut.SHARED_AT_THE_MARGIN),
        ("time", (1_200, 0), Cut.BEHIND_AT_THE_MARGIN),
        ("fewest_contracts", (1_200, 0), Cut.BEHIND_AT_THE_MARGIN),
        ("renewable_first", (655, 545), Cut.SHARED_AT_THE_MARGIN),
    ],
)
def test_the_margin_of_the_domain_under_each_tie_rule(tie_rule: str, fills_mwh: tuple[int, int], cut: Cut) -> None:
    market = Trading(position_limit_ppm=100_000_000, sell_collateral_myuan_mwh=0)
    market.open(Method.AUCTION, lot_kwh=MWH, tie_rule=tie_rule)
    for side, offers in (("sell", SELLS), ("buy", BUYS)):
        for member_id, mwh, yuan in offers:
            market.order(member_id, side, mwh * MWH, yuan * YUAN)
    market.advance(CLOSES_MS)
    told = {event.order_id: event for event in market.told(OrderCleared)}
    assert (told[4].filled_kwh, told[5].filled_kwh) == tuple(mwh * MWH for mwh in fills_mwh)
    assert told[5].cut == cut
    assert market.told(SegmentCleared)[0].price_myuan_mwh == 197_500
    market.machine.check_all()


def test_renewable_sellers_come_first_at_the_margin() -> None:
    market = Trading()
    coal = RegisterResource(
        *(ResourceType.PLANT, "火电厂", "Coal", 200_000, Voltage.KV220),
        fuel=Fuel.COAL,
        dispatch_level=DispatchLevel.PROVINCIAL,
    )
    resource_id = market.done(A, coal).resource_id
    market.done(EXCHANGE, ReviewResource(resource_id, Decision.APPROVE, ""))
    market.open(Method.AUCTION, tie_rule="renewable_first")
    for seller in (A, B, C):
        market.order(seller, "sell", 1_000, PRICE)
    market.order(X, "buy", 2_500, PRICE)
    market.advance(CLOSES_MS)
    fills = {event.order_id: event.filled_kwh for event in market.told(OrderCleared)}
    assert (fills[1], fills[2], fills[3]) == (500, 1_000, 1_000)


# -------------------------------------------------------------------------------------------------- high-low match


def test_the_book_of_the_domain_matched_high_with_low() -> None:
    market = Trading(position_limit_ppm=100_000_000, sell_collateral_myuan_mwh=0)
    market.open(Method.AUCTION, lot_kwh=MWH, matching="high_low")
    for side, offers in (("sell", SELLS), ("buy", BUYS)):
        for member_id, mwh, yuan in offers:
            market.order(member_id, side, mwh * MWH, yuan * YUAN)
    market.advance(CLOSES_MS)
    lines = {
        (row.seller_id, row.buyer_id): agreements.terms(market.store, int(key[0])).lines
        for key, row in AGREEMENTS.range(market.store)
    }
    assert lines[A, X] == (Line(14, 2_000 * MWH, 205_000),)
    assert lines[B, X] == (Line(14, 200 * MWH, 212_500),)
    [event] = market.told(SegmentCleared)
    uniform = play()
    uniform.advance(CLOSES_MS)
    [other] = uniform.told(SegmentCleared)
    assert (event.volume_kwh, event.welfare_fen) == (other.volume_kwh, other.welfare_fen)
    assert event.price_myuan_mwh is None
    prices = [line.price_myuan_mwh for pair in lines.values() for line in pair]
    assert (event.low_myuan_mwh, event.high_myuan_mwh) == (min(prices), max(prices))
    [row] = cleared(market.projector.reader, THE_PUBLIC, session_id=1)
    assert "高低匹配" in row["why_zh"]
    assert "high-low" in row["why_en"]
    market.machine.check_all()


def test_a_high_low_match_of_nothing_says_so() -> None:
    market = Trading()
    market.open(Method.AUCTION, matching="high_low")
    market.order(A, "sell", 1_000, PRICE)
    market.order(X, "buy", 1_000, PRICE - 1)
    market.advance(CLOSES_MS)
    assert [event.cut for event in market.told(OrderCleared)] == [Cut.OUT_OF_THE_MONEY] * 2
    [row] = cleared(market.projector.reader, THE_PUBLIC)
    assert "没有成交" in row["why_zh"]
    assert not ORDERS.count(market.store)
