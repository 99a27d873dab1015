"""How a reported day becomes an accepted one: plausibility, gaps, whole kWh, and the versions that are kept."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

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


class Accepted(NamedTuple):
    """A day of a meter that is ready to be written.

    reported_wh: 96 readings as they came, empty if all were accepted as they were. accepted_wh: 96 accepted readings; both packed.
    energy_wh, energy_kwh: sums of accepted values and of the 24 hours. carry_in_wh, carry_out_wh: before and after.
    interpolated_slots, profile_slots: what was estimated and how; profile_day: whose profile, 0 if none. suspect_slots:
    reported, not plausible.
    """

    meter_id: int
    day: int
    reported_wh: bytes
    accepted_wh: bytes
    energy_wh: int
    segments_kwh: tuple[int, ...]
    energy_kwh: int
    carry_in_wh: int
    carry_out_wh: int
    interpolated_slots: tuple[int, ...] = ()
    profile_slots: tuple[int, ...] = ()
    suspect_slots: tuple[int, ...] = ()
    profile_day: int = 0

    @property
    def estimated_slots(self) -> tuple[int, ...]:
        """Every slot whose value was estimated, rising."""
        return tuple(sorted(self.interpolated_slots + self.profile_slots))

    def told(self, meter: Meter) -> MeterDay:
        """The day as events tell it."""
        return MeterDay(
            self.meter_id,
            meter.owner_id,
            meter.direction,
            self.accepted_wh,
            self.energy_wh,
            self.energy_kwh,
            self.estimated_slots,
            self.suspect_slots,
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


class Plausible:
    """The greatest plausible energy of a slot for each resource of a message; the setting is read once."""

    def __init__(self, ctx: BlockContext, day: int) -> None:
        """For readings of a day."""
        self._ctx, self._day = ctx, day
        self._share_ppm: int | None = None
        self._most_wh: dict[int, int] = {}

    def most_wh(self, resource_id: int) -> int:
        """The limit of a resource. Refuses: 2003, 6001."""
        if self._share_ppm is None:
            self._share_ppm = governance.setting(self._ctx, PLAUSIBLE_MAX, self._day)
        capacity_kw = resources.resource(self._ctx, resource_id).capacity_kw
        most_wh = self._most_wh.get(capacity_kw)
        if most_wh is None:
            most_wh = self._most_wh[capacity_kw] = slots.plausible_max_wh(capacity_kw, self._share_ppm)
        return most_wh


def accept_all(
    ctx: BlockContext, day: int, meters: Iterable[tuple[int, Meter]], values_wh: bytes
) -> list[tuple[Meter, Accepted]]:
    """Judge and complete a reported day of many meters; nothing is written. Refuses: 7010.

    Days that are complete and plausible, nearly all, are summed together in columns; each other day goes through :func:`accept`. Both give the
    same. ``meters`` may refuse while it is walked, so that the first fault of the message is the one that is told.
    """
    columns = slots.Columns(values_wh)
    plausible = Plausible(ctx, day)
    rows: list[tuple[int, Meter]] = []
    one_by_one: dict[int, Accepted] = {}
    for place, (meter_id, meter) in enumerate(meters):
        most_wh = plausible.most_wh(meter.resource_id)
        if not columns.is_whole(place, most_wh, meter.carry_wh):
            one_by_one[place] = accept(ctx, meter_id, day, columns.reported(place), most_wh, meter.carry_wh)
        rows.append((meter_id, meter))
    hours_kwh, energies_wh, energies_kwh = columns.segments_kwh(
        [0 if place in one_by_one else meter.carry_wh for place, (_, meter) in enumerate(rows)]
    )
    accepted = []
    for place, (meter_id, meter) in enumerate(rows):
        done = one_by_one.get(place)
        if done is None:
            energy_wh, energy_kwh, carry_wh = energies_wh[place], energies_kwh[place], meter.carry_wh
            done = Accepted(
                meter_id,
                day,
                b"",
                columns.packed(place),
                energy_wh,
                tuple(hours_kwh[place]),
                energy_kwh,
                carry_wh,
                carry_wh + energy_wh - energy_kwh * WH_PER_KWH,
            )
        accepted.append((meter, done))
    return accepted


def accept(
    ctx: BlockContext, meter_id: int, day: int, reported: Sequence[int], most_wh: int, carry_in_wh: int
) -> Accepted:
    """Judge and complete the reported day of one meter; nothing is written. most_wh: greatest plausible slot. Refuses: 7010."""
    suspect_slots = slots.suspects(reported, most_wh)
    found = slots.gaps(reported, suspect_slots)
    is_profile_needed = any(slots.is_long(gap) for gap in found)
    profile_day = _profile_day(ctx, meter_id, day) if is_profile_needed else 0
    profile_wh = slots.slots_of(readings_of(ctx, meter_id, profile_day).accepted_wh) if profile_day else ()
    values_wh = slots.fill(reported, found, profile_wh)
    hours_kwh, carry_out_wh = slots.segments_kwh(values_wh, carry_in_wh)
    return Accepted(
        meter_id=meter_id,
        day=day,
        reported_wh=slots.pack(reported) if list(reported) != values_wh else b"",
        accepted_wh=slots.pack(values_wh),
        energy_wh=sum(values_wh),
        segments_kwh=hours_kwh,
        energy_kwh=sum(hours_kwh),
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


def write(ctx: BlockContext, accepted: Accepted, meter: Meter, reason: str = "") -> int:
    """Keep an accepted day: blob, row, register; a former version moves aside. Returns the version."""
    key = (accepted.meter_id, accepted.day)
    former = DAYS.get(ctx, *key)
    estimated_slots = accepted.estimated_slots
    energy_wh, energy_kwh = accepted.energy_wh, accepted.energy_kwh
    blob = Readings(accepted.reported_wh, accepted.accepted_wh, accepted.segments_kwh, estimated_slots)
    version = 1 if former is None else former.version + 1
    row = Day(
        ctx.cold.put(encode(blob)),
        version,
        energy_wh,
        energy_kwh,
        accepted.carry_in_wh,
        len(estimated_slots),
        ctx.market_ms,
        reason,
    )
    DAYS.put(ctx, key, row)
    if former is not None:
        FORMER_DAYS.put(ctx, (*key, former.version), former)
        energy_wh -= former.energy_wh
        energy_kwh -= former.energy_kwh
    _move_register(ctx, accepted.meter_id, meter, energy_wh, energy_kwh)
    return version


def _move_register(ctx: BlockContext, meter_id: int, meter: Meter, added_wh: int, added_kwh: int) -> None:
    """Whatever Wh the day does not give out in whole kWh goes to the meter's carry, so that nothing is lost."""
    moved = Meter(
        meter.resource_id,
        meter.owner_id,
        meter.direction,
        meter.code,
        meter.from_day,
        meter.last_day,
        meter.total_wh + added_wh,
        meter.total_kwh + added_kwh,
        meter.carry_wh + added_wh - added_kwh * WH_PER_KWH,
    )
    METERS.put(ctx, (meter_id,), moved)
