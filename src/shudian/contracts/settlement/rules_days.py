"""Daily clearing 日清: what each day books for agreements, members and resources; clearing anew once readings are corrected."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from shudian.contracts.agreements import rules as agreements
from shudian.contracts.governance import rules as governance
from shudian.contracts.metering import rules as metering
from shudian.contracts.settlement.messages import (
    ClearDay,
    ClearingReply,
    ReclearDay,
    ReclearingReply,
)
from shudian.contracts.settlement.messages_events import AgreementDaysBooked, DayBilled, DayCleared
from shudian.contracts.settlement.messages_refusals import (
    DAY_NOT_CLEARED,
    DAY_NOT_OVER,
    NOTHING_CHANGES,
    REFERENCE_PRICES_MISSING,
)
from shudian.contracts.settlement.rules_corrections import resettle
from shudian.contracts.settlement.rules_market_day import MarketDay, MemberDay, market_day
from shudian.contracts.settlement.rules_prices import require_uncleared
from shudian.contracts.settlement.state import (
    ACCRUALS,
    CLEARED_DAYS,
    DAY_BILLS,
    GENERATION_ACCRUALS,
    GREEN_ACCRUALS,
    LOAD_ACCRUALS,
    REFERENCE_PRICES,
    Accrual,
    ClearedDay,
    DayBill,
    GreenAccrual,
    MeterAccrual,
)
from shudian.kernel import clock
from shudian.kernel.codec import Record
from shudian.kernel.contract import BlockContext, Context
from shudian.kernel.tables import HasStore, Key, Table

CLEARING_DAYS = "settlement.clearing_day_count"


def clear_day(ctx: Context, message: ClearDay) -> ClearingReply:
    """Clear a day. Refuses: 2003, 3005, 7003, 10001, 10002, 10004-10006. Emits: AgreementDaysBooked, DayBilled, DayCleared."""
    day, today = message.day, clock.day_of(ctx.market_ms)
    if day >= today:
        raise DAY_NOT_OVER("day", day, f"< {today}")
    require_uncleared(ctx, day)
    prices = REFERENCE_PRICES.get(ctx, day)
    if prices is None:
        raise REFERENCE_PRICES_MISSING("day", day)
    late = clock.days_between(day, today) > governance.setting(ctx, CLEARING_DAYS, day)
    market = market_day(ctx, day, agreements.delivering_on(ctx, day), prices)
    # no refusal below this line
    _accrue_agreements(ctx, market)
    for table, key, row in _meter_rows(ctx, market):
        table.put(ctx, key, row)
    for member_id in sorted(market.members):
        _bill(ctx, day, member_id, market.members[member_id])
    CLEARED_DAYS.put(ctx, (day,), ClearedDay(ctx.market_ms, len(market.members), len(market.booked)))
    _tell_agreements(ctx, market)
    _tell_totals(ctx, market, 1, late=late)
    return ClearingReply(len(market.members), len(market.booked))


def reclear_day(ctx: Context, message: ReclearDay) -> ReclearingReply:
    """Clear a day anew with the readings of now. Contracts and prices of the day stay, deviation, grid fees and certified volume follow.

    Once the month's lines are made, the differences become lines of the next month whose lines are not (退补).
    Refuses: 2003, 3005, 7003, 10005, 10006, 10008, 10023, 10024. Emits: DayBilled of the members concerned, DayCleared, LineIssued.
    """
    day, month = message.day, clock.month_of(message.day)
    before = CLEARED_DAYS.get(ctx, day)
    if before is None:
        raise DAY_NOT_CLEARED("day", day)
    market = market_day(ctx, day, _delivered_on(ctx, day), REFERENCE_PRICES.need(ctx, day))
    rows = _meter_rows(ctx, market)
    changed = [
        member_id
        for member_id, own in sorted(market.members.items())
        if DAY_BILLS.get(ctx, month, member_id, day) != _bill_of(own)
    ]
    if not changed and all(table.get(ctx, *key) == row for table, key, row in rows):
        raise NOTHING_CHANGES("day", day)
    told = sorted(dict.fromkeys((*changed, *_read_again(ctx, day))))

    def rebook() -> None:
        for table, key, row in rows:
            table.put(ctx, key, row)
        for member_id in told:
            _bill(ctx, day, member_id, market.members[member_id])

    line_ids = resettle(ctx, month, rebook)
    # no refusal below this line
    version_no = before.version_no + 1
    CLEARED_DAYS.put(ctx, (day,), ClearedDay(ctx.market_ms, len(market.members), len(market.booked), version_no))
    _tell_totals(ctx, market, version_no, late=True)
    return ReclearingReply(len(changed), line_ids)


def _read_again(at: HasStore, day: int) -> list[int]:
    """Owners of meters whose readings of a day were corrected."""
    return [
        metering.meter(at, meter_id).owner_id
        for meter_id in metering.meters_on(at, day)
        if metering.day_version(at, meter_id, day) > 1
    ]


def _delivered_on(at: HasStore, day: int) -> list[int]:
    """Agreements that were booked for a cleared day, by id; those that are settled since, too."""
    booked = (int(key[1]) for key, _ in ACCRUALS.range(at, clock.month_of(day)))
    return [agreement_id for agreement_id in booked if _covers(at, agreement_id, day)]


def _covers(at: HasStore, agreement_id: int, day: int) -> bool:
    agreement = agreements.agreement(at, agreement_id)
    return agreement.first_day <= day <= agreement.last_day


class _DayOfMonth(NamedTuple):
    """Where a day stands in the columns that hold a number for each day of its month."""

    place: int
    day_count: int

    def set(self, values: Sequence[int] | None, value: int) -> tuple[int, ...]:
        """The numbers with that of the day set; None for a month of zeros."""
        held = (0,) * self.day_count if values is None else values
        return (*held[: self.place], value, *held[self.place + 1 :])


def _day_of_month(day: int) -> _DayOfMonth:
    month = clock.month_of(day)
    first_day, last_day = clock.month_first_day(month), clock.month_last_day(month)
    return _DayOfMonth(clock.days_between(first_day, day), clock.days_between(first_day, last_day) + 1)


def _accrue_agreements(ctx: BlockContext, market: MarketDay) -> None:
    month, column = clock.month_of(market.day), _day_of_month(market.day)
    for item in market.booked:
        row = ACCRUALS.get(ctx, month, item.agreement_id)
        accrued = Accrual(
            item.seller_id,
            item.buyer_id,
            item.energy_kwh + (0 if row is None else row.energy_kwh),
            column.set(None if row is None else row.daily_fen, item.amount_fen),
        )
        ACCRUALS.put(ctx, (month, item.agreement_id), accrued)


def _meter_rows(at: HasStore, market: MarketDay) -> list[tuple[Table[Any], Key, Record]]:
    """What was metered and what it certifies, as rows of the month with this day set; nothing is written."""
    month, column = clock.month_of(market.day), _day_of_month(market.day)
    rows: list[tuple[Table[Any], Key, Record]] = []
    for table, metered in ((LOAD_ACCRUALS, market.loads), (GENERATION_ACCRUALS, market.generation)):
        for resource_id, item in metered.items():
            held = table.get(at, month, resource_id)
            daily_kwh = column.set(None if held is None else held.daily_kwh, sum(item.segments_kwh))
            rows.append((table, (month, resource_id), MeterAccrual(item.owner_id, daily_kwh)))
    for agreement_id, shares in market.green.items():
        row = GREEN_ACCRUALS.get(at, month, agreement_id)
        covered_kwh = sum(map(min, shares.contract_kwh, shares.generated_kwh))
        accrued = GreenAccrual(
            column.set(None if row is None else row.contract_kwh, sum(shares.contract_kwh)),
            column.set(None if row is None else row.generated_kwh, covered_kwh),
            column.set(None if row is None else row.certified_kwh, sum(shares.certified_kwh)),
        )
        rows.append((GREEN_ACCRUALS, (month, agreement_id), accrued))
    return rows


def _bill_of(own: MemberDay) -> DayBill:
    return DayBill(
        contract_kwh=sum(own.contract_kwh),
        contract_fen=sum(own.contract_fen),
        metered_kwh=sum(own.metered_kwh),
        load_kwh=sum(own.used_kwh),
        day_ahead_kwh=own.day_ahead_kwh,
        day_ahead_fen=own.day_ahead_fen,
        deviation_kwh=own.deviation_kwh,
        deviation_fen=own.deviation_fen,
        recovery_fen=own.recovery_fen,
        returned_fen=own.returned_fen,
    )


def _bill(ctx: BlockContext, day: int, member_id: int, own: MemberDay) -> None:
    bill = _bill_of(own)
    DAY_BILLS.put(ctx, (clock.month_of(day), member_id, day), bill)
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
            recovery_fen=bill.recovery_fen,
            returned_fen=bill.returned_fen,
            contract_segments_kwh=tuple(own.contract_kwh),
            metered_segments_kwh=tuple(own.metered_kwh),
            used_segments_kwh=tuple(own.used_kwh),
        )
    )


def _tell_agreements(ctx: Context, market: MarketDay) -> None:
    ctx.emit(
        AgreementDaysBooked(
            deed=f"day:{market.day}",
            parties=(ctx.sender_id,),
            day=market.day,
            agreement_ids=tuple(item.agreement_id for item in market.booked),
            seller_ids=tuple(item.seller_id for item in market.booked),
            buyer_ids=tuple(item.buyer_id for item in market.booked),
            energies_kwh=tuple(item.energy_kwh for item in market.booked),
            amounts_fen=tuple(item.amount_fen for item in market.booked),
        )
    )


def _tell_totals(ctx: BlockContext, market: MarketDay, version_no: int, *, late: bool) -> None:
    owed_fen = [
        own.day_ahead_fen + own.deviation_fen
        for member_id, own in market.members.items()
        if member_id != market.grid_id
    ]
    ctx.emit(
        DayCleared(
            deed=f"day:{market.day}",
            parties=(),
            day=market.day,
            version_no=version_no,
            member_count=len(market.members),
            agreement_count=len(market.booked),
            contract_kwh=sum(item.energy_kwh for item in market.booked),
            contract_fen=sum(item.amount_fen for item in market.booked),
            generation_kwh=sum(own.generation_kwh for own in market.members.values()),
            load_kwh=sum(sum(own.used_kwh) for own in market.members.values()),
            charged_fen=sum(amount for amount in owed_fen if amount > 0),
            credited_fen=-sum(amount for amount in owed_fen if amount < 0),
            recovered_fen=sum(own.recovery_fen for own in market.members.values()),
            late=late,
        )
    )
