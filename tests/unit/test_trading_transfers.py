"""Contract transfer: open energy of days to come, prices kept, the difference paid, position and collateral follow."""

from typing import Any

import pytest
from msgspec.structs import replace

from shudian.contracts.agreements import rules as agreements
from shudian.contracts.agreements.messages import (
    MIN_OF_THREE,
    TERMS_VERSION,
    AgreementTransferred,
    GreenTerms,
    Line,
    Method,
    State,
    Terms,
    TransferTerms,
)
from shudian.contracts.agreements.views import VIEWS as AGREEMENT_VIEWS
from shudian.contracts.identity.messages import SuspendMember
from shudian.contracts.trading.messages import SETTLEMENT_POINT
from shudian.contracts.trading.messages_transfers import (
    ProposeTransfer,
    SignTransfer,
    TransferConcluded,
    TransferEnd,
    TransferEnded,
    TransferReply,
    WithdrawTransfer,
)
from shudian.contracts.trading.rules_collateral import reserve_for_agreement
from shudian.contracts.trading.rules_exposure import take_on
from shudian.contracts.trading.state import TRANSFERS
from shudian.contracts.trading.views_deals import transfers
from shudian.kernel import clock
from shudian.reading.projector import Projector
from shudian.reading.reader import Viewer
from tests.unit.test_trading import (
    CAPACITY_KW,
    EXCHANGE,
    GRID,
    OPENING_FEN,
    A,
    B,
    C,
    F,
    Trading,
    X,
    Y,
)

FIRST, LAST = 20260801, 20260831
MID = 20260816
EXPIRES_MS = clock.ms_at(20260705)
TERMS = Terms(
    *(TERMS_VERSION, A, X, Method.BILATERAL, 0, "monthly", FIRST, LAST, SETTLEMENT_POINT),
    (Line(0, 31_000, 200_000), Line(14, 62_000, 210_000)),
)
SELLER_FEN, BUYER_FEN = 46_500, 96_101


def market_with(terms: Terms = TERMS, **changed: int) -> Trading:
    """A market with agreement 1, for which both sides have collateral."""
    market = Trading(**changed)
    context = market.context()
    agreements.bear(context, terms)
    take_on(context, 1)
    for member_id, amount_fen in ((terms.seller_id, SELLER_FEN), (terms.buyer_id, BUYER_FEN)):
        reserve_for_agreement(context, member_id, 1, amount_fen)
    market.apply()
    return market


def proposal(
    to_id: int = B, quantities_kwh: tuple[int, ...] = (8_000, 0), price: int = 190_000, **changed: Any
) -> ProposeTransfer:
    fields = {"agreement_id": 1, "first_day": MID, "expires_ms": EXPIRES_MS, **changed}
    return ProposeTransfer(receiver_id=to_id, quantities_kwh=quantities_kwh, price_myuan_mwh=price, **fields)


def signature(reply: TransferReply) -> SignTransfer:
    return SignTransfer(reply.transfer_id, reply.terms_hash, reply.value_fen)


def transferred(market: Trading, from_id: int = A, to_id: int = B, **changed: Any) -> int:
    """The agreement that a transfer makes."""
    reply = market.done(from_id, proposal(to_id, **changed))
    return market.done(to_id, signature(reply)).agreement_id  # type: ignore[no-any-return] # any reply


def test_a_generator_hands_over_half_a_month_of_one_hour() -> None:
    market = market_with()
    reply = market.done(A, proposal())
    # 8,000 kWh at 190: 152,000 fen; B will be paid 200 and passes on the 10: 8,000 x 10,000 / 10,000 = 8,000 fen
    assert (reply.value_fen, reply.difference_fen) == (152_000, 8_000)
    child_id = market.done(B, signature(reply)).agreement_id
    child = agreements.terms(market.store, child_id)
    assert child == replace(
        TERMS,
        seller_id=B,
        method=Method.TRANSFER,
        first_day=MID,
        lines=(Line(0, 8_000, 200_000),),
        transfer=TransferTerms(1, A, 190_000),
    )
    assert agreements.open_kwh(market.store, 1) == (23_000, 62_000)
    assert agreements.terms(market.store, 1) == TERMS
    for day, left_kwh, moved_kwh in ((20260815, 1_000, 0), (MID, 500, 500), (LAST, 500, 500)):
        assert agreements.day_lines_kwh(market.store, 1, day) == (left_kwh, 2_000)
        assert agreements.day_segments_kwh(market.store, child_id, day)[0] == moved_kwh
        assert agreements.position_kwh(market.store, A, day)[1][0] == left_kwh
        assert agreements.position_kwh(market.store, B, day)[1][0] == moved_kwh
        assert agreements.position_kwh(market.store, X, day)[0][0] == 1_000
    # collateral: 8,000 of 93,000 kWh; 46,500 x 8/93 = 4,000; 96,101 x 8/93 = 8,266.75 -> 8,267
    assert market.reserved(A) == {"agreement:1": SELLER_FEN - 4_000}
    assert market.reserved(B) == {f"agreement:{child_id}": 4_000}
    assert market.reserved(X) == {"agreement:1": BUYER_FEN - 8_267, f"agreement:{child_id}": 8_267}
    assert market.free_fen(A) == OPENING_FEN - SELLER_FEN + 4_000 + 8_000
    assert market.free_fen(B) == OPENING_FEN - 4_000 - 8_000
    [event] = market.told(TransferConcluded)
    assert set(event.parties) == {A, B, X}  # the counterparty is told
    assert market.told(AgreementTransferred)[0].open_kwh == (23_000, 62_000)
    assert TRANSFERS.count(market.store) == 0
    market.machine.check_all()


@pytest.mark.parametrize(
    ("from_id", "to_id", "price", "difference_fen"),
    [
        (A, B, 190_000, 8_000),
        (A, B, 205_000, -4_000),
        (X, Y, 190_000, -8_000),
        (X, Y, 205_000, 4_000),
        (A, B, 200_000, 0),
    ],
)
def test_the_difference_to_the_parents_price_is_paid_at_once(
    from_id: int, to_id: int, price: int, difference_fen: int
) -> None:
    market = market_with()
    before_fen = {
        member_id: market.free_fen(member_id) + sum(market.reserved(member_id).values())
        for member_id in (from_id, to_id)
    }
    transferred(market, from_id, to_id, price=price)
    after_fen = {
        member_id: market.free_fen(member_id) + sum(market.reserved(member_id).values())
        for member_id in (from_id, to_id)
    }
    assert after_fen[to_id] == before_fen[to_id] - difference_fen
    assert after_fen[from_id] == before_fen[from_id] + difference_fen
    market.machine.check_all()


def test_all_that_is_left_can_be_moved_and_moved_on() -> None:
    market = market_with()
    transferred(market, quantities_kwh=(7_333, 11))
    movable_kwh = agreements.movable_kwh(market.context(), 1, 20260805)
    second = transferred(market, A, C, quantities_kwh=movable_kwh, first_day=20260805)
    assert agreements.day_lines_kwh(market.store, 1, 20260820) == (0, 0)
    third = transferred(market, C, B, agreement_id=second, quantities_kwh=(1_000, 1_000), first_day=MID)
    assert agreements.terms(market.store, third).transfer == TransferTerms(second, C, 190_000)
    market.machine.check_all()
    total = [agreements.day_lines_kwh(market.store, number, 20260820) for number in range(1, 5)]
    assert tuple(map(sum, zip(*total, strict=True))) == (1_000, 2_000)


def test_where_nothing_is_left_the_parent_is_settled_without_a_bill() -> None:
    market = market_with()
    transferred(market, quantities_kwh=(31_000, 62_000), first_day=FIRST)
    assert market.reserved(A) == {}
    market.advance(clock.ms_at(20260901))
    assert agreements.agreement(market.store, 1).state is State.SETTLED
    assert agreements.agreement(market.store, 2).state is State.DELIVERED


def test_collateral_is_freed_to_the_fen() -> None:
    market = market_with()
    for number in range(1, 4):
        transferred(market, quantities_kwh=(1_111 * number, 777))
        reserved = [market.reserved(member_id) for member_id in (A, B)]
        assert sum(sum(row.values()) for row in reserved) == SELLER_FEN
        assert sum(market.reserved(X).values()) == BUYER_FEN


def test_a_delivering_agreement_moves_from_tomorrow() -> None:
    market = market_with()
    market.advance(clock.ms_at(20260810))
    late: dict[str, Any] = {"expires_ms": clock.ms_at(20260811)}
    assert market.refused(A, proposal(first_day=20260810, **late)) == 9029
    transferred(market, first_day=20260811, **late)
    market.advance(clock.ms_at(20260901))
    assert market.refused(A, proposal(first_day=20260902, expires_ms=clock.ms_at(20260902))) == 8002


def test_withdrawal_and_expiry() -> None:
    market = market_with()
    for _ in range(3):
        market.done(A, proposal())
    market.done(A, WithdrawTransfer(1))
    market.done(B, WithdrawTransfer(2))
    assert market.refused(C, WithdrawTransfer(3)) == 9062
    market.advance(EXPIRES_MS)
    assert [event.end for event in market.told(TransferEnded)] == [TransferEnd.EXPIRED]
    assert market.refused(A, WithdrawTransfer(3)) == 9061


def test_what_was_moved_meanwhile_cannot_be_moved_again() -> None:
    market = market_with()
    first, second = (market.done(A, proposal(to_id, quantities_kwh=(16_000, 0))) for to_id in (B, C))
    market.done(B, signature(first))
    assert market.refused(C, signature(second)) == 8004


GREEN = replace(TERMS, green=GreenTerms(12_000, 0, MIN_OF_THREE, 0))


def test_green_power_stays_with_its_source_but_its_buyer_may_change() -> None:
    market = market_with(GREEN)
    assert market.refused(A, proposal()) == 8005
    child_id = transferred(market, X, Y)
    assert agreements.green_of(market.store, child_id) == GREEN.green


def test_the_sides_read_the_transfer() -> None:
    market = market_with()
    market.done(A, proposal())
    reader = market.projector.reader
    for viewer, count in ((Viewer(A, "generator"), 1), (Viewer(B, "generator"), 1), (Viewer(C, "generator"), 0)):
        assert len(transfers(reader, viewer)) == count
    projector = Projector(None, (AGREEMENT_VIEWS,), ())
    context = market.context()
    agreements.bear(context, TERMS)
    agreements.transfer(context, 2, A, B, MID, (8_000, 0), 190_000)
    projector.project(1, market.now_ms, (), [(-1, event) for event in context.events])
    agreements_of, lines_of, transfers_of = AGREEMENT_VIEWS.queries
    for viewer in (Viewer(A, "generator"), Viewer(B, "generator"), Viewer(X, "user")):
        assert [row["moved_kwh"] for row in transfers_of(projector.reader, viewer, agreement_id=2)] == [8_000]
    assert agreements_of(projector.reader, Viewer(A, "generator"))[0]["open_kwh"] == 85_000
    assert [row["open_kwh"] for row in lines_of(projector.reader, Viewer(A, "generator"))] == [23_000, 62_000]
    assert agreements_of(projector.reader, Viewer(B, "generator"), method="transfer")[0]["parent_id"] == 2


@pytest.mark.parametrize(
    ("sender_id", "message", "number"),
    [
        (A, proposal(agreement_id=7), 8001),
        (A, proposal(first_day=20260701), 9029),
        (A, proposal(first_day=20260731), 8003),
        (A, proposal(first_day=20260901), 8003),
        (A, proposal(quantities_kwh=(16_001, 0)), 8004),
        (A, proposal(quantities_kwh=(1,)), 8004),
        (A, proposal(quantities_kwh=(0, 0)), 1011),
        (A, proposal(quantities_kwh=(-1, 5)), 1011),
        (A, proposal(price=481_441), 9009),
        (A, proposal(expires_ms=clock.ms_at(MID) + 1), 9029),
        (A, proposal(expires_ms=0), 9029),
        (B, proposal(C), 9063),
        (A, proposal(A), 9064),
        (A, proposal(X), 9064),
        (X, proposal(GRID), 9064),
        (A, proposal(99), 3001),
        (B, SignTransfer(9, bytes(32), 0), 9061),
        (C, SignTransfer(1, bytes(32), 0), 9062),
        (A, SignTransfer(1, bytes(32), 0), 9062),
        (B, SignTransfer(1, bytes(32), 152_000), 9025),
        (B, SignTransfer(1, bytes(5), 152_000), 1011),
        (C, WithdrawTransfer(1), 9062),
        (A, WithdrawTransfer(9), 9061),
    ],
)
def test_what_does_not_fit_is_refused(sender_id: int, message: Any, number: int) -> None:
    market = market_with()
    market.done(A, proposal())
    assert market.refused(sender_id, message) == number


def test_the_receivers_compliance() -> None:
    market = market_with()
    reply = market.done(A, proposal())
    assert market.refused(B, replace(signature(reply), value_fen=1)) == 9026
    market.done(EXCHANGE, SuspendMember(A, "late"))
    assert market.refused(B, signature(reply)) == 3002
    poor = market_with()
    assert poor.refused(F, signature(poor.done(A, proposal(F)))) == 4003
    full = market_with(replace(TERMS, lines=(Line(0, 31 * CAPACITY_KW, 200_000),)))
    agreements.bear(full.context(), replace(TERMS, seller_id=B, lines=(Line(0, 31, 200_000),)))
    assert full.refused(B, signature(full.done(A, proposal(quantities_kwh=(16 * CAPACITY_KW,))))) == 9013
