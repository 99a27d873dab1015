"""Orders: gates and limits, match on arrival, withdrawal."""

from typing import Final

from shudian.clearing.auction_rules import SIDE_LIMIT_KWH
from shudian.clearing.book import IMMEDIATE, Condition, match
from shudian.contracts.agreements.messages import Method
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
    Trade,
)
from shudian.kernel.contract import BlockContext, Context
from shudian.kernel.tables import HasStore, next_id
from shudian.kernel.units import energy_fen

# Members at hand: to fetch one from its enumeration takes Python 3.11 as long as ten look-ups, and these are asked for with every order.
_ROLLING: Final = Method.ROLLING
_AUCTION: Final = Method.AUCTION
_LISTING: Final = Method.LISTING
_BUY: Final = Side.BUY
_SELL: Final = Side.SELL
_GTC: Final = Condition.GTC


def place_order(ctx: Context, message: PlaceOrder) -> OrderReply:
    """Take in an order; in a rolling session it trades at once with what it reaches, and the rest stands.

    Refuses: 3001, 4001-4003, 5011, 9001, 9002, 9006-9014, 9017, 9018. Emits: OrderPlaced, TradeMade for each order it meets, FundsReserved,
    OrderCancelled for what an immediate order did not trade.
    """
    session_id, segment, side, quantity_kwh = message.session_id, message.segment, message.side, message.quantity_kwh
    session, owner_id = gates.live_session(ctx, session_id), ctx.sender_id
    gates.check_gate(ctx, session)
    positions.check_side(ctx, owner_id, side)
    _check_limits(session, message)
    stake = gates.stake_with_room(ctx, session, session_id, side, {segment: quantity_kwh})
    exposure.check_buy(ctx, owner_id, side, energy_fen(quantity_kwh, message.price_myuan_mwh))
    if session.method is _AUCTION:
        _check_offered(ctx, message)
    order_id = next_id(ctx, "trading.order")
    order = Order(
        order_id=order_id,
        session_id=session_id,
        owner_id=owner_id,
        segment=segment,
        side=side,
        price_myuan_mwh=message.price_myuan_mwh,
        quantity_kwh=quantity_kwh,
        open_kwh=quantity_kwh,
        condition=message.condition,
    )
    whole_fen = collateral.order_fen(session.rules, order)
    parts: list[_Part] = []
    left, open_fen = order, whole_fen
    if session.method is _ROLLING:
        parts, left, open_fen = _match(ctx, session, order, whole_fen)
    left_kwh = left.open_kwh
    rests = left_kwh > 0 and left.condition not in IMMEDIATE
    needed_fen = open_fen if rests else 0
    for part in parts:
        needed_fen += part.kept_fen
    # The order has to fit whole, at its limit, whatever it trades; what it needs in the end is never more.
    free_fen = collateral.stand_in_session(ctx, owner_id, session_id, _deed(order), needed_fen, whole_fen)
    # no refusal below this line
    ctx.emit(_placed(session, order))
    if session.method is _AUCTION:
        _offer(ctx, order, quantity_kwh)
    value_fen = 0
    for part in parts:
        value_fen += _trade(ctx, session, part)
    exposed_kwh = quantity_kwh if rests else quantity_kwh - left_kwh
    stake = gates.stake_after(stake, int(rests), {segment: exposed_kwh})
    STAKES.put(ctx, (owner_id, session_id, side), stake)
    if rests:
        ORDERS.put(ctx, (order_id,), left)
    elif left_kwh:
        ctx.emit(_cancelled(session, left, CancelReason.CONDITION))
    return OrderReply(order_id, quantity_kwh - left_kwh, value_fen, left_kwh if rests else 0, free_fen)


def _deed(order: Order) -> str:
    return f"order:{order.order_id}"


def _check_limits(session: Session, message: PlaceOrder) -> None:
    if session.method is _LISTING:
        raise METHOD_DOES_NOT_FIT("session_id", message.session_id, f"{Method.AUCTION} | {Method.ROLLING}")
    if session.method is _AUCTION and message.condition is not _GTC:
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
        deed=_deed(order),
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


class _Part:
    """What an arriving order trades with one resting order.

    left: the arriving order after it. kept_fen: what the trade keeps of its collateral.
    """

    def __init__(self, maker: Order, quantity_kwh: int, left: Order, kept_fen: int) -> None:
        self.maker = maker
        self.quantity_kwh = quantity_kwh
        self.left = left
        self.kept_fen = kept_fen


def _match(ctx: BlockContext, session: Session, order: Order, whole_fen: int) -> tuple[list[_Part], Order, int]:
    """What an arriving order trades with the resting orders of the other side: price then time, each at the resting price.

    Returns also the order as it is left, and what its open part needs, in fen. Writes nothing.
    """
    fills = match(
        ORDERS.find_rows(ctx, "by_book", order.session_id, order.segment, OTHER_SIDE[order.side]),
        is_buy=order.side is _BUY,
        limit_myuan_mwh=order.price_myuan_mwh,
        energy_kwh=order.open_kwh,
        owner_id=order.owner_id,
        condition=order.condition,
    )
    parts: list[_Part] = []
    left, open_fen = order, whole_fen
    for maker, quantity_kwh in fills:
        left, open_fen, kept_fen = collateral.fill(session.rules, left, open_fen, quantity_kwh, maker.price_myuan_mwh)
        parts.append(_Part(maker, quantity_kwh, left, kept_fen))
    return parts, left, open_fen


def _trade(ctx: BlockContext, session: Session, part: _Part) -> int:
    """Write and tell a trade; returns its value in fen. Emits: TradeMade, FundsReserved."""
    taker, maker = part.left, part.maker
    maker_left, maker_fen = _fill_maker(ctx, session, maker, part.quantity_kwh)
    is_buy = taker.side is _BUY
    buy, sell = (taker, maker_left) if is_buy else (maker_left, taker)
    trade = Trade(
        segment=taker.segment,
        buyer_id=buy.owner_id,
        seller_id=sell.owner_id,
        price_myuan_mwh=maker.price_myuan_mwh,
        quantity_kwh=part.quantity_kwh,
        buyer_collateral_fen=part.kept_fen if is_buy else maker_fen,
        seller_collateral_fen=maker_fen if is_buy else part.kept_fen,
        buy_order_id=buy.order_id,
        sell_order_id=sell.order_id,
    )
    trade_id = next_id(ctx, "trading.trade")
    TRADES.put(ctx, (taker.session_id, trade_id), trade)
    made = trade_made(trade_id, session, trade, buy, sell, taker.side)
    ctx.emit(made)
    return made.value_fen


def _fill_maker(ctx: BlockContext, session: Session, maker: Order, quantity_kwh: int) -> tuple[Order, int]:
    """A resting order trades at its own price; returns it as it is left, and what the trade keeps reserved, in fen.

    The trade keeps all that the order gives up, but for what rounding a part saves. Emits: FundsReserved for that.
    """
    before_fen = collateral.order_fen(session.rules, maker)
    left, open_fen, kept_fen = collateral.fill(session.rules, maker, before_fen, quantity_kwh, maker.price_myuan_mwh)
    if left.open_kwh:
        ORDERS.put(ctx, (left.order_id,), left)
    else:
        ORDERS.delete(ctx, left.order_id)
        key = (left.owner_id, left.session_id, left.side)
        STAKES.put(ctx, key, gates.stake_after(STAKES.need(ctx, *key), -1, {}))
    saved_fen = before_fen - open_fen - kept_fen
    if saved_fen:
        collateral.give_back(ctx, left.owner_id, left.session_id, _deed(left), saved_fen)
    return left, kept_fen


def trade_made(trade_id: int, session: Session, trade: Trade, buy: Order, sell: Order, taker_side: str) -> TradeMade:
    """The event of a trade; ``buy`` and ``sell`` as they stand after it, ``taker_side`` empty in an auction."""
    taker, maker = (sell, buy) if taker_side == _SELL else (buy, sell)
    return TradeMade(
        deed=_deed(taker),
        parties=(trade.seller_id, trade.buyer_id),
        also=(_deed(maker), f"session:{buy.session_id}"),
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
    """Take an open order out of its session and free its collateral. Emits: OrderCancelled, FundsReserved."""
    ORDERS.delete(ctx, order.order_id)
    key = (order.owner_id, order.session_id, order.side)
    STAKES.put(ctx, key, gates.stake_after(STAKES.need(ctx, *key), -1, {order.segment: -order.open_kwh}))
    if session.method is _AUCTION:
        _offer(ctx, order, -order.open_kwh)
    ctx.emit(_cancelled(session, order, reason))
    freed_fen = collateral.order_fen(session.rules, order)
    collateral.give_back(ctx, order.owner_id, order.session_id, _deed(order), freed_fen)


def _cancelled(session: Session, order: Order, reason: CancelReason) -> OrderCancelled:
    return OrderCancelled(
        deed=_deed(order),
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
