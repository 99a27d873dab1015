"""Third chapter: each day the meters report, the exchange publishes the reference prices and clears the day."""

import struct
from functools import partial

from shudian.contracts.metering.messages import READINGS_EXIST, CorrectReadings, SubmitReadings, UnbindMeter
from shudian.contracts.roles import Role
from shudian.contracts.settlement.messages import ClearDay, PublishReferencePrices
from shudian.kernel import clock
from shudian.kernel.units import SLOTS_PER_DAY
from shudian.sandbox.metering import faults, reported_wh, true_wh
from shudian.tools.demo.joining import resource_of_key
from shudian.tools.demo.markets import monthly_session
from shudian.tools.demo.stage import EXCHANGE, GRID, Act, Stage, batch
from shudian.tools.demo.steps import Step

_COLUMN = struct.Struct(f"<{SLOTS_PER_DAY}i")


def _meter_of_resource(stage: Stage) -> dict[int, int]:
    return {row["resource_id"]: row["meter_id"] for row in stage.query(GRID, "metering.meters")}


def _readings(stage: Stage, day: int) -> SubmitReadings:
    meters = _meter_of_resource(stage)
    resources = resource_of_key(stage)
    columns = {meters[resource_id]: reported_wh(stage.world, key, day) for key, resource_id in resources.items()}
    ordered = sorted(columns)
    return SubmitReadings(day, tuple(ordered), b"".join(_COLUMN.pack(*columns[meter_id]) for meter_id in ordered))


def _corrections(stage: Stage, day: int) -> list[CorrectReadings]:
    """A reading that could not be true is read again before the day is cleared."""
    meters, resources = _meter_of_resource(stage), resource_of_key(stage)
    return [
        CorrectReadings(
            meters[resources[fault.resource_key]],
            day,
            _COLUMN.pack(*true_wh(stage.world, fault.resource_key, day)),
            "现场复核抄表",
        )
        for fault in faults(stage.world)
        if fault.kind == "implausible" and fault.day == day
    ]


def _report(day: int, stage: Stage) -> list[Act]:
    readings = _readings(stage, day)
    acts = [
        batch(GRID, Role.METER, "readings", [readings]),
        batch(EXCHANGE, Role.OPERATOR, "prices", [_prices(stage, day)]),
    ]
    if day == stage.world.first_day:
        acts.append(batch(GRID, Role.METER, "readings again", [readings], READINGS_EXIST.number))
    return acts


def _prices(stage: Stage, day: int) -> PublishReferencePrices:
    index = stage.world.index_of(day)
    rows = stage.query(EXCHANGE, "trading.cleared", session_id=monthly_session(stage, 0))
    contract = {row["segment"]: row["price_myuan_mwh"] for row in rows if row["price_myuan_mwh"] is not None}
    real_time = tuple(stage.world.actual.prices.price_myuan_mwh[index])
    return PublishReferencePrices(
        day,
        tuple(int(price) for price in stage.world.day_ahead.prices.price_myuan_mwh[index]),
        tuple(int(price) for price in real_time),
        tuple(int(contract.get(segment, price)) for segment, price in enumerate(real_time)),
    )


def _clear(day: int, stage: Stage) -> list[Act]:
    corrections = _corrections(stage, day)
    acts = [batch(GRID, Role.METER, "corrections", corrections)] if corrections else []
    return [*acts, batch(EXCHANGE, Role.OPERATOR, "clear", [ClearDay(day)])]


def _unbind(stage: Stage) -> list[Act]:
    """A shortened run stops in mid month: the meters' binding ends with its last day."""
    last_day = stage.world.day_at(stage.world.days - 1)
    if last_day == clock.month_last_day(clock.month_of(last_day)):
        return []
    return [
        batch(
            GRID,
            Role.METER,
            "unbind",
            [UnbindMeter(meter_id, last_day) for meter_id in sorted(_meter_of_resource(stage).values())],
        )
    ]


def day_steps(day: int, *, last: bool) -> list[Step]:
    """What happens on the morning after a day of delivery."""
    morning = clock.day_after(day)
    steps = [
        Step(
            f"report-{day}",
            clock.ms_at(morning, 8),
            partial(_report, day),
            "计量上报与参考价发布",
            "meters report, prices are published",
        ),
        Step(f"clear-{day}", clock.ms_at(morning, 8, 30), partial(_clear, day), "日清", "the day is cleared"),
    ]
    if last:
        steps.append(Step("unbind", clock.ms_at(morning, 8, 40), _unbind, "计量收尾", "metering ends"))
    return steps
