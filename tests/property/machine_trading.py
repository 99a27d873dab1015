"""Rules and promises of sessions and orders, on top of money."""

from hypothesis import strategies as st
from hypothesis.stateful import invariant, precondition, rule

from shudian.contracts.agreements.messages import Method
from shudian.contracts.agreements.state import POSITIONS
from shudian.contracts.trading.messages import OpenSession, PlaceOrder, Product, Side
from shudian.contracts.trading.state import ORDERS
from tests.property.auditor import plus_days
from tests.property.auditor_trading import PRICE_CAP_MYUAN_MWH, PRODUCTS
from tests.property.machine_money import END_DAY, MoneyMachine, companies, pick
from tests.property.town import (
    FIRST_DAY,
    HOUR_MS,
    HYDRO,
    PAPER,
    WIND,
)

methods = st.sampled_from([Method.AUCTION, Method.ROLLING])
products = st.sampled_from([Product.MONTHLY, Product.DAILY])
Offer = tuple[int, Side, int, int, int]
"""(member, side, price, lots, kWh beside the lots)."""


@st.composite
def orders(draw: st.DrawFn) -> Offer:
    """Mostly ones that fit, with the band's edges and beyond."""
    member_id = draw(companies)
    side = Side.SELL if member_id in (HYDRO, WIND) else Side.BUY
    if draw(st.integers(0, 19)) == 0:
        side = Side.BUY if side is Side.SELL else Side.SELL
    edges = [-50_001, -50_000, -1, 0, 1, PRICE_CAP_MYUAN_MWH, PRICE_CAP_MYUAN_MWH + 1]
    near = st.integers(195, 207).map(lambda yuan: yuan * 1_000 + (7_000 if side is Side.BUY else 0))
    price = draw(st.sampled_from(edges) if draw(st.integers(0, 7)) == 0 else near)
    lots = draw(st.integers(11, 41) if draw(st.integers(0, 7)) == 0 else st.integers(1, 6))
    return member_id, side, price, lots, int(draw(st.integers(0, 19)) == 0)


class TradingMachine(MoneyMachine):
    """Sessions and orders on top of the money."""

    @rule(
        method=methods,
        product=products,
        ahead=st.sampled_from([0, 1, 2, 3]),
        hours=st.sampled_from([-1, 2, 12, 12]),
        early=st.booleans(),
        length=st.sampled_from([0, 0, 1, 3]),
        segments=st.sampled_from([(10,), (10, 11), (0, 10, 23)]),
    )
    def open_session(
        self,
        method: Method,
        product: Product,
        ahead: int,
        hours: int,
        early: bool,
        length: int,
        segments: tuple[int, ...],
    ) -> None:
        """Of the product's longest period or a few days more or less; the gate opens now or an hour later."""
        first_day = max(FIRST_DAY, plus_days(self.book.today, ahead))
        longest = {Product.DAILY: 1, Product.MONTHLY: 31}[product]
        days_count = longest if not length else length if product is Product.MONTHLY else 2
        closes_ms = self.play.now_ms + hours * HOUR_MS
        opens_ms = min(self.play.now_ms + (0 if early else HOUR_MS), closes_ms - 1)
        period = (first_day, plus_days(first_day, days_count - 1))
        self.play.open_session(OpenSession(method, product, *period, segments, opens_ms, closes_ms))

    @precondition(lambda self: self.book.today < END_DAY)
    @rule(
        method=methods,
        product=products,
        offers=st.lists(orders(), min_size=4, max_size=10),
        closed=st.sampled_from([False, False, True]),
    )
    def play_session(self, method: Method, product: Product, offers: list[Offer], closed: bool) -> None:
        """A session for the days to come, with orders of many members, perhaps to its close."""
        first_day = max(FIRST_DAY, plus_days(self.book.today, 2))
        days_count = 1 if product is Product.DAILY else 4
        period = (first_day, plus_days(first_day, days_count - 1))
        gate = (self.play.now_ms, self.play.now_ms + 6 * HOUR_MS)
        self.play.open_session(OpenSession(method, product, *period, (10,), *gate))
        self.place_orders(0, 10, offers)
        if closed:
            self.play.advance(gate[1])

    @precondition(lambda self: self.book.sessions)
    @rule(place=st.integers(0, 4))
    def cancel_session(self, place: int) -> None:
        if place:  # seldom the youngest, or nothing is ever traded
            self.play.cancel_session(pick(list(self.book.sessions), place))

    @precondition(lambda self: self.book.sessions)
    @rule(
        place=st.sampled_from([0, 0, 0, 0, 1, 2, 9]),
        segment=st.sampled_from([10, 10, 10, 11, 0]),
        offers=st.lists(orders(), min_size=1, max_size=5),
    )
    def place_orders(self, place: int, segment: int, offers: list[Offer]) -> None:
        """Into a live session, or without one into one that is over; one place in seven does not exist."""
        live = [session_id for session_id, session in self.book.sessions.items() if session.is_live]
        session_id = pick(live or list(self.book.sessions), place)
        session = self.book.sessions.get(session_id)
        lot_kwh = PRODUCTS[session.product].lot_kwh if session else 100
        for member_id, side, price, lots, beside_kwh in offers:
            self.play.place(member_id, PlaceOrder(session_id, segment, side, price, lots * lot_kwh + beside_kwh))

    @precondition(lambda self: self.book.orders)
    @rule(place=st.sampled_from([0, 0, 1, 2, 9]), rival=st.integers(0, 4))
    def cancel_order(self, place: int, rival: int) -> None:
        """Mostly the owner's, sometimes of an order that is over or another's."""
        standing = [order_id for order_id, _ in self.book.open_orders()]
        order_id = pick(standing or list(self.book.orders), place)
        order = self.book.orders.get(order_id)
        member_id = order.owner_id if order and rival else PAPER
        self.play.cancel(member_id, order_id)

    @invariant()
    def orders_agree(self) -> None:
        at = self.play.context()
        standing = {order_id: order.open_kwh for order_id, order in self.book.open_orders()}
        assert {int(key[0]): row.open_kwh for key, row in ORDERS.range(at)} == standing
        for order in self.book.orders.values():
            parts = (order.filled_kwh, order.open_kwh, order.cancelled_kwh, order.expired_kwh)
            assert min(parts) >= 0
            assert sum(parts) == order.placed_kwh

    @invariant()
    def positions_agree(self) -> None:
        at = self.play.context()
        held: dict[tuple[int, Side, int, int], int] = {}
        for key, row in POSITIONS.range(at):
            for side, segments_kwh in ((Side.BUY, row.bought_kwh), (Side.SELL, row.sold_kwh)):
                for segment, kwh in enumerate(segments_kwh):
                    held[int(key[0]), side, int(key[1]), segment] = kwh
        expected = {place: kwh for place, kwh in self.book.positions.items() if kwh}
        assert {place: kwh for place, kwh in held.items() if kwh} == expected
        net: dict[tuple[int, int], int] = {}
        for (_, side, day, segment), kwh in expected.items():
            net[day, segment] = net.get((day, segment), 0) + (kwh if side is Side.BUY else -kwh)
        assert not any(net.values())
        for agreement in self.book.agreements.values():
            traded = [kwh for day in agreement.days for _, _, kwh in agreement.day_segments(day)]
            assert sum(traded) == sum(agreement.lines.values())
