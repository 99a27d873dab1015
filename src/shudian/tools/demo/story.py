"""The whole story in order: the steps of the four chapters, the daily ones interleaved by market time."""

from collections.abc import Callable
from functools import partial

from shudian.kernel import clock
from shudian.sandbox.world import World
from shudian.tools.demo import deals, delivery, financing, greening, joining, markets, paying, securing, telling
from shudian.tools.demo.stage import Stage
from shudian.tools.demo.steps import Step

CHAIN_ID = "shudian-sandbox"
START_MS = clock.ms_at(20260511, 9)
"""Market time of genesis and of the first step."""


def story(world: World) -> list[Step]:
    """Every step of the sandbox month."""
    last_day = world.day_at(world.days - 1)
    daily: list[Step] = []
    for day in clock.days(world.first_day, last_day):
        daily += markets.rolling_steps(day)
        daily += delivery.day_steps(day, last=day == last_day)
    joined = [*joining.steps(), *securing.steps(), *greening.filing_steps(), *markets.monthly_steps(), *deals.steps()]
    paid = [*paying.steps(), *greening.steps(), *financing.early_steps(), *financing.late_steps()]
    return sorted([*joined, *daily, *paid], key=lambda step: step.at_ms)


Telling = Callable[[Stage], tuple[str, str]]


def tellings(world: World) -> dict[str, Telling]:
    """By key of a step: what is told after it."""
    told: dict[str, Telling] = {
        "people": telling.members,
        "meters": telling.resources,
        "monthly-late": telling.monthly,
        "guarantees-answer": telling.guarantees,
        "transfer-sign": telling.deals,
        "certificates-buy": telling.certificates,
        "finance-choose": telling.financed,
        "maturity": telling.redeemed,
        "issue": telling.issued,
        "pay": telling.paid,
        "late-payment": telling.paid,
    }
    for day in clock.days(world.first_day, world.day_at(world.days - 1)):
        told[f"rolling-{day}-close"] = partial(telling.rolling, day)
        told[f"clear-{day}"] = partial(telling.cleared, day)
    return told
