"""The auditor of trade: sessions, orders, positions and agreements, on top of :mod:`tests.property.auditor`."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from shudian.contracts.agreements.messages import AgreementBorn, Method
from shudian.contracts.funds.messages import BALANCE_TOO_LOW
from shudian.contracts.trading.messages import (
    DELIVERY_TOO_LONG,
    GATE_CLOSES_IN_THE_PAST,
    GATE_CLOSES_TOO_LATE,
    GATE_IS_CLOSED,
    ORDER_OF_ANOTHER,
    ORDER_TOO_LARGE,
    ORDER_UNKNOWN,
    ORDERS_TOO_MANY,
    POSITION_TOO_LARGE,
    PRICE_OUTSIDE_BAND,
    QUANTITY_NOT_IN_LOTS,
    SEGMENT_NOT_OFFERED,
    SESSION_IS_OVER,
    SESSION_UNKNOWN,
    SIDE_NOT_ALLOWED,
    OpenSession,
    PlaceOrder,
    Product,
    Side,
)
from shudian.contracts.trading.messages_events import TradeMade
from tests.property.auditor import MoneyAuditor, Reasons, days_of, justified, rounded, start_of

ORDERS_MAX_COUNT = 4
BUY_COLLATERAL_PPM = 50_000
BUY_FLOOR_MYUAN_MWH = 100_000
SELL_MYUAN_MWH = 5_000
PRICE_CAP_MYUAN_MWH = 481_440


@dataclass(frozen=True)
class ProductRules:
    """The numbers of a product: longest period, lot, lowest price, largest order."""

    days_max_count: int
    lot_kwh: int
    price_floor_myuan_mwh: int
    order_max_kwh: int


PRODUCTS = {
    Product.DAILY: ProductRules(1, 100, -50_000, 3_000),
    Product.MONTHLY: ProductRules(31, 1_000, 0, 40_000),
}


@dataclass
class Order:
    """placed = filled + open + cancelled + expired; all kWh."""

    session_id: int
    owner_id: int
    segment: int
    side: Side
    price_myuan_mwh: int
    placed_kwh: int
    filled_kwh: int = 0
    cancelled_kwh: int = 0
    expired_kwh: int = 0

    @property
    def open_kwh(self) -> int:
        return self.placed_kwh - self.filled_kwh - self.cancelled_kwh - self.expired_kwh

    @property
    def collateral_fen(self) -> int:
        return collateral_fen(self.side, self.price_myuan_mwh, self.open_kwh)


@dataclass(frozen=True)
class Trade:
    segment: int
    buyer_id: int
    seller_id: int
    price_myuan_mwh: int
    kwh: int
    buyer_fen: int
    seller_fen: int


@dataclass
class Session:
    method: Method
    product: Product
    days: list[int]
    segments: tuple[int, ...]
    opens_ms: int
    closes_ms: int
    is_live: bool = True
    trades: list[Trade] = field(default_factory=list)

    def is_open(self, now_ms: int) -> bool:
        return self.opens_ms <= now_ms < self.closes_ms


@dataclass
class Agreement:
    """lines: (segment, price) -> kWh over the whole period."""

    seller_id: int
    buyer_id: int
    days: list[int]
    lines: dict[tuple[int, int], int]
    is_settled: bool = False

    def day_kwh(self, line_kwh: int, day: int) -> int:
        """Equal days; what rounding leaves goes to the first day; a few kWh over many days go to the first ones."""
        count, place = len(self.days), self.days.index(day)
        each = rounded(line_kwh, count)
        first_kwh = line_kwh - each * (count - 1)
        if first_kwh < 0:
            return line_kwh // count + (place < line_kwh % count)
        return each if place else first_kwh

    def day_segments(self, day: int) -> Iterator[tuple[int, int, int]]:
        """(segment, price, kWh) of the day's lines."""
        for (segment, price_myuan_mwh), line_kwh in self.lines.items():
            yield segment, price_myuan_mwh, self.day_kwh(line_kwh, day)


def collateral_fen(side: Side, price_myuan_mwh: int, kwh: int) -> int:
    if side is Side.SELL:
        return rounded(kwh * SELL_MYUAN_MWH, 10_000)
    value_fen = rounded(kwh * max(price_myuan_mwh, BUY_FLOOR_MYUAN_MWH), 10_000)
    return rounded(value_fen * BUY_COLLATERAL_PPM, 1_000_000)


class TradingAuditor(MoneyAuditor):
    """Sessions, orders and agreements on top of the money."""

    def __init__(self, opening: dict[int, int], now_ms: int, capability_kw: dict[tuple[int, Side], int]) -> None:
        super().__init__(opening, now_ms)
        self.capability_kw = capability_kw
        self.sessions: dict[int, Session] = {}
        self.orders: dict[int, Order] = {}
        self.agreements: dict[int, Agreement] = {}
        self.positions: dict[tuple[int, Side, int, int], int] = {}
        """By (member, side, day, segment), kWh."""

    def why_not_open_session(self, message: OpenSession) -> Reasons:
        days_count = len(days_of(message.first_day, message.last_day))
        return justified(
            (message.closes_ms <= self.now_ms, GATE_CLOSES_IN_THE_PAST),
            (message.closes_ms > start_of(message.first_day), GATE_CLOSES_TOO_LATE),
            (days_count > PRODUCTS[message.product].days_max_count, DELIVERY_TOO_LONG),
        )

    def open_session(self, session_id: int, message: OpenSession) -> None:
        assert session_id == len(self.sessions) + 1
        days = days_of(message.first_day, message.last_day)
        gate = (message.opens_ms, message.closes_ms)
        self.sessions[session_id] = Session(message.method, message.product, days, message.segments, *gate)

    def open_orders(self, session_id: int = 0, owner_id: int = 0) -> list[tuple[int, Order]]:
        return [
            (order_id, order)
            for order_id, order in self.orders.items()
            if order.open_kwh and session_id in (0, order.session_id) and owner_id in (0, order.owner_id)
        ]

    def why_not_session(self, session_id: int) -> Reasons:
        session = self.sessions.get(session_id)
        if session is None:
            return [SESSION_UNKNOWN]
        return justified((not session.is_live, SESSION_IS_OVER))

    def why_not_place(self, member_id: int, message: PlaceOrder) -> Reasons:
        session = self.sessions.get(message.session_id)
        if session is None or not session.is_live:
            return self.why_not_session(message.session_id)
        rules = PRODUCTS[session.product]
        resting = [one for _, one in self.open_orders(message.session_id, member_id) if one.side is message.side]
        needed_fen = collateral_fen(message.side, message.price_myuan_mwh, message.quantity_kwh)
        capability_kw = self.capability_kw.get((member_id, message.side), 0)
        is_in_band = rules.price_floor_myuan_mwh <= message.price_myuan_mwh <= PRICE_CAP_MYUAN_MWH
        return justified(
            (not session.is_open(self.now_ms), GATE_IS_CLOSED),
            (not capability_kw, SIDE_NOT_ALLOWED),
            (message.segment not in session.segments, SEGMENT_NOT_OFFERED),
            (not is_in_band, PRICE_OUTSIDE_BAND),
            (bool(message.quantity_kwh % rules.lot_kwh), QUANTITY_NOT_IN_LOTS),
            (message.quantity_kwh > rules.order_max_kwh, ORDER_TOO_LARGE),
            (len(resting) >= ORDERS_MAX_COUNT, ORDERS_TOO_MANY),
            (self._position_with(member_id, session, message) > capability_kw, POSITION_TOO_LARGE),
            (needed_fen > self.free(member_id), BALANCE_TOO_LOW),
        )

    def _position_with(self, member_id: int, session: Session, message: PlaceOrder) -> int:
        """kWh of the fullest day of the session's period, in the order's segment and side."""
        taken_kwh = max(self.positions.get((member_id, message.side, day, message.segment), 0) for day in session.days)
        for session_id, other in self.sessions.items():
            if other.is_live and set(other.days) & set(session.days):
                exposed_kwh = sum(
                    order.open_kwh + order.filled_kwh
                    for order in self.orders.values()
                    if (order.session_id, order.owner_id, order.side, order.segment)
                    == (session_id, member_id, message.side, message.segment)
                )
                taken_kwh += -(-exposed_kwh // len(other.days))
        return taken_kwh - (-message.quantity_kwh // len(session.days))

    def place(self, order_id: int, member_id: int, message: PlaceOrder, made: list[TradeMade]) -> Order:
        """An order was taken in; what it traded has to be what price-time order gives."""
        assert order_id == len(self.orders) + 1
        terms = (message.segment, message.side, message.price_myuan_mwh, message.quantity_kwh)
        order = self.orders[order_id] = Order(message.session_id, member_id, *terms)
        self._reserve_more(member_id, order.session_id, order.collateral_fen)
        session = self.sessions[message.session_id]
        expected = list(self._matches(order)) if session.method is Method.ROLLING else []
        told = [
            (one.sell_order_id if message.side is Side.BUY else one.buy_order_id, one.quantity_kwh, one.price_myuan_mwh)
            for one in made
        ]
        assert told == expected
        for one in made:
            self._trade(session, one)
        return order

    def _matches(self, order: Order) -> Iterator[tuple[int, int, int]]:
        sign = 1 if order.side is Side.BUY else -1
        others = [
            (sign * other.price_myuan_mwh, other_id, other)
            for other_id, other in self.open_orders(order.session_id)
            if other.side is not order.side and other.segment == order.segment and other.owner_id != order.owner_id
        ]
        left_kwh = order.open_kwh
        for signed_price, other_id, other in sorted(others, key=lambda row: row[:2]):
            if left_kwh and signed_price <= sign * order.price_myuan_mwh:
                kwh = min(left_kwh, other.open_kwh)
                left_kwh -= kwh
                yield other_id, kwh, other.price_myuan_mwh

    def _trade(self, session: Session, made: TradeMade) -> None:
        """Fill both orders; each trade keeps at most what its order gives up."""
        orders = {Side.BUY: made.buy_order_id, Side.SELL: made.sell_order_id}
        fen = {}
        for side, order_id in orders.items():
            order = self.orders[order_id]
            assert order.side is side
            assert order.segment == made.segment
            assert order.open_kwh >= made.quantity_kwh > 0
            before_fen = order.collateral_fen
            order.filled_kwh += made.quantity_kwh
            needed_fen = collateral_fen(side, made.price_myuan_mwh, made.quantity_kwh)
            fen[side] = min(before_fen - order.collateral_fen, needed_fen)
            self._reserve_more(order.owner_id, order.session_id, order.collateral_fen + fen[side] - before_fen)
        buyer_id, seller_id = (self.orders[orders[side]].owner_id for side in (Side.BUY, Side.SELL))
        assert (buyer_id, seller_id) == (made.buyer_id, made.seller_id)
        terms = (made.price_myuan_mwh, made.quantity_kwh, fen[Side.BUY], fen[Side.SELL])
        session.trades.append(Trade(made.segment, buyer_id, seller_id, *terms))

    def _reserve_more(self, member_id: int, session_id: int, more_fen: int) -> None:
        """One reservation stands behind all that a member has in a session."""
        purpose = f"session:{session_id}"
        self.reserve(member_id, purpose, self.reserved.get((member_id, purpose), 0) + more_fen)

    def why_not_cancel(self, member_id: int, order_id: int) -> Reasons:
        order = self.orders.get(order_id)
        if order is None or not order.open_kwh:
            return [ORDER_UNKNOWN]
        return justified(
            (order.owner_id != member_id, ORDER_OF_ANOTHER),
            (not self.sessions[order.session_id].is_open(self.now_ms), GATE_IS_CLOSED),
        )

    def cancel(self, order_id: int) -> None:
        order = self.orders[order_id]
        self._reserve_more(order.owner_id, order.session_id, -order.collateral_fen)
        order.cancelled_kwh += order.open_kwh

    def bar(self, member_id: int) -> None:
        """A member that is suspended or frozen has no open orders at the end of the block."""
        for order_id, _ in self.open_orders(owner_id=member_id):
            self.cancel(order_id)

    def cancel_session(self, session_id: int, born: Iterable[AgreementBorn]) -> None:
        for order_id, _ in self.open_orders(session_id):
            self.cancel(order_id)
        self._conclude(session_id, born)

    def close_sessions(self, made: list[TradeMade], born: list[AgreementBorn]) -> None:
        """Sessions whose gate has closed: auctions are cleared, the rest of a rolling session expires, trades become agreements."""
        for session_id, session in self.sessions.items():
            if session.is_live and session.closes_ms <= self.now_ms:
                if session.method is Method.AUCTION:
                    self._clear_auction(session_id, session, [one for one in made if one.session_id == session_id])
                for _, order in self.open_orders(session_id):
                    self._reserve_more(order.owner_id, session_id, -order.collateral_fen)
                    order.expired_kwh += order.open_kwh
                self._conclude(session_id, [one for one in born if one.terms.session_id == session_id])

    def _clear_auction(self, session_id: int, session: Session, made: list[TradeMade]) -> None:
        """The fills are taken as told; that they are the largest volume at one fair price in every segment is checked."""
        offered = self.open_orders(session_id)
        for one in made:
            self._trade(session, one)
        for segment in session.segments:
            orders = [order for _, order in offered if order.segment == segment]
            check_cleared(orders, [one for one in made if one.segment == segment])

    def _conclude(self, session_id: int, born: Iterable[AgreementBorn]) -> None:
        """One agreement per seller and buyer, whose lines are the sums of their trades."""
        session = self.sessions[session_id]
        session.is_live = False
        pairs: dict[tuple[int, int], list[Trade]] = {}
        for trade in session.trades:
            pairs.setdefault((trade.seller_id, trade.buyer_id), []).append(trade)
        told = {one.agreement_id: one.terms for one in born}
        for trade in session.trades:
            self._reserve_more(trade.buyer_id, session_id, -trade.buyer_fen)
            self._reserve_more(trade.seller_id, session_id, -trade.seller_fen)
        for (seller_id, buyer_id), trades in sorted(pairs.items()):
            agreement_id = len(self.agreements) + 1
            lines: dict[tuple[int, int], int] = {}
            for trade in trades:
                line = (trade.segment, trade.price_myuan_mwh)
                lines[line] = lines.get(line, 0) + trade.kwh
            terms = told.pop(agreement_id)
            assert (terms.seller_id, terms.buyer_id, terms.session_id) == (seller_id, buyer_id, session_id)
            assert {(one.segment, one.price_myuan_mwh): one.quantity_kwh for one in terms.lines} == lines
            agreement = self.agreements[agreement_id] = Agreement(seller_id, buyer_id, session.days, lines)
            self.reserve(buyer_id, f"agreement:{agreement_id}", sum(trade.buyer_fen for trade in trades))
            self.reserve(seller_id, f"agreement:{agreement_id}", sum(trade.seller_fen for trade in trades))
            self._add_to_positions(agreement)
        assert not told

    def _add_to_positions(self, agreement: Agreement) -> None:
        for day in agreement.days:
            for segment, _, kwh in agreement.day_segments(day):
                for member_id, side in ((agreement.buyer_id, Side.BUY), (agreement.seller_id, Side.SELL)):
                    place = (member_id, side, day, segment)
                    self.positions[place] = self.positions.get(place, 0) + kwh


def check_cleared(orders: list[Order], made: list[TradeMade]) -> None:
    """One price within all limits, as the rule of the marginal pair with k = 1/2 sets it; better orders whole; the largest volume."""

    def energy(side: Side, at_myuan_mwh: int) -> int:
        sign = 1 if side is Side.BUY else -1
        return sum(
            order.placed_kwh
            for order in orders
            if order.side is side and sign * order.price_myuan_mwh >= sign * at_myuan_mwh
        )

    prices = [order.price_myuan_mwh for order in orders]
    largest_kwh = max((min(energy(Side.BUY, price), energy(Side.SELL, price)) for price in prices), default=0)
    assert sum(one.quantity_kwh for one in made) == largest_kwh
    if not made:
        return
    low = max(order.price_myuan_mwh for order in orders if order.side is Side.SELL and order.filled_kwh)
    high = min(order.price_myuan_mwh for order in orders if order.side is Side.BUY and order.filled_kwh)
    assert low <= high
    assert {one.price_myuan_mwh for one in made} == {rounded(low + high, 2)}
    for order in orders:
        is_better = order.price_myuan_mwh > high if order.side is Side.BUY else order.price_myuan_mwh < low
        assert not is_better or not order.open_kwh
