"""Sessions: announced, closed at the gate, and their trades turned into agreements."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from msgspec.structs import replace

from shudian.clearing.auction_rules import PriceRule, TieRule
from shudian.contracts.agreements import rules as agreements
from shudian.contracts.agreements.messages import TERMS_VERSION, Line, Method, Terms
from shudian.contracts.trading import rules_collateral as collateral
from shudian.contracts.trading import rules_exposure as exposure
from shudian.contracts.trading import rules_numbers as numbers
from shudian.contracts.trading.messages import (
    AS_SET,
    GATE_CLOSES_IN_THE_PAST,
    GATE_CLOSES_TOO_LATE,
    SETTLEMENT_POINT,
    CancelReason,
    CancelSession,
    Matching,
    OpenSession,
    SessionReply,
    SessionRules,
    SessionState,
)
from shudian.contracts.trading.messages_events import (
    OrderContracted,
    OrderExpired,
    SessionCancelled,
    SessionClosed,
    SessionOpened,
)
from shudian.contracts.trading.messages_listings import ListingEnd
from shudian.contracts.trading.rules_auction import clear_auction
from shudian.contracts.trading.rules_gates import live_session
from shudian.contracts.trading.rules_listings import end_listing, listings_of, share_listings
from shudian.contracts.trading.rules_orders import withdraw
from shudian.contracts.trading.state import OFFERED, ORDERS, SESSIONS, STAKES, TRADES, Order, Session, Trade
from shudian.kernel import clock
from shudian.kernel.contract import BlockContext, Context
from shudian.kernel.tables import next_id


def open_session(ctx: Context, message: OpenSession) -> SessionReply:
    """Announce a session with the numbers of its product that hold today. Refuses: 2003, 9003-9005. Emits: SessionOpened."""
    if message.closes_ms <= ctx.market_ms:
        raise GATE_CLOSES_IN_THE_PAST("closes_ms", message.closes_ms, f"> {ctx.market_ms}")
    delivery_ms = clock.ms_at(message.first_day)
    if message.closes_ms > delivery_ms:
        raise GATE_CLOSES_TOO_LATE("closes_ms", message.closes_ms, f"<= {delivery_ms}")
    numbers.check_period(ctx, message.product, message.first_day, message.last_day)
    rules = _rules(ctx, message)
    # no refusal below this line
    session_id = next_id(ctx, "trading.session")
    session = Session(
        method=message.method,
        product=message.product,
        first_day=message.first_day,
        last_day=message.last_day,
        segments=message.segments,
        opens_ms=message.opens_ms,
        closes_ms=message.closes_ms,
        rules=rules,
        state=SessionState.LIVE,
    )
    SESSIONS.put(ctx, (session_id,), session)
    ctx.emit(
        SessionOpened(
            deed=f"session:{session_id}",
            parties=(),
            session_id=session_id,
            method=session.method,
            product=session.product,
            first_day=session.first_day,
            last_day=session.last_day,
            segments=session.segments,
            opens_ms=session.opens_ms,
            closes_ms=session.closes_ms,
            rules=rules,
        )
    )
    return SessionReply(session_id)


def _rules(ctx: BlockContext, message: OpenSession) -> SessionRules:
    """The numbers of the product that hold today, but for those that the message states."""
    rules = numbers.of_product(ctx, message.product)
    return replace(
        rules,
        lot_kwh=rules.lot_kwh if message.lot_kwh == AS_SET else message.lot_kwh,
        matching=Matching(message.matching or rules.matching),
        price_rule=PriceRule(message.price_rule or rules.price_rule),
        k_ppm=rules.k_ppm if message.k_ppm == AS_SET else message.k_ppm,
        tie_rule=TieRule(message.tie_rule or rules.tie_rule),
        listed_side=message.listed_side,
        take_rule=message.take_rule,
    )


def cancel_session(ctx: Context, message: CancelSession) -> None:
    """Cancel a live session; orders are released, trades stand. Refuses: 9001, 9002. Emits: SessionCancelled."""
    session = live_session(ctx, message.session_id)
    # no refusal below this line
    for order in _open_orders(ctx, message.session_id):
        withdraw(ctx, session, order, CancelReason.SESSION_CANCELLED)
    for listing_id, listing in listings_of(ctx, message.session_id):
        end_listing(ctx, session, listing_id, listing, ListingEnd.SESSION_CANCELLED)
    trades = [trade for _, trade in TRADES.range(ctx, message.session_id)]
    agreements_count = _conclude(ctx, message.session_id, session, trades, SessionState.CANCELLED)
    ctx.emit(
        SessionCancelled(
            deed=f"session:{message.session_id}",
            parties=(),
            session_id=message.session_id,
            reason=message.reason,
            agreements_count=agreements_count,
        )
    )


def _open_orders(ctx: BlockContext, session_id: int) -> list[Order]:
    return [order for _, order in ORDERS.find(ctx, "by_book", session_id)]


def close_sessions(ctx: BlockContext) -> None:
    """Block hook: sessions whose gate has closed, in id order, clear or expire, and their trades become agreements.

    Emits: SegmentCleared, TradeMade and OrderCleared (auction), OrderExpired (rolling), ListingTaken, TradeMade and ListingEnded
    (listing), AgreementBorn, SessionClosed.
    """
    for key, session in sorted(SESSIONS.due(ctx, "by_close", ctx.market_ms)):
        session_id = int(key[0])
        if session.method is Method.AUCTION:
            trades = clear_auction(ctx, session_id, session)
        else:
            _expire_orders(ctx, session_id, session)
            share_listings(ctx, session_id, session)
            trades = [trade for _, trade in TRADES.range(ctx, session_id)]
        agreements_count = _conclude(ctx, session_id, session, trades, SessionState.CLOSED)
        ctx.emit(
            SessionClosed(
                deed=f"session:{session_id}", parties=(), session_id=session_id, agreements_count=agreements_count
            )
        )


def _expire_orders(ctx: BlockContext, session_id: int, session: Session) -> None:
    for order in _open_orders(ctx, session_id):
        ORDERS.delete(ctx, order.order_id)
        ctx.emit(
            OrderExpired(
                deed=f"order:{order.order_id}",
                parties=(order.owner_id,),
                also=(f"session:{session_id}",),
                order_id=order.order_id,
                session_id=session_id,
                method=session.method,
                segment=order.segment,
                side=order.side,
                price_myuan_mwh=order.price_myuan_mwh,
                open_kwh=order.open_kwh,
            )
        )


@dataclass
class _Concluded:
    """What one seller and one buyer have traded in a session; lines_kwh by (segment, price), orders with their owner."""

    lines_kwh: dict[tuple[int, int], int] = field(default_factory=dict)
    buyer_fen: int = 0
    seller_fen: int = 0
    orders: dict[int, int] = field(default_factory=dict)

    def add(self, trade: Trade) -> None:
        line = (trade.segment, trade.price_myuan_mwh)
        self.lines_kwh[line] = self.lines_kwh.get(line, 0) + trade.quantity_kwh
        self.buyer_fen += trade.buyer_collateral_fen
        self.seller_fen += trade.seller_collateral_fen
        if trade.buy_order_id:
            self.orders[trade.buy_order_id] = trade.buyer_id
            self.orders[trade.sell_order_id] = trade.seller_id


def _conclude(
    ctx: BlockContext, session_id: int, session: Session, trades: Iterable[Trade], state: SessionState
) -> int:
    """Turn trades into one agreement per seller and buyer, move their collateral, and end the session; returns how many."""
    pairs: dict[tuple[int, int], _Concluded] = {}
    for trade in trades:
        pairs.setdefault((trade.seller_id, trade.buyer_id), _Concluded()).add(trade)
    _forget(ctx, session_id)
    for (seller_id, buyer_id), concluded in sorted(pairs.items()):
        terms = Terms(
            terms_version=TERMS_VERSION,
            seller_id=seller_id,
            buyer_id=buyer_id,
            method=session.method,
            session_id=session_id,
            product=session.product,
            first_day=session.first_day,
            last_day=session.last_day,
            settlement_point=SETTLEMENT_POINT,
            lines=tuple(
                Line(segment, quantity_kwh, price_myuan_mwh)
                for (segment, price_myuan_mwh), quantity_kwh in sorted(concluded.lines_kwh.items())
            ),
        )
        agreement_id = agreements.bear(ctx, terms, also=(f"session:{session_id}",))
        for order_id, owner_id in sorted(concluded.orders.items()):
            ctx.emit(
                OrderContracted(
                    deed=f"order:{order_id}",
                    parties=(owner_id,),
                    leads_to=f"agreement:{agreement_id}",
                    order_id=order_id,
                    agreement_id=agreement_id,
                )
            )
        exposure.take_on(ctx, agreement_id)
        collateral.reserve_for_agreement(ctx, buyer_id, agreement_id, concluded.buyer_fen)
        collateral.reserve_for_agreement(ctx, seller_id, agreement_id, concluded.seller_fen)
    SESSIONS.put(ctx, (session_id,), replace(session, state=state))
    return len(pairs)


def _forget(ctx: BlockContext, session_id: int) -> None:
    """Drop the session's stakes and trades from the state; what its members have reserved in it is freed for the agreements."""
    for key, _ in list(STAKES.find(ctx, "by_session", session_id)):
        collateral.free_session(ctx, int(key[0]), session_id)
        STAKES.delete(ctx, *key)
    for table in (TRADES, OFFERED):
        for key in [key for key, _ in table.range(ctx, session_id)]:
            table.delete(ctx, *key)
