"""The bench of orders in small: it runs on the market as it is, and its stages add up to the time of an order."""

from functools import partial

import pytest

from shudian.tools.bench import growth as growth_bench
from shudian.tools.bench import ledger as bench
from shudian.tools.bench.timed import STAGES

ORDERS_COUNT = 200


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, count in (("MEMBERS_COUNT", 10), ("BLOCK_COUNT", 50), ("BATCH_COUNT", 10)):
        monkeypatch.setattr(bench, name, count)


def test_the_bench_of_orders() -> None:
    with bench.prepared_market(ORDERS_COUNT) as market:
        single = bench._run(market, 1)
        batched = bench._run(market, 10)
        acknowledged_s = bench._paced(market, 1e9)
        with bench._ledger(market) as ledger:
            replay_per_s = bench._replay_per_s(ledger)
        spent_us = {size: growth_bench.costs_us(partial(bench._machine_of, market), size) for size in (10, 100)}
    assert single.trades > 0
    assert batched.trades > 0
    assert replay_per_s > 0
    assert len(acknowledged_s) == ORDERS_COUNT
    assert min(acknowledged_s) > 0
    rows = growth_bench.table(spent_us)
    assert [row["resting_orders"] for row in rows] == [10, 100]
    assert rows[0]["rate_over_first"] == 1
    assert {*single.spent} == {*STAGES, bench.FRONT}
    before_answers_s = sum(single.spent[stage] for stage in STAGES if stage != "project")
    assert before_answers_s == pytest.approx(ORDERS_COUNT / single.orders_per_s)
    assert all(seconds >= 0 for seconds in single.spent.values())
