"""How the cost of an order grows with the state: the same orders on top of a thousand to a million others that rest in the same books."""

import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from shudian.clearing.book import Condition
from shudian.contracts.trading.messages import Side
from shudian.kernel.machine import Machine
from shudian.kernel.opened import Arrival
from shudian.kernel.units import SEGMENTS_PER_DAY

SIZES_COUNT = (1_000, 10_000, 100_000, 1_000_000)
QUANTITY_KWH = 100
FIRST_ID = 1_000_000_000
"""Far above the ids that the bench's own orders get."""
OWNER_ID = 1_000_000
"""Of a member that is not there: the resting orders are only weight, and stand where no price reaches them."""


Prepared = tuple[Machine, int, Sequence[Sequence[Arrival]]]
"""A machine, the number of a rolling session of all segments, and blocks of orders for it that have been through the door."""


def costs_us(prepare: Callable[[], Prepared], size: int) -> list[float]:
    """CPU microseconds per order on a state with so many resting orders, of each block but the first, which puts the books in order.

    What is measured is :meth:`Machine.apply`: execution, invariants of rows, roots; no signature and no disk.
    """
    machine, session_id, blocks = prepare()
    market_ms = machine.market_ms
    _rest(machine, session_id, size)
    machine.apply(market_ms, [])
    machine.settle()
    spent_us = []
    for block in blocks:
        started = time.process_time_ns()
        applied = machine.apply(market_ms, block)
        spent_us.append((time.process_time_ns() - started) / len(block) / 1_000)
        _all_done(applied.outcomes)
        machine.settle()
    return spent_us[1:]


def table(spent_us: Mapping[int, Sequence[float]]) -> list[dict[str, Any]]:
    """A row per size of state, from what :func:`costs_us` gave: resting orders, median microseconds per order, and the rate over that at the first size."""
    medians = {size: statistics.median(costs) for size, costs in spent_us.items()}
    first = next(iter(medians.values()))
    return [
        {"resting_orders": size, "us_per_order": round(cost, 1), "rate_over_first": round(first / cost, 2)}
        for size, cost in medians.items()
    ]


def _all_done(outcomes: Sequence[tuple[Any, ...]]) -> None:
    refused = [answers[0] for answers in outcomes if not answers[0].done]
    if refused:
        message = f"the bench's orders were refused: {refused[0]}"
        raise RuntimeError(message)


def _rest(machine: Machine, session_id: int, size: int) -> None:
    """Let ``size`` orders rest, half buys at the floor and half sells at the cap of the session's prices."""
    sessions, orders, stakes = (
        machine.store.rows[f"trading.{name}"].table for name in ("sessions", "orders", "stakes")
    )
    rules = sessions.need(machine.store, session_id).rules
    counts = {side: [0] * SEGMENTS_PER_DAY for side in Side}
    for number in range(size):
        side, segment = (Side.SELL if number % 2 else Side.BUY), number // 2 % SEGMENTS_PER_DAY
        counts[side][segment] += 1
        order = orders.record(
            order_id=FIRST_ID + number,
            session_id=session_id,
            owner_id=OWNER_ID,
            segment=segment,
            side=side,
            price_myuan_mwh=rules.price_cap_myuan_mwh if side is Side.SELL else rules.price_floor_myuan_mwh,
            quantity_kwh=QUANTITY_KWH,
            open_kwh=QUANTITY_KWH,
            condition=Condition.GTC,
        )
        orders.put(machine.store, (order.order_id,), order)
    for side in Side:
        exposed_kwh = tuple(QUANTITY_KWH * count for count in counts[side])
        stakes.put(machine.store, (OWNER_ID, session_id, side), stakes.record(sum(counts[side]), exposed_kwh))
