"""Filing projects and issuing certificates from accepted readings: whole MWh, the remainder carried, each device-month once."""

from collections.abc import Iterator
from dataclasses import dataclass

from msgspec.structs import replace

from shudian.contracts.certificates.messages import (
    CertificateIssueReply,
    FileProject,
    IssueCertificates,
    Lot,
    LotState,
    Piece,
    Project,
    ProjectReply,
    TradeClass,
)
from shudian.contracts.certificates.messages_codes import has_code, project_code
from shudian.contracts.certificates.messages_events import CertificatesIssued, ProjectFiled
from shudian.contracts.certificates.messages_refusals import (
    ABOVE_CAPACITY,
    DEVICE_NOT_METERED,
    EARNS_NO_CERTIFICATES,
    MONTH_IS_DONE,
    MONTH_NOT_OVER,
    MONTH_OUT_OF_ORDER,
    PROJECT_NOT_FILED,
)
from shudian.contracts.certificates.rules_green import bundle
from shudian.contracts.certificates.rules_lots import deed_of
from shudian.contracts.certificates.rules_provenance import hours
from shudian.contracts.certificates.state import (
    ISSUANCES,
    LOTS,
    PROJECTS,
    WH_PER_CERTIFICATE,
    Issuance,
    Provenance,
)
from shudian.contracts.governance import rules as governance
from shudian.contracts.metering import rules as metering
from shudian.contracts.metering.messages import Direction
from shudian.contracts.resources import rules as resources
from shudian.contracts.resources.messages import Fuel, Resource
from shudian.kernel import clock
from shudian.kernel.codec import encode
from shudian.kernel.contract import BlockContext, Context
from shudian.kernel.outcomes import both
from shudian.kernel.tables import HasStore
from shudian.kernel.units import SEGMENTS_PER_DAY, SLOTS_PER_DAY, WH_PER_KWH, floor_div

TRADE_CLASS = "certificates.trade_class_code"
TRADABLE_FROM = "certificates.tradable_from_day"
VALIDITY = "certificates.validity_months_count"


def file_project(ctx: Context, message: FileProject) -> ProjectReply:
    """File a project, or file it anew. Refuses: 2003, 6001, 6002, 11002. Emits: ProjectFiled."""
    resource = resources.require_resource(ctx, message.resource_id)
    if not has_code(resource) or _trade_class(ctx, resource.fuel, clock.day_of(ctx.market_ms)) == TradeClass.NONE:
        raise EARNS_NO_CERTIFICATES("resource_id", message.resource_id)
    # no refusal below this line
    code = project_code(message.resource_id, resource, message.commissioning_day)
    project = Project(resource.owner_id, code, message.commissioning_day, message.fully_in_market)
    PROJECTS.put(ctx, (message.resource_id,), project)
    ctx.emit(
        ProjectFiled(
            deed=f"resource:{message.resource_id}", parties=(), resource_id=message.resource_id, project=project
        )
    )
    return ProjectReply(code)


def _trade_class(at: HasStore, fuel: Fuel, day: int) -> TradeClass:
    return TradeClass(governance.setting(at, TRADE_CLASS, day, fuel))


def issue_certificates(ctx: Context, message: IssueCertificates) -> CertificateIssueReply:
    """Issue a month to devices. Refuses: 2003, 6001, 7003, 11001-11007. Emits: CertificatesIssued, CertificatesBundled."""
    last_day, today = clock.month_last_day(message.month), clock.day_of(ctx.market_ms)
    if last_day >= today:
        raise MONTH_NOT_OVER("month", message.month, f"< {clock.month_of(today)}")
    measured = [_measure(ctx, resource_id, message.month) for resource_id in message.resource_ids]
    # no refusal below this line
    for device in measured:
        _issue(ctx, device)
    return CertificateIssueReply(tuple(device.row.count_certs for device in measured))


@dataclass(frozen=True)
class _Measured:
    """A device-month that is ready to be written; corrected: rows of earlier months whose readings were corrected since."""

    resource_id: int
    month: int
    row: Issuance
    slots_wh: tuple[int, ...]
    corrected: tuple[tuple[int, Issuance], ...]


def _measure(ctx: BlockContext, resource_id: int, month: int) -> _Measured:
    """Judge a device-month; nothing is written. Refuses: 2003, 6001, 7003, 11001, 11002, 11004-11007."""
    project = PROJECTS.get(ctx, resource_id)
    if project is None:
        raise PROJECT_NOT_FILED("resource_ids", resource_id)
    resource = resources.resource(ctx, resource_id)
    tradable = _is_tradable(ctx, resource_id, resource, project, clock.month_first_day(month))
    issued = [(int(key[1]), row) for key, row in ISSUANCES.range(ctx, resource_id)]
    _check_order(resource_id, month, issued)
    slots_wh = _read(ctx, resource_id, project.owner_id, month)
    if not slots_wh and not issued:
        raise DEVICE_NOT_METERED(
            "resource_ids", resource_id, both(f"{month} 的上网电表", f"a meter of generation in {month}")
        )
    metered_wh = sum(slots_wh)
    _check_capacity(resource_id, month, metered_wh, resource.capacity_kw)
    corrected = tuple(_corrections(ctx, resource_id, project.owner_id, issued))
    before = dict(issued)
    corrected_wh = sum(row.adjusted_wh - before[earlier].adjusted_wh for earlier, row in corrected)
    carry_in_wh = issued[-1][1].carry_out_wh if issued else 0
    energy_wh = metered_wh + corrected_wh + carry_in_wh
    count_certs = max(0, floor_div(energy_wh, WH_PER_CERTIFICATE))
    months_count = governance.setting(ctx, VALIDITY, clock.month_first_day(month))
    row = Issuance(
        owner_id=project.owner_id,
        project_code=project.code,
        tradable=tradable,
        count_certs=count_certs,
        metered_wh=metered_wh,
        adjusted_wh=0,
        corrected_wh=corrected_wh,
        carry_in_wh=carry_in_wh,
        carry_out_wh=energy_wh - count_certs * WH_PER_CERTIFICATE,
        capacity_kw=resource.capacity_kw,
        readings_count=_readings_count(ctx, resource_id, project.owner_id, month),
        valid_to_day=clock.month_last_day(clock.month_after(month, months_count - 1)),
        provenance=b"",
    )
    return _Measured(resource_id, month, row, slots_wh, corrected)


def _is_tradable(at: HasStore, resource_id: int, resource: Resource, project: Project, day: int) -> bool:
    """Whether the output may be sold, by the class of its energy; never if nobody knows since when it runs. Refuses: 2003, 11002."""
    trade_class = _trade_class(at, resource.fuel, day)
    if trade_class == TradeClass.NONE:
        raise EARNS_NO_CERTIFICATES("resource_ids", resource_id)
    if trade_class == TradeClass.NOT_TRADABLE or not project.commissioning_day:
        return False
    is_new = project.commissioning_day >= governance.setting(at, TRADABLE_FROM, day)
    return trade_class == TradeClass.TRADABLE or (is_new and project.fully_in_market)


def _check_order(resource_id: int, month: int, issued: list[tuple[int, Issuance]]) -> None:
    if any(month == done for done, _ in issued):
        raise MONTH_IS_DONE("resource_ids", resource_id, both(f"非 {month}", f"not {month}"))
    next_month = clock.month_after(issued[-1][0]) if issued else month
    if month != next_month:
        raise MONTH_OUT_OF_ORDER(
            "month", month, both(f"资源 {resource_id} 的 {next_month}", f"{next_month} for resource {resource_id}")
        )


def _check_capacity(resource_id: int, month: int, metered_wh: int, capacity_kw: int) -> None:
    days_count = clock.days_between(clock.month_first_day(month), clock.month_last_day(month)) + 1
    most_wh = capacity_kw * WH_PER_KWH * SEGMENTS_PER_DAY * days_count
    if metered_wh > most_wh:
        raise ABOVE_CAPACITY("resource_ids", resource_id, f"{month}: {metered_wh} <= {most_wh} Wh")


def _meter_days(at: HasStore, resource_id: int, owner_id: int, month: int) -> Iterator[tuple[int, list[int]]]:
    """Each day of a month, with the device's meters of generation that count on it."""
    for day in clock.days(clock.month_first_day(month), clock.month_last_day(month)):
        bound = metering.meters_of(at, owner_id, Direction.GENERATION, day)
        yield day, [meter_id for meter_id in bound if metering.meter(at, meter_id).resource_id == resource_id]


def _read(at: BlockContext, resource_id: int, owner_id: int, month: int) -> tuple[int, ...]:
    """The device's Wh by quarter hour of the month, meters added up; empty if no meter counts in it. Refuses: 7003."""
    slots_wh: list[int] = []
    is_metered = False
    for day, meter_ids in _meter_days(at, resource_id, owner_id, month):
        readings = [metering.day_slots_wh(at, meter_id, day) for meter_id in meter_ids]
        is_metered = is_metered or bool(readings)
        slots_wh.extend(map(sum, zip(*readings, strict=True)) if readings else (0,) * SLOTS_PER_DAY)
    return tuple(slots_wh) if is_metered else ()


def _readings_count(at: HasStore, resource_id: int, owner_id: int, month: int) -> int:
    return sum(
        metering.day_version(at, meter_id, day)
        for day, meter_ids in _meter_days(at, resource_id, owner_id, month)
        for meter_id in meter_ids
    )


def _corrections(
    at: BlockContext, resource_id: int, owner_id: int, issued: list[tuple[int, Issuance]]
) -> Iterator[tuple[int, Issuance]]:
    """Issued months, still valid, whose readings were corrected since, with what their energy differs by now. Refuses: 11007."""
    today = clock.day_of(at.market_ms)
    for month, row in issued:
        if row.valid_to_day < today:
            continue
        readings_count = _readings_count(at, resource_id, owner_id, month)
        if readings_count != row.readings_count:
            metered_wh = sum(_read(at, resource_id, owner_id, month))
            _check_capacity(resource_id, month, metered_wh, row.capacity_kw)
            yield month, replace(row, adjusted_wh=metered_wh - row.metered_wh, readings_count=readings_count)


def _issue(ctx: BlockContext, device: _Measured) -> None:
    resource_id, month = device.resource_id, device.month
    for earlier, corrected in device.corrected:
        ISSUANCES.put(ctx, (resource_id, earlier), corrected)
    opening_wh = device.row.carry_in_wh + device.row.corrected_wh
    digest = ctx.cold.put(encode(Provenance(opening_wh, device.slots_wh)))
    row = replace(device.row, provenance=digest)
    ISSUANCES.put(ctx, (resource_id, month), row)
    pieces: tuple[Piece, ...] = ()
    if row.count_certs:
        lot = Lot(
            row.count_certs,
            row.owner_id,
            LotState.HELD,
            row.project_code,
            row.tradable,
            transferred=False,
            valid_to_day=row.valid_to_day,
        )
        LOTS.put(ctx, (resource_id, month, 1), lot)
        pieces = (Piece(1, lot),)
    ctx.emit(
        CertificatesIssued(
            deed=deed_of(resource_id, month),
            parties=(row.owner_id,),
            also=(f"resource:{resource_id}",),
            resource_id=resource_id,
            month=month,
            owner_id=row.owner_id,
            project_code=row.project_code,
            tradable=row.tradable,
            count_certs=row.count_certs,
            metered_wh=row.metered_wh,
            corrected_wh=row.corrected_wh,
            carry_in_wh=row.carry_in_wh,
            carry_out_wh=row.carry_out_wh,
            valid_to_day=row.valid_to_day,
            pieces=pieces,
            hours=hours(ctx, resource_id, month, 1, row.count_certs),
        )
    )
    if row.count_certs and row.tradable:
        bundle(ctx, resource_id, month, row.owner_id)
