"""What metering remembers: meters, the accepted version of each meter's day, and the versions that it replaced.

The 96 values of a day are cold: a blob in the node's store, found by the digest in the row.
"""

from shudian.contracts.metering.messages import Meter
from shudian.kernel.codec import Record
from shudian.kernel.contract import BlockContext, RowInvariant, StateInvariant
from shudian.kernel.tables import Key, Table
from shudian.kernel.units import SLOTS_PER_DAY, WH_PER_KWH


class Readings(Record):
    """The cold blob of one version of a meter's day.

    reported_wh: 96 readings as they came, empty if all were accepted as they were. accepted_wh: 96 accepted readings;
    both little-endian signed 32-bit. segments_kwh: whole kWh of the 24 hours. estimated_slots: slots that were
    estimated.
    """

    reported_wh: bytes
    accepted_wh: bytes
    segments_kwh: tuple[int, ...]
    estimated_slots: tuple[int, ...]


class Day(Record):
    """One version of a meter's day.

    digest: of its blob. version: from 1. energy_wh: sum of the 96 accepted values. energy_kwh: sum of the 24 hours.
    carry_in_wh: what the meter carried into the day. estimated_count: slots that were estimated. accepted_ms: when.
    reason: of a correction.
    """

    digest: bytes
    version: int
    energy_wh: int
    energy_kwh: int
    carry_in_wh: int
    estimated_count: int
    accepted_ms: int
    reason: str


def _by_owner(_key: Key, row: Meter) -> Key:
    return row.owner_id, row.direction


def _by_resource(_key: Key, row: Meter) -> Key:
    return row.resource_id, row.direction


def _by_code(_key: Key, row: Meter) -> Key:
    return (row.code,)


METERS = Table(
    "metering.meters",
    Meter,
    ("meter_id",),
    {"by_owner": _by_owner, "by_resource": _by_resource, "by_code": _by_code},
)
DAYS = Table("metering.days", Day, ("meter_id", "day"))
FORMER_DAYS = Table("metering.former_days", Day, ("meter_id", "day", "version"))

TABLES = (METERS, DAYS, FORMER_DAYS)


def _loses_no_wh(_key: Key, row: Meter) -> bool:
    return row.total_wh == row.total_kwh * WH_PER_KWH + row.carry_wh


def _counts_are_possible(_key: Key, row: Day) -> bool:
    return row.energy_wh >= 0 and row.energy_kwh >= 0 and 0 <= row.estimated_count <= SLOTS_PER_DAY


def _registers_are_sums(ctx: BlockContext) -> bool:
    wh: dict[object, int] = {}
    kwh: dict[object, int] = {}
    for key, day in DAYS.range(ctx):
        wh[key[0]] = wh.get(key[0], 0) + day.energy_wh
        kwh[key[0]] = kwh.get(key[0], 0) + day.energy_kwh
    return all(
        (meter.total_wh, meter.total_kwh) == (wh.get(key[0], 0), kwh.get(key[0], 0)) for key, meter in METERS.range(ctx)
    )


def _versions_are_complete(ctx: BlockContext) -> bool:
    former = FORMER_DAYS.count(ctx)
    return former == sum(row.version - 1 for _, row in DAYS.range(ctx))


INVARIANTS = (
    RowInvariant("no Wh is lost: register = kWh given out + carry", METERS, _loses_no_wh),
    RowInvariant("a day has possible counts", DAYS, _counts_are_possible),
    StateInvariant("a meter's register is the sum of its days", _registers_are_sums),
    StateInvariant("every former version of a day is kept", _versions_are_complete),
)
