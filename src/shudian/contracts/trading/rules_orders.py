"""Orders: gates and limits, match on arrival, withdrawal."""

from msgspec.structs import replace

from shudian.clearing.auction import SIDE_LIMIT_KWH
from shudian.clearing.book import IMMEDIATE, Condition, match
from shudian.contracts.agreements.messages import Line, Method
from shudian.contracts.identity import rules as identity
from shudian.contracts.trading import rules_collateral as collateral
from shudian.contracts.trading import rules_exposure as exposure
from shudian.contracts.trading import rules_gates as gates
from shudian.contracts.trading import rules_positions as positions
from shudian.contracts.trading.messages import (
    CONDITION_NOT_ALLOWED,
    METHOD_DOES_NOT_FIT,
    ORDER_OF_ANOTHER,
    ORDER_UNKNOWN,
    SIDE_IS_FULL,
    CancelOrder,
    CancelOrderReply,
    CancelReason,
    OrderReply,
    PlaceOrder,
    Side,
)
from shudian.contracts.trading.messages_events import OrderCancelled, OrderPlaced, TradeMade
from shudian.contracts.trading.state import (
    OFFERED,
    ORDERS,
    OTHER_SIDE,
    SESSIONS,
    STAKES,
    TRADES,
    Offered,
    Order,
    Session,
    Stake,
    Trade,
)
from shudian.kernel.contract import BlockContext, Context
from shudian.kernel.tables import HasStore, next_id
from shudian.kernel.units import energy_fen


def place_order(ctx: Context, message: PlaceOrder) -> OrderReply:
    """Take in an order; in a rolling session it trades at once with what it reaches, and the rest stands.

    Refuses: 3001, 4003, 5011, 9001, 9002, 9006-9014, 9017, 9018. Emits: OrderPlaced, TradeMade for each order it meets, OrderCancelled for
    what an immediate order did not trade.
    """
    session = gates.live_session(ctx, message.session_id)
    gates.check_gate(ctx, session)
    positions.check_side(ctx, ctx.sender_id, message.side)
    _check_limits(session, message)
    stake = gates.stake_with_room(
        ctx, session, message.session_id, message.side, {message.segment: message.quantity_kwh}
    )
    exposure.check_line(ctx, ctx.sender_id, message.side, (_line(message),))
    if session.method is Method.AUCTION:
        _check_offered(ctx, message)
    order = Order(
        order_id=next_id(ctx, "trading.order"),
        session_id=message.session_id,
        owner_id=ctx.sender_id,
        segment=message.segment,
        side=message.side,
        price_myuan_mwh=message.price_myuan_mwh,
        quantity_kwh=message.quantity_kwh,
        open_kwh=message.quantity_kwh,
        condition=message.condition,
    )
    needed_fen = collateral.order_fen(session.rules, order)
    free_fen = collateral.stand_for_order(ctx, order, needed_fen)
    # no refusal below this line
    ctx.emit(_placed(session, order))
    exposed_kwh = gates.exposed_kwh(stake, {order.segment: order.open_kwh})
    if session.method is Method.ROLLING:
        return _match(ctx, session, order, replace(stake, exposed_kwh=exposed_kwh), free_fen)
    _offer(ctx, order, order.open_kwh)
    ORDERS.put(ctx, (order.order_id,), order)
    after = replace(stake, open_count=stake.open_count + 1, exposed_kwh=exposed_kwh)
    STAKES.put(ctx, (order.owner_id, order.session_id, order.side), after)
    return OrderReply(order.order_id, 0, 0, order.open_kwh, free_fen)


def _line(message: PlaceOrder) -> Line:
    return Line(message.segment, message.quantity_kwh, message.price_myuan_mwh)


def _check_limits(session: Session, message: PlaceOrder) -> None:
    if session.method is Method.LISTING:
        raise METHOD_DOES_NOT_FIT("session_id", message.session_id, f"{Method.AUCTION} | {Method.ROLLING}")
    if session.method is Method.AUCTION and message.condition is not Condition.GTC:
        raise CONDITION_NOT_ALLOWED("condition", message.condition, Condition.GTC)
    gates.check_line(session, message.segment, message.quantity_kwh, message.price_myuan_mwh)


def _check_offered(ctx: BlockContext, message: PlaceOrder) -> None:
    allowed_kwh = SIDE_LIMIT_KWH - _offered_kwh(ctx, message.session_id, message.segment, message.side)
    if message.quantity_kwh > allowed_kwh:
        raise SIDE_IS_FULL("quantity_kwh", message.quantity_kwh, f"<= {allowed_kwh}")


def _offered_kwh(at: HasStore, session_id: int, segment: int, side: Side) -> int:
    row = OFFERED.get(at, session_id, segment, side)
    return 0 if row is None else row.quantity_kwh


def _offer(ctx: BlockContext, order: Order, more_kwh: int) -> None:
    key = (order.session_id, order.segment, order.side)
    OFFERED.put(ctx, key, Offered(_offered_kwh(ctx, *key) + more_kwh))


def _placed(session: Session, order: Order) -> OrderPlaced:
    return OrderPlaced(
        deed=f"order:{order.order_id}",
        parties=(order.owner_id,),
        also=(f"session:{order.session_id}",),
        order_id=order.order_id,
        session_id=order.session_id,
        method=session.method,
        member_id=order.owner_id,
        segment=order.segment,
        side=order.side,
        price_myuan_mwh=order.price_myuan_mwh,
        quantity_kwh=order.quantity_kwh,
        condition=order.condition,
    )


def _match(ctx: BlockContext, session: Session, order: Order, stake: Stake, free_fen: int) -> OrderReply:
    """Trade an arriving order with the resting orders of the other side, price then time, each at the resting price.

    What is left stands, unless the order's condition ends it at once.
    """
    fills = match(
        ORDERS.find_rows(ctx, "by_book", order.session_id, order.segment, OTHER_SIDE[order.side]),
        is_buy=order.side is Side.BUY,
        limit_myuan_mwh=order.price_myuan_mwh,
        energy_kwh=order.open_kwh,
        owner_id=order.owner_id,
        condition=order.condition,
    )
    value_fen, trades_fen, resting_fen = 0, stake.trades_fen, 0
    for maker, quantity_kwh in fills:
        price_myuan_mwh = maker.price_myuan_mwh
        order, taker_fen, resting_fen = collateral.fill(session.rules, order, quantity_kwh, price_myuan_mwh)
        maker_after, maker_fen, maker_resting_fen = collateral.fill(session.rules, maker, quantity_kwh, price_myuan_mwh)
        _fill_maker(ctx, maker_after, maker_fen, maker_resting_fen)
        buy, sell = (order, maker_after) if order.side is Side.BUY else (maker_after, order)
        fen = (taker_fen, maker_fen) if order.side is Side.BUY else (maker_fen, taker_fen)
        trade = Trade(
            order.segment,
            buy.owner_id,
            sell.owner_id,
            price_myuan_mwh,
            quantity_kwh,
            *fen,
            buy_order_id=buy.order_id,
            sell_order_id=sell.order_id,
        )
        trade_id = next_id(ctx, "trading.trade")
        TRADES.put(ctx, (order.session_id, trade_id), trade)
        made = trade_made(trade_id, session, trade, buy, sell, order.side)
        ctx.emit(made)
        value_fen += made.value_fen
        trades_fen += taker_fen
    filled_kwh = order.quantity_kwh - order.open_kwh
    rests = order.open_kwh > 0 and order.condition not in IMMEDIATE
    if fills or not rests:
        free_fen = collateral.reserve_for_order_and_trades(ctx, order, resting_fen if rests else 0, trades_fen)
    stake = replace(stake, open_count=stake.open_count + rests, trades_fen=trades_fen)
    if rests:
        ORDERS.put(ctx, (order.order_id,), order)
        STAKES.put(ctx, (order.owner_id, order.session_id, order.side), stake)
        return OrderReply(order.order_id, filled_kwh, value_fen, order.open_kwh, free_fen)
    stake = gates.exposed(stake, {order.segment: -order.open_kwh})
    STAKES.put(ctx, (order.owner_id, order.session_id, order.side), stake)
    if order.open_kwh:
        ctx.emit(_cancelled(session, order, CancelReason.CONDITION))
    return OrderReply(order.order_id, filled_kwh, value_fen, 0, free_fen)


def _fill_maker(ctx: BlockContext, after: Order, trade_fen: int, resting_fen: int) -> None:
    """Write a resting order that traded, and move the collateral of what traded. resting_fen: what its open part needs."""
    if after.open_kwh:
        ORDERS.put(ctx, (after.order_id,), after)
    else:
        ORDERS.delete(ctx, after.order_id)
    key = (after.owner_id, after.session_id, after.side)
    stake = STAKES.need(ctx, *key)
    trades_fen = stake.trades_fen + trade_fen
    open_count = stake.open_count - (after.open_kwh == 0)
    STAKES.put(ctx, key, replace(stake, open_count=open_count, trades_fen=trades_fen))
    collateral.reserve_for_order_and_trades(ctx, after, resting_fen, trades_fen)


def trade_made(trade_id: int, session: Session, trade: Trade, buy: Order, sell: Order, taker_side: str) -> TradeMade:
    """The event of a trade; ``buy`` and ``sell`` as they stand after it, ``taker_side`` empty in an auction."""
    taker, maker = (sell, buy) if taker_side == Side.SELL else (buy, sell)
    return TradeMade(
        deed=f"order:{taker.order_id}",
        parties=(trade.seller_id, trade.buyer_id),
        also=(f"order:{maker.order_id}", f"session:{buy.session_id}"),
        trade_id=trade_id,
        session_id=buy.session_id,
        method=session.method,
        segment=trade.segment,
        buy_order_id=buy.order_id,
        sell_order_id=sell.order_id,
        buyer_id=trade.buyer_id,
        seller_id=trade.seller_id,
        taker_side=taker_side,
        price_myuan_mwh=trade.price_myuan_mwh,
        quantity_kwh=trade.quantity_kwh,
        value_fen=energy_fen(trade.quantity_kwh, trade.price_myuan_mwh),
        buy_limit_myuan_mwh=buy.price_myuan_mwh,
        sell_limit_myuan_mwh=sell.price_myuan_mwh,
        buy_open_kwh=buy.open_kwh,
        sell_open_kwh=sell.open_kwh,
    )


def cancel_order(ctx: Context, message: CancelOrder) -> CancelOrderReply:
    """Withdraw what is left of one's own order. Refuses: 9006, 9015, 9016. Emits: OrderCancelled."""
    order = ORDERS.get(ctx, message.order_id)
    if order is None:
        raise ORDER_UNKNOWN("order_id", message.order_id)
    if order.owner_id != ctx.sender_id:
        raise ORDER_OF_ANOTHER("order_id", message.order_id)
    session = gates.live_session(ctx, order.session_id)
    gates.check_gate(ctx, session)
    # no refusal below this line
    withdraw(ctx, session, order, CancelReason.OWNER)
    return CancelOrderReply(order.order_id, order.open_kwh, collateral.free_fen(ctx, order.owner_id))


def withdraw(ctx: BlockContext, session: Session, order: Order, reason: CancelReason) -> None:
    """Take an open order out of its session and free its collateral. Emits: OrderCancelled."""
    ORDERS.delete(ctx, order.order_id)
    key = (order.owner_id, order.session_id, order.side)
    stake = STAKES.need(ctx, *key)
    STAKES.put(
        ctx, key, replace(gates.exposed(stake, {order.segment: -order.open_kwh}), open_count=stake.open_count - 1)
    )
    if session.method is Method.AUCTION:
        _offer(ctx, order, -order.open_kwh)
    ctx.emit(_cancelled(session, order, reason))
    collateral.reserve_for_order(ctx, order, 0)


def _cancelled(session: Session, order: Order, reason: CancelReason) -> OrderCancelled:
    return OrderCancelled(
        deed=f"order:{order.order_id}",
        parties=(order.owner_id,),
        also=(f"session:{order.session_id}",),
        order_id=order.order_id,
        session_id=order.session_id,
        method=session.method,
        segment=order.segment,
        side=order.side,
        price_myuan_mwh=order.price_myuan_mwh,
        open_kwh=order.open_kwh,
        reason=reason,
    )


def withdraw_orders_of_barred(ctx: BlockContext) -> None:
    """Block hook: open orders of members that are suspended, frozen or gone are withdrawn. Emits: OrderCancelled."""
    for member_id in identity.barred(ctx):
        for (_, session_id, side), stake in list(STAKES.range(ctx, member_id)):
            if stake.open_count:
                session = SESSIONS.need(ctx, session_id)
                orders = [order for _, order in ORDERS.find(ctx, "by_book", session_id)]
                for order in orders:
                    if order.owner_id == member_id and order.side == side:
                        withdraw(ctx, session, order, CancelReason.MEMBER_BARRED)
