"""Trading: sessions, orders, rolling match; the market of these tests is shared with the auction's."""

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from stdnum.cn import uscc

from shudian.contracts.agreements import rules as agreements
from shudian.contracts.agreements.messages import Line, Method
from shudian.contracts.agreements.state import AGREEMENTS
from shudian.contracts.funds import rules as funds
from shudian.contracts.funds.messages import CloseAccount, FundsReserved, RequestPayout
from shudian.contracts.funds.state import RESERVATIONS
from shudian.contracts.governance import rules as governance
from shudian.contracts.guarantees import rules as guarantees
from shudian.contracts.identity import rules as identity
from shudian.contracts.identity.messages import FreezeMember, SuspendMember
from shudian.contracts.resources import rules as resources
from shudian.contracts.resources.messages import (
    Decision,
    DispatchLevel,
    Fuel,
    RegisterResource,
    Regulation,
    ResourceType,
    ReviewResource,
    TariffClass,
    Voltage,
)
from shudian.contracts.roles import OVERSIGHT, Kind
from shudian.contracts.trading import rules
from shudian.contracts.trading.messages import (
    CancelOrder,
    CancelReason,
    CancelSession,
    OpenSession,
    OrderReply,
    PlaceOrder,
    Product,
    Side,
)
from shudian.contracts.trading.messages_events import OrderCancelled, OrderExpired, TradeMade
from shudian.contracts.trading.state import ORDERS, STAKES, TRADES
from shudian.contracts.trading.views import VIEWS, candles, depth, orders, sessions, tape, trades
from shudian.kernel import clock
from shudian.kernel.machine import CLOCK, STEPPED, Applied, Clock
from shudian.reading.projector import Projector
from shudian.reading.reader import THE_PUBLIC, Viewer
from tests.support.ledger import Ledger, key_of

CONTRACTS = (
    governance.CONTRACT,
    identity.CONTRACT,
    funds.CONTRACT,
    guarantees.CONTRACT,
    resources.CONTRACT,
    agreements.CONTRACT,
    rules.CONTRACT,
)
EXCHANGE, REGULATOR, BANK, GRID = 1, 2, 3, 4
A, B, C, D, E, F = range(5, 11)
X, Y, Z, V, W = range(11, 16)
SELLERS, BUYERS = (A, B, C, D, E, F), (X, Y, Z, V, W)
KINDS = (Kind.EXCHANGE, Kind.REGULATOR, Kind.BANK, Kind.GRID_COMPANY, *[Kind.GENERATOR] * 6, *[Kind.USER] * 5)
OPENING_FEN = 1_000_000_000
CAPACITY_KW = 200_000
DAY = 20260703
OPENS_MS, CLOSES_MS = clock.ms_at(20260701, 9, 30), clock.ms_at(20260701, 15)
GENESIS = Path(rules.__file__).parents[2] / "genesis" / "sichuan2026"


def _settings(**changed: int) -> list[dict[str, Any]]:
    texts = [(GENESIS / f"{contract.name}.toml") for contract in CONTRACTS]
    found = [entry for path in texts if path.exists() for entry in tomllib.loads(path.read_text())["setting"]]
    for name, value in changed.items():
        found = [entry for entry in found if entry["name"] != f"trading.{name}"]
        found.append({"name": f"trading.{name}", "from_day": 20260101, "values": [value], "source": "test"})
    return found


def _uscc(number: int) -> str:
    base = f"91510100MA{number:07d}"
    return base + uscc.calc_check_digit(base)


def _sections(**changed: int) -> Mapping[str, Mapping[str, Any]]:
    members = [
        {
            "kind": kind,
            "name_zh": f"成员{number}",
            "name_en": f"Member {number}",
            "uscc": _uscc(number),
            "persons": [{"public_key": key_of(str(number)).public_key.hex(), "roles": ["admin"]}],
        }
        for number, kind in enumerate(KINDS, 1)
    ]
    accounts = [
        {
            "owner_id": owner_id,
            "bank_id": BANK,
            "bank_account_digest": "00" * 32,
            "opening_fen": OPENING_FEN * (owner_id != F),
        }
        for owner_id in (GRID, *SELLERS, *BUYERS)
    ]
    return {
        "governance": {"settings": _settings(**changed)},
        "identity": {"members": members},
        "funds": {"accounts": accounts},
    }


class Trading(Ledger):
    """A ledger with eleven traders of 200 MW and 10 million yuan each (F has none), and its read model."""

    def __init__(self, **changed: int) -> None:
        self.projector = Projector(None, (VIEWS,), OVERSIGHT)
        super().__init__(CONTRACTS, _sections(**changed), start_ms=clock.ms_at(20260701, 9))
        for number, owner_id in enumerate((*SELLERS, *BUYERS), 1):
            self.done(owner_id, _resource(owner_id))
            self.done(EXCHANGE, ReviewResource(number, Decision.APPROVE, ""))

    def _keep(self, applied: Applied) -> Applied:
        self.projector.project(self.machine.height, applied.market_ms, (), applied.events)
        return super()._keep(applied)

    def open(self, method: Method = Method.ROLLING, segments: tuple[int, ...] = (14,), **changed: Any) -> int:
        fields = {"first_day": DAY, "last_day": DAY, "opens_ms": OPENS_MS, "closes_ms": CLOSES_MS, **changed}
        message = OpenSession(method, Product(fields.pop("product", "daily")), segments=segments, **fields)
        session_id: int = self.done(EXCHANGE, message).session_id
        if self.now_ms < OPENS_MS:
            self.advance(OPENS_MS)
        return session_id

    def order(self, member_id: int, side: str, quantity_kwh: int, price_myuan_mwh: int, **at: int) -> OrderReply:
        return self.done(member_id, order(side, quantity_kwh, price_myuan_mwh, **at))  # type: ignore[no-any-return] # any reply

    def reserved(self, member_id: int) -> dict[str, int]:
        """What a member has reserved, by purpose."""
        rows = RESERVATIONS.range(self.store, funds.account_of(self.store, member_id))
        return {str(key[1]): row.amount_fen for key, row in rows}

    def free_fen(self, member_id: int) -> int:
        return funds.free_fen(self.store, funds.account_of(self.store, member_id))

    def told(self, kind: type) -> list[Any]:
        return [event for event in self.events if type(event) is kind]


def order(side: str, quantity_kwh: int, price_myuan_mwh: int, session_id: int = 1, segment: int = 14) -> PlaceOrder:
    return PlaceOrder(session_id, segment, Side(side), price_myuan_mwh, quantity_kwh)


def _resource(owner_id: int) -> RegisterResource:
    if owner_id in SELLERS:
        return RegisterResource(
            ResourceType.PLANT,
            "电站",
            "Plant",
            CAPACITY_KW,
            Voltage.KV220,
            fuel=Fuel.HYDRO,
            river="大渡河",
            regulation=Regulation.DAILY,
            dispatch_level=DispatchLevel.PROVINCIAL,
        )
    return RegisterResource(
        ResourceType.LOAD,
        "工厂",
        "Factory",
        CAPACITY_KW,
        Voltage.KV110,
        tariff_class=TariffClass.TWO_PART,
        contract_demand_kw=CAPACITY_KW,
    )


def buy_fen(*parts: tuple[int, int]) -> int:
    """Collateral of (kWh, milli-yuan/MWh) parts of a buyer: 5 % of the value, at least at 100 yuan/MWh."""
    return sum(kwh * max(price, 100_000) * 5 // 1_000_000 for kwh, price in parts)


def sell_fen(kwh: int) -> int:
    """Collateral of a seller: 5 yuan/MWh."""
    return kwh * 5_000 // 10_000


# ------------------------------------------------------------------------------- the rolling day of domain 4.6

# member, side, MWh/10, yuan/MWh/10 -> trades (seller, buyer, kWh, milli-yuan/MWh), resting kWh
ROLLING_DAY: list[tuple[int, str, int, int, list[tuple[int, int, int, int]], int]] = [
    (A, "sell", 5_000, 210_000, [], 5_000),
    (B, "sell", 3_000, 208_000, [], 3_000),
    (X, "buy", 4_000, 207_000, [], 4_000),
    (Y, "buy", 4_000, 209_000, [(B, Y, 3_000, 208_000)], 1_000),
    (C, "sell", 2_000, 207_000, [(C, Y, 1_000, 209_000), (C, X, 1_000, 207_000)], 0),
    (D, "sell", 2_000, 207_000, [(D, X, 2_000, 207_000)], 0),
    (Z, "buy", 6_000, 211_000, [(A, Z, 5_000, 210_000)], 1_000),
    (B, "sell", 2_500, 209_500, [(B, Z, 1_000, 211_000)], 1_500),
]
RESERVED_AFTER: list[dict[int, int]] = [
    {A: sell_fen(5_000)},
    {B: sell_fen(3_000)},
    {X: buy_fen((4_000, 207_000))},
    {Y: buy_fen((1_000, 209_000), (3_000, 208_000)), B: sell_fen(3_000)},
    {
        C: sell_fen(2_000),
        Y: buy_fen((3_000, 208_000), (1_000, 209_000)),
        X: buy_fen((3_000, 207_000), (1_000, 207_000)),
    },
    {D: sell_fen(2_000), X: buy_fen((1_000, 207_000), (3_000, 207_000))},
    {A: sell_fen(5_000), Z: buy_fen((1_000, 211_000), (5_000, 210_000))},
    {B: sell_fen(1_500) + sell_fen(4_000), Z: buy_fen((5_000, 210_000), (1_000, 211_000))},
]
"""What stands behind open orders and trades of the session, of whoever took part in the step."""


def play_rolling_day(*, check: bool) -> Trading:
    market = Trading()
    market.open()
    for number, (row, reserved) in enumerate(zip(ROLLING_DAY, RESERVED_AFTER, strict=True), 1):
        member_id, side, quantity_kwh, price, made, resting_kwh = row
        reply = market.order(member_id, side, quantity_kwh, price)
        if check:
            assert (reply.order_id, reply.resting_kwh) == (number, resting_kwh)
            assert reply.filled_kwh == quantity_kwh - resting_kwh
            assert reply.value_fen == sum(kwh * at // 10_000 for _, _, kwh, at in made)
            assert reply.free_fen == market.free_fen(member_id)
            told = [
                (event.seller_id, event.buyer_id, event.quantity_kwh, event.price_myuan_mwh)
                for event in market.told(TradeMade)
            ]
            assert told == made
            for owner_id, wanted in reserved.items():
                assert market.reserved(owner_id) == {"session:1": wanted}
                assert market.free_fen(owner_id) == OPENING_FEN - wanted
            market.machine.check_all()
        if number == 6:
            reply = market.done(X, CancelOrder(3))
            assert reply.cancelled_kwh == 1_000
            assert market.reserved(X) == {"session:1": buy_fen((3_000, 207_000))}
    return market


def test_the_rolling_day_of_the_domain_row_by_row() -> None:
    market = play_rolling_day(check=True)
    assert [row.open_kwh for _, row in ORDERS.range(market.store)] == [1_500]


def test_at_the_close_the_rest_expires_and_trades_become_agreements() -> None:
    market = play_rolling_day(check=False)
    market.advance(CLOSES_MS - 1)
    assert not market.events
    market.advance(CLOSES_MS)
    assert [(event.order_id, event.open_kwh) for event in market.told(OrderExpired)] == [(8, 1_500)]
    born = {
        (row.seller_id, row.buyer_id): (agreement_id, agreements.terms(market.store, agreement_id).lines)
        for (agreement_id,), row in AGREEMENTS.range(market.store)
        if isinstance(agreement_id, int)
    }
    assert born == {
        (A, Z): (1, (Line(14, 5_000, 210_000),)),
        (B, Y): (2, (Line(14, 3_000, 208_000),)),
        (B, Z): (3, (Line(14, 1_000, 211_000),)),
        (C, X): (4, (Line(14, 1_000, 207_000),)),
        (C, Y): (5, (Line(14, 1_000, 209_000),)),
        (D, X): (6, (Line(14, 2_000, 207_000),)),
    }
    assert market.reserved(B) == {"agreement:2": sell_fen(3_000), "agreement:3": sell_fen(1_000)}
    assert market.reserved(Z) == {"agreement:1": buy_fen((5_000, 210_000)), "agreement:3": buy_fen((1_000, 211_000))}
    for table in (ORDERS, TRADES, STAKES):
        assert table.count(market.store) == 0
    market.machine.check_all()


def test_released_collateral_is_free_again() -> None:
    market = play_rolling_day(check=False)
    market.advance(CLOSES_MS)
    for agreement_id in range(1, 7):
        rules.release_collateral(market.context(), agreement_id)
        rules.release_collateral(market.context(), agreement_id)
    assert all(market.free_fen(member_id) == OPENING_FEN for member_id in (A, B, C, D, *BUYERS))


def test_what_is_told_of_the_rolling_day() -> None:
    market = play_rolling_day(check=False)
    reader = market.projector.reader
    assert depth(reader, THE_PUBLIC, session_id=1) == [
        {"session_id": 1, "segment": 14, "side": "sell", "price_myuan_mwh": 209_500, "quantity_kwh": 1_500}
    ]
    [candle] = candles(reader, THE_PUBLIC, session_id=1)
    assert candle == {
        "session_id": 1,
        "segment": 14,
        "trades_count": 6,
        "open_myuan_mwh": 208_000,
        "high_myuan_mwh": 211_000,
        "low_myuan_mwh": 207_000,
        "close_myuan_mwh": 211_000,
        "volume_kwh": 13_000,
        "turnover_fen": 271_500,
        "vwap_myuan_mwh": 208_846,
    }
    bought = {member_id: trades(reader, Viewer(member_id, "user"), session_id=1) for member_id in (X, Y, Z)}
    assert {who: sum(row["value_fen"] for row in rows) for who, rows in bought.items()} == {
        X: 62_100,
        Y: 83_300,
        Z: 126_100,
    }
    assert not trades(reader, THE_PUBLIC)
    assert len(tape(reader, THE_PUBLIC, session_id=1)) == 6
    [own] = orders(reader, Viewer(X, "user"))
    assert (own["filled_kwh"], own["open_kwh"], own["ending"], own["value_fen"]) == (
        3_000,
        0,
        "cancelled: owner",
        62_100,
    )
    market.advance(CLOSES_MS)
    assert not depth(reader, THE_PUBLIC, session_id=1)
    assert [row["ending"] for row in orders(reader, Viewer(B, "generator"))] == ["expired", "filled"]
    [told] = sessions(reader, THE_PUBLIC, session_id=1)
    assert (told["state"], told["agreements_count"]) == ("closed", 6)


# ------------------------------------------------------------------------------------------------- rules in small


@pytest.mark.parametrize(
    ("sell_price", "buy_price", "traded_kwh"),
    [(200_000, 200_000, 1_000), (200_001, 200_000, 0), (0, 0, 1_000), (-40_000, -40_000, 1_000), (-40_000, -40_001, 0)],
)
def test_a_trade_is_made_up_to_the_very_limit(sell_price: int, buy_price: int, traded_kwh: int) -> None:
    market = Trading(price_floor_myuan_mwh=-50_000)
    market.open()
    market.order(A, "sell", 1_000, sell_price)
    reply = market.order(X, "buy", 1_000, buy_price)
    assert reply.filled_kwh == traded_kwh
    assert sum(market.reserved(X).values()) == buy_fen((1_000, buy_price))


def test_equal_prices_trade_in_time_order_across_a_partial_fill() -> None:
    market = Trading()
    market.open()
    for seller in (C, A, B):
        market.order(seller, "sell", 1_000, 200_000)
    market.order(X, "buy", 1_500, 210_000)
    market.order(Y, "buy", 1_500, 210_000)
    sellers = [row.seller_id for _, row in TRADES.range(market.store)]
    assert sellers == [C, A, A, B]


def test_splitting_an_order_never_needs_more_collateral() -> None:
    market = Trading(lot_kwh=1)
    market.open()
    market.order(X, "buy", 99, 300_000)
    whole_fen = sum(market.reserved(X).values())
    assert whole_fen == 149  # 5 % of 2,970 fen; alone each kWh would round up to 2 fen
    for _ in range(99):
        market.order(A, "sell", 1, 300_000)
        assert sum(market.reserved(X).values()) <= whole_fen
    market.advance(CLOSES_MS)
    assert market.reserved(X) == {"agreement:1": whole_fen}


def test_a_gate_may_close_as_delivery_begins() -> None:
    market = Trading()
    market.open(closes_ms=clock.ms_at(DAY))
    market.order(A, "sell", 1_000, 200_000)
    market.order(X, "buy", 1_000, 200_000)
    market.advance(clock.ms_at(DAY))
    assert agreements.delivering_on(market.store, DAY) == [1]


def test_a_member_without_collateral_may_close_its_account_before_the_close() -> None:
    market = Trading(sell_collateral_myuan_mwh=0)
    market.open()
    market.order(F, "sell", 1_000, 200_000)
    market.done(F, CloseAccount())
    assert market.refused(F, order("sell", 1_000, 200_000)) == 4002
    market.order(X, "buy", 500, 200_000)
    assert market.done(F, CancelOrder(1)).cancelled_kwh == 500
    market.advance(CLOSES_MS)
    rules.release_collateral(market.context(), 1)
    assert market.free_fen(X) == OPENING_FEN


@pytest.mark.parametrize("bar", [SuspendMember(A, "late"), FreezeMember(A, "order", 20260710)])
def test_orders_of_a_barred_member_are_withdrawn_and_its_trades_stand(bar: SuspendMember | FreezeMember) -> None:
    market = Trading()
    market.open()
    market.order(A, "sell", 2_000, 200_000)
    market.order(B, "sell", 1_000, 201_000)
    market.order(X, "buy", 500, 200_000)
    market.done(REGULATOR if isinstance(bar, FreezeMember) else EXCHANGE, bar)
    [event] = market.told(OrderCancelled)
    assert (event.order_id, event.open_kwh, event.reason) == (1, 1_500, CancelReason.MEMBER_BARRED)
    assert market.reserved(A) == {"session:1": sell_fen(500)}
    market.machine.check_all()
    market.order(Y, "buy", 1_000, 210_000)
    market.advance(CLOSES_MS)
    assert sorted((row.seller_id, row.buyer_id) for _, row in AGREEMENTS.range(market.store)) == [(A, X), (B, Y)]


def test_each_change_of_collateral_is_told_once_by_the_deed_that_caused_it() -> None:
    """A resting order that trades at its own price keeps what it has: nothing is told, nothing is written."""
    market = Trading()
    market.open()

    def told() -> list[tuple[str, str, int, int]]:
        return [(one.deed, one.purpose, one.change_fen, one.amount_fen) for one in market.told(FundsReserved)]

    market.order(A, "sell", 2_000, 200_000)
    assert told() == [("order:1", "session:1", sell_fen(2_000), sell_fen(2_000))]
    for number in (2, 3):
        market.order(X, "buy", 500, 210_000)
        one_fen = buy_fen((500, 200_000))
        assert told() == [(f"order:{number}", "session:1", one_fen, (number - 1) * one_fen)]
    market.done(A, CancelOrder(1))
    assert told() == [("order:1", "session:1", -sell_fen(1_000), sell_fen(1_000))]
    market.machine.check_all()


def test_what_rounding_a_part_saves_a_resting_order_is_free_at_once() -> None:
    """Two kWh at a third of a fen need one fen, one kWh needs none: neither the trade nor the rest."""
    market = Trading(sell_collateral_myuan_mwh=3_333)
    market.open(lot_kwh=1)
    market.order(A, "sell", 2, 200_000)
    assert market.reserved(A) == {"session:1": 1}
    market.order(X, "buy", 1, 200_000)
    [_, given_back] = market.told(FundsReserved)
    assert (given_back.deed, given_back.change_fen, given_back.amount_fen) == ("order:1", -1, 0)
    assert market.reserved(A) == {}
    market.machine.check_all()


def test_an_order_has_to_fit_whole_at_its_limit_before_it_trades() -> None:
    """At the price that it would trade for it would fit."""
    market = Trading()
    market.open()
    market.order(A, "sell", 10_000, 200_000)
    market.done(X, RequestPayout(OPENING_FEN - buy_fen((10_000, 200_000))))
    asked = market.say(X, order("buy", 10_000, 210_000))
    free_fen = buy_fen((10_000, 200_000))
    assert (asked.number, asked.field, asked.value) == (4003, "amount_fen", str(buy_fen((10_000, 210_000))))
    assert f"<= {free_fen} " in asked.allowed
    assert not market.told(TradeMade)
    assert market.order(X, "buy", 10_000, 200_000).free_fen == 0


def test_a_cancelled_session_releases_orders_and_keeps_trades() -> None:
    market = Trading()
    market.open()
    market.order(A, "sell", 2_000, 200_000)
    market.order(X, "buy", 500, 200_000)
    market.done(EXCHANGE, CancelSession(1, "fault"))
    assert [event.reason for event in market.told(OrderCancelled)] == [CancelReason.SESSION_CANCELLED]
    assert market.reserved(A) == {"agreement:1": sell_fen(500)}
    assert market.refused(EXCHANGE, CancelSession(1, "again")) == 9002
    assert market.refused(A, order("sell", 1_000, 200_000)) == 9002
    [told] = sessions(market.projector.reader, THE_PUBLIC)
    assert (told["state"], told["reason"], told["agreements_count"]) == ("cancelled", "fault", 1)
    market.advance(CLOSES_MS)
    assert not market.told(OrderExpired)


def test_sessions_due_together_close_in_id_order() -> None:
    market = Trading()
    market.open(closes_ms=CLOSES_MS + 5)
    market.open(segments=(3,))
    market.order(A, "sell", 1_000, 200_000, session_id=2, segment=3)
    market.order(B, "sell", 1_000, 200_000)
    market.advance(CLOSES_MS + 5)
    assert [event.session_id for event in market.told(OrderExpired)] == [1, 2]


def test_a_session_keeps_the_numbers_it_was_opened_with() -> None:
    market = Trading()
    market.open(lot_kwh=500)
    assert market.refused(A, order("sell", 700, 200_000)) == 9010
    market.order(A, "sell", 500, 481_440)


# ------------------------------------------------------------------------------------------------------ positions


def test_the_position_limit_counts_orders_trades_and_agreements() -> None:
    market = Trading()
    market.open()
    market.order(A, "sell", 150_000, 200_000)
    assert market.refused(A, order("sell", 50_100, 200_000)) == 9013
    market.order(X, "buy", 150_000, 200_000)
    assert market.refused(A, order("sell", 50_100, 200_000)) == 9013
    market.advance(CLOSES_MS)
    opens_ms = clock.ms_at(20260701, 16)
    market.open(opens_ms=opens_ms, closes_ms=opens_ms + 1_000)
    market.advance(opens_ms)
    for member_id, side in ((A, "sell"), (X, "buy")):
        assert market.refused(member_id, order(side, 50_100, 200_000, session_id=2)) == 9013
        market.order(member_id, side, 50_000, 300_000 if side == "sell" else 200_000, session_id=2)


def test_a_cancelled_order_gives_its_position_back() -> None:
    market = Trading()
    market.open()
    market.order(A, "sell", CAPACITY_KW, 200_000)
    market.done(A, CancelOrder(1))
    market.order(A, "sell", CAPACITY_KW, 200_000)


def test_a_month_counts_by_its_share_of_a_day() -> None:
    market = Trading()
    market.open(product="monthly", first_day=20260702, last_day=20260731)
    market.open()
    market.order(A, "sell", 30 * 150_000, 200_000)
    assert market.refused(A, order("sell", 50_100, 200_000, session_id=2)) == 9013
    market.order(A, "sell", 50_000, 200_000, session_id=2)


# ------------------------------------------------------------------------------------------------------- refusals


@pytest.mark.parametrize(
    ("changed", "number"),
    [
        ({"closes_ms": clock.ms_at(20260701, 9), "opens_ms": 0}, 9004),
        ({"closes_ms": clock.ms_at(DAY) + 1}, 9003),
        ({"last_day": 20260704}, 9005),
        ({"last_day": 20260702}, 1011),
        ({"opens_ms": CLOSES_MS}, 1011),
        ({"segments": ()}, 1011),
        ({"segments": (3, 3)}, 1011),
        ({"segments": (24,)}, 1011),
        ({"price_rule": "dear"}, 1011),
        ({"k_ppm": 1_000_001}, 1011),
        ({"lot_kwh": 0}, 1011),
        ({"method": Method.BILATERAL}, 1011),
    ],
)
def test_a_session_that_does_not_fit_is_refused(changed: dict[str, Any], number: int) -> None:
    fields = {
        "method": Method.ROLLING,
        "product": Product.DAILY,
        "first_day": DAY,
        "last_day": DAY,
        "segments": (14,),
        "opens_ms": OPENS_MS,
        "closes_ms": CLOSES_MS,
        **changed,
    }
    assert Trading().refused(EXCHANGE, OpenSession(**fields)) == number


@pytest.mark.parametrize(
    ("sender_id", "message", "number"),
    [
        (A, order("sell", 1_000, 200_000, session_id=9), 9001),
        (X, order("sell", 1_000, 200_000), 9007),
        (A, order("buy", 1_000, 200_000), 9007),
        (EXCHANGE, order("buy", 1_000, 200_000), 9007),
        (A, order("sell", 1_000, 200_000, segment=13), 9008),
        (A, order("sell", 1_000, 481_441), 9009),
        (A, order("sell", 1_000, -1), 9009),
        (A, order("sell", 1_050, 200_000), 9010),
        (A, order("sell", 50_000_100, 200_000), 9011),
        (A, order("sell", CAPACITY_KW + 100, 200_000), 9013),
        (GRID, order("buy", 100, 200_000), 9013),
        (A, order("sell", 0, 200_000), 1011),
        (A, order("sell", 100, 100_000_001), 1011),
        (A, order("sell", 100, 200_000, segment=24), 1011),
        (A, CancelOrder(1), 9015),
        (99, order("buy", 100, 200_000), 3001),
        (EXCHANGE, CancelSession(7, "none"), 9001),
        (EXCHANGE, CancelSession(1, ""), 1011),
    ],
)
def test_what_does_not_fit_is_refused(sender_id: int, message: Any, number: int) -> None:
    market = Trading()
    market.open()
    assert market.refused(sender_id, message) == number
    assert not list(STAKES.range(market.store))


@pytest.mark.parametrize(
    ("at_ms", "number"), [(OPENS_MS - 1, 9006), (OPENS_MS, 0), (CLOSES_MS - 1, 0), (CLOSES_MS, 9002)]
)
def test_the_gate_is_open_from_its_opening_until_before_its_close(at_ms: int, number: int) -> None:
    market = Trading()
    market.done(EXCHANGE, OpenSession(Method.ROLLING, Product.DAILY, DAY, DAY, (14,), OPENS_MS, CLOSES_MS))
    market.advance(at_ms)
    assert market.say(A, order("sell", 1_000, 200_000)).number == number


def test_another_members_order_cannot_be_cancelled() -> None:
    market = Trading()
    market.open()
    market.order(A, "sell", 1_000, 200_000)
    assert market.refused(B, CancelOrder(1)) == 9016


def test_nothing_is_cancelled_once_the_gate_is_shut() -> None:
    market = Trading()
    market.open()
    market.order(A, "sell", 1_000, 200_000)
    CLOCK.put(market.store, (), Clock(STEPPED, CLOSES_MS))  # the block in which the gate closes: messages before hooks
    assert market.refused(A, CancelOrder(1)) == 9006


def test_open_orders_per_member_are_bounded() -> None:
    market = Trading(orders_max_count=2)
    market.open()
    for _ in range(2):
        market.order(A, "sell", 100, 200_000)
    assert market.refused(A, order("sell", 100, 200_000)) == 9012
    market.order(X, "buy", 100, 200_000)
    market.order(A, "sell", 100, 200_000)


def test_an_order_beyond_the_free_funds_is_refused_and_leaves_nothing() -> None:
    market = Trading(buy_collateral_ppm=10_000_000, position_limit_ppm=100_000_000)
    market.open()
    just_kwh = OPENING_FEN * 10_000 // (400_000 * 10)
    assert market.refused(X, order("buy", just_kwh + 100, 400_000)) == 4003
    assert (market.reserved(X), ORDERS.count(market.store), STAKES.count(market.store)) == ({}, 0, 0)
    assert market.order(X, "buy", just_kwh, 400_000).free_fen == 0
