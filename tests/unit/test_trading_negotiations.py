"""Bilateral negotiation: versions, both signatures under the exact terms, compliance, security check, agreement."""

from typing import Any

import pytest
from msgspec.structs import replace

from shudian.contracts.agreements import rules as agreements
from shudian.contracts.agreements.messages import MIN_OF_THREE, TERMS_VERSION, GreenTerms, Line, Method, Terms
from shudian.contracts.agreements.state import AGREEMENTS
from shudian.contracts.identity.messages import SuspendMember
from shudian.contracts.trading.messages import SETTLEMENT_POINT, Product, Side
from shudian.contracts.trading.messages_negotiations import (
    ALL,
    OPEN_TO_ALL,
    CounterTerms,
    CutRule,
    NegotiationConcluded,
    NegotiationEnd,
    NegotiationEnded,
    OfferTerms,
    Proposal,
    ReviewSecurity,
    SecurityReviewed,
    SignTerms,
    TermsOffered,
    TermsSigned,
    Typical,
    WithdrawTerms,
)
from shudian.contracts.trading.state import NEGOTIATIONS
from shudian.contracts.trading.views_deals import negotiations, open_offers
from shudian.kernel import clock
from shudian.reading.reader import THE_PUBLIC, Viewer
from tests.unit.test_trading import (
    CAPACITY_KW,
    EXCHANGE,
    GRID,
    OPENING_FEN,
    A,
    B,
    Trading,
    X,
    Y,
    buy_fen,
    order,
    sell_fen,
)

FIRST, LAST = 20260801, 20260831
EXPIRES_MS = clock.ms_at(20260703)
AT_14 = tuple(31_000 * (hour == 14) for hour in range(24))
GREEN = GreenTerms(12_000, 0, MIN_OF_THREE, 3_000)


def proposal(curve_kwh: tuple[int, ...] = AT_14, price: int = 210_000, **changed: Any) -> Proposal:
    fields = {"typical": Typical.OWN, "prices_myuan_mwh": (price,), "first_day": FIRST, "last_day": LAST, **changed}
    return Proposal(Product(fields.pop("product", "monthly")), curve_kwh=curve_kwh, **fields)


def offer(to_id: int = X, side: str = "sell", expires_ms: int = EXPIRES_MS, **changed: Any) -> OfferTerms:
    return OfferTerms(Side(side), to_id, proposal(**changed), expires_ms)


def current(market: Trading, negotiation_id: int = 1, **sides: int) -> Terms:
    return replace(NEGOTIATIONS.need(market.store, negotiation_id).terms, **sides)


def signature(market: Trading, negotiation_id: int = 1, value_fen: int | None = None, **sides: int) -> SignTerms:
    terms = current(market, negotiation_id, **sides)
    priced_fen = sum(line.quantity_kwh * line.price_myuan_mwh // 10_000 for line in terms.lines)
    return SignTerms(negotiation_id, agreements.hash_of(terms), priced_fen if value_fen is None else value_fen)


def signed(market: Trading, seller_id: int = A, buyer_id: int = X, **changed: Any) -> int:
    """A negotiation that both have signed."""
    negotiation_id: int = market.done(seller_id, offer(buyer_id, **changed)).negotiation_id
    market.done(seller_id, signature(market, negotiation_id))
    market.done(buyer_id, signature(market, negotiation_id))
    return negotiation_id


def test_from_offer_over_counter_offer_to_agreement() -> None:
    market = Trading()
    first = market.done(A, offer(price=220_000))
    assert (first.negotiation_id, first.version_no, first.value_fen) == (1, 1, 682_000)
    market.done(A, signature(market))
    assert market.reserved(A) == {"negotiation:1": sell_fen(31_000)}
    second = market.done(X, CounterTerms(1, proposal(price=210_000), EXPIRES_MS))
    assert (second.version_no, second.value_fen, market.reserved(A)) == (2, 651_000, {})
    market.advance(market.now_ms + 1_000)
    market.done(X, signature(market))
    [event] = market.told(TermsSigned)
    assert (event.by_id, event.is_second, event.terms_hash) == (X, False, second.terms_hash)
    market.done(A, signature(market))
    assert market.told(TermsSigned)[0].is_second
    assert market.reserved(X) == {"negotiation:1": buy_fen((31_000, 210_000))}
    market.machine.check_all()
    market.done(GRID, ReviewSecurity((1,)))
    [concluded] = market.told(NegotiationConcluded)
    assert concluded.agreement_id == 1
    bound = agreements.terms(market.store, 1)
    assert bound == Terms(
        *(TERMS_VERSION, A, X, Method.BILATERAL, 0, "monthly", FIRST, LAST, SETTLEMENT_POINT),
        (Line(14, 31_000, 210_000),),
    )
    assert agreements.agreement(market.store, 1).terms_hash == second.terms_hash
    assert market.reserved(A) == {"agreement:1": sell_fen(31_000)}
    assert market.reserved(X) == {"agreement:1": buy_fen((31_000, 210_000))}
    assert NEGOTIATIONS.count(market.store) == 0
    market.machine.check_all()


@pytest.mark.parametrize(
    ("curve_kwh", "changed", "hours"),
    [
        (AT_14, {}, {14: (31_000, 210_000)}),
        ((7_440_000,), {"typical": Typical.FLAT}, dict.fromkeys(range(24), (310_000, 210_000))),
        (
            (7_440_000,),
            {"typical": Typical.TIME_OF_USE},
            {1: (155_000, 210_000), 7: (310_000, 210_000), 11: (403_000, 210_000)},
        ),
        (tuple(range(96)), {}, {0: (6, 210_000), 23: (374, 210_000)}),
        (
            (5,) * 24,
            {"prices_myuan_mwh": tuple(hour * 1_000 for hour in range(24))},
            {0: (5, 0), 23: (5, 23_000)},
        ),
    ],
)
def test_curves_and_prices(
    curve_kwh: tuple[int, ...], changed: dict[str, Any], hours: dict[int, tuple[int, int]]
) -> None:
    market = Trading()
    market.done(A, offer(curve_kwh=curve_kwh, **changed))
    terms = current(market)
    lines = {line.segment: (line.quantity_kwh, line.price_myuan_mwh) for line in terms.lines}
    assert {hour: lines[hour] for hour in hours} == hours
    assert sum(kwh for kwh, _ in lines.values()) == sum(curve_kwh)
    assert terms.shape_kwh == (curve_kwh if len(curve_kwh) == 96 else ())


def test_a_96_value_curve_shapes_the_quarters_of_each_hour() -> None:
    market = Trading()
    curve_kwh = (0,) * 56 + (62, 31, 0, 31) + (0,) * 36
    signed(market, curve_kwh=curve_kwh)
    market.done(GRID, ReviewSecurity((1,)))
    assert agreements.day_slots_kwh(market.store, 1, FIRST)[56:60] == (2, 1, 0, 1)


def test_a_green_offer_names_its_price_apart_and_binds_it() -> None:
    market = Trading()
    reply = market.done(A, offer(green=GREEN))
    assert reply.value_fen == 651_000 + 37_200
    for member_id in (A, X):
        market.done(member_id, signature(market, value_fen=reply.value_fen))
    market.done(GRID, ReviewSecurity((1,)))
    assert agreements.green_of(market.store, 1) == GREEN


def test_an_open_offer_is_joined_by_who_signs_it() -> None:
    market = Trading()
    market.done(A, offer(OPEN_TO_ALL))
    assert [row["negotiation_id"] for row in open_offers(market.projector.reader, Viewer(Y, "user"))] == [1]
    assert not open_offers(market.projector.reader, THE_PUBLIC)
    assert market.refused(A, signature(market)) == 9027
    assert market.refused(B, signature(market, buyer_id=B)) == 9024
    market.done(X, signature(market, buyer_id=X))
    assert not open_offers(market.projector.reader, Viewer(Y, "user"))
    assert market.refused(Y, signature(market)) == 9022
    market.done(A, signature(market))
    assert market.told(TermsSigned)[0].is_second


def test_an_open_offer_is_joined_by_who_counters_it() -> None:
    market = Trading()
    market.done(X, offer(OPEN_TO_ALL, side="buy"))
    market.done(B, CounterTerms(1, proposal(price=230_000), EXPIRES_MS))
    [event] = market.told(TermsOffered)
    assert (event.by_id, event.seller_id, event.buyer_id, event.version_no) == (B, B, X, 2)
    assert market.refused(A, CounterTerms(1, proposal(), EXPIRES_MS)) == 9022


def test_withdrawal_and_expiry_free_the_collateral() -> None:
    market = Trading()
    for _ in range(2):
        negotiation_id = market.done(A, offer()).negotiation_id
        market.done(A, signature(market, negotiation_id))
    market.done(X, WithdrawTerms(1))
    assert market.told(NegotiationEnded)[0].end is NegotiationEnd.WITHDRAWN
    market.advance(EXPIRES_MS - 1)
    assert set(market.reserved(A)) == {"negotiation:2"}
    market.advance(EXPIRES_MS)
    assert market.told(NegotiationEnded)[0].end is NegotiationEnd.EXPIRED
    assert market.reserved(A) == {}
    assert market.refused(X, WithdrawTerms(2)) == 9021


def test_signed_terms_that_nobody_checked_end_as_delivery_begins() -> None:
    market = Trading()
    signed(market)
    market.advance(EXPIRES_MS)
    assert not market.events
    market.advance(clock.ms_at(FIRST))
    assert market.told(NegotiationEnded)[0].end is NegotiationEnd.EXPIRED
    assert market.free_fen(A) == market.free_fen(X) == OPENING_FEN


# -------------------------------------------------------------------------------------------------- security check


@pytest.mark.parametrize(
    ("allowed_kwh", "rule", "passed_kwh"),
    [
        (ALL, CutRule.PRO_RATA, [31_000, 62_000]),
        (93_000, CutRule.PRO_RATA, [31_000, 62_000]),
        (46_500, CutRule.PRO_RATA, [15_500, 31_000]),
        (46_500, CutRule.FIRST_COME, [0, 46_500]),
        (62_200, CutRule.FIRST_COME, [200, 62_000]),
        (0, CutRule.PRO_RATA, [0, 0]),
    ],
)
def test_a_limit_is_shared_by_the_rule(allowed_kwh: int, rule: CutRule, passed_kwh: list[int]) -> None:
    market = Trading()
    market.done(A, offer())
    market.done(A, signature(market))
    signed(market, B, Y, curve_kwh=tuple(2 * kwh for kwh in AT_14))
    market.advance(market.now_ms + 1)
    market.done(X, signature(market))  # the first negotiation is signed last
    market.done(GRID, ReviewSecurity((1, 2), allowed_kwh, rule, "断面受限"))
    assert [event.allowed_kwh for event in market.told(SecurityReviewed)] == passed_kwh
    born = {int(key[0]): row.quantity_kwh for key, row in AGREEMENTS.range(market.store)}
    assert list(born.values()) == [kwh for kwh in passed_kwh if kwh]
    assert len(market.told(NegotiationEnded)) == passed_kwh.count(0)
    for member_id, kwh in zip((A, B), passed_kwh, strict=True):
        assert sum(market.reserved(member_id).values()) == sell_fen(kwh)
    market.machine.check_all()


def test_a_cut_takes_from_every_line_pro_rata() -> None:
    market = Trading()
    signed(market, curve_kwh=tuple(100 * (hour < 3) * (hour + 1) for hour in range(24)))
    market.done(GRID, ReviewSecurity((1,), 300, reason="断面受限"))
    assert [line.quantity_kwh for line in agreements.terms(market.store, 1).lines] == [50, 100, 150]
    [row] = negotiations(market.projector.reader, Viewer(A, "generator"))
    assert (row["state"], row["allowed_kwh"], row["reason"], row["agreement_id"]) == ("effective", 300, "断面受限", 1)
    assert not negotiations(market.projector.reader, Viewer(B, "generator"))


# ------------------------------------------------------------------------------------------------------ compliance


def test_signed_terms_count_in_the_position() -> None:
    market = Trading()
    daily: dict[str, Any] = {"product": "daily", "first_day": 20260703, "last_day": 20260703, "expires_ms": EXPIRES_MS}
    whole = tuple(CAPACITY_KW * (hour == 14) for hour in range(24))
    market.open()
    market.done(A, offer(curve_kwh=whole, **daily))
    market.done(A, signature(market))
    assert market.refused(A, order("sell", 100, 200_000)) == 9013
    market.done(A, offer(Y, curve_kwh=whole, **daily))
    assert market.refused(A, signature(market, 2)) == 9013
    market.done(A, WithdrawTerms(1))
    market.done(A, signature(market, 2))


def test_a_member_barred_meanwhile_cannot_be_signed_with_nor_checked() -> None:
    market = Trading()
    market.done(A, offer())
    market.done(A, signature(market))
    signed(market, A, Y)
    market.done(EXCHANGE, SuspendMember(A, "late"))
    assert market.refused(X, signature(market)) == 3002
    assert market.refused(GRID, ReviewSecurity((2,))) == 3002
    assert market.refused(X, offer(A, side="buy")) == 3002


# -------------------------------------------------------------------------------------------------------- refusals


@pytest.mark.parametrize(
    ("sender_id", "message", "number"),
    [
        (X, offer(A), 9007),
        (A, offer(B), 9024),
        (A, offer(99), 3001),
        (A, offer(expires_ms=clock.ms_at(20260701, 9)), 9029),
        (A, offer(expires_ms=clock.ms_at(FIRST) + 1), 9029),
        (A, offer(last_day=20260901), 9005),
        (A, offer(price=481_441), 9009),
        (A, offer(curve_kwh=(1,) * 23), 1011),
        (A, offer(curve_kwh=(0,) * 24), 1011),
        (A, offer(curve_kwh=(5,)), 1011),
        (A, offer(typical=Typical.FLAT), 1011),
        (A, offer(prices_myuan_mwh=(1, 2)), 1011),
        (A, offer(settlement_point="重庆"), 1011),
        (A, offer(last_day=20260731), 1011),
        (A, offer(green=replace(GREEN, environmental_myuan_mwh=-1)), 1011),
        (A, offer(green=replace(GREEN, compensation_myuan_mwh=-1)), 1011),
        (A, offer(green=replace(GREEN, volume_rule="max")), 1011),
        (X, CounterTerms(7, proposal(), EXPIRES_MS), 9021),
        (Y, CounterTerms(1, proposal(), EXPIRES_MS), 9022),
        (X, CounterTerms(2, proposal(), EXPIRES_MS), 9023),
        (X, CounterTerms(1, proposal(price=-1), EXPIRES_MS), 9009),
        (Y, WithdrawTerms(1), 9022),
        (A, WithdrawTerms(2), 9023),
        (X, SignTerms(7, bytes(32), 0), 9021),
        (Y, SignTerms(1, bytes(32), 0), 9022),
        (X, SignTerms(2, bytes(32), 0), 9023),
        (X, SignTerms(1, bytes(32), 651_000), 9025),
        (X, SignTerms(1, bytes(31), 651_000), 1011),
        (GRID, ReviewSecurity((7,)), 9021),
        (GRID, ReviewSecurity((1,)), 9031),
        (GRID, ReviewSecurity((2, 2)), 1011),
        (GRID, ReviewSecurity(()), 1011),
        (GRID, ReviewSecurity((2,), 5), 1011),
    ],
)
def test_what_does_not_fit_is_refused(sender_id: int, message: Any, number: int) -> None:
    """Negotiation 1 of A and X is on the table, 2 is signed by both."""
    market = Trading()
    market.done(A, offer())
    signed(market, B, X)
    assert market.refused(sender_id, message) == number


def test_the_wrong_value_a_second_signature_of_one_side_and_a_voided_version_are_refused() -> None:
    market = Trading()
    market.done(A, offer())
    old = signature(market)
    assert market.refused(X, replace(old, value_fen=650_999)) == 9026
    market.done(A, old)
    assert market.refused(A, old) == 9028
    market.done(A, CounterTerms(1, proposal(price=205_000), EXPIRES_MS))
    assert market.refused(X, old) == 9025


@pytest.mark.parametrize(("resource_id", "number"), [(0, 0), (1, 0), (2, 9030), (7, 9030), (99, 9030)])
def test_green_power_comes_from_the_sellers_own_renewable_device(resource_id: int, number: int) -> None:
    market = Trading()
    reply = market.done(A, offer(green=replace(GREEN, resource_id=resource_id)))
    assert market.say(A, signature(market, value_fen=reply.value_fen)).number == number


def test_terms_beyond_the_free_funds_are_refused() -> None:
    market = Trading(buy_collateral_ppm=10_000_000, position_limit_ppm=100_000_000)
    market.done(A, offer(curve_kwh=(0,) * 23 + (100_000_000,)))
    assert market.refused(X, signature(market)) == 4003


def test_big_terms_take_four_eyes() -> None:
    assert SignTerms.authority.second_signer_setting == "trading.second_signer_from_fen"
    assert SignTerms(1, bytes(32), -5).band_fen() == 5
