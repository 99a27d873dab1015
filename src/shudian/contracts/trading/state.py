"""What trading remembers: sessions with their open orders, listings, trades and stakes; negotiations and proposed transfers.

Orders, listings, trades and stakes leave the state with their session, negotiations and transfers when they end; the read model
keeps the history.
"""

from shudian.clearing.book import Condition
from shudian.contracts.agreements.messages import Line, Method, Terms
from shudian.contracts.trading.messages import Product, SessionRules, SessionState, Side
from shudian.kernel.codec import Record
from shudian.kernel.contract import RowInvariant
from shudian.kernel.tables import Key, Table
from shudian.kernel.units import SEGMENTS_PER_DAY

# At hand: to fetch a member from its enumeration takes Python 3.11 as long as ten look-ups, and this is asked with every order.
_BUY = Side.BUY


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
    """An open order. order_id: its key again, for the match. quantity_kwh: as placed. open_kwh: what is left, positive.

    condition: as placed; only gtc and aon stand.
    """

    order_id: int
    session_id: int
    owner_id: int
    segment: int
    side: Side
    price_myuan_mwh: int
    quantity_kwh: int
    open_kwh: int
    condition: Condition


class Trade(Record):
    """Energy traded at a price.

    buyer_collateral_fen, seller_collateral_fen: what each side keeps reserved for it. buy_order_id, sell_order_id: 0 of a listing.
    """

    segment: int
    buyer_id: int
    seller_id: int
    price_myuan_mwh: int
    quantity_kwh: int
    buyer_collateral_fen: int
    seller_collateral_fen: int
    buy_order_id: int = 0
    sell_order_id: int = 0


class Stake(Record):
    """What a member has in a live session on one side.

    open_count: open orders, listings and waiting takes. exposed_kwh: 24 segments, their energy and that of trades.
    """

    open_count: int
    exposed_kwh: tuple[int, ...]


class Offered(Record):
    """Open energy of one side of an auction's segment, bounded by what the clearing can sum. quantity_kwh: the sum."""

    quantity_kwh: int


class Listing(Record):
    """Energy that others may take. side: of the owner. lines: as posted. open_kwh: what each line has left. all_or_none: as posted."""

    session_id: int
    owner_id: int
    side: Side
    lines: tuple[Line, ...]
    open_kwh: tuple[int, ...]
    all_or_none: bool


class Take(Record):
    """A take that waits for its share of a listing at the close. lines_kwh: of the whole of it, per line of the listing."""

    owner_id: int
    lines_kwh: tuple[int, ...]


class Negotiation(Record):
    """Terms on the table or signed. by_id: who offered the current version. seller_id or buyer_id 0: nobody has joined yet.

    terms: of the current version. expires_ms: of it; once both have signed, the beginning of delivery. seller_signed_ms,
    buyer_signed_ms: 0 while not signed.
    """

    by_id: int
    seller_id: int
    buyer_id: int
    version_no: int
    terms: Terms
    expires_ms: int
    seller_signed_ms: int
    buyer_signed_ms: int

    @property
    def is_signed(self) -> bool:
        """Whether both have signed."""
        return self.seller_signed_ms > 0 and self.buyer_signed_ms > 0


class Transfer(Record):
    """A proposed contract transfer; the fields are those of ProposeTransfer. from_id, to_id: who gives, who takes over."""

    agreement_id: int
    from_id: int
    to_id: int
    first_day: int
    quantities_kwh: tuple[int, ...]
    price_myuan_mwh: int
    expires_ms: int


def _by_close(_key: Key, row: Session) -> Key | None:
    return (row.closes_ms,) if row.state is SessionState.LIVE else None


def _by_book(_key: Key, row: Order) -> Key:
    """Price-time order: the best price first on either side, then the order id, which rises with time."""
    rank = -row.price_myuan_mwh if row.side is _BUY else row.price_myuan_mwh
    return (row.session_id, row.segment, row.side, rank)


def _by_session(key: Key, _row: Stake) -> Key:
    return (key[1],)


def _by_listing_session(_key: Key, row: Listing) -> Key:
    return (row.session_id,)


def _by_seller_signed(_key: Key, row: Negotiation) -> Key | None:
    return (row.seller_id,) if row.seller_signed_ms else None


def _by_buyer_signed(_key: Key, row: Negotiation) -> Key | None:
    return (row.buyer_id,) if row.buyer_signed_ms else None


def _by_expiry(_key: Key, row: Negotiation | Transfer) -> Key:
    return (row.expires_ms,)


SESSIONS = Table("trading.sessions", Session, ("session_id",), {"by_close": _by_close})
ORDERS = Table("trading.orders", Order, ("order_id",), {"by_book": _by_book}, groups={"by_book": 3})
TRADES = Table("trading.trades", Trade, ("session_id", "trade_id"))
STAKES = Table("trading.stakes", Stake, ("member_id", "session_id", "side"), {"by_session": _by_session}, key_group=1)
OFFERED = Table("trading.offered", Offered, ("session_id", "segment", "side"))
LISTINGS = Table("trading.listings", Listing, ("listing_id",), {"by_session": _by_listing_session})
TAKES = Table("trading.takes", Take, ("listing_id", "take_id"))
NEGOTIATIONS = Table(
    "trading.negotiations",
    Negotiation,
    ("negotiation_id",),
    {"by_expiry": _by_expiry, "by_seller": _by_seller_signed, "by_buyer": _by_buyer_signed},
    groups={"by_seller": 1, "by_buyer": 1},
)
TRANSFERS = Table("trading.transfers", Transfer, ("transfer_id",), {"by_expiry": _by_expiry})

TABLES = (SESSIONS, ORDERS, TRADES, STAKES, OFFERED, LISTINGS, TAKES, NEGOTIATIONS, TRANSFERS)

OTHER_SIDE = {Side.BUY: Side.SELL, Side.SELL: Side.BUY}


def _is_open(_key: Key, row: Order) -> bool:
    return 0 < row.open_kwh <= row.quantity_kwh


def _stake_is_sound(_key: Key, row: Stake) -> bool:
    return row.open_count >= 0 and len(row.exposed_kwh) == SEGMENTS_PER_DAY and min(row.exposed_kwh) >= 0


def _listing_is_sound(_key: Key, row: Listing) -> bool:
    posted_kwh = [line.quantity_kwh for line in row.lines]
    return (
        len(posted_kwh) == len(row.open_kwh)
        and all(0 <= left <= posted for left, posted in zip(row.open_kwh, posted_kwh, strict=True))
        and any(row.open_kwh)
        and (not row.all_or_none or list(row.open_kwh) == posted_kwh)
    )


def _negotiation_is_sound(_key: Key, row: Negotiation) -> bool:
    signed = row.seller_signed_ms > 0 or row.buyer_signed_ms > 0
    return row.seller_id != row.buyer_id and (not signed or min(row.seller_id, row.buyer_id) > 0)


INVARIANTS = (
    RowInvariant("an open order has energy left, at most what was placed", ORDERS, _is_open),
    RowInvariant("a stake has 24 segments, nothing negative", STAKES, _stake_is_sound),
    RowInvariant("a listing has energy left, a whole one all of it", LISTINGS, _listing_is_sound),
    RowInvariant("only terms that name two members are signed", NEGOTIATIONS, _negotiation_is_sound),
)
