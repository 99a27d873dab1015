"""Auctions at the gate's close: each segment cleared at one price 集中竞价 or matched pair by pair 高低匹配, every cut given its reason."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from shudian.clearing.auction import Cleared, Flags, Ints, clear
from shudian.clearing.auction_rules import Margin, TieRule
from shudian.clearing.high_low import match_high_low
from shudian.clearing.pairing import pair_fills
from shudian.contracts.trading import rules_collateral as collateral
from shudian.contracts.trading.messages import Cut, Matching, Side
from shudian.contracts.trading.messages_events import OrderCleared, SegmentCleared
from shudian.contracts.trading.rules_negotiations import is_renewable
from shudian.contracts.trading.rules_orders import trade_made
from shudian.contracts.trading.state import ORDERS, Order, Session, Trade
from shudian.kernel.contract import BlockContext
from shudian.kernel.tables import next_id
from shudian.kernel.units import PRICE_KWH_PER_FEN, round_half_away


def clear_auction(ctx: BlockContext, session_id: int, session: Session) -> list[Trade]:
    """Clear every segment of a session and take its orders out; returns the trades, whose collateral is still reserved with that of the orders.

    Emits: SegmentCleared, TradeMade, OrderCleared.
    """
    return [trade for segment in session.segments for trade in _clear_segment(ctx, session_id, session, segment)]


@dataclass(frozen=True)
class _Book:
    """Orders of a segment in book order, in which earlier ones come first among equal prices; and the same as arrays."""

    orders: list[Order]
    is_buy: Flags
    price: Ints
    quantity: Ints


@dataclass(frozen=True)
class _Fill:
    """Energy that a buy takes from a sell, named by their places in the book, at a price."""

    buy_no: int
    sell_no: int
    energy_kwh: int
    price_myuan_mwh: int


def _clear_segment(ctx: BlockContext, session_id: int, session: Session, segment: int) -> list[Trade]:
    orders = [order for _, order in ORDERS.find(ctx, "by_book", session_id, segment)]
    book = _Book(
        orders,
        np.array([order.side is Side.BUY for order in orders], np.bool_),
        np.array([order.price_myuan_mwh for order in orders], np.int64),
        np.array([order.open_kwh for order in orders], np.int64),
    )
    if session.rules.matching is Matching.HIGH_LOW:
        event, fills, fills_kwh = _match_high_low(session_id, session, segment, book)
    else:
        event, fills, fills_kwh = _clear_uniform(ctx, session_id, session, segment, book)
    ctx.emit(event)
    trades = _trades(ctx, session, orders, fills)
    for order, cut, filled_kwh in zip(orders, _cuts(session, orders, fills_kwh), fills_kwh, strict=True):
        ORDERS.delete(ctx, order.order_id)
        ctx.emit(_order_cleared(order, filled_kwh, cut))
    return trades


def _clear_uniform(
    ctx: BlockContext, session_id: int, session: Session, segment: int, book: _Book
) -> tuple[SegmentCleared, list[_Fill], list[int]]:
    rules = session.rules
    renewable = None
    if rules.tie_rule is TieRule.RENEWABLE_FIRST:
        renewable = np.array([is_renewable(ctx, order.owner_id) for order in book.orders], np.bool_)
    result = clear(
        book.is_buy,
        book.price,
        book.quantity,
        lot_kwh=rules.lot_kwh,
        rule=rules.price_rule,
        k_ppm=rules.k_ppm,
        tie_rule=rules.tie_rule,
        is_renewable=renewable,
    )
    fills: list[_Fill] = []
    if result.price_myuan_mwh is not None:
        owners = [order.owner_id for order in book.orders]
        pairs = pair_fills(book.is_buy, book.price, result.fills_kwh, None, owners)
        fills = [_Fill(pair.buy_no, pair.sell_no, pair.energy_kwh, result.price_myuan_mwh) for pair in pairs]
    return _segment_cleared(session_id, session, segment, result, book.orders), fills, result.fills_kwh.tolist()


def _match_high_low(
    session_id: int, session: Session, segment: int, book: _Book
) -> tuple[SegmentCleared, list[_Fill], list[int]]:
    pairs = match_high_low(book.is_buy, book.price, book.quantity)
    fills_kwh = [0] * len(book.orders)
    surplus = 0
    for pair in pairs:
        fills_kwh[pair.buy_no] += pair.energy_kwh
        fills_kwh[pair.sell_no] += pair.energy_kwh
        buy, sell = book.orders[pair.buy_no], book.orders[pair.sell_no]
        surplus += (buy.price_myuan_mwh - sell.price_myuan_mwh) * pair.energy_kwh
    prices = [pair.price_myuan_mwh for pair in pairs]
    result = Cleared(
        price_myuan_mwh=None,
        low_myuan_mwh=min(prices, default=None),
        high_myuan_mwh=max(prices, default=None),
        volume_kwh=sum(pair.energy_kwh for pair in pairs),
        welfare_fen=round_half_away(surplus, PRICE_KWH_PER_FEN),
        fills_kwh=np.array(fills_kwh, np.int64),
        price_set_by=[],
        margin=Margin.LAST_PAIR if pairs else Margin.NO_TRADE,
    )
    fills = [_Fill(pair.buy_no, pair.sell_no, pair.energy_kwh, pair.price_myuan_mwh) for pair in pairs]
    return _segment_cleared(session_id, session, segment, result, book.orders), fills, fills_kwh


def _trades(ctx: BlockContext, session: Session, orders: list[Order], fills: Iterable[_Fill]) -> list[Trade]:
    left = list(orders)
    trades = []
    for fill in fills:
        buy, sell = left[fill.buy_no], left[fill.sell_no]
        if buy.owner_id == sell.owner_id:
            continue  # nobody owes anything to oneself
        buy, buyer_fen = _fill(session, buy, fill)
        sell, seller_fen = _fill(session, sell, fill)
        left[fill.buy_no], left[fill.sell_no] = buy, sell
        trade = Trade(
            segment=buy.segment,
            buyer_id=buy.owner_id,
            seller_id=sell.owner_id,
            price_myuan_mwh=fill.price_myuan_mwh,
            quantity_kwh=fill.energy_kwh,
            buyer_collateral_fen=buyer_fen,
            seller_collateral_fen=seller_fen,
            buy_order_id=buy.order_id,
            sell_order_id=sell.order_id,
        )
        ctx.emit(trade_made(next_id(ctx, "trading.trade"), session, trade, buy, sell, ""))
        trades.append(trade)
    return trades


def _fill(session: Session, order: Order, fill: _Fill) -> tuple[Order, int]:
    """The order after a trade, and what the trade keeps of its collateral, in fen."""
    reserved_fen = collateral.order_fen(session.rules, order)
    left, _, kept_fen = collateral.fill(session.rules, order, reserved_fen, fill.energy_kwh, fill.price_myuan_mwh)
    return left, kept_fen


def _cuts(session: Session, orders: list[Order], fills_kwh: list[int]) -> list[Cut]:
    """Why each order got less than it asked for."""
    shares = session.rules.matching is Matching.UNIFORM and session.rules.tie_rule is TieRule.PRO_RATA
    at_margin = {
        order.side: order.price_myuan_mwh  # the last one that is filled, in book order, is at the margin of its side
        for order, filled_kwh in zip(orders, fills_kwh, strict=True)
        if filled_kwh
    }
    cuts = []
    for order, filled_kwh in zip(orders, fills_kwh, strict=True):
        if filled_kwh == order.open_kwh:
            cuts.append(Cut.NONE)
        elif filled_kwh:
            cuts.append(Cut.SHARED_AT_THE_MARGIN)
        elif at_margin.get(order.side) == order.price_myuan_mwh:
            cuts.append(Cut.LOT_ROUNDING if shares else Cut.BEHIND_AT_THE_MARGIN)
        else:
            cuts.append(Cut.OUT_OF_THE_MONEY)
    return cuts


def _segment_cleared(
    session_id: int, session: Session, segment: int, result: Cleared, orders: list[Order]
) -> SegmentCleared:
    return SegmentCleared(
        deed=f"session:{session_id}",
        parties=(),
        session_id=session_id,
        segment=segment,
        matching=session.rules.matching,
        price_myuan_mwh=result.price_myuan_mwh,
        low_myuan_mwh=result.low_myuan_mwh,
        high_myuan_mwh=result.high_myuan_mwh,
        k_ppm=session.rules.k_ppm,
        volume_kwh=result.volume_kwh,
        welfare_fen=result.welfare_fen,
        set_by_order_ids=tuple(orders[no].order_id for no in result.price_set_by),
        margin=result.margin,
    )


def _order_cleared(order: Order, filled_kwh: int, cut: Cut) -> OrderCleared:
    return OrderCleared(
        deed=f"order:{order.order_id}",
        parties=(order.owner_id,),
        also=(f"session:{order.session_id}",),
        order_id=order.order_id,
        session_id=order.session_id,
        segment=order.segment,
        filled_kwh=filled_kwh,
        left_kwh=order.open_kwh - filled_kwh,
        cut=cut,
    )
