"""How a reported day becomes an accepted one: plausibility, gaps, whole kWh, and the versions that are kept."""

from collections.abc import Sequence
from dataclasses import dataclass

import msgspec

from shudian.contracts.governance import rules as governance
from shudian.contracts.metering import rules_slots as slots
from shudian.contracts.metering.messages import NOTHING_TO_ESTIMATE_FROM, READINGS_MISSING, Meter, MeterDay
from shudian.contracts.metering.state import DAYS, FORMER_DAYS, METERS, Day, Readings
from shudian.contracts.resources import rules as resources
from shudian.kernel import clock
from shudian.kernel.codec import decode, encode
from shudian.kernel.contract import BlockContext
from shudian.kernel.outcomes import both
from shudian.kernel.tables import HasStore
from shudian.kernel.units import WH_PER_KWH

PLAUSIBLE_MAX = "metering.plausible_max_ppm"
LOOKBACK = "metering.profile_lookback_count"


@dataclass(frozen=True)
class Accepted:
    """A day of a meter that is ready to be written.

    reported: as it came. values_wh: 96 accepted values. carry_in_wh, carry_out_wh: before and after.
    interpolated_slots, profile_slots: what was estimated and how; profile_day: whose profile, 0 if none. suspect_slots:
    reported, not plausible.
    """

    meter_id: int
    day: int
    reported: tuple[int, ...]
    values_wh: tuple[int, ...]
    segments_kwh: tuple[int, ...]
    carry_in_wh: int
    carry_out_wh: int
    interpolated_slots: tuple[int, ...]
    profile_slots: tuple[int, ...]
    suspect_slots: tuple[int, ...]
    profile_day: int

    @property
    def estimated_slots(self) -> tuple[int, ...]:
        """Every slot whose value was estimated, rising."""
        return tuple(sorted((*self.interpolated_slots, *self.profile_slots)))

    def told(self, meter: Meter) -> MeterDay:
        """The day as events tell it."""
        return MeterDay(
            meter_id=self.meter_id,
            owner_id=meter.owner_id,
            direction=meter.direction,
            values_wh=slots.pack(self.values_wh),
            energy_wh=sum(self.values_wh),
            energy_kwh=sum(self.segments_kwh),
            estimated_slots=self.estimated_slots,
            suspect_slots=self.suspect_slots,
        )


def of_day(day: int) -> str:
    """What a refusal asks for when a day has no readings."""
    return both(f"{day} 的示数", f"readings of {day}")


def readings_of(at: BlockContext, meter_id: int, day: int, version: int = 0) -> Readings:
    """The blob of a meter's day in its present version, or in a given one. Refuses: 7003."""
    row = DAYS.get(at, meter_id, day)
    if row is not None and version not in (0, row.version):
        row = FORMER_DAYS.get(at, meter_id, day, version)
    if row is None:
        raise READINGS_MISSING("meter_id", meter_id, of_day(day))
    return decode(at.cold.get(row.digest), Readings)


def accept(
    ctx: BlockContext, meter_id: int, meter: Meter, day: int, reported: Sequence[int], carry_in_wh: int
) -> Accepted:
    """Judge and complete a reported day; nothing is written. Refuses: 7010."""
    share_ppm = governance.setting(ctx, PLAUSIBLE_MAX, day)
    capacity_kw = resources.resource(ctx, meter.resource_id).capacity_kw
    suspect_slots = slots.suspects(reported, slots.plausible_max_wh(capacity_kw, share_ppm))
    found = slots.gaps(reported, suspect_slots)
    is_profile_needed = any(slots.is_long(gap) for gap in found)
    profile_day = _profile_day(ctx, meter_id, day) if is_profile_needed else 0
    profile_wh = slots.slots_of(readings_of(ctx, meter_id, profile_day).accepted_wh) if profile_day else ()
    values_wh = slots.fill(reported, found, profile_wh)
    hours_kwh, carry_out_wh = slots.segments_kwh(values_wh, carry_in_wh)
    return Accepted(
        meter_id=meter_id,
        day=day,
        reported=tuple(reported),
        values_wh=tuple(values_wh),
        segments_kwh=hours_kwh,
        carry_in_wh=carry_in_wh,
        carry_out_wh=carry_out_wh,
        interpolated_slots=tuple(slot for gap in found if not slots.is_long(gap) for slot in range(*gap)),
        profile_slots=tuple(slot for gap in found if slots.is_long(gap) for slot in range(*gap)),
        suspect_slots=suspect_slots,
        profile_day=profile_day,
    )


def _profile_day(ctx: BlockContext, meter_id: int, day: int) -> int:
    """The latest earlier day with readings of the same type (working or not), else the latest of any type. Refuses: 7010."""
    lookback_count = governance.setting(ctx, LOOKBACK, day)
    is_working = _is_working(ctx, day)
    of_any_type = 0
    for back_count in range(1, lookback_count + 1):
        earlier = clock.day_after(day, -back_count)
        if not DAYS.get(ctx, meter_id, earlier):
            continue
        if _is_working(ctx, earlier) == is_working:
            return earlier
        of_any_type = of_any_type or earlier
    if not of_any_type:
        raise NOTHING_TO_ESTIMATE_FROM(
            "meter_id",
            meter_id,
            both(f"{day} 前 {lookback_count} 天内的示数", f"readings in the {lookback_count} days before {day}"),
        )
    return of_any_type


def _is_working(at: HasStore, day: int) -> bool:
    return governance.working_day(at, day, 0) == day


def write(ctx: BlockContext, accepted: Accepted, reason: str = "") -> int:
    """Keep an accepted day: blob, row, register; a former version moves aside. Returns the version."""
    former = DAYS.get(ctx, accepted.meter_id, accepted.day)
    row = Day(
        digest=ctx.cold.put(encode(_blob(accepted))),
        version=1 if former is None else former.version + 1,
        energy_wh=sum(accepted.values_wh),
        energy_kwh=sum(accepted.segments_kwh),
        carry_in_wh=accepted.carry_in_wh,
        estimated_count=len(accepted.estimated_slots),
        accepted_ms=ctx.market_ms,
        reason=reason,
    )
    DAYS.put(ctx, (accepted.meter_id, accepted.day), row)
    added_wh, added_kwh = row.energy_wh, row.energy_kwh
    if former is not None:
        FORMER_DAYS.put(ctx, (accepted.meter_id, accepted.day, former.version), former)
        added_wh -= former.energy_wh
        added_kwh -= former.energy_kwh
    _move_register(ctx, accepted.meter_id, added_wh, added_kwh)
    return row.version


def _blob(accepted: Accepted) -> Readings:
    return Readings(
        reported_wh=b"" if accepted.reported == accepted.values_wh else slots.pack(accepted.reported),
        accepted_wh=slots.pack(accepted.values_wh),
        segments_kwh=accepted.segments_kwh,
        estimated_slots=accepted.estimated_slots,
    )


def _move_register(ctx: BlockContext, meter_id: int, added_wh: int, added_kwh: int) -> None:
    """Whatever Wh the day does not give out in whole kWh goes to the meter's carry, so that nothing is lost."""
    meter = METERS.need(ctx, meter_id)
    moved = msgspec.structs.replace(
        meter,
        total_wh=meter.total_wh + added_wh,
        total_kwh=meter.total_kwh + added_kwh,
        carry_wh=meter.carry_wh + added_wh - added_kwh * WH_PER_KWH,
    )
    METERS.put(ctx, (meter_id,), moved)
