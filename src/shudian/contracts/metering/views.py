"""What is told about meters and readings: each member sees its own, the grid company and oversight see all."""

from shudian.contracts.metering.messages import (
    MeterBound,
    MeterDay,
    MeterUnbound,
    ReadingsAccepted,
    ReadingsCorrected,
    ReadingsEstimated,
)
from shudian.contracts.roles import OVERSIGHT, Kind
from shudian.reading.reader import Reader, Viewer
from shudian.reading.tables import At, ReadTable, Row, Views, blob, integer, parties, text
from shudian.reading.writer import Writer

_OWNER = parties("owner_id", also=(*OVERSIGHT, Kind.GRID_COMPANY))

METERS = ReadTable(
    "metering_meters",
    (
        integer("meter_id", "电表编号", "meter"),
        text("code", "表号", "code"),
        integer("resource_id", "资源", "resource"),
        integer("owner_id", "所有者", "owner"),
        text("direction", "方向", "direction"),
        integer("from_day", "起始日", "from day"),
        integer("last_day", "终止日", "last day"),
    ),
    ("meter_id",),
    _OWNER,
    (("owner_id",), ("resource_id",)),
)

DAYS = ReadTable(
    "metering_days",
    (
        integer("meter_id", "电表编号", "meter"),
        integer("day", "日期", "day"),
        integer("owner_id", "所有者", "owner"),
        text("direction", "方向", "direction"),
        integer("version", "版本", "version"),
        integer("energy_wh", "电量（Wh）", "energy (Wh)"),
        integer("energy_kwh", "计费电量（kWh）", "billed energy (kWh)"),
        integer("estimated_count", "补估点数", "estimated slots"),
        integer("suspect_count", "可疑点数", "suspect slots"),
        text("estimated_slots", "补估时段", "which slots were estimated"),
        blob("values_wh", "96点曲线（Wh，32位小端）", "96 values (Wh, little-endian 32 bit)"),
        integer("accepted_ms", "接收时间", "accepted at"),
    ),
    ("meter_id", "day"),
    _OWNER,
    (("owner_id", "day"), ("day",)),
)

ESTIMATES = ReadTable(
    "metering_estimates",
    (
        integer("meter_id", "电表编号", "meter"),
        integer("day", "日期", "day"),
        integer("version", "版本", "version"),
        integer("owner_id", "所有者", "owner"),
        text("interpolated_slots", "插值时段", "interpolated slots"),
        text("profile_slots", "典型曲线补数时段", "slots filled from a profile"),
        text("suspect_slots", "可疑时段", "suspect slots"),
        integer("profile_day", "典型日", "day of the profile"),
    ),
    ("meter_id", "day", "version"),
    _OWNER,
)

CORRECTIONS = ReadTable(
    "metering_corrections",
    (
        integer("meter_id", "电表编号", "meter"),
        integer("day", "日期", "day"),
        integer("version", "版本", "version"),
        integer("owner_id", "所有者", "owner"),
        integer("before_kwh", "更正前（kWh）", "before (kWh)"),
        integer("after_kwh", "更正后（kWh）", "after (kWh)"),
        text("reason", "原因", "reason"),
        integer("corrected_ms", "更正时间", "corrected at"),
    ),
    ("meter_id", "day", "version"),
    _OWNER,
)

_DAY_COLUMNS = tuple(column.name for column in DAYS.columns if column.name != "values_wh")


def meter_bound(db: Writer, event: MeterBound, _at: At) -> None:
    """Add the meter."""
    meter = event.meter
    db.insert(
        METERS,
        meter_id=event.meter_id,
        code=meter.code,
        resource_id=meter.resource_id,
        owner_id=meter.owner_id,
        direction=meter.direction,
        from_day=meter.from_day,
        last_day=meter.last_day,
    )


def meter_unbound(db: Writer, event: MeterUnbound, _at: At) -> None:
    """Note the last day."""
    db.update(METERS, {"meter_id": event.meter_id}, last_day=event.last_day)


def readings_accepted(db: Writer, event: ReadingsAccepted, at: At) -> None:
    """Add the day of every meter."""
    for reading in event.days:
        _insert_day(db, event.day, 1, reading, at)


def _insert_day(db: Writer, day: int, version: int, reading: MeterDay, at: At) -> None:
    db.insert(
        DAYS,
        meter_id=reading.meter_id,
        day=day,
        owner_id=reading.owner_id,
        direction=reading.direction,
        version=version,
        energy_wh=reading.energy_wh,
        energy_kwh=reading.energy_kwh,
        estimated_count=len(reading.estimated_slots),
        suspect_count=len(reading.suspect_slots),
        estimated_slots=_listed(reading.estimated_slots),
        values_wh=reading.values_wh,
        accepted_ms=at.market_ms,
    )


def _listed(slots: tuple[int, ...]) -> str:
    return " ".join(str(slot) for slot in slots)


def readings_estimated(db: Writer, event: ReadingsEstimated, _at: At) -> None:
    """Keep how the gaps of a day were filled."""
    db.insert(
        ESTIMATES,
        meter_id=event.meter_id,
        day=event.day,
        version=event.readings_version,
        owner_id=event.owner_id,
        interpolated_slots=_listed(event.interpolated_slots),
        profile_slots=_listed(event.profile_slots),
        suspect_slots=_listed(event.suspect_slots),
        profile_day=event.profile_day,
    )


def readings_corrected(db: Writer, event: ReadingsCorrected, at: At) -> None:
    """Show the new version, and keep what was corrected."""
    reading = event.reading
    db.delete(DAYS, {"meter_id": reading.meter_id, "day": event.day})
    _insert_day(db, event.day, event.readings_version, reading, at)
    db.insert(
        CORRECTIONS,
        meter_id=reading.meter_id,
        day=event.day,
        version=event.readings_version,
        owner_id=reading.owner_id,
        before_kwh=event.before_kwh,
        after_kwh=reading.energy_kwh,
        reason=event.reason,
        corrected_ms=at.market_ms,
    )


def meters(reader: Reader, viewer: Viewer, *, owner_id: int | None = None, resource_id: int | None = None) -> list[Row]:
    """Meters of an owner or resource."""
    return reader.select(viewer, METERS, {"owner_id": owner_id, "resource_id": resource_id})


def daily_energy(
    reader: Reader,
    viewer: Viewer,
    *,
    owner_id: int | None = None,
    meter_id: int | None = None,
    direction: str | None = None,
    first_day: int = 0,
    last_day: int = 99_991_231,
) -> list[Row]:
    """Energy per meter and day in Wh and kWh, with the slots that were estimated; by meter and day."""
    where = {"owner_id": owner_id, "meter_id": meter_id, "direction": direction, "day": (">=", first_day)}
    rows = reader.select(viewer, DAYS, where, columns=_DAY_COLUMNS)
    return [row for row in rows if row["day"] <= last_day]


def curve(reader: Reader, viewer: Viewer, *, meter_id: int, day: int) -> Row | None:
    """The 96 values of a meter's day (Wh, little-endian signed 32-bit) and which of them were estimated."""
    return reader.one(viewer, DAYS, {"meter_id": meter_id, "day": day})


def completeness(reader: Reader, viewer: Viewer, *, owner_id: int | None = None, day: int | None = None) -> list[Row]:
    """Share of slots that were measured, in parts per million rounded down, per member and day."""
    columns = (
        "owner_id",
        "day",
        "COUNT(*) AS meter_count",
        "SUM(energy_kwh) AS energy_kwh",
        "SUM(estimated_count) AS estimated_count",
        "(96 * COUNT(*) - SUM(estimated_count)) * 1000000 / (96 * COUNT(*)) AS completeness_ppm",
    )
    where = {"owner_id": owner_id, "day": day}
    return reader.select(viewer, DAYS, where, columns=columns, group_by="owner_id, day", order_by="owner_id, day")


def estimates(reader: Reader, viewer: Viewer, *, meter_id: int | None = None, day: int | None = None) -> list[Row]:
    """How missing or suspect readings were estimated."""
    return reader.select(viewer, ESTIMATES, {"meter_id": meter_id, "day": day})


def corrections(reader: Reader, viewer: Viewer, *, meter_id: int | None = None, day: int | None = None) -> list[Row]:
    """Corrections with the energy before and after."""
    return reader.select(viewer, CORRECTIONS, {"meter_id": meter_id, "day": day})


VIEWS = Views(
    "metering",
    (METERS, DAYS, ESTIMATES, CORRECTIONS),
    {
        MeterBound: meter_bound,
        MeterUnbound: meter_unbound,
        ReadingsAccepted: readings_accepted,
        ReadingsEstimated: readings_estimated,
        ReadingsCorrected: readings_corrected,
    },
    (meters, daily_energy, curve, completeness, estimates, corrections),
)
