"""What trading tells: sessions, depth, the tape and cleared prices to everybody; orders and trades with names to their parties."""

import numpy as np

from shudian.clearing.auction import Cleared
from shudian.clearing.explain import explain, explain_high_low
from shudian.contracts.agreements.messages import Method
from shudian.contracts.roles import OVERSIGHT
from shudian.contracts.trading import views_deals as deals
from shudian.contracts.trading.messages import Matching, SessionState, Side
from shudian.contracts.trading.messages_events import (
    OrderCancelled,
    OrderCleared,
    OrderExpired,
    OrderPlaced,
    SegmentCleared,
    SessionCancelled,
    SessionClosed,
    SessionOpened,
    TradeMade,
)
from shudian.kernel.units import PRICE_KWH_PER_FEN, round_half_away
from shudian.reading.reader import Reader, Viewer
from shudian.reading.tables import PUBLIC, At, ReadTable, Row, Views, integer, parties, text
from shudian.reading.writer import Writer

_SESSION = integer("session_id", "交易场次", "session")
_SEGMENT = integer("segment", "时段", "segment")
_PRICE = integer("price_myuan_mwh", "价格（毫元/兆瓦时）", "price (milli-yuan/MWh)")
_QUANTITY = integer("quantity_kwh", "电量（千瓦时）", "quantity (kWh)")
_VALUE = integer("value_fen", "金额（分）", "value (fen)")

SESSIONS = ReadTable(
    "trading_sessions",
    (
        _SESSION,
        text("method", "交易方式", "method"),
        text("product", "交易品种", "product"),
        integer("first_day", "交割首日", "first day"),
        integer("last_day", "交割末日", "last day"),
        text("segments", "时段", "segments"),
        integer("opens_ms", "开放时间", "opens"),
        integer("closes_ms", "关闭时间", "closes"),
        integer("lot_kwh", "最小申报单位（千瓦时）", "lot (kWh)"),
        text("matching", "撮合方式", "matching"),
        text("price_rule", "出清价格规则", "price rule"),
        text("tie_rule", "边际同价分配", "tie rule"),
        text("listed_side", "挂牌方向", "side that may be listed"),
        text("take_rule", "摘牌分配", "who gets what of a listing"),
        integer("k_ppm", "价格系数", "price factor k (ppm)"),
        integer("price_floor_myuan_mwh", "申报下限（毫元/兆瓦时）", "price floor (milli-yuan/MWh)"),
        integer("price_cap_myuan_mwh", "申报上限（毫元/兆瓦时）", "price cap (milli-yuan/MWh)"),
        integer("order_max_kwh", "单笔上限（千瓦时）", "largest order (kWh)"),
        text("state", "状态", "state"),
        text("reason", "取消原因", "reason of cancellation"),
        integer("agreements_count", "成交合同数", "agreements"),
    ),
    ("session_id",),
    PUBLIC,
)

ORDERS = ReadTable(
    "trading_orders",
    (
        integer("order_id", "申报", "order"),
        _SESSION,
        integer("member_id", "成员", "member"),
        _SEGMENT,
        text("side", "方向", "side"),
        _PRICE,
        _QUANTITY,
        text("condition", "申报条件", "condition"),
        integer("filled_kwh", "成交电量（千瓦时）", "filled (kWh)"),
        integer("open_kwh", "未成交电量（千瓦时）", "open (kWh)"),
        _VALUE,
        text("ending", "结束方式", "how it ended"),
        integer("placed_ms", "申报时间", "placed at"),
    ),
    ("order_id",),
    parties("member_id", also=OVERSIGHT),
    (("member_id", "session_id"), ("session_id", "segment")),
)

_FILLED, _OPEN = ORDERS.places["filled_kwh"], ORDERS.places["open_kwh"]
_WORTH, _ENDING = ORDERS.places["value_fen"], ORDERS.places["ending"]

TRADES = ReadTable(
    "trading_trades",
    (
        integer("trade_id", "成交", "trade"),
        _SESSION,
        _SEGMENT,
        integer("buyer_id", "购方", "buyer"),
        integer("seller_id", "售方", "seller"),
        integer("buy_order_id", "购方申报", "buy order"),
        integer("sell_order_id", "售方申报", "sell order"),
        text("taker_side", "主动方", "taker"),
        _PRICE,
        _QUANTITY,
        _VALUE,
        integer("made_ms", "成交时间", "made at"),
    ),
    ("trade_id",),
    parties("buyer_id", "seller_id", also=OVERSIGHT),
    (("session_id", "segment"), ("buyer_id",), ("seller_id",)),
)

TAPE = ReadTable(
    "trading_tape",
    (
        integer("trade_id", "成交", "trade"),
        _SESSION,
        _SEGMENT,
        text("taker_side", "主动方", "taker"),
        _PRICE,
        _QUANTITY,
        _VALUE,
        integer("made_ms", "成交时间", "made at"),
    ),
    ("trade_id",),
    PUBLIC,
    (("session_id", "segment", "trade_id"),),
)

DEPTH = ReadTable(
    "trading_depth",
    (_SESSION, _SEGMENT, text("side", "方向", "side"), _PRICE, _QUANTITY),
    ("session_id", "segment", "side", "price_myuan_mwh"),
    PUBLIC,
)

CLEARED = ReadTable(
    "trading_cleared",
    (
        _SESSION,
        _SEGMENT,
        _PRICE,
        integer("low_myuan_mwh", "价格下界（毫元/兆瓦时）", "low (milli-yuan/MWh)"),
        integer("high_myuan_mwh", "价格上界（毫元/兆瓦时）", "high (milli-yuan/MWh)"),
        integer("volume_kwh", "成交量（千瓦时）", "volume (kWh)"),
        integer("welfare_fen", "社会福利（分）", "welfare (fen)"),
        text("set_by", "定价申报", "price set by orders"),
        text("why_zh", "价格说明", "why (Chinese)"),
        text("why_en", "价格说明（英文）", "why (English)"),
    ),
    ("session_id", "segment"),
    PUBLIC,
)


def session_opened(db: Writer, event: SessionOpened, _at: At) -> None:
    """Add the session."""
    db.insert(
        SESSIONS,
        session_id=event.session_id,
        method=event.method,
        product=event.product,
        first_day=event.first_day,
        last_day=event.last_day,
        segments=" ".join(map(str, event.segments)),
        opens_ms=event.opens_ms,
        closes_ms=event.closes_ms,
        lot_kwh=event.rules.lot_kwh,
        matching=event.rules.matching,
        price_rule=event.rules.price_rule,
        tie_rule=event.rules.tie_rule,
        listed_side=event.rules.listed_side,
        take_rule=event.rules.take_rule,
        k_ppm=event.rules.k_ppm,
        price_floor_myuan_mwh=event.rules.price_floor_myuan_mwh,
        price_cap_myuan_mwh=event.rules.price_cap_myuan_mwh,
        order_max_kwh=event.rules.order_max_kwh,
        state=SessionState.LIVE,
        reason="",
        agreements_count=0,
    )


def session_cancelled(db: Writer, event: SessionCancelled, _at: At) -> None:
    """The session was cancelled."""
    db.update(
        SESSIONS,
        {"session_id": event.session_id},
        state=SessionState.CANCELLED,
        reason=event.reason,
        agreements_count=event.agreements_count,
    )


def session_closed(db: Writer, event: SessionClosed, _at: At) -> None:
    """The session closed."""
    where = {"session_id": event.session_id}
    db.update(SESSIONS, where, state=SessionState.CLOSED, agreements_count=event.agreements_count)


def _deepen(
    db: Writer,
    event: OrderPlaced | OrderCancelled | OrderExpired | TradeMade,
    side: Side,
    price_myuan_mwh: int,
    more_kwh: int,
) -> None:
    """Add to a price level of a rolling session, or take it away when nothing is left; bids of an auction stay sealed."""
    if event.method is not Method.ROLLING:
        return
    key = (event.session_id, event.segment, str(side), price_myuan_mwh)
    level = db.row(DEPTH, key)
    if level is None:
        db.put(DEPTH, [*key, more_kwh])
    elif level[-1] == -more_kwh:
        db.drop(DEPTH, key)
    else:
        level[-1] += more_kwh


def order_placed(db: Writer, event: OrderPlaced, at: At) -> None:
    """Add the order and deepen the book."""
    kwh = event.quantity_kwh
    side, condition, ending = str(event.side), str(event.condition), ""
    what = (event.session_id, event.member_id, event.segment, side, event.price_myuan_mwh, kwh, condition)
    filled_kwh = value_fen = 0
    db.put(ORDERS, [event.order_id, *what, filled_kwh, kwh, value_fen, ending, at.market_ms])
    _deepen(db, event, event.side, event.price_myuan_mwh, event.quantity_kwh)


def trade_made(db: Writer, event: TradeMade, at: At) -> None:
    """Add the trade with names and without, and move both orders and the book."""
    traded, where = event.trade_id, (event.session_id, event.segment)
    told = (str(event.taker_side), event.price_myuan_mwh, event.quantity_kwh, event.value_fen, at.market_ms)
    db.append(TAPE, (traded, *where, *told))
    names = (event.buyer_id, event.seller_id, event.buy_order_id, event.sell_order_id)
    db.append(TRADES, (traded, *where, *names, *told))
    for order_id, open_kwh in ((event.buy_order_id, event.buy_open_kwh), (event.sell_order_id, event.sell_open_kwh)):
        order = db.row(ORDERS, (order_id,))
        if order is not None:
            order[_FILLED] += event.quantity_kwh
            order[_OPEN] = open_kwh
            order[_WORTH] += event.value_fen
            order[_ENDING] = "" if open_kwh else "filled"
    _deepen(db, event, Side.BUY, event.buy_limit_myuan_mwh, -event.quantity_kwh)
    _deepen(db, event, Side.SELL, event.sell_limit_myuan_mwh, -event.quantity_kwh)


def order_cancelled(db: Writer, event: OrderCancelled, _at: At) -> None:
    """The order ended, by whom."""
    db.update(ORDERS, {"order_id": event.order_id}, open_kwh=0, ending=f"cancelled: {event.reason}")
    _deepen(db, event, event.side, event.price_myuan_mwh, -event.open_kwh)


def order_expired(db: Writer, event: OrderExpired, _at: At) -> None:
    """The order ended with its session."""
    db.update(ORDERS, {"order_id": event.order_id}, open_kwh=0, ending="expired")
    _deepen(db, event, event.side, event.price_myuan_mwh, -event.open_kwh)


def order_cleared(db: Writer, event: OrderCleared, _at: At) -> None:
    """The order ended in the auction; why it got no more."""
    ending = f"cleared: {event.cut}" if event.left_kwh else "filled"
    db.update(ORDERS, {"order_id": event.order_id}, open_kwh=0, ending=ending)


def segment_cleared(db: Writer, event: SegmentCleared, _at: At) -> None:
    """Add the cleared segment with its explanation in words."""
    if event.matching is Matching.HIGH_LOW:
        words = explain_high_low(event.volume_kwh, event.low_myuan_mwh, event.high_myuan_mwh)
    else:
        words = _explain_uniform(event)
    why_zh, why_en = words
    db.insert(
        CLEARED,
        session_id=event.session_id,
        segment=event.segment,
        price_myuan_mwh=event.price_myuan_mwh,
        low_myuan_mwh=event.low_myuan_mwh,
        high_myuan_mwh=event.high_myuan_mwh,
        volume_kwh=event.volume_kwh,
        welfare_fen=event.welfare_fen,
        set_by=" ".join(map(str, event.set_by_order_ids)),
        why_zh=why_zh,
        why_en=why_en,
    )


def _explain_uniform(event: SegmentCleared) -> tuple[str, str]:
    result = Cleared(
        price_myuan_mwh=event.price_myuan_mwh,
        low_myuan_mwh=event.low_myuan_mwh,
        high_myuan_mwh=event.high_myuan_mwh,
        volume_kwh=event.volume_kwh,
        welfare_fen=event.welfare_fen,
        fills_kwh=np.zeros(0, np.int64),
        price_set_by=[],
        margin=event.margin,
    )
    return explain(result, event.k_ppm)


def sessions(
    reader: Reader,
    viewer: Viewer,
    *,
    session_id: int | None = None,
    state: str | None = None,
    product: str | None = None,
) -> list[Row]:
    """Sessions, newest first."""
    where = {"session_id": session_id, "state": state, "product": product}
    return reader.select(viewer, SESSIONS, where, order_by="session_id DESC")


def orders(
    reader: Reader,
    viewer: Viewer,
    *,
    session_id: int | None = None,
    segment: int | None = None,
    order_id: int | None = None,
    ending: str | None = None,
) -> list[Row]:
    """Orders that the viewer may see, newest first; ``ending`` empty: those still open."""
    where = {"session_id": session_id, "segment": segment, "order_id": order_id, "ending": ending}
    return reader.select(viewer, ORDERS, where, order_by="order_id DESC")


def trades(reader: Reader, viewer: Viewer, *, session_id: int | None = None, segment: int | None = None) -> list[Row]:
    """Trades with names that the viewer may see, newest first."""
    return reader.select(viewer, TRADES, {"session_id": session_id, "segment": segment}, order_by="trade_id DESC")


def tape(reader: Reader, viewer: Viewer, *, session_id: int | None = None, segment: int | None = None) -> list[Row]:
    """Every trade without names, newest first."""
    return reader.select(viewer, TAPE, {"session_id": session_id, "segment": segment}, order_by="trade_id DESC")


def depth(reader: Reader, viewer: Viewer, *, session_id: int, segment: int | None = None) -> list[Row]:
    """Open energy of a rolling session per side and price level, prices rising within a side."""
    return reader.select(viewer, DEPTH, {"session_id": session_id, "segment": segment})


def cleared(reader: Reader, viewer: Viewer, *, session_id: int | None = None) -> list[Row]:
    """Cleared segments of auctions with their explanation."""
    return reader.select(viewer, CLEARED, {"session_id": session_id})


def candles(reader: Reader, viewer: Viewer, *, session_id: int) -> list[Row]:
    """Open, high, low, close, volume, turnover and volume-weighted average price of each segment that traded.

    vwap_myuan_mwh = turnover_fen x 10,000 / volume_kwh, half away from zero.
    """
    columns = (
        *("session_id", "segment", "COUNT(*) AS trades_count"),
        *("MIN(trade_id) AS first_id", "MAX(trade_id) AS last_id"),
        *("MAX(price_myuan_mwh) AS high_myuan_mwh", "MIN(price_myuan_mwh) AS low_myuan_mwh"),
        *("SUM(quantity_kwh) AS volume_kwh", "SUM(value_fen) AS turnover_fen"),
    )
    rows = reader.select(viewer, TAPE, {"session_id": session_id}, columns=columns, group_by="session_id, segment")
    for row in rows:
        for name, edge in (("open_myuan_mwh", "first_id"), ("close_myuan_mwh", "last_id")):
            trade = reader.one(viewer, TAPE, {"trade_id": row.pop(edge)})
            row[name] = trade["price_myuan_mwh"] if trade else None
        row["vwap_myuan_mwh"] = round_half_away(row["turnover_fen"] * PRICE_KWH_PER_FEN, row["volume_kwh"])
    return rows


VIEWS = Views(
    "trading",
    (SESSIONS, ORDERS, TRADES, TAPE, DEPTH, CLEARED, *deals.TABLES),
    {
        SessionOpened: session_opened,
        SessionCancelled: session_cancelled,
        SessionClosed: session_closed,
        OrderPlaced: order_placed,
        TradeMade: trade_made,
        OrderCancelled: order_cancelled,
        OrderExpired: order_expired,
        OrderCleared: order_cleared,
        SegmentCleared: segment_cleared,
        **deals.PROJECTIONS,
    },
    (sessions, orders, trades, tape, depth, cleared, candles, *deals.QUERIES),
)
