"""How fast the market clears: the auction against a bare sort, the order book against signature checks, in one run.

Nothing is signed, stored or sent here; this is the clearing alone, on one core.
"""

import os
import platform
import statistics
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from nacl.signing import SigningKey

from shudian.clearing.auction import Flags, Ints, clear
from shudian.clearing.book import Book

_SEED = 20260701
_ORDER_COUNT = 10_000
_SEGMENT_COUNT = 24
_STREAM_COUNT = 100_000
_VERIFY_COUNT = 2_000

Segment = tuple[Flags, Ints, Ints, Ints]
# order id; whether it buys (None: cancel that order); price in milli-yuan/MWh; kWh; owner
Step = tuple[int, bool | None, int, int, int]


def run(runs: int = 5) -> dict[str, Any]:
    """Medians over ``runs`` runs, with the facts of the machine.

    auction_ratio: time to clear 10,000 orders x 24 segments over the time numpy takes to sort the same prices and cumulate the same
    quantities, each as one array per segment (the least that any auction must do; ``auction_curves_ratio`` compares with
    building both supply and demand curves). rolling_orders_per_s: steps of a seeded stream with 10 % cancels through one book.
    """
    segments = [_segment(number) for number in range(_SEGMENT_COUNT)]
    steps = _stream()
    rates: dict[str, list[float]] = {}
    for _ in range(runs):
        seconds = {
            "auction": _seconds(lambda: _clear_all(segments)),
            "sort": _seconds(lambda: _sort_and_cumulate(segments)),
            "curves": _seconds(lambda: _sort_both_curves(segments)),
            "rolling": _seconds(lambda: _replay(steps)),
            "verify": _verify_seconds(),
        }
        for name, value in _rates(seconds).items():
            rates.setdefault(name, []).append(value)
    return {
        "medians_of_runs": runs,
        "auction_orders": _ORDER_COUNT,
        "auction_segments": _SEGMENT_COUNT,
        "rolling_steps": _STREAM_COUNT,
        "rolling_trades": _replay(steps),
        **{name: round(statistics.median(values), 3) for name, values in rates.items()},
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "numpy": np.__version__,
        "machine": platform.machine(),
    }


def _rates(seconds: dict[str, float]) -> dict[str, float]:
    orders_per_s = _STREAM_COUNT / seconds["rolling"]
    verify_per_s = _VERIFY_COUNT / seconds["verify"]
    return {
        "auction_ms": 1_000 * seconds["auction"],
        "auction_ratio": seconds["auction"] / seconds["sort"],
        "auction_curves_ratio": seconds["auction"] / seconds["curves"],
        "rolling_orders_per_s": orders_per_s,
        "pynacl_verify_per_s": verify_per_s,
        "rolling_over_verify": orders_per_s / verify_per_s,
    }


def _seconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def _segment(number: int) -> Segment:
    """Orders of one segment: prices of 150-480 yuan/MWh on a grid of 0.1, quantities of 1-500 MWh."""
    draw = np.random.default_rng((_SEED, number))
    return (
        draw.random(_ORDER_COUNT) < 0.5,  # noqa: PLR2004 - half of the orders buy
        draw.integers(1_500, 4_801, _ORDER_COUNT) * 100,
        draw.integers(1, 501, _ORDER_COUNT) * 1_000,
        draw.integers(0, 3_600_000, _ORDER_COUNT),
    )


def _clear_all(segments: list[Segment]) -> None:
    for is_buy, price, quantity, submitted in segments:
        clear(is_buy, price, quantity, submitted)


def _sort_and_cumulate(segments: list[Segment]) -> None:
    for _, price, quantity, _ in segments:
        np.sort(price)
        np.cumsum(quantity)


def _sort_both_curves(segments: list[Segment]) -> None:
    for is_buy, price, quantity, _ in segments:
        for side in (is_buy, ~is_buy):
            np.cumsum(quantity[side][np.argsort(price[side])])


def _stream() -> list[Step]:
    """Limit orders around a wandering middle price, so that about half of them trade on arrival; every tenth step is a cancel."""
    draw = np.random.default_rng(_SEED)
    middle = 3_000 + np.cumsum(draw.integers(-1, 2, _STREAM_COUNT))
    away = np.abs(draw.normal(0, 60, _STREAM_COUNT)).astype(np.int64) - 20
    is_buy = draw.random(_STREAM_COUNT) < 0.5  # noqa: PLR2004 - half of the orders buy
    price = ((middle + np.where(is_buy, -away, away)) * 100).tolist()
    energy = (draw.integers(1, 101, _STREAM_COUNT) * 100).tolist()
    owner = draw.integers(1, 201, _STREAM_COUNT).tolist()
    back = draw.integers(1, 200, _STREAM_COUNT).tolist()
    buys = is_buy.tolist()
    return [
        (number - back[number], None, 0, 0, 0)
        if number % 10 == 9  # noqa: PLR2004 - every tenth step
        else (number, buys[number], price[number], energy[number], owner[number])
        for number in range(_STREAM_COUNT)
    ]


def _replay(steps: list[Step]) -> int:
    """Put the stream through a new book; the number of trades."""
    book = Book()
    trade_count = 0
    for order_id, is_buy, price, energy, owner in steps:
        if is_buy is None:
            book.cancel(order_id)
        else:
            trade_count += len(
                book.place(order_id, is_buy=is_buy, price_myuan_mwh=price, energy_kwh=energy, owner_id=owner)
            )
    return trade_count


def _verify_seconds() -> float:
    key = SigningKey(bytes(32))
    signed = [key.sign(number.to_bytes(128, "big")) for number in range(_VERIFY_COUNT)]
    verify_key = key.verify_key

    def work() -> None:
        for message in signed:
            verify_key.verify(message.message, message.signature)

    return _seconds(work)
