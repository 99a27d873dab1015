"""Daily clearing 日清: what each day books for agreements, members and loads."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from msgspec.structs import replace

from shudian.contracts.agreements import rules as agreements
from shudian.contracts.agreements.messages import SlotFacts
from shudian.contracts.governance import rules as governance
from shudian.contracts.identity import rules as identity
from shudian.contracts.metering import rules as metering
from shudian.contracts.metering.messages import Direction
from shudian.contracts.roles import Kind
from shudian.contracts.settlement.messages import (
    DAY_AHEAD_MISSING,
    DAY_NOT_OVER,
    REFERENCE_PRICES_MISSING,
    RULES_DO_NOT_FIT,
    ClearDay,
    ClearingReply,
)
from shudian.contracts.settlement.messages_events import (
    AgreementDaysBooked,
    DayBilled,
    DayCleared,
)
from shudian.contracts.settlement.messages_facts import RuleCode
from shudian.contracts.settlement.rules_formulas import f1_deviation_fen, f2_deviation_fen
from shudian.contracts.settlement.rules_prices import require_uncleared
from shudian.contracts.settlement.state import (
    ACCRUALS,
    CLEARED_DAYS,
    DAY_AHEAD,
    DAY_BILLS,
    LOAD_ACCRUALS,
    REFERENCE_PRICES,
    Accrual,
    ClearedDay,
    DayBill,
    LoadAccrual,
    ReferencePrices,
)
from shudian.kernel import clock
from shudian.kernel.contract import BlockContext, Context
from shudian.kernel.outcomes import both
from shudian.kernel.tables import HasStore
from shudian.kernel.units import SEGMENTS_PER_DAY

RULE_CODE = "settlement.rule_code"
CLEARING_DAYS = "settlement.clearing_day_count"
RULED_KINDS = (Kind.GENERATOR, Kind.RETAILER, Kind.USER)
"""Kinds that a deviation rule holds for; the grid company is everybody's other side."""

_NO_ENERGY = (0,) * SEGMENTS_PER_DAY


def rules_of_month(at: HasStore, month: int) -> Mapping[Kind, RuleCode]:
    """The deviation rule of each kind of member: that of the month's first day holds for the whole month.

    F4 lets agreements follow metered energy, so it holds for all kinds or for none. Refuses: 2003, 10006.
    """
    first_day = clock.month_first_day(month)
    codes = {kind: governance.setting(at, RULE_CODE, first_day, kind) for kind in RULED_KINDS}
    known = tuple(RuleCode)
    for kind, code in codes.items():
        is_mixed = (code == RuleCode.MONTHLY_BAND) != (codes[RULED_KINDS[0]] == RuleCode.MONTHLY_BAND)
        if code not in known or is_mixed:
            raise RULES_DO_NOT_FIT(
                "rule_code", f"{kind} {code}", both("1 与 2，或各类均为 4", "1 and 2, or 4 for every kind")
            )
    return {kind: RuleCode(code) for kind, code in codes.items()}


@dataclass
class _MemberDay:
    """Sums of one member's day while it is cleared; energy from the grid and money owed are positive."""

    contract_kwh: list[int] = field(default_factory=lambda: list(_NO_ENERGY))
    metered_kwh: list[int] = field(default_factory=lambda: list(_NO_ENERGY))
    load_kwh: int = 0
    generation_kwh: int = 0
    contract_fen: int = 0
    day_ahead_kwh: int = 0
    day_ahead_fen: int = 0
    deviation_kwh: int = 0
    deviation_fen: int = 0


@dataclass(frozen=True)
class _AgreementDay:
    """What an agreement delivered on a day."""

    agreement_id: int
    seller_id: int
    buyer_id: int
    energy_kwh: int
    amount_fen: int


def clear_day(ctx: Context, message: ClearDay) -> ClearingReply:
    """Clear a day. Refuses: 2003, 3005, 7003, 10001, 10002, 10004-10006. Emits: AgreementDaysBooked, DayBilled, DayCleared."""
    day, month = message.day, clock.month_of(message.day)
    today = clock.day_of(ctx.market_ms)
    if day >= today:
        raise DAY_NOT_OVER("day", day, f"< {today}")
    require_uncleared(ctx, day)
    prices = REFERENCE_PRICES.get(ctx, day)
    if prices is None:
        raise REFERENCE_PRICES_MISSING("day", day)
    grid_id = identity.the_only(ctx, Kind.GRID_COMPANY)
    late = clock.days_between(day, today) > governance.setting(ctx, CLEARING_DAYS, day)
    members: dict[int, _MemberDay] = {grid_id: _MemberDay()}
    booked = _deliver(ctx, day, members)
    loads = _meter(ctx, day, members)
    _settle_deviation(ctx, day, grid_id, prices, members)
    # no refusal below this line
    _accrue(ctx, day, booked, loads)
    for member_id in sorted(members):
        _bill(ctx, month, day, member_id, members[member_id])
    CLEARED_DAYS.put(ctx, (day,), ClearedDay(ctx.market_ms, len(members), len(booked)))
    _tell(ctx, day, grid_id, booked, members, late=late)
    return ClearingReply(len(members), len(booked))


def _deliver(ctx: BlockContext, day: int, members: dict[int, _MemberDay]) -> list[_AgreementDay]:
    """Price every agreement's day, line by line, and add energy and money to both sides."""
    booked = []
    for agreement_id in agreements.delivering_on(ctx, day):
        terms = agreements.terms(ctx, agreement_id)
        buyer = members.setdefault(terms.buyer_id, _MemberDay())
        seller = members.setdefault(terms.seller_id, _MemberDay())
        total_kwh = total_fen = 0
        for line_no, energy_kwh in enumerate(agreements.day_lines_kwh(ctx, agreement_id, day)):
            if not energy_kwh:
                continue
            segment = terms.lines[line_no].segment
            buyer.contract_kwh[segment] += energy_kwh
            seller.contract_kwh[segment] -= energy_kwh
            total_kwh += energy_kwh
            total_fen += agreements.price(terms, SlotFacts(day, line_no, energy_kwh))[0]
        buyer.contract_fen += total_fen
        seller.contract_fen -= total_fen
        booked.append(_AgreementDay(agreement_id, terms.seller_id, terms.buyer_id, total_kwh, total_fen))
    return booked


def _meter(ctx: BlockContext, day: int, members: dict[int, _MemberDay]) -> dict[int, LoadAccrual]:
    """Add every bound meter's energy to its owner; returns what each load resource used. Refuses: 7003."""
    loads: dict[int, LoadAccrual] = {}
    for meter_id in metering.meters_on(ctx, day):
        meter = metering.meter(ctx, meter_id)
        segments_kwh = metering.day_segments_kwh(ctx, meter_id, day)
        owner, total_kwh = members.setdefault(meter.owner_id, _MemberDay()), sum(segments_kwh)
        if meter.direction == Direction.LOAD:
            owner.load_kwh += total_kwh
            owner.metered_kwh = list(map(int.__add__, owner.metered_kwh, segments_kwh))
            before = loads.get(meter.resource_id, LoadAccrual(meter.owner_id, 0))
            loads[meter.resource_id] = replace(before, energy_kwh=before.energy_kwh + total_kwh)
        else:
            owner.generation_kwh += total_kwh
            owner.metered_kwh = list(map(int.__sub__, owner.metered_kwh, segments_kwh))
    return loads


def _settle_deviation(
    ctx: BlockContext, day: int, grid_id: int, prices: ReferencePrices, members: Mapping[int, _MemberDay]
) -> None:
    """Price what each member used or produced beside its agreements; the grid company takes the other side. Refuses: 10005, 10006."""
    rules = rules_of_month(ctx, clock.month_of(day))
    grid = members[grid_id]
    for member_id in sorted(members):
        if member_id == grid_id:
            continue
        own, rule = members[member_id], rules[identity.member(ctx, member_id).kind]
        if rule is RuleCode.TWO_SETTLEMENT:
            award = DAY_AHEAD.get(ctx, day, member_id)
            if award is None:
                raise DAY_AHEAD_MISSING("member_id", member_id, both(f"{day} 的日前中标", f"an award for {day}"))
            _two_settlement(own, award.quantities_kwh, prices)
        elif rule is RuleCode.SINGLE_SETTLEMENT:
            _single_settlement(own, prices)
        grid.day_ahead_kwh -= own.day_ahead_kwh
        grid.day_ahead_fen -= own.day_ahead_fen
        grid.deviation_kwh -= own.deviation_kwh
        grid.deviation_fen -= own.deviation_fen


def _single_settlement(own: _MemberDay, prices: ReferencePrices) -> None:
    own.deviation_kwh = sum(own.metered_kwh) - sum(own.contract_kwh)
    own.deviation_fen = sum(map(f2_deviation_fen, own.contract_kwh, own.metered_kwh, prices.real_time_myuan_mwh))


def _two_settlement(own: _MemberDay, award_kwh: Sequence[int], prices: ReferencePrices) -> None:
    legs = list(
        map(
            f1_deviation_fen,
            own.contract_kwh,
            award_kwh,
            own.metered_kwh,
            prices.day_ahead_myuan_mwh,
            prices.real_time_myuan_mwh,
        )
    )
    own.day_ahead_kwh = sum(award_kwh) - sum(own.contract_kwh)
    own.day_ahead_fen = sum(leg.day_ahead_fen for leg in legs)
    own.deviation_kwh = sum(own.metered_kwh) - sum(award_kwh)
    own.deviation_fen = sum(leg.real_time_fen for leg in legs)


def _accrue(ctx: BlockContext, day: int, booked: list[_AgreementDay], loads: Mapping[int, LoadAccrual]) -> None:
    month = clock.month_of(day)
    first_day = clock.month_first_day(month)
    day_count = clock.days_between(first_day, clock.month_last_day(month)) + 1
    place = clock.days_between(first_day, day)
    for item in booked:
        row = ACCRUALS.get(ctx, month, item.agreement_id) or Accrual(item.seller_id, item.buyer_id, 0, (0,) * day_count)
        daily_fen = (*row.daily_fen[:place], item.amount_fen, *row.daily_fen[place + 1 :])
        accrued = Accrual(item.seller_id, item.buyer_id, row.energy_kwh + item.energy_kwh, daily_fen)
        ACCRUALS.put(ctx, (month, item.agreement_id), accrued)
    for resource_id, used in loads.items():
        load = LOAD_ACCRUALS.get(ctx, month, resource_id) or LoadAccrual(used.owner_id, 0)
        LOAD_ACCRUALS.put(ctx, (month, resource_id), replace(load, energy_kwh=load.energy_kwh + used.energy_kwh))


def _bill(ctx: BlockContext, month: int, day: int, member_id: int, own: _MemberDay) -> None:
    bill = DayBill(
        contract_kwh=sum(own.contract_kwh),
        contract_fen=own.contract_fen,
        metered_kwh=sum(own.metered_kwh),
        load_kwh=own.load_kwh,
        day_ahead_kwh=own.day_ahead_kwh,
        day_ahead_fen=own.day_ahead_fen,
        deviation_kwh=own.deviation_kwh,
        deviation_fen=own.deviation_fen,
    )
    DAY_BILLS.put(ctx, (month, member_id, day), bill)
    ctx.emit(
        DayBilled(
            deed=f"day:{day}",
            parties=(member_id,),
            day=day,
            member_id=member_id,
            contract_kwh=bill.contract_kwh,
            metered_kwh=bill.metered_kwh,
            contract_fen=bill.contract_fen,
            day_ahead_kwh=bill.day_ahead_kwh,
            day_ahead_fen=bill.day_ahead_fen,
            deviation_kwh=bill.deviation_kwh,
            deviation_fen=bill.deviation_fen,
            contract_segments_kwh=tuple(own.contract_kwh),
            metered_segments_kwh=tuple(own.metered_kwh),
        )
    )


def _tell(
    ctx: Context,
    day: int,
    grid_id: int,
    booked: list[_AgreementDay],
    members: Mapping[int, _MemberDay],
    *,
    late: bool,
) -> None:
    """Tell each agreement's day to the exchange and the totals to everybody."""
    ctx.emit(
        AgreementDaysBooked(
            deed=f"day:{day}",
            parties=(ctx.sender_id,),
            day=day,
            agreement_ids=tuple(item.agreement_id for item in booked),
            seller_ids=tuple(item.seller_id for item in booked),
            buyer_ids=tuple(item.buyer_id for item in booked),
            energies_kwh=tuple(item.energy_kwh for item in booked),
            amounts_fen=tuple(item.amount_fen for item in booked),
        )
    )
    owed_fen = [own.day_ahead_fen + own.deviation_fen for member_id, own in members.items() if member_id != grid_id]
    ctx.emit(
        DayCleared(
            deed=f"day:{day}",
            parties=(),
            day=day,
            member_count=len(members),
            agreement_count=len(booked),
            contract_kwh=sum(item.energy_kwh for item in booked),
            contract_fen=sum(item.amount_fen for item in booked),
            generation_kwh=sum(own.generation_kwh for own in members.values()),
            load_kwh=sum(own.load_kwh for own in members.values()),
            charged_fen=sum(amount for amount in owed_fen if amount > 0),
            credited_fen=-sum(amount for amount in owed_fen if amount < 0),
            late=late,
        )
    )
