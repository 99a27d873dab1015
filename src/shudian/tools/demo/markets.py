"""Second chapter: the monthly call auctions and the daily rolling match. Orders follow from costs, water and forecasts.

The market's auction brings generators together with users and retailers; in a second one the grid company buys the energy of its agency
users 代理购电, at the published price. Neither knows the other's orders, nothing is scripted to match.
"""

from collections.abc import Callable, Iterator
from functools import partial

from shudian.client.client import reply_of
from shudian.contracts.agreements.messages import Method
from shudian.contracts.identity.messages_persons import ROLE_MISSING
from shudian.contracts.roles import Role
from shudian.contracts.trading.messages import (
    POSITION_TOO_LARGE,
    PRICE_OUTSIDE_BAND,
    SESSION_IS_OVER,
    CancelOrder,
    OpenSession,
    OrderReply,
    PlaceOrder,
    Product,
    Side,
)
from shudian.kernel import clock
from shudian.kernel.messages import Message
from shudian.kernel.outcomes import Outcome
from shudian.kernel.units import SEGMENTS_PER_DAY
from shudian.sandbox.bidding import Bid, auction_bids, rolling_intents
from shudian.sandbox.forecast import AgencyContract, agency_contracts
from shudian.tools.demo.stage import ANY_OUTCOME, EXCHANGE, GRID, Act, Stage, batch, step_message_id
from shudian.tools.demo.steps import Step, nobody

OPENS_HOUR, CLOSES_HOUR, HALF_HOUR = 9, 15, 30
ROUNDS = 6
ROUND_MINUTES = 55
LEAD_DAYS = 2
AGENCY_ORDER_MAX_KWH = 500_000_000
_OUT_OF_BAND_MYUAN_MWH = 520_000
_LATE_MEMBER, _EAGER_MEMBER = "cement_emei", "alu_meishan"


def _open(method: Method, product: Product, days: tuple[int, int], opens_ms: int, closes_ms: int) -> OpenSession:
    return OpenSession(method, product, *days, tuple(range(SEGMENTS_PER_DAY)), opens_ms, closes_ms)


def session_of(stage: Stage, method: Method, first_day: int, product: Product, place: int = 0) -> int:
    """The number of a session by what it delivers; ``place`` counts several of the same kind."""
    rows = stage.query(EXCHANGE, "trading.sessions", product=product)
    found = sorted(row["session_id"] for row in rows if (row["method"], row["first_day"]) == (method, first_day))
    return int(found[place])


# --- monthly auctions ---


def _monthly_days(stage: Stage) -> tuple[int, int]:
    return stage.world.first_day, stage.world.day_at(stage.world.days - 1)


def _open_monthly(stage: Stage) -> list[Act]:
    opens_ms, closes_ms = clock.ms_at(20260623, OPENS_HOUR), clock.ms_at(20260625, 17)
    message = _open(Method.AUCTION, Product.MONTHLY, _monthly_days(stage), opens_ms, closes_ms)
    return [batch(EXCHANGE, Role.OPERATOR, "open", [message, message])]


def monthly_session(stage: Stage, place: int) -> int:
    """The market's monthly auction (0) or the one for agency purchase (1)."""
    return session_of(stage, Method.AUCTION, stage.world.first_day, Product.MONTHLY, place)


def _order(session_id: int, bid: Bid) -> PlaceOrder:
    return PlaceOrder(session_id, bid.segment - 1, Side(bid.side), bid.price_myuan_mwh, bid.quantity_kwh)


def _monthly_orders(stage: Stage) -> list[Act]:
    session_id = monthly_session(stage, 0)
    acts = [
        batch(
            company.key,
            Role.TRADER,
            company.key,
            [_order(session_id, bid) for bid in auction_bids(stage.world, company.key)],
            ANY_OUTCOME,
        )
        for company in stage.traders
    ]
    return [*acts, *_mistakes(session_id)]


def _mistakes(session_id: int) -> Iterator[Act]:
    """What goes wrong on any trading day: a price outside the band, too much, a wrong key, too little money."""
    too_dear = PlaceOrder(session_id, 18, Side.BUY, _OUT_OF_BAND_MYUAN_MWH, 1_000)
    too_much = PlaceOrder(session_id, 18, Side.BUY, 1_000, 900_000_000)
    fine = PlaceOrder(session_id, 18, Side.BUY, 200_000, 1_000)
    yield batch(_EAGER_MEMBER, Role.TRADER, "too dear", [too_dear], PRICE_OUTSIDE_BAND.number)
    yield batch(_EAGER_MEMBER, Role.TRADER, "too much", [too_much], POSITION_TOO_LARGE.number)
    yield batch(_EAGER_MEMBER, Role.FINANCE, "wrong key", [fine], ROLE_MISSING.number)


def _agency_orders(stage: Stage) -> list[Act]:
    session_id = monthly_session(stage, 1)
    contracts = agency_contracts(stage.world)
    wanted = [sum(contract.energy_kwh[segment] for contract in contracts) for segment in range(SEGMENTS_PER_DAY)]
    price = contracts[0].price_myuan_mwh
    buys = [
        PlaceOrder(session_id, segment, Side.BUY, price, part)
        for segment, total in enumerate(wanted)
        for part in _parts(total)
    ]
    acts = [
        batch(contract.generator_key, Role.TRADER, contract.generator_key, _agency_sells(session_id, contract))
        for contract in contracts
    ]
    return [batch(GRID, Role.TRADER, GRID, buys), *(act for act in acts if act.messages)]


def _parts(total_kwh: int) -> Iterator[int]:
    while total_kwh > 0:
        part = min(total_kwh, AGENCY_ORDER_MAX_KWH)
        yield part
        total_kwh -= part


def _agency_sells(session_id: int, contract: AgencyContract) -> list[Message]:
    return [
        PlaceOrder(session_id, segment, Side.SELL, contract.price_myuan_mwh, energy_kwh)
        for segment, energy_kwh in enumerate(contract.energy_kwh)
        if energy_kwh
    ]


def _too_late(stage: Stage) -> list[Act]:
    late = PlaceOrder(monthly_session(stage, 0), 18, Side.BUY, 200_000, 1_000)
    return [batch(_LATE_MEMBER, Role.TRADER, "too late", [late], SESSION_IS_OVER.number)]


# --- daily rolling match ---


def _open_rolling(delivery_day: int, stage: Stage) -> list[Act]:
    del stage
    trade_day = clock.day_after(delivery_day, -LEAD_DAYS)
    opens_ms = clock.ms_at(trade_day, OPENS_HOUR, HALF_HOUR)
    message = _open(
        Method.ROLLING, Product.DAILY, (delivery_day, delivery_day), opens_ms, clock.ms_at(trade_day, CLOSES_HOUR)
    )
    return [batch(EXCHANGE, Role.OPERATOR, "open", [message])]


def _rolling_key(delivery_day: int, round_no: int) -> str:
    return f"rolling-{delivery_day}-{round_no}"


def _contracted(stage: Stage, company: str, delivery_day: int) -> tuple[int, ...]:
    """Net market position of a member for a day, by segment, as it reads it from its own agreements (agency contracts left out).

    A trader's estimate: each line's quantity in equal days.
    """
    own, grid = stage.member_id(company), stage.member_id(GRID)
    net = [0] * SEGMENTS_PER_DAY
    for row in stage.query(company, "agreements.agreements", day=delivery_day):
        if grid in (row["seller_id"], row["buyer_id"]) or own not in (row["seller_id"], row["buyer_id"]):
            continue
        day_count = clock.days_between(row["first_day"], row["last_day"]) + 1
        for line in stage.query(company, "agreements.agreement_lines", agreement_id=row["agreement_id"]):
            net[line["segment"]] += line["quantity_kwh"] // day_count
    return tuple(net)


def _bids(stage: Stage, company: str, delivery_day: int) -> list[Bid]:
    """What a member means to order in the session for a delivery day; it does not change while the session runs."""
    key = (company, delivery_day)
    if key not in stage.intents:
        stage.intents[key] = rolling_intents(
            stage.world, company, delivery_day, _contracted(stage, company, delivery_day)
        )
    return stage.intents[key]


def _round_of(bids: list[Bid]) -> list[int]:
    """The round in which each bid is placed: by its minute, but a replacement waits for the round after its predecessor's."""
    rounds: list[int] = []
    for bid in bids:
        own = min(bid.minute // ROUND_MINUTES, ROUNDS - 1)
        rounds.append(own if bid.replaces is None else max(own, rounds[bid.replaces] + 1))
    return rounds


def _rolling_round(delivery_day: int, round_no: int, stage: Stage) -> list[Act]:
    session_id = session_of(stage, Method.ROLLING, delivery_day, Product.DAILY)
    entries: list[tuple[int, int, Act]] = []
    for seat, company in enumerate(stage.traders):
        bids = _bids(stage, company.key, delivery_day)
        side = Side.SELL if company.kind == "generator" else Side.BUY
        for place, (bid, own_round) in enumerate(zip(bids, _round_of(bids), strict=True)):
            # what a member has too much of is left to the spot market: generators sell, users and retailers buy
            if own_round == round_no and bid.side == side:
                label = f"{company.key}-{place}"
                messages = [*_cancels(stage, company.key, delivery_day, bids, place), _order(session_id, bid)]
                entries.append((bid.minute, seat, Act(company.key, Role.TRADER, label, tuple(messages), ANY_OUTCOME)))
    entries.sort(key=lambda entry: entry[:2])
    return [act for _, _, act in entries]


def _cancels(stage: Stage, company: str, delivery_day: int, bids: list[Bid], place: int) -> list[Message]:
    """The withdrawal of the order that a bid replaces, if any of it still rests."""
    replaced = bids[place].replaces
    if replaced is None:
        return []
    before = _rolling_key(delivery_day, _round_of(bids)[replaced])
    message_id = step_message_id(stage, before, f"{company}-{replaced}")
    rows = stage.client(company, Role.TRADER).outcomes(message_id)
    replies = [reply_of(Outcome(row["number"], reply=row["reply"])) for row in rows]
    order_ids = [reply.order_id for reply in replies if isinstance(reply, OrderReply)]
    return [
        CancelOrder(order_id)
        for order_id in order_ids
        for row in stage.query(company, "trading.orders", order_id=order_id)
        if row["open_kwh"]
    ]


def rolling_steps(delivery_day: int) -> list[Step]:
    """One trading day: the session opens, six rounds of orders, the close."""
    trade_day = clock.day_after(delivery_day, -LEAD_DAYS)
    opens_ms = clock.ms_at(trade_day, OPENS_HOUR, HALF_HOUR)
    announced_ms, closes_ms = clock.ms_at(trade_day, OPENS_HOUR), clock.ms_at(trade_day, CLOSES_HOUR)
    zh, en = "日滚动撮合", "daily rolling match"
    steps = [Step(f"rolling-{delivery_day}-open", announced_ms, partial(_open_rolling, delivery_day), zh, en)]
    for round_no in range(ROUNDS):
        at_ms = opens_ms + round_no * ROUND_MINUTES * clock.MINUTE_MS
        build: Callable[[Stage], list[Act]] = partial(_rolling_round, delivery_day, round_no)
        steps.append(Step(_rolling_key(delivery_day, round_no), at_ms, build, zh, en))
    return [*steps, Step(f"rolling-{delivery_day}-close", closes_ms, nobody, zh, en)]


def monthly_steps() -> list[Step]:
    """The monthly auctions at the end of June."""
    at = clock.ms_at
    return [
        Step("monthly-open", at(20260622, 10), _open_monthly, "月度集中竞价公告", "monthly call auctions announced"),
        Step("monthly-orders", at(20260624, 9), _monthly_orders, "月度集中竞价申报", "orders for the monthly auction"),
        Step("agency-orders", at(20260624, 15), _agency_orders, "代理购电申报", "orders for agency purchase"),
        Step("monthly-close", at(20260625, 17), nobody, "月度集中竞价出清", "the monthly auctions clear"),
        Step("monthly-late", at(20260625, 18), _too_late, "迟到的申报", "an order that comes too late"),
    ]
