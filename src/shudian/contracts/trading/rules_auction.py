"""Call auction 集中竞价 at the gate's close: each segment cleared at one price, fills paired, every cut given its reason."""

import numpy as np
from numpy.typing import NDArray

from shudian.clearing.auction import Cleared, clear
from shudian.clearing.pairing import pair_fills
from shudian.contracts.trading import rules_collateral as collateral
from shudian.contracts.trading.messages import Cut, Side
from shudian.contracts.trading.messages_events import OrderCleared, SegmentCleared
from shudian.contracts.trading.rules_orders import trade_made
from shudian.contracts.trading.state import ORDERS, Order, Session, Trade
from shudian.kernel.contract import BlockContext
from shudian.kernel.tables import next_id


def clear_auction(ctx: BlockContext, session_id: int, session: Session) -> list[Trade]:
    """Clear every segment of a session and take its orders out; returns the trades, whose collateral is freed with the orders.

    Emits: SegmentCleared, TradeMade, OrderCleared.
    """
    return [trade for segment in session.segments for trade in _clear_segment(ctx, session_id, session, segment)]


def _clear_segment(ctx: BlockContext, session_id: int, session: Session, segment: int) -> list[Trade]:
    # In book order equal prices stand in the order of their ids, so earlier orders come first without a time of their own.
    orders = [order for _, order in ORDERS.find(ctx, "by_book", session_id, segment)]
    is_buy = np.array([order.side is Side.BUY for order in orders], np.bool_)
    price = np.array([order.price_myuan_mwh for order in orders], np.int64)
    quantity = np.array([order.open_kwh for order in orders], np.int64)
    rules = session.rules
    result = clear(is_buy, price, quantity, lot_kwh=rules.lot_kwh, rule=rules.price_rule, k_ppm=rules.k_ppm)
    ctx.emit(_segment_cleared(session_id, session, segment, result, orders))
    trades = _trades(ctx, session, orders, result, is_buy, price)
    for order, cut, filled_kwh in zip(orders, _cuts(orders, result), result.fills_kwh.tolist(), strict=True):
        ORDERS.delete(ctx, order.order_id)
        collateral.reserve_for_order(ctx, order, 0)
        ctx.emit(_order_cleared(order, filled_kwh, cut))
    return trades


def _trades(
    ctx: BlockContext,
    session: Session,
    orders: list[Order],
    result: Cleared,
    is_buy: NDArray[np.bool_],
    price: NDArray[np.int64],
) -> list[Trade]:
    if result.price_myuan_mwh is None:
        return []
    left = list(orders)
    trades = []
    pairs = pair_fills(is_buy, price, result.fills_kwh, None, [order.owner_id for order in orders])
    for pair in pairs:
        buy, sell = left[pair.buy_no], left[pair.sell_no]
        if buy.owner_id == sell.owner_id:
            continue  # nobody owes anything to oneself
        buy, buyer_fen = collateral.fill(session.rules, buy, pair.energy_kwh, result.price_myuan_mwh)
        sell, seller_fen = collateral.fill(session.rules, sell, pair.energy_kwh, result.price_myuan_mwh)
        left[pair.buy_no], left[pair.sell_no] = buy, sell
        trade = Trade(
            segment=buy.segment,
            buyer_id=buy.owner_id,
            seller_id=sell.owner_id,
            price_myuan_mwh=result.price_myuan_mwh,
            quantity_kwh=pair.energy_kwh,
            buyer_collateral_fen=buyer_fen,
            seller_collateral_fen=seller_fen,
        )
        ctx.emit(trade_made(next_id(ctx, "trading.trade"), session, trade, buy, sell, ""))
        trades.append(trade)
    return trades


def _cuts(orders: list[Order], result: Cleared) -> list[Cut]:
    """Why each order got less than it asked for."""
    fills_kwh = result.fills_kwh.tolist()
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
            cuts.append(Cut.LOT_ROUNDING)
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
