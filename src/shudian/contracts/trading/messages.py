"""What may be said to trading's sessions and orders, what it answers, and its refusals; what happened stands in ``messages_events``.

Negotiations, listings and transfers stand in their own files.
"""

from enum import StrEnum
from typing import ClassVar

from shudian.clearing.auction_rules import PRICE_LIMIT_MYUAN_MWH, PriceRule, TieRule
from shudian.clearing.book import Condition
from shudian.contracts.agreements.messages import Method
from shudian.contracts.roles import TRADING_KINDS, Kind, Role
from shudian.kernel import fields
from shudian.kernel.codec import Record
from shudian.kernel.messages import PUBLIC, Authority, Message, Setting
from shudian.kernel.outcomes import Refusal, Reply
from shudian.kernel.units import PPM, SEGMENTS_PER_DAY

ORDER_LIMIT_KWH = 1_000_000_000
TIME_LIMIT_MS = 253_402_300_799_000
AS_SET = -1
"""In OpenSession: take the number from the dated setting of the product."""

SETTLEMENT_POINT = "四川统一结算点"
"""Where prices hold: one settlement point for the province (domain 3.11)."""

METHODS = (Method.AUCTION, Method.ROLLING, Method.LISTING)
TIE_RULES = tuple(TieRule)
"""In the order of their codes in trading.tie_rule_code, from 1."""
PRICE_RULES = (PriceRule.PAIR, PriceRule.EQUILIBRIUM)
"""In the order of their codes in trading.price_rule_code, from 1."""


class Product(StrEnum):
    """What is delivered over: the scope of trading's settings (domain 3.3)."""

    ANNUAL = "annual"
    MONTHLY = "monthly"
    DAILY = "daily"


class Side(StrEnum):
    """Side of an order."""

    BUY = "buy"
    SELL = "sell"


SIDES = tuple(Side)


class Matching(StrEnum):
    """How an auction brings buys and sells together (domain 3.4)."""

    UNIFORM = "uniform"
    """统一出清: one price for all, ties at the margin by the tie rule."""
    HIGH_LOW = "high_low"
    """高低匹配: the highest buy with the lowest sell, each pair at its middle price."""


MATCHINGS = tuple(Matching)
"""In the order of their codes in trading.matching_code, from 1."""


class TakeRule(StrEnum):
    """Who gets what of a listing 挂牌 (domain 3.4)."""

    TIME = "time"
    """Takers are served at once, in the order of their times."""
    PRO_RATA = "pro_rata"
    """Takers wait for the close; where they want more than is listed, each gets its share."""


class SessionState(StrEnum):
    """Life of a session; whether its gate is open follows from the market time."""

    LIVE = "live"
    CLOSED = "closed"
    CANCELLED = "cancelled"


class CancelReason(StrEnum):
    """Why an order was taken out of its session."""

    OWNER = "owner"
    SESSION_CANCELLED = "session_cancelled"
    MEMBER_BARRED = "member_barred"
    """The member is suspended, frozen or has left."""
    CONDITION = "condition"
    """An immediate order did not trade this energy on arrival."""


class Cut(StrEnum):
    """Why an order got less than it asked for in an auction."""

    NONE = "none"
    OUT_OF_THE_MONEY = "out_of_the_money"
    SHARED_AT_THE_MARGIN = "shared_at_the_margin"
    LOT_ROUNDING = "lot_rounding"
    """At the margin, but its share was less than a lot."""
    BEHIND_AT_THE_MARGIN = "behind_at_the_margin"
    """At the margin, but the tie rule served others first."""


class SessionRules(Record):
    """The numbers of a session, fixed when it is opened.

    lot_kwh: orders are multiples of it. matching, price_rule, k_ppm, tie_rule: of an auction. listed_side, take_rule: of
    listings; no side means both. price_floor_myuan_mwh, price_cap_myuan_mwh:
    band of limits. order_max_kwh: per order. orders_max_count: open orders per member. position_limit_ppm: of
    capability. buy_collateral_ppm: of the value at the limit, but at least at buy_collateral_floor_myuan_mwh.
    sell_collateral_myuan_mwh: per energy offered.
    """

    lot_kwh: int
    matching: Matching
    price_rule: PriceRule
    k_ppm: int
    tie_rule: TieRule
    listed_side: str
    take_rule: TakeRule
    price_floor_myuan_mwh: int
    price_cap_myuan_mwh: int
    order_max_kwh: int
    orders_max_count: int
    position_limit_ppm: int
    buy_collateral_ppm: int
    buy_collateral_floor_myuan_mwh: int
    sell_collateral_myuan_mwh: int


def _of_product(name: str, low: int, high: int, zh: str, en: str, source: str) -> Setting:
    return Setting(f"trading.{name}", low, high, zh, en, scoped=True, source=source)


_BAND = "发改价格〔2021〕1439号；2026 年四川交易工具"
_DESIGN = "平台设计参数"

SETTINGS = (
    _of_product("delivery_max_days", 1, 3_660, "交割期最长天数", "longest period of delivery", _DESIGN),
    _of_product("lot_kwh", 1, 1_000_000, "最小申报单位", "lot", "日滚动最小 0.1 兆瓦时"),
    _of_product(
        "price_rule_code", 1, 2, "出清价格规则（1 边际对，2 均衡）", "price rule (1 pair, 2 equilibrium)", _DESIGN
    ),
    _of_product(
        "matching_code", 1, 2, "撮合方式（1 统一出清，2 高低匹配）", "matching (1 uniform, 2 high-low)", _DESIGN
    ),
    _of_product(
        "tie_rule_code",
        1,
        4,
        "边际同价分配（1 按比例，2 时间优先，3 可再生优先，4 合同最少）",
        "tie rule (1 pro rata, 2 time, 3 renewable first, 4 fewest contracts)",
        "四川 2020 年集中交易：合同最少",
    ),
    _of_product("k_ppm", 0, PPM, "出清价格系数 k", "price factor k", _DESIGN),
    _of_product(
        "price_floor_myuan_mwh", -PRICE_LIMIT_MYUAN_MWH, PRICE_LIMIT_MYUAN_MWH, "申报下限", "price floor", _BAND
    ),
    _of_product("price_cap_myuan_mwh", -PRICE_LIMIT_MYUAN_MWH, PRICE_LIMIT_MYUAN_MWH, "申报上限", "price cap", _BAND),
    _of_product("order_max_kwh", 1, ORDER_LIMIT_KWH, "单笔最大电量", "largest order", _DESIGN),
    _of_product("orders_max_count", 1, 100_000, "每成员未成交申报数上限", "open orders per member", _DESIGN),
    _of_product(
        "position_limit_ppm", 0, 100 * PPM, "持仓上限（占能力比例）", "position limit (of capability)", _DESIGN
    ),
    _of_product("buy_collateral_ppm", 0, 10 * PPM, "购方保证金比例", "buyer's collateral", _DESIGN),
    _of_product(
        "buy_collateral_floor_myuan_mwh",
        0,
        PRICE_LIMIT_MYUAN_MWH,
        "购方保证金最低计价",
        "lowest price for the buyer's collateral",
        _DESIGN,
    ),
    _of_product(
        "sell_collateral_myuan_mwh", 0, PRICE_LIMIT_MYUAN_MWH, "售方保证金单价", "seller's collateral", _DESIGN
    ),
)


class OpenSession(Message):
    """Announce a session of trading.

    method: auction, rolling or listing. product: scope of its settings. first_day, last_day: period of delivery. segments:
    hours of the day offered, rising. opens_ms, closes_ms: gate, closed at its end. lot_kwh, price_rule, k_ppm, matching,
    tie_rule: as the setting of the product unless given (AS_SET, "", AS_SET, "", ""). listed_side: the side that may
    post listings, "" for both (双边挂牌). take_rule: who gets what of a listing.
    """

    authority: ClassVar[Authority] = Authority(
        kinds=(Kind.EXCHANGE,),
        role=Role.OPERATOR,
        sees=PUBLIC,
        when_zh="闸门在交割首日之前关闭，交割期不超过品种上限",
        when_en="the gate closes before delivery begins, and the period fits the product",
    )

    method: Method
    product: Product
    first_day: int
    last_day: int
    segments: tuple[int, ...]
    opens_ms: int
    closes_ms: int
    lot_kwh: int = AS_SET
    price_rule: str = ""
    k_ppm: int = AS_SET
    matching: str = ""
    tie_rule: str = ""
    listed_side: str = ""
    take_rule: TakeRule = TakeRule.TIME

    def check(self) -> None:
        """Refuse malformed fields."""
        fields.one_of("method", self.method, METHODS)
        fields.day("first_day", self.first_day)
        fields.day("last_day", self.last_day)
        fields.whole("last_day", self.last_day, self.first_day, 99_991_231)
        fields.count("segments", self.segments, 1, SEGMENTS_PER_DAY)
        fields.rising("segments", self.segments)
        fields.wholes("segments", self.segments, len(self.segments), 0, SEGMENTS_PER_DAY - 1)
        fields.whole("opens_ms", self.opens_ms, 0, TIME_LIMIT_MS)
        fields.whole("closes_ms", self.closes_ms, self.opens_ms + 1, TIME_LIMIT_MS)
        if self.lot_kwh != AS_SET:
            fields.whole("lot_kwh", self.lot_kwh, 1, ORDER_LIMIT_KWH)
        fields.one_of("price_rule", self.price_rule, ("", *PRICE_RULES))
        fields.one_of("matching", self.matching, ("", *MATCHINGS))
        fields.one_of("tie_rule", self.tie_rule, ("", *TIE_RULES))
        fields.one_of("listed_side", self.listed_side, ("", *SIDES))
        if self.k_ppm != AS_SET:
            fields.whole("k_ppm", self.k_ppm, 0, PPM)


class CancelSession(Message):
    """Cancel a session that has not closed: its orders are released; trades already made stand and become agreements."""

    authority: ClassVar[Authority] = Authority(
        kinds=(Kind.EXCHANGE,),
        role=Role.OPERATOR,
        sees=PUBLIC,
        when_zh="场次尚未关闭",
        when_en="the session has not closed",
    )

    session_id: int
    reason: str

    def check(self) -> None:
        """Refuse malformed fields."""
        fields.text("reason", self.reason, 200)


class PlaceOrder(Message):
    """Offer to buy or sell energy of one segment over the session's period.

    segment: hour 0-23. price_myuan_mwh: limit, zero and negative ones within the band. quantity_kwh: over the whole
    period. condition: of a rolling session; auctions take gtc alone.
    """

    authority: ClassVar[Authority] = Authority(
        kinds=TRADING_KINDS,
        role=Role.TRADER,
        when_zh="闸门开放，价格、电量、持仓在限内，可用资金足以担保",
        when_en="the gate is open; price, quantity and position within limits; free funds cover the collateral",
    )

    session_id: int
    segment: int
    side: Side
    price_myuan_mwh: int
    quantity_kwh: int
    condition: Condition = Condition.GTC

    def check(self) -> None:
        """Refuse malformed fields."""
        fields.whole("segment", self.segment, 0, SEGMENTS_PER_DAY - 1)
        fields.whole("price_myuan_mwh", self.price_myuan_mwh, -PRICE_LIMIT_MYUAN_MWH, PRICE_LIMIT_MYUAN_MWH)
        fields.whole("quantity_kwh", self.quantity_kwh, 1, ORDER_LIMIT_KWH)


class CancelOrder(Message):
    """Withdraw what is left of one's own order."""

    authority: ClassVar[Authority] = Authority(
        kinds=TRADING_KINDS,
        role=Role.TRADER,
        when_zh="本方未成交申报，闸门未关闭",
        when_en="one's own open order, the gate has not closed",
    )

    order_id: int


class SessionReply(Reply):
    """Answer to OpenSession."""

    session_id: int


class OrderReply(Reply):
    """Answer to PlaceOrder. filled_kwh, value_fen: traded at once. resting_kwh: left in the book. free_fen: funds left free."""

    order_id: int
    filled_kwh: int
    value_fen: int
    resting_kwh: int
    free_fen: int


class CancelOrderReply(Reply):
    """Answer to CancelOrder. cancelled_kwh: withdrawn. free_fen: funds left free."""

    order_id: int
    cancelled_kwh: int
    free_fen: int


SESSION_UNKNOWN = Refusal(9001, "session_unknown", "没有这个交易场次", "there is no such session", 404)
SESSION_IS_OVER = Refusal(9002, "session_is_over", "交易场次已结束", "the session is over", 409)
GATE_CLOSES_TOO_LATE = Refusal(
    9003, "gate_closes_too_late", "闸门须在交割首日之前关闭", "the gate must close before delivery begins"
)
GATE_CLOSES_IN_THE_PAST = Refusal(
    9004, "gate_closes_in_the_past", "闸门关闭时间已过", "the gate would close in the past"
)
DELIVERY_TOO_LONG = Refusal(
    9005, "delivery_too_long", "交割期超过品种上限", "the period of delivery is too long for the product"
)
GATE_IS_CLOSED = Refusal(9006, "gate_is_closed", "闸门未开放", "the gate is not open", 409, retry=True)
SIDE_NOT_ALLOWED = Refusal(
    9007, "side_not_allowed", "本类成员不得以该方向申报", "members of this kind do not trade on this side", 403
)
SEGMENT_NOT_OFFERED = Refusal(9008, "segment_not_offered", "场次不含该时段", "the session does not offer this segment")
PRICE_OUTSIDE_BAND = Refusal(9009, "price_outside_band", "价格超出申报限价", "the price is outside the band")
QUANTITY_NOT_IN_LOTS = Refusal(
    9010, "quantity_not_in_lots", "电量不是最小申报单位的整数倍", "the quantity is not a whole number of lots"
)
ORDER_TOO_LARGE = Refusal(9011, "order_too_large", "电量超过单笔上限", "the order is too large")
ORDERS_TOO_MANY = Refusal(
    9012, "orders_too_many", "未成交申报数达到上限", "the member has too many open orders", 409, retry=True
)
POSITION_TOO_LARGE = Refusal(
    9013,
    "position_too_large",
    "持仓将超过能力上限",
    "the position would exceed the member's capability",
    409,
    retry=True,
)
SIDE_IS_FULL = Refusal(
    9014, "side_is_full", "该时段申报总量达到系统上限", "the segment's orders would exceed what can be cleared", 409
)
ORDER_UNKNOWN = Refusal(9015, "order_unknown", "没有这笔未成交申报", "there is no such open order", 404)
ORDER_OF_ANOTHER = Refusal(9016, "order_of_another", "申报属于其他成员", "the order belongs to another member", 403)
CONDITION_NOT_ALLOWED = Refusal(
    9017, "condition_not_allowed", "集中竞价只接受普通申报", "an auction takes orders without a condition only"
)
METHOD_DOES_NOT_FIT = Refusal(
    9018, "method_does_not_fit", "该场次的交易方式不适用", "the session trades by another method", 409
)

REFUSALS: tuple[Refusal, ...] = (
    SESSION_UNKNOWN,
    SESSION_IS_OVER,
    GATE_CLOSES_TOO_LATE,
    GATE_CLOSES_IN_THE_PAST,
    DELIVERY_TOO_LONG,
    GATE_IS_CLOSED,
    SIDE_NOT_ALLOWED,
    SEGMENT_NOT_OFFERED,
    PRICE_OUTSIDE_BAND,
    QUANTITY_NOT_IN_LOTS,
    ORDER_TOO_LARGE,
    ORDERS_TOO_MANY,
    POSITION_TOO_LARGE,
    SIDE_IS_FULL,
    ORDER_UNKNOWN,
    ORDER_OF_ANOTHER,
    CONDITION_NOT_ALLOWED,
    METHOD_DOES_NOT_FIT,
)
REPLIES: tuple[type[Reply], ...] = (SessionReply, OrderReply, CancelOrderReply)
MESSAGES: tuple[type[Message], ...] = (OpenSession, CancelSession, PlaceOrder, CancelOrder)
