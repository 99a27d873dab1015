"""What trading remembers: sessions, open orders, trades of sessions that are still open, and each member's stake in them.

Orders, trades and stakes leave the state with their session; the read model keeps the history.
"""

from shudian.contracts.agreements.messages import Method
from shudian.contracts.trading.messages import Product, SessionRules, SessionState, Side
from shudian.kernel.codec import Record
from shudian.kernel.contract import BlockContext, RowInvariant, StateInvariant
from shudian.kernel.tables import Key, Table
from shudian.kernel.units import SEGMENTS_PER_DAY


class Session(Record):
    """A session of trading; the fields are those of OpenSession. rules: its numbers. state: live, closed or cancelled."""

    method: Method
    product: Product
    first_day: int
    last_day: int
    segments: tuple[int, ...]
    opens_ms: int
    closes_ms: int
    rules: SessionRules
    state: SessionState


class Order(Record):
    """An open order. order_id: its key again, for the match. quantity_kwh: as placed. open_kwh: what is left, positive."""

    order_id: int
    session_id: int
    owner_id: int
    segment: int
    side: Side
    price_myuan_mwh: int
    quantity_kwh: int
    open_kwh: int


class Trade(Record):
    """Energy traded at a price. buyer_collateral_fen, seller_collateral_fen: what each side has reserved for it."""

    segment: int
    buyer_id: int
    seller_id: int
    price_myuan_mwh: int
    quantity_kwh: int
    buyer_collateral_fen: int
    seller_collateral_fen: int


class Stake(Record):
    """What a member has in a live session on one side.

    open_count: open orders. exposed_kwh: 24 segments, open orders and trades. trades_fen: reserved for its trades.
    """

    open_count: int
    exposed_kwh: tuple[int, ...]
    trades_fen: int


class Offered(Record):
    """Open energy of one side of an auction's segment, bounded by what the clearing can sum. quantity_kwh: the sum."""

    quantity_kwh: int


def _by_close(_key: Key, row: Session) -> Key | None:
    return (row.closes_ms,) if row.state is SessionState.LIVE else None


def _by_book(_key: Key, row: Order) -> Key:
    """Price-time order: the best price first on either side, then the order id, which rises with time."""
    rank = -row.price_myuan_mwh if row.side is Side.BUY else row.price_myuan_mwh
    return (row.session_id, row.segment, row.side, rank)


def _by_session(key: Key, _row: Stake) -> Key:
    return (key[1],)


SESSIONS = Table("trading.sessions", Session, ("session_id",), {"by_close": _by_close})
ORDERS = Table("trading.orders", Order, ("order_id",), {"by_book": _by_book})
TRADES = Table("trading.trades", Trade, ("session_id", "trade_id"))
STAKES = Table("trading.stakes", Stake, ("member_id", "session_id", "side"), {"by_session": _by_session})
OFFERED = Table("trading.offered", Offered, ("session_id", "segment", "side"))

TABLES = (SESSIONS, ORDERS, TRADES, STAKES, OFFERED)


def _is_open(_key: Key, row: Order) -> bool:
    return 0 < row.open_kwh <= row.quantity_kwh


def _stake_is_sound(_key: Key, row: Stake) -> bool:
    return (
        row.open_count >= 0
        and row.trades_fen >= 0
        and len(row.exposed_kwh) == SEGMENTS_PER_DAY
        and min(row.exposed_kwh) >= 0
    )


def _stakes_sum_up(ctx: BlockContext) -> bool:
    """Each stake is the sum of the member's open orders and trades in the session."""
    expected: dict[Key, list[int]] = {key: [0, 0, 0] for key, _ in STAKES.range(ctx)}
    for _, order in ORDERS.range(ctx):
        sums = expected[order.owner_id, order.session_id, order.side]
        sums[0] += 1
        sums[1] += order.open_kwh
    for (session_id, _), trade in TRADES.range(ctx):
        buyer = expected[trade.buyer_id, session_id, Side.BUY]
        seller = expected[trade.seller_id, session_id, Side.SELL]
        buyer[1] += trade.quantity_kwh
        seller[1] += trade.quantity_kwh
        buyer[2] += trade.buyer_collateral_fen
        seller[2] += trade.seller_collateral_fen
    return all(
        expected[key] == [row.open_count, sum(row.exposed_kwh), row.trades_fen] for key, row in STAKES.range(ctx)
    )


INVARIANTS = (
    RowInvariant("an open order has energy left, at most what was placed", ORDERS, _is_open),
    RowInvariant("a stake has 24 segments, nothing negative", STAKES, _stake_is_sound),
    StateInvariant("stakes = open orders + trades of live sessions", _stakes_sum_up),
)
