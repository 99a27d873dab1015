"""The whole story in order: the steps of the four chapters, the daily ones interleaved by market time."""

from shudian.kernel import clock
from shudian.sandbox.world import World
from shudian.tools.demo import delivery, joining, markets, paying
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
    daily.sort(key=lambda step: step.at_ms)
    return [*joining.steps(), *markets.monthly_steps(), *daily, *paying.steps()]
