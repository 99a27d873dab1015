"""What is decided about meters and readings, and the verbs by which the contracts above read energy."""

from collections.abc import Iterator

import msgspec

from shudian.contracts.governance import rules as governance
from shudian.contracts.metering import rules_readings as readings
from shudian.contracts.metering import rules_slots as slots
from shudian.contracts.metering.messages import (
    BINDING_DAY_NOT_ALLOWED,
    DAY_NOT_OVER,
    DIRECTION_DOES_NOT_FIT,
    EVENTS,
    METER_CODE_IN_USE,
    METER_NOT_BOUND,
    METER_UNKNOWN,
    METERED_ALREADY,
    READINGS_ARE_THE_SAME,
    READINGS_EXIST,
    READINGS_MISSING,
    REFUSALS,
    REPLIES,
    SETTINGS,
    BindMeter,
    CorrectionReply,
    CorrectReadings,
    Direction,
    Meter,
    MeterBound,
    MeterReply,
    MeterUnbound,
    ReadingsAccepted,
    ReadingsCorrected,
    ReadingsEstimated,
    ReadingsReply,
    SubmitReadings,
    UnbindMeter,
)
from shudian.contracts.metering.state import DAYS, INVARIANTS, METERS, TABLES
from shudian.contracts.resources import rules as resources
from shudian.contracts.resources.messages import Resource, ResourceType
from shudian.kernel import clock
from shudian.kernel.contract import BlockContext, Context, Contract
from shudian.kernel.outcomes import both
from shudian.kernel.tables import HasStore, Key, next_id, number_in
from shudian.kernel.units import PPM, SEGMENTS_PER_DAY, SLOTS_PER_DAY, floor_div

COMPLETENESS_TARGET = "metering.completeness_target_ppm"

_DIRECTIONS = {
    ResourceType.PLANT: (Direction.GENERATION,),
    ResourceType.UNIT: (Direction.GENERATION,),
    ResourceType.LOAD: (Direction.LOAD,),
    ResourceType.STORAGE: (Direction.GENERATION, Direction.LOAD),
}


def meter(at: HasStore, meter_id: int) -> Meter:
    """A meter, bound or not. Refuses: 7001."""
    row = METERS.get(at, meter_id)
    if row is None:
        raise METER_UNKNOWN("meter_id", meter_id)
    return row


def meters_of(at: HasStore, owner_id: int, direction: Direction, day: int = 0) -> list[int]:
    """Ids of a member's meters of a direction: those bound on ``day``, or without a day those whose binding has no end yet."""
    rows = METERS.find(at, "by_owner", owner_id, direction)
    return [number_in(key) for key, row in rows if (row.counts_on(day) if day else not row.last_day)]


def meters_on(at: HasStore, day: int) -> list[int]:
    """Ids of all meters bound on a day."""
    return [number_in(key) for key, row in METERS.range(at) if row.counts_on(day)]


def missing_on(at: HasStore, day: int) -> list[int]:
    """Ids of the meters bound on a day that have no readings of it yet."""
    return [meter_id for meter_id in meters_on(at, day) if not has_day(at, meter_id, day)]


def has_day(at: HasStore, meter_id: int, day: int) -> bool:
    """Whether a meter has readings of a day."""
    return DAYS.get(at, meter_id, day) is not None


def day_version(at: HasStore, meter_id: int, day: int) -> int:
    """The version of a meter's day, from 1; it rises by one with each correction. Refuses: 7003."""
    row = DAYS.get(at, meter_id, day)
    if row is None:
        raise READINGS_MISSING("meter_id", meter_id, readings.of_day(day))
    return row.version


def day_slots_wh(at: BlockContext, meter_id: int, day: int, version: int = 0) -> tuple[int, ...]:
    """The 96 accepted values of a meter's day, at present or in a former version. Refuses: 7003."""
    return slots.slots_of(readings.readings_of(at, meter_id, day, version).accepted_wh)


def day_segments_kwh(at: BlockContext, meter_id: int, day: int) -> tuple[int, ...]:
    """Whole kWh of the 24 hours of a meter's day; the remainder of Wh is carried by the meter. Refuses: 7003."""
    return readings.readings_of(at, meter_id, day).segments_kwh


def member_segments_kwh(at: BlockContext, owner_id: int, direction: Direction, day: int) -> tuple[int, ...]:
    """Whole kWh of the 24 hours, summed over a member's meters of a direction bound on that day. Refuses: 7003."""
    days = [day_segments_kwh(at, meter_id, day) for meter_id in meters_of(at, owner_id, direction, day)]
    return tuple(sum(hours) for hours in zip(*days, strict=True)) if days else (0,) * SEGMENTS_PER_DAY


def bind_meter(ctx: Context, message: BindMeter) -> MeterReply:
    """Bind a meter to a resource. Refuses: 6001, 6002, 7002, 7004-7006. Emits: MeterBound."""
    resource = resources.require_resource(ctx, message.resource_id)
    today = clock.day_of(ctx.market_ms)
    if _is_taken(ctx, "by_code", (message.code,), message.from_day):
        raise METER_CODE_IN_USE("code", message.code)
    if message.direction not in _DIRECTIONS[resource.type]:
        raise DIRECTION_DOES_NOT_FIT("direction", message.direction, " | ".join(_DIRECTIONS[resource.type]))
    for relative_id in _family(ctx, message.resource_id, resource):
        if _is_taken(ctx, "by_resource", (relative_id, message.direction), message.from_day):
            raise METERED_ALREADY(
                "resource_id",
                message.resource_id,
                both(f"不与资源 {relative_id} 并存", f"not beside resource {relative_id}"),
            )
    if message.from_day < today:
        raise BINDING_DAY_NOT_ALLOWED("from_day", message.from_day, f">= {today}")
    # no refusal below this line
    meter_id = next_id(ctx, "metering.meter")
    row = Meter(message.resource_id, resource.owner_id, message.direction, message.code, message.from_day)
    METERS.put(ctx, (meter_id,), row)
    ctx.emit(
        MeterBound(
            deed=_deed(meter_id),
            parties=_parties(ctx, row),
            also=(f"resource:{row.resource_id}",),
            meter_id=meter_id,
            meter=row,
        )
    )
    return MeterReply(meter_id)


def _is_taken(at: HasStore, index: str, prefix: Key, from_day: int) -> bool:
    """Whether a binding found in an index still counts on ``from_day`` or later."""
    return any(not row.last_day or row.last_day >= from_day for _, row in METERS.find(at, index, *prefix))


def _family(at: HasStore, resource_id: int, resource: Resource) -> list[int]:
    """Resources whose energy a meter of this one would count a second time: a unit's plant, a plant's units."""
    if resource.type is ResourceType.UNIT:
        return [resource.parent_id]
    return [unit_id for unit_id, _ in resources.units_of(at, resource_id)]


def unbind_meter(ctx: Context, message: UnbindMeter) -> None:
    """End a binding. Refuses: 7001, 7006, 7008. Emits: MeterUnbound."""
    row = meter(ctx, message.meter_id)
    if row.last_day:
        raise METER_NOT_BOUND(
            "last_day", row.last_day, both("绑定尚未终止的计量点", "a meter whose binding has no end yet")
        )
    first = max(row.from_day, clock.day_after(clock.day_of(ctx.market_ms), -1))
    if message.last_day < first:
        raise BINDING_DAY_NOT_ALLOWED("last_day", message.last_day, f">= {first}")
    # no refusal below this line
    METERS.put(ctx, (message.meter_id,), msgspec.structs.replace(row, last_day=message.last_day))
    ctx.emit(
        MeterUnbound(
            deed=_deed(message.meter_id),
            parties=_parties(ctx, row),
            also=(f"resource:{row.resource_id}",),
            meter_id=message.meter_id,
            last_day=message.last_day,
        )
    )


def submit_readings(ctx: Context, message: SubmitReadings) -> ReadingsReply:
    """Take in a day of many meters. Refuses: 7001, 7007-7010. Emits: ReadingsEstimated per meter with gaps, ReadingsAccepted."""
    today = clock.day_of(ctx.market_ms)
    if message.day >= today:
        raise DAY_NOT_OVER("day", message.day, f"< {today}")
    target_ppm = governance.setting(ctx, COMPLETENESS_TARGET, message.day)
    accepted = readings.accept_all(ctx, message.day, _unreported(ctx, message), message.values_wh)
    # no refusal below this line
    told = []
    for row, day in accepted:
        version = readings.write(ctx, day, row)
        _tell_estimates(ctx, row, day, version)
        told.append(day.told(row))
    estimated_count = sum(len(day.estimated_slots) for day in told)
    slot_count = SLOTS_PER_DAY * len(told)
    completeness_ppm = floor_div((slot_count - estimated_count) * PPM, slot_count)
    ctx.emit(
        ReadingsAccepted(
            deed=f"day:{message.day}",
            parties=(ctx.sender_id,),
            day=message.day,
            days=tuple(told),
            completeness_ppm=completeness_ppm,
            target_ppm=target_ppm,
        )
    )
    return ReadingsReply(sum(day.energy_kwh for day in told), estimated_count, completeness_ppm)


def _unreported(ctx: Context, message: SubmitReadings) -> Iterator[tuple[int, Meter]]:
    """The meters of a message, each bound and without readings of the day. Refuses: 7001, 7008, 7009."""
    for meter_id in message.meter_ids:
        row = meter(ctx, meter_id)
        if not row.counts_on(message.day):
            raise METER_NOT_BOUND("meter_id", meter_id, both(f"在 {message.day} 已绑定", f"bound on {message.day}"))
        if has_day(ctx, meter_id, message.day):
            raise READINGS_EXIST("meter_id", meter_id, both(f"{message.day} 尚无示数", f"no readings of {message.day}"))
        yield meter_id, row


def correct_readings(ctx: Context, message: CorrectReadings) -> CorrectionReply:
    """Replace a meter's day, keeping its carry-in. Refuses: 7001, 7003, 7010, 7011. Emits: ReadingsEstimated, ReadingsCorrected."""
    row = meter(ctx, message.meter_id)
    former = DAYS.get(ctx, message.meter_id, message.day)
    if former is None:
        raise READINGS_MISSING("meter_id", message.meter_id, readings.of_day(message.day))
    held = readings.readings_of(ctx, message.meter_id, message.day)
    if message.values_wh == (held.reported_wh or held.accepted_wh):
        raise READINGS_ARE_THE_SAME("values_wh", both(f"同第 {former.version} 版", f"as version {former.version}"))
    most_wh = readings.Plausible(ctx, message.day).most_wh(row.resource_id)
    reported = slots.slots_of(message.values_wh)
    day = readings.accept(ctx, message.meter_id, message.day, reported, most_wh, former.carry_in_wh)
    # no refusal below this line
    version = readings.write(ctx, day, row, message.reason)
    _tell_estimates(ctx, row, day, version)
    told = day.told(row)
    ctx.emit(
        ReadingsCorrected(
            deed=_deed(message.meter_id),
            parties=_parties(ctx, row),
            also=(f"day:{message.day}",),
            day=message.day,
            readings_version=version,
            before_kwh=former.energy_kwh,
            reason=message.reason,
            reading=told,
        )
    )
    return CorrectionReply(version, told.energy_kwh)


def _tell_estimates(ctx: Context, row: Meter, day: readings.Accepted, version: int) -> None:
    if not day.estimated_slots:
        return
    ctx.emit(
        ReadingsEstimated(
            deed=_deed(day.meter_id),
            parties=_parties(ctx, row),
            meter_id=day.meter_id,
            owner_id=row.owner_id,
            day=day.day,
            readings_version=version,
            interpolated_slots=day.interpolated_slots,
            profile_slots=day.profile_slots,
            suspect_slots=day.suspect_slots,
            profile_day=day.profile_day,
        )
    )


def _parties(ctx: Context, row: Meter) -> tuple[int, ...]:
    return (row.owner_id, ctx.sender_id)


def _deed(meter_id: int) -> str:
    return f"meter:{meter_id}"


CONTRACT = Contract(
    name="metering",
    number=7,
    tables=TABLES,
    handlers={
        BindMeter: bind_meter,
        UnbindMeter: unbind_meter,
        SubmitReadings: submit_readings,
        CorrectReadings: correct_readings,
    },
    events=EVENTS,
    refusals=REFUSALS,
    replies=REPLIES,
    invariants=INVARIANTS,
    settings=SETTINGS,
)
