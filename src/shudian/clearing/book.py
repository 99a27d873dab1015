"""Rolling match 滚动撮合: an order book in price-time order, one per delivery day and segment.

A new order trades with the resting orders of the other side that its limit reaches, best price first, then earliest, each at the
resting order's price; what remains rests (domain 3.4). :func:`match` is that rule; the ledger calls it with rows of its state,
:class:`Book` with its own queues. Prices in milli-yuan per MWh, any sign; energy in kWh.
"""

from bisect import bisect_left, insort
from collections import OrderedDict
from collections.abc import Hashable, Iterable, Iterator
from enum import StrEnum
from typing import Final, Protocol, TypeVar


class SelfTrade(StrEnum):
    """What a new order does on meeting a resting order of its owner: SKIP passes over it, ALLOW trades with it."""

    SKIP = "skip"
    ALLOW = "allow"


class Condition(StrEnum):
    """What an order asks of the match beside its limit."""

    GTC = "gtc"
    """Good till the close: trades what it reaches, the rest stands."""
    IOC = "ioc"
    """Immediate or cancel 即时成交剩余撤销: trades what it reaches, the rest ends."""
    FOK = "fok"
    """Fill or kill 全部成交否则撤销: all at once or nothing, and nothing stands."""
    AON = "aon"
    """All or none 全部成交或等待: trades only whole with what it meets on arrival, or whole with one order that arrives later."""


# At hand: to fetch a member from its enumeration takes Python 3.11 as long as ten look-ups
_SKIP: Final = SelfTrade.SKIP
_AON: Final = Condition.AON

IMMEDIATE: Final = (Condition.IOC, Condition.FOK)
"""Conditions under which nothing stands in the book."""
WHOLE: Final = (Condition.FOK, Condition.AON)
"""Conditions under which an order trades whole or not at all."""


class Resting(Protocol):
    """What :func:`match` reads of a resting order."""

    @property
    def price_myuan_mwh(self) -> int:
        """Its limit, at which it trades."""

    @property
    def open_kwh(self) -> int:
        """What is not yet traded or cancelled; positive."""

    @property
    def owner_id(self) -> Hashable:
        """Whose it is; None is nobody's."""

    @property
    def condition(self) -> Condition:
        """GTC or AON: only they stand."""


M = TypeVar("M", bound=Resting)


def match(
    makers: Iterable[M],
    *,
    is_buy: bool,
    limit_myuan_mwh: int,
    energy_kwh: int,
    owner_id: Hashable = None,
    self_trade: SelfTrade = SelfTrade.SKIP,
    condition: Condition = Condition.GTC,
) -> list[tuple[M, int]]:
    """Energy that a new order takes from each of ``makers``, the resting orders of the other side in price-time order.

    Makers are read lazily, only as far as the order reaches, and not changed; each trade is at ``maker.price_myuan_mwh``. An
    all-or-none maker that wants more than the order has left is passed over. Under FOK and AON there are fills for the whole
    energy or none.
    """
    own_id = owner_id if self_trade is _SKIP else None
    fills: list[tuple[M, int]] = []
    for maker in makers:
        if maker.price_myuan_mwh > limit_myuan_mwh if is_buy else maker.price_myuan_mwh < limit_myuan_mwh:
            break
        if own_id is not None and maker.owner_id == own_id:
            continue
        if maker.open_kwh >= energy_kwh:
            if maker.open_kwh > energy_kwh and maker.condition is _AON:
                continue
            fills.append((maker, energy_kwh))
            return fills
        fills.append((maker, maker.open_kwh))
        energy_kwh -= maker.open_kwh
    return [] if condition in WHOLE else fills


class Order:
    """A limit order of a :class:`Book`; ``open_kwh`` is what is not yet traded or cancelled."""

    __slots__ = ("condition", "is_buy", "open_kwh", "order_id", "owner_id", "price_myuan_mwh")

    def __init__(
        self,
        order_id: int,
        price_myuan_mwh: int,
        open_kwh: int,
        owner_id: Hashable,
        condition: Condition = Condition.GTC,
        *,
        is_buy: bool,
    ) -> None:
        self.order_id = order_id
        self.price_myuan_mwh = price_myuan_mwh
        self.open_kwh = open_kwh
        self.owner_id = owner_id
        self.condition = condition
        self.is_buy = is_buy


class _Queues:
    """Resting orders of one side: price levels from worst to best, in each a queue by time."""

    def __init__(self, *, best_is_high: bool) -> None:
        self._sign = 1 if best_is_high else -1
        self._levels: list[int] = []
        self._queue_at: dict[int, OrderedDict[int, Order]] = {}

    def __iter__(self) -> Iterator[Order]:
        for level in reversed(self._levels):
            yield from self._queue_at[level].values()

    def add(self, order: Order) -> None:
        level = self._sign * order.price_myuan_mwh
        queue = self._queue_at.get(level)
        if queue is None:
            queue = self._queue_at[level] = OrderedDict()
            insort(self._levels, level)
        queue[order.order_id] = order

    def remove(self, order: Order) -> None:
        level = self._sign * order.price_myuan_mwh
        queue = self._queue_at[level]
        del queue[order.order_id]
        if not queue:
            del self._queue_at[level]
            del self._levels[bisect_left(self._levels, level)]


class Book:
    """An order book in memory. Order ids are unique for its life; the caller has checked quantities (positive) and prices.

    >>> book = Book()
    >>> book.place(2, is_buy=False, price_myuan_mwh=208_000, energy_kwh=3_000)
    []
    >>> [(maker.order_id, kwh) for maker, kwh in book.place(4, is_buy=True, price_myuan_mwh=209_000, energy_kwh=4_000)]
    [(2, 3000)]
    >>> book.cancel(4), book.cancel(2)
    (1000, 0)
    """

    def __init__(self, self_trade: SelfTrade = SelfTrade.SKIP) -> None:
        self._self_trade = self_trade
        self._buys = _Queues(best_is_high=True)
        self._sells = _Queues(best_is_high=False)
        self._resting: dict[int, Order] = {}

    def place(
        self,
        order_id: int,
        *,
        is_buy: bool,
        price_myuan_mwh: int,
        energy_kwh: int,
        owner_id: Hashable = None,
        condition: Condition = Condition.GTC,
    ) -> list[tuple[Order, int]]:
        """Match a new limit order, rest what remains if its condition lets it stand.

        Returns the resting orders it traded with, and the kWh taken from each.
        """
        own, other = (self._buys, self._sells) if is_buy else (self._sells, self._buys)
        fills = match(
            other,
            is_buy=is_buy,
            limit_myuan_mwh=price_myuan_mwh,
            energy_kwh=energy_kwh,
            owner_id=owner_id,
            self_trade=self._self_trade,
            condition=condition,
        )
        for maker, taken_kwh in fills:
            energy_kwh -= taken_kwh
            maker.open_kwh -= taken_kwh
            if not maker.open_kwh:
                other.remove(maker)
                del self._resting[maker.order_id]
        if energy_kwh and condition not in IMMEDIATE:
            order = Order(order_id, price_myuan_mwh, energy_kwh, owner_id, condition, is_buy=is_buy)
            own.add(order)
            self._resting[order_id] = order
        return fills

    def cancel(self, order_id: int) -> int:
        """Withdraw what is left of an order; the kWh withdrawn, 0 if nothing of it rests."""
        order = self._resting.pop(order_id, None)
        if order is None:
            return 0
        (self._buys if order.is_buy else self._sells).remove(order)
        return order.open_kwh

    def resting(self, *, is_buy: bool) -> Iterator[Order]:
        """Resting orders of one side, best price first, then earliest; not to be read across a change of the book."""
        return iter(self._buys if is_buy else self._sells)
