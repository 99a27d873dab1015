"""Rolling match: the day of domain 4.6 row by row, the rule's table, and a naive market as oracle."""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shudian.clearing.book import IMMEDIATE, WHOLE, Book, Condition, SelfTrade, match

Trades = list[tuple[int, int, int]]  # resting order, kWh, milli-yuan/MWh

# domain 4.6: order, owner, side (none: a cancel), kWh, milli-yuan/MWh, trades, kWh left resting
DAY: list[tuple[int, str, str, int, int, Trades, int]] = [
    (1, "A", "sell", 5_000, 210_000, [], 5_000),
    (2, "B", "sell", 3_000, 208_000, [], 3_000),
    (3, "X", "buy", 4_000, 207_000, [], 4_000),
    (4, "Y", "buy", 4_000, 209_000, [(2, 3_000, 208_000)], 1_000),
    (5, "C", "sell", 2_000, 207_000, [(4, 1_000, 209_000), (3, 1_000, 207_000)], 0),
    (6, "D", "sell", 2_000, 207_000, [(3, 2_000, 207_000)], 0),
    (3, "X", "", 1_000, 0, [], 0),
    (7, "Z", "buy", 6_000, 211_000, [(1, 5_000, 210_000)], 1_000),
    (8, "B", "sell", 2_500, 209_500, [(7, 1_000, 211_000)], 1_500),
]


def placed(
    book: Book,
    order: int,
    owner: str | None,
    side: str,
    kwh: int,
    price: int,
    condition: Condition = Condition.GTC,
) -> Trades:
    fills = book.place(
        order, is_buy=side == "buy", price_myuan_mwh=price, energy_kwh=kwh, owner_id=owner, condition=condition
    )
    return [(maker.order_id, taken_kwh, maker.price_myuan_mwh) for maker, taken_kwh in fills]


def resting(book: Book, side: str) -> list[tuple[int, int]]:
    return [(order.order_id, order.open_kwh) for order in book.resting(is_buy=side == "buy")]


def test_the_day_of_the_worked_example() -> None:
    book = Book()
    all_trades: Trades = []
    net: dict[str, int] = {}
    owner_of = {order: owner for order, owner, *_ in DAY}
    for order, owner, side, kwh, price, expected, left in DAY:
        if not side:
            assert book.cancel(order) == kwh
            continue
        trades = placed(book, order, owner, side, kwh, price)
        assert trades == expected
        assert dict(resting(book, side)).get(order, 0) == left
        all_trades += trades
        for maker, taken_kwh, _ in trades:
            sign = 1 if side == "buy" else -1
            net[owner] = net.get(owner, 0) + sign * taken_kwh
            net[owner_of[maker]] = net.get(owner_of[maker], 0) - sign * taken_kwh
    assert resting(book, "buy") == []
    assert resting(book, "sell") == [(8, 1_500)]
    assert sum(kwh for _, kwh, _ in all_trades) == 13_000
    assert sum(kwh * price for _, kwh, price in all_trades) == 2_715 * 1_000_000
    assert net == {"A": -5_000, "B": -4_000, "C": -2_000, "D": -2_000, "X": 3_000, "Y": 4_000, "Z": 6_000}


# Resting sells (order, owner, kWh, price); then a buy of owner "M" for 10 kWh at 100.
SELL = tuple[int, str | None, int, int]
MATCHES: dict[str, tuple[list[SELL], SelfTrade, Trades, list[tuple[int, int]]]] = {
    "limit reached exactly": ([(1, "P", 10, 100)], SelfTrade.SKIP, [(1, 10, 100)], []),
    "limit not reached": ([(1, "P", 10, 101)], SelfTrade.SKIP, [], [(1, 10)]),
    "best price first": (
        [(1, "P", 4, 90), (2, "P", 9, 80)],
        SelfTrade.SKIP,
        [(2, 9, 80), (1, 1, 90)],
        [(1, 3)],
    ),
    "then the earliest": (
        [(1, "P", 6, 90), (2, "P", 6, 90)],
        SelfTrade.SKIP,
        [(1, 6, 90), (2, 4, 90)],
        [(2, 2)],
    ),
    "negative price": ([(1, "P", 10, -50)], SelfTrade.SKIP, [(1, 10, -50)], []),
    "own orders are passed over": ([(1, "M", 5, 80), (2, "P", 9, 90)], SelfTrade.SKIP, [(2, 9, 90)], [(1, 5)]),
    "own orders trade if allowed": (
        [(1, "M", 5, 80), (2, "P", 9, 90)],
        SelfTrade.ALLOW,
        [(1, 5, 80), (2, 5, 90)],
        [(2, 4)],
    ),
    "nobody is not an owner": ([(1, None, 5, 80)], SelfTrade.SKIP, [(1, 5, 80)], []),
}


@pytest.mark.parametrize("case", MATCHES)
def test_match(case: str) -> None:
    sells, self_trade, expected, left = MATCHES[case]
    book = Book(self_trade)
    for order, owner, kwh, price in sells:
        placed(book, order, owner, "sell", kwh, price)
    assert placed(book, 9, "M", "buy", 10, 100) == expected
    assert resting(book, "sell") == left
    assert resting(book, "buy") == ([(9, rest)] if (rest := 10 - sum(kwh for _, kwh, _ in expected)) else [])


@pytest.mark.parametrize(
    ("condition", "kwh", "trades", "left"),
    [
        (Condition.IOC, 12, [(1, 4, 80), (2, 5, 90)], 0),
        (Condition.IOC, 3, [(1, 3, 80)], 0),
        (Condition.FOK, 9, [(1, 4, 80), (2, 5, 90)], 0),
        (Condition.FOK, 10, [], 0),
        (Condition.AON, 9, [(1, 4, 80), (2, 5, 90)], 0),
        (Condition.AON, 10, [], 10),
        (Condition.GTC, 10, [(1, 4, 80), (2, 5, 90)], 1),
    ],
)
def test_conditions_of_an_arriving_order(condition: Condition, kwh: int, trades: Trades, left: int) -> None:
    book = Book()
    for order, offered, price in ((1, 4, 80), (2, 5, 90), (3, 5, 101)):
        placed(book, order, "P", "sell", offered, price)
    assert placed(book, 4, "Q", "buy", kwh, 100, condition) == trades
    assert resting(book, "buy") == ([(4, left)] if left else [])
    assert book.cancel(4) == left


def test_a_resting_all_or_none_order_is_passed_over_until_it_fits() -> None:
    book = Book()
    placed(book, 1, "P", "sell", 5, 80, Condition.AON)
    placed(book, 2, "P", "sell", 2, 90)
    assert placed(book, 3, "Q", "buy", 4, 100) == [(2, 2, 90)]
    assert placed(book, 4, "Q", "buy", 4, 100, Condition.FOK) == []
    assert placed(book, 5, "Q", "buy", 6, 100) == [(1, 5, 80)]
    assert resting(book, "buy") == [(3, 2), (5, 1)]


def test_a_price_that_was_used_up_can_come_back() -> None:
    book = Book()
    for order in (1, 3):
        placed(book, order, "P", "sell", 5, 80)
        assert resting(book, "sell") == [(order, 5)]
        assert placed(book, order + 1, "Q", "buy", 5, 80) == [(order, 5, 80)]


def test_two_nobodies_trade() -> None:
    book = Book()
    placed(book, 1, None, "sell", 5, 80)
    assert placed(book, 2, None, "buy", 5, 80) == [(1, 5, 80)]


def test_cancels() -> None:
    book = Book()
    placed(book, 1, "P", "sell", 5, 80)
    placed(book, 2, "P", "sell", 5, 80)
    placed(book, 3, "Q", "buy", 7, 80)
    assert [book.cancel(order) for order in (1, 2, 2, 3, 99)] == [0, 3, 0, 0, 0]
    assert resting(book, "sell") == []


@dataclass(frozen=True)
class Row:
    """A row of somebody else's state."""

    price_myuan_mwh: int
    open_kwh: int
    owner_id: int | None = None
    condition: Condition = Condition.GTC


def test_match_reads_only_as_far_as_it_must_and_changes_nothing() -> None:
    read: list[int] = []

    def rows() -> Iterator[Row]:
        for number in range(10):
            read.append(number)
            yield Row(100 + number, 4)

    fills = match(rows(), is_buy=True, limit_myuan_mwh=200, energy_kwh=8)
    assert [(row.price_myuan_mwh, kwh) for row, kwh in fills] == [(100, 4), (101, 4)]
    assert read == [0, 1]


steps = st.lists(
    st.one_of(
        st.tuples(
            st.sampled_from(["buy", "sell"]),
            st.integers(-3, 3),
            st.integers(1, 5),
            st.sampled_from([None, "P", "Q"]),
            st.sampled_from(Condition),
        ),
        st.integers(0, 30),
    ),
    max_size=30,
)


@given(steps, st.sampled_from(SelfTrade))
def test_book_against_a_naive_market(
    orders: list[tuple[str, int, int, str | None, Condition] | int], self_trade: SelfTrade
) -> None:
    book = Book(self_trade)
    # rank key, number, owner, kWh, condition
    naive: dict[str, list[tuple[int, int, str | None, int, Condition]]] = {"buy": [], "sell": []}
    placed_kwh = traded_kwh = cancelled_kwh = killed_kwh = 0
    for number, step in enumerate(orders):
        if isinstance(step, int):
            withdrawn = sum(row[3] for rows in naive.values() for row in rows if row[1] == step)
            naive = {side: [row for row in rows if row[1] != step] for side, rows in naive.items()}
            assert book.cancel(step) == withdrawn
            cancelled_kwh += withdrawn
            continue
        side, price, kwh, owner, condition = step
        placed_kwh += kwh
        other = "sell" if side == "buy" else "buy"
        expected: Trades = []
        left = kwh
        after = []
        for key, maker, maker_owner, open_kwh, maker_condition in sorted(naive[other], key=lambda row: row[:2]):
            maker_price = key if other == "sell" else -key
            reaches = maker_price <= price if side == "buy" else maker_price >= price
            is_own = self_trade is SelfTrade.SKIP and owner is not None and maker_owner == owner
            is_too_big = maker_condition is Condition.AON and open_kwh > left
            taken = min(left, open_kwh) if reaches and not is_own and not is_too_big else 0
            if taken:
                expected.append((maker, taken, maker_price))
                left -= taken
            if taken < open_kwh:
                after.append((key, maker, maker_owner, open_kwh - taken, maker_condition))
        if left and condition in WHOLE:
            expected, left = [], kwh
        else:
            naive[other] = after
        if left and condition not in IMMEDIATE:
            naive[side].append((-price if side == "buy" else price, number, owner, left, condition))
        killed_kwh += left if condition in IMMEDIATE else 0
        assert placed(book, number, owner, side, kwh, price, condition) == expected
        traded_kwh += 2 * (kwh - left)
    for side, rows in naive.items():
        assert resting(book, side) == [(row[1], row[3]) for row in sorted(rows, key=lambda row: row[:2])]
    left_kwh = sum(kwh for side in naive for _, kwh in resting(book, side))
    assert placed_kwh == traded_kwh + cancelled_kwh + killed_kwh + left_kwh
