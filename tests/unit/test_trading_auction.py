"""The call auction through the contract: domain 4.5, its agreements, prices and cuts explained, collateral to the fen."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shudian.clearing.auction_rules import SIDE_LIMIT_KWH
from shudian.contracts.agreements import rules as agreements
from shudian.contracts.agreements.messages import Line, Method
from shudian.contracts.agreements.state import AGREEMENTS
from shudian.contracts.trading.messages import CancelOrder, Cut
from shudian.contracts.trading.messages_events import (
    OrderCancelled,
    OrderCleared,
    SegmentCleared,
    SessionClosed,
    TradeMade,
)
from shudian.contracts.trading.state import OFFERED, ORDERS, STAKES, TRADES, Offered
from shudian.contracts.trading.views import cleared, depth, orders
from shudian.reading.reader import THE_PUBLIC, Viewer
from tests.unit.test_trading import (
    BUYERS,
    CLOSES_MS,
    OPENING_FEN,
    SELLERS,
    A,
    B,
    C,
    D,
    E,
    F,
    Trading,
    V,
    W,
    X,
    Y,
    Z,
    buy_fen,
    order,
    sell_fen,
)

MWH = 1_000
YUAN = 1_000

# Domain 4.5: S1-S6 are A-F, B1-B5 are X, Y, Z, V, W; MWh at yuan/MWh, in the order of their times.
SELLS = [(A, 2_000, 150), (B, 1_500, 165), (C, 1_800, 180), (D, 1_200, 195), (E, 1_000, 195), (F, 2_500, 230)]
BUYS = [(X, 2_200, 260), (Y, 1_600, 240), (Z, 1_400, 215), (V, 1_300, 200), (W, 1_500, 175)]
MONEY_FEN = {
    A: 39_500_000,
    B: 29_625_000,
    C: 35_550_000,
    D: 12_936_250,
    E: 10_763_750,
    F: 0,
    X: 43_450_000,
    Y: 31_600_000,
    Z: 27_650_000,
    V: 25_675_000,
    W: 0,
}


def play(k_ppm: int = 500_000, segments: tuple[int, ...] = (14,), **changed: int) -> Trading:
    """The book of domain 4.5 in each of the segments, up to the close."""
    market = Trading(position_limit_ppm=100_000_000, sell_collateral_myuan_mwh=0, **changed)
    market.open(Method.AUCTION, segments=segments, lot_kwh=MWH, k_ppm=k_ppm)
    for segment in segments:
        for side, offers in (("sell", SELLS), ("buy", BUYS)):
            for member_id, mwh, yuan in offers:
                market.order(member_id, side, mwh * MWH, yuan * YUAN, segment=segment)
    market.machine.check_all()
    return market


def lines_of(market: Trading) -> dict[tuple[int, int], tuple[Line, ...]]:
    """Lines of every agreement by (seller, buyer)."""
    return {
        (row.seller_id, row.buyer_id): agreements.terms(market.store, int(key[0])).lines
        for key, row in AGREEMENTS.range(market.store)
    }


def money_fen(market: Trading) -> dict[int, int]:
    """What each member pays or receives by its agreements."""
    total = dict.fromkeys((*SELLERS, *BUYERS), 0)
    for pair, lines in lines_of(market).items():
        for member_id in pair:
            total[member_id] += sum(line.quantity_kwh * line.price_myuan_mwh // 10_000 for line in lines)
    return total


@pytest.mark.parametrize(("k_ppm", "price"), [(500_000, 197_500), (0, 195_000), (1_000_000, 200_000)])
def test_the_auction_of_the_domain(k_ppm: int, price: int) -> None:
    market = play(k_ppm)
    market.advance(CLOSES_MS)
    [segment] = market.told(SegmentCleared)
    assert (segment.price_myuan_mwh, segment.low_myuan_mwh, segment.high_myuan_mwh) == (price, 195_000, 200_000)
    assert (segment.volume_kwh, segment.welfare_fen) == (6_500 * MWH, 41_150_000)
    setters = {500_000: (4, 5, 10), 0: (4, 5), 1_000_000: (10,)}
    assert sorted(segment.set_by_order_ids) == list(setters[k_ppm])
    assert sum(line.quantity_kwh for lines in lines_of(market).values() for line in lines) == 6_500 * MWH


def test_agreements_carry_the_money_of_the_domain() -> None:
    market = play()
    market.advance(CLOSES_MS)
    assert money_fen(market) == MONEY_FEN
    assert len(lines_of(market)) == 8  # 5 sellers and 4 buyers need at most 5 + 4 - 1
    assert [event.agreements_count for event in market.told(SessionClosed)] == [8]
    market.machine.check_all()


def test_each_order_is_told_what_it_got_and_why_not_more() -> None:
    market = play()
    market.advance(CLOSES_MS)
    told = {event.order_id: (event.filled_kwh, event.left_kwh, event.cut) for event in market.told(OrderCleared)}
    assert told[3] == (1_800 * MWH, 0, Cut.NONE)
    assert told[4] == (655 * MWH, 545 * MWH, Cut.SHARED_AT_THE_MARGIN)
    assert told[5] == (545 * MWH, 455 * MWH, Cut.SHARED_AT_THE_MARGIN)
    assert told[6] == (0, 2_500 * MWH, Cut.OUT_OF_THE_MONEY)
    assert told[11] == (0, 1_500 * MWH, Cut.OUT_OF_THE_MONEY)
    assert len(told) == 11


def test_a_share_below_a_lot_is_lost_to_rounding() -> None:
    market = Trading()
    market.open(Method.AUCTION, lot_kwh=MWH)
    for seller in (A, B, C):
        market.order(seller, "sell", MWH, 200_000)
    market.order(X, "buy", MWH, 200_000)
    market.advance(CLOSES_MS)
    assert [event.cut for event in market.told(OrderCleared)] == [
        *[Cut.NONE],  # the buy stands first in the book
        *[Cut.NONE, Cut.LOT_ROUNDING, Cut.LOT_ROUNDING],
    ]


def test_segments_join_into_one_curve_per_pair() -> None:
    market = play(segments=(3, 14))
    market.advance(CLOSES_MS)
    pairs = lines_of(market)
    assert len(pairs) == 8
    assert pairs[A, X] == (Line(3, 2_000 * MWH, 197_500), Line(14, 2_000 * MWH, 197_500))
    assert money_fen(market) == {member_id: 2 * amount for member_id, amount in MONEY_FEN.items()}


def test_a_segment_without_a_trade_says_so() -> None:
    market = Trading()
    market.open(Method.AUCTION, segments=(3, 14), lot_kwh=MWH)
    market.order(A, "sell", MWH, 200_001)
    market.order(X, "buy", MWH, 200_000)
    market.advance(CLOSES_MS)
    assert [(event.segment, event.price_myuan_mwh, event.volume_kwh) for event in market.told(SegmentCleared)] == [
        (3, None, 0),
        (14, None, 0),
    ]
    assert not market.told(TradeMade)
    assert market.reserved(A) == market.reserved(X) == {}
    rows = cleared(market.projector.reader, THE_PUBLIC, session_id=1)
    assert [row["price_myuan_mwh"] for row in rows] == [None, None]


def test_collateral_follows_to_the_agreements_and_the_surplus_is_free() -> None:
    market = Trading()
    market.open(Method.AUCTION, lot_kwh=MWH, k_ppm=0)
    market.order(A, "sell", 5 * MWH, 190_000)
    market.order(X, "buy", 3 * MWH, 300_000)
    assert market.reserved(X) == {"session:1": buy_fen((3 * MWH, 300_000))}
    market.advance(CLOSES_MS)
    assert market.reserved(X) == {"agreement:1": buy_fen((3 * MWH, 190_000))}
    assert market.reserved(A) == {"agreement:1": sell_fen(3 * MWH)}
    assert market.free_fen(X) == OPENING_FEN - buy_fen((3 * MWH, 190_000))
    for table in (ORDERS, TRADES, STAKES, OFFERED):
        assert table.count(market.store) == 0


def test_nothing_trades_before_the_close_and_bids_stay_sealed() -> None:
    market = Trading()
    market.open(Method.AUCTION, lot_kwh=MWH)
    market.order(A, "sell", MWH, 190_000)
    assert market.order(X, "buy", MWH, 300_000).filled_kwh == 0
    reader = market.projector.reader
    assert not depth(reader, THE_PUBLIC, session_id=1)
    assert not orders(reader, Viewer(Y, "user"))
    market.done(A, CancelOrder(1))
    assert market.told(OrderCancelled)
    assert market.reserved(A) == {}
    market.machine.check_all()


def test_the_explanation_of_a_price_is_public() -> None:
    market = play()
    market.advance(CLOSES_MS)
    [row] = cleared(market.projector.reader, THE_PUBLIC, session_id=1)
    assert row["price_myuan_mwh"] == 197_500
    assert "197.500" in row["why_zh"]
    assert "195.000 + 0.5 x (200.000 - 195.000)" in row["why_en"]
    [own] = orders(market.projector.reader, Viewer(D, "generator"))
    assert (own["filled_kwh"], own["ending"]) == (655 * MWH, "cleared: shared_at_the_margin")


def test_negative_prices_clear() -> None:
    market = Trading(price_floor_myuan_mwh=-50_000)
    market.open(Method.AUCTION, lot_kwh=MWH)
    market.order(A, "sell", MWH, -50_000)
    market.order(X, "buy", MWH, -30_000)
    market.advance(CLOSES_MS)
    [trade] = market.told(TradeMade)
    assert (trade.price_myuan_mwh, trade.value_fen) == (-40_000, -4_000)


def test_a_side_holds_no_more_than_can_be_cleared() -> None:
    market = Trading()
    market.open(Method.AUCTION, lot_kwh=MWH)
    OFFERED.put(market.store, (1, 14, "sell"), Offered(SIDE_LIMIT_KWH - MWH))
    market.order(A, "sell", MWH, 190_000)
    assert market.refused(B, order("sell", MWH, 190_000)) == 9014
    market.done(A, CancelOrder(1))
    market.order(B, "sell", MWH, 190_000)


OFFER = st.tuples(
    st.sampled_from((*SELLERS[:5], *BUYERS)), st.integers(1, 9), st.integers(-5, 48), st.sampled_from((3, 14))
)


@settings(max_examples=40, deadline=None)
@given(st.lists(OFFER, max_size=25), st.sampled_from((Method.AUCTION, Method.ROLLING)))
def test_whatever_is_offered_energy_and_collateral_balance(offers: list[Any], method: Method) -> None:
    market = Trading(price_floor_myuan_mwh=-50_000)
    market.open(method, segments=(3, 14), lot_kwh=100)
    for member_id, hundreds_kwh, price, segment in offers:
        side = "sell" if member_id in SELLERS else "buy"
        market.order(member_id, side, hundreds_kwh * 100, price * 10_000, segment=segment)
    market.machine.check_all()
    market.advance(CLOSES_MS)
    market.machine.check_all()
    for table in (ORDERS, TRADES, STAKES, OFFERED):
        assert table.count(market.store) == 0
    for member_id in (*SELLERS, *BUYERS):
        assert all(purpose.startswith("agreement:") for purpose in market.reserved(member_id))
    bought = {
        who: sum(line.quantity_kwh for pair, ls in lines_of(market).items() if pair[1] == who for line in ls)
        for who in BUYERS
    }
    for who, kwh in bought.items():
        assert sum(agreements.position_kwh(market.store, who, 20260703)[0]) == kwh
