"""Agreements: birth, curves, positions, price, life; nothing is lost to rounding."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shudian.contracts.agreements import rules
from shudian.contracts.agreements.messages import Agreement, Line, Method, SlotFacts, State, Terms
from shudian.contracts.agreements.rules_curves import share_of_day_kwh
from shudian.contracts.agreements.views import VIEWS
from shudian.contracts.roles import OVERSIGHT
from shudian.kernel import check, clock
from shudian.kernel.codec import encode
from shudian.kernel.crypto import sha256
from shudian.kernel.outcomes import Refused
from shudian.kernel.tables import HasStore
from shudian.kernel.units import split_residue_to_largest
from shudian.reading.projector import Projector
from shudian.reading.reader import Viewer
from tests.support.ledger import Ledger

SELLER, BUYER, OTHER = 5, 7, 9


def july(*lines: Line) -> Terms:
    return Terms(1, SELLER, BUYER, Method.AUCTION, 3, "monthly", 20260701, 20260731, "SC", lines)


TWO_PRICES = july(Line(0, 31_005, 200_000), Line(14, 1_000, 210_000), Line(14, 500, 212_500))


def ledger_with(*bound: Terms) -> Ledger:
    book = Ledger([rules.CONTRACT])
    for number, terms in enumerate(bound, 1):
        assert rules.bear(book.context(), terms) == number
    book.apply()
    book.machine.check_all()
    return book


def test_an_agreement_is_born_with_the_hash_and_energy_of_its_terms() -> None:
    book = ledger_with(TWO_PRICES)
    assert rules.agreement(book.store, 1) == Agreement(
        1,
        sha256(encode(TWO_PRICES)),
        SELLER,
        BUYER,
        Method.AUCTION,
        20260701,
        20260731,
        32_505,
        (0, 0, 0),
        State.EFFECTIVE,
    )
    assert rules.terms(book.store, 1) == TWO_PRICES


def test_each_day_takes_its_share_and_the_first_day_the_residue() -> None:
    store = ledger_with(TWO_PRICES).store
    assert rules.day_lines_kwh(store, 1, 20260701) == (1_005, 40, 20)
    assert rules.day_lines_kwh(store, 1, 20260731) == (1_000, 32, 16)
    assert rules.day_lines_kwh(store, 1, 20260630) == rules.day_lines_kwh(store, 1, 20260801) == (0, 0, 0)
    segments_kwh = rules.day_segments_kwh(store, 1, 20260731)
    assert (segments_kwh[0], segments_kwh[14], sum(segments_kwh)) == (1_000, 48, 1_048)


def test_the_days_sum_to_each_line() -> None:
    store = ledger_with(TWO_PRICES).store
    days = [rules.day_lines_kwh(store, 1, day) for day in clock.days(20260701, 20260731)]
    assert [sum(column) for column in zip(*days, strict=True)] == [31_005, 1_000, 500]


@given(st.integers(0, 10**9), st.integers(1, 366))
def test_the_share_of_a_day_is_the_decomposition_by_equal_days(energy_kwh: int, day_count: int) -> None:
    shares = [share_of_day_kwh(energy_kwh, day_count, day_no) for day_no in range(day_count)]
    by_law = split_residue_to_largest(energy_kwh, [1] * day_count)
    assert sum(shares) == energy_kwh
    assert min(shares) >= 0
    assert shares == by_law or min(by_law) < 0
    assert shares == [row[0] for row in rules.decompose(energy_kwh, [1] * day_count, [1])]


@given(st.integers(0, 10**9), st.lists(st.integers(1, 9), min_size=1, max_size=31))
def test_a_decomposed_curve_keeps_its_energy(energy_kwh: int, day_weights: list[int]) -> None:
    rows = rules.decompose(energy_kwh, day_weights, [5] * 6 + [10] * 8 + [13] * 10)
    assert len(rows) == len(day_weights)
    assert sum(map(sum, rows)) == energy_kwh
    assert min(map(min, rows)) >= 0


@given(st.lists(st.integers(0, 10**7), min_size=24, max_size=24))
def test_quarter_hours_keep_the_energy_of_their_hour(segments_kwh: list[int]) -> None:
    slots = rules.slots_kwh(segments_kwh)
    assert [sum(slots[4 * hour : 4 * hour + 4]) for hour in range(24)] == segments_kwh
    assert min(slots) >= 0


@pytest.mark.parametrize(
    ("line_no", "energy_kwh", "amount_fen"),
    [(0, 1_000, 20_000), (0, 0, 0), (1, 32, 672), (2, 16, 340), (2, 2, 43), (0, -1_000, -20_000)],
)
def test_price_is_energy_times_price_rounded_once(line_no: int, energy_kwh: int, amount_fen: int) -> None:
    amount, explanation = rules.price(TWO_PRICES, SlotFacts(20260701, line_no, energy_kwh))
    assert amount == explanation.amount_fen == amount_fen
    assert explanation.quantity_kwh == energy_kwh
    assert explanation.price_myuan_mwh == TWO_PRICES.lines[line_no].price_myuan_mwh


def test_a_negative_price_pays_the_buyer() -> None:
    assert rules.price(july(Line(12, 31_000, -50_000)), SlotFacts(20260701, 0, 1_000))[0] == -5_000


def test_positions_add_up_on_both_sides() -> None:
    day = Terms(1, SELLER, OTHER, Method.ROLLING, 4, "daily", 20260701, 20260701, "SC", (Line(14, 100, 1),))
    store = ledger_with(TWO_PRICES, day).store
    assert rules.position_kwh(store, SELLER, 20260701)[1][14] == 160
    assert rules.position_kwh(store, BUYER, 20260701)[0][14] == 60
    assert rules.position_kwh(store, OTHER, 20260701)[0][14] == 100
    assert rules.position_kwh(store, OTHER, 20260702) == ((0,) * 24, (0,) * 24)


@pytest.mark.parametrize(
    ("day", "state", "event_names"),
    [
        (20260630, State.EFFECTIVE, []),
        (20260701, State.DELIVERING, ["AgreementDelivering"]),
        (20260731, State.DELIVERING, ["AgreementDelivering"]),
        (20260801, State.DELIVERED, ["AgreementDelivering", "AgreementDelivered"]),
    ],
)
def test_life_moves_on_with_the_market_day(day: int, state: State, event_names: list[str]) -> None:
    book = ledger_with(TWO_PRICES)
    book.advance(clock.ms_at(day))
    assert rules.agreement(book.store, 1).state is state
    assert [type(event).__name__ for event in book.events] == event_names
    book.apply()
    assert not book.events


def test_only_what_is_delivered_is_settled_and_leaves_the_lists() -> None:
    book = ledger_with(TWO_PRICES)
    with pytest.raises(check.CheckFailed):
        rules.mark_settled(book.context(), 1)
    book.advance(clock.ms_at(20260801))
    assert rules.delivering_on(book.store, 20260731) == [1]
    context = book.context()
    rules.mark_settled(context, 1, ("statement:4",))
    assert context.events[0].also == ("statement:4",)
    assert rules.agreement(book.store, 1).state is State.SETTLED
    assert rules.delivering_on(book.store, 20260731) == rules.agreements_of(book.store, BUYER, 20260731) == []


def test_agreements_are_listed_by_day_and_member() -> None:
    day = Terms(1, OTHER, SELLER, Method.ROLLING, 4, "daily", 20260702, 20260702, "SC", (Line(14, 100, 1),))
    store = ledger_with(TWO_PRICES, day).store
    for on_day, ids in ((20260630, []), (20260701, [1]), (20260702, [1, 2]), (20260801, [])):
        assert rules.delivering_on(store, on_day) == ids
    assert rules.agreements_of(store, SELLER, 20260702) == [1, 2]
    assert rules.agreements_of(store, OTHER, 20260701) == []


@pytest.mark.parametrize("read", [rules.agreement, rules.terms])
def test_an_unknown_agreement_is_refused(read: Callable[[HasStore, int], object]) -> None:
    with pytest.raises(Refused) as caught:
        read(ledger_with().store, 1)
    assert caught.value.refusal.number == 8001


def test_the_two_sides_read_it_and_others_do_not() -> None:
    projector = Projector(None, (VIEWS,), OVERSIGHT)
    book = Ledger([rules.CONTRACT])
    context = book.context()
    rules.bear(context, TWO_PRICES)
    projector.project(1, book.now_ms, (), [(-1, event) for event in context.events])
    agreements, lines, _ = VIEWS.queries
    for viewer, count in ((Viewer(SELLER, "generator"), 1), (Viewer(BUYER, "user"), 1), (Viewer(OTHER, "user"), 0)):
        assert len(agreements(projector.reader, viewer, agreement_id=1)) == count
        assert len(lines(projector.reader, viewer, agreement_id=1)) == 3 * count
    row = agreements(projector.reader, Viewer(1, "regulator"))[0]
    assert (row["quantity_kwh"], row["value_fen"], row["state"]) == (32_505, 651_725, "effective")
