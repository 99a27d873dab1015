"""What the meters report: the truth, but for three faulty meters that metering has to deal with.

On three days one load meter drops two quarter hours in a row (short enough to interpolate, domain 4.1); on one day another
drops a longer stretch (a day of the same kind has to stand in); a third reports one reading ten times too high, which is
corrected later.
"""

from dataclasses import dataclass

from shudian.sandbox.packaged import SLOTS
from shudian.sandbox.world import World

MISSING = -1
_JUMP = 10
# Kind, length in quarter hours, on how many days.
_KINDS = (("short_gap", 2, 3), ("long_gap", 11, 1), ("implausible", 1, 1))


@dataclass(frozen=True)
class MeterFault:
    """A stretch of one meter on one day where the report is not the truth.

    ``kind`` is short_gap, long_gap or implausible; ``first_slot`` 0-95; ``reported_wh`` and ``true_wh`` run from it.
    """

    kind: str
    resource_key: str
    day: int
    first_slot: int
    reported_wh: tuple[int, ...]
    true_wh: tuple[int, ...]


def faults(world: World) -> tuple[MeterFault, ...]:
    """The month's faults by kind and day, on three meters, away from the ends of the day and never on the first day.

    A longer gap is filled from an earlier day, so there has to be one.
    """
    meters = world.dice.shuffle((load.key for load in world.loads), "faulty meters")
    days = [str(world.day_at(index)) for index in range(1, world.days)]
    return tuple(
        _fault(world, kind, length, meter, int(day))
        for (kind, length, count), meter in zip(_KINDS, meters[: len(_KINDS)], strict=True)
        for day in sorted(world.dice.shuffle(days, "faulty days", kind)[:count])
    )


def reported_wh(world: World, resource_key: str, day: int) -> tuple[int, ...]:
    """The 96 readings of a meter for a day (yyyymmdd) in Wh, -1 where one is missing.

    Raises:
        KeyError: if there is no such plant or load.
        ValueError: if the day is outside the world.
    """
    readings = list(true_wh(world, resource_key, day))
    for fault in faults(world):
        if (fault.resource_key, fault.day) == (resource_key, day):
            readings[fault.first_slot : fault.first_slot + len(fault.reported_wh)] = fault.reported_wh
    return tuple(readings)


def true_wh(world: World, resource_key: str, day: int) -> tuple[int, ...]:
    """What really flowed: 96 values in Wh. Errors as for :func:`reported_wh`."""
    return tuple(int(wh) for wh in world.actual.energy_wh(resource_key)[world.index_of(day)])


def _fault(world: World, kind: str, length: int, meter: str, day: int) -> MeterFault:
    first_slot = world.dice.between(SLOTS // 4, SLOTS * 3 // 4, "faulty slot", kind, day)
    truth = true_wh(world, meter, day)[first_slot : first_slot + length]
    reported = tuple(wh * _JUMP for wh in truth) if kind == "implausible" else (MISSING,) * length
    return MeterFault(kind, meter, day, first_slot, reported, truth)
