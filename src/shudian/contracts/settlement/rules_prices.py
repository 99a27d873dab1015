"""Prices and awards that clearing needs, published by the exchange."""

from shudian.contracts.governance import rules as governance
from shudian.contracts.identity import rules as identity
from shudian.contracts.settlement.messages import (
    DAY_IS_CLEARED,
    DAY_NOT_OVER,
    MONTH_IS_ISSUED,
    PRICE_OUT_OF_BOUNDS,
    PublishDayAhead,
    PublishReferencePrices,
    PublishRegulationPrices,
)
from shudian.contracts.settlement.messages_events import (
    DayAheadPublished,
    ReferencePricesPublished,
    RegulationPricesPublished,
)
from shudian.contracts.settlement.state import (
    CLEARED_DAYS,
    DAY_AHEAD,
    ISSUED_MONTHS,
    REFERENCE_PRICES,
    REGULATION_PRICES,
    DayAhead,
    ReferencePrices,
    RegulationPrices,
)
from shudian.kernel import clock
from shudian.kernel.contract import Context
from shudian.kernel.tables import HasStore
from shudian.kernel.units import SEGMENTS_PER_DAY

SPOT_FLOOR = "settlement.spot_floor_myuan_mwh"
SPOT_CAP = "settlement.spot_cap_myuan_mwh"


def publish_reference_prices(ctx: Context, message: PublishReferencePrices) -> None:
    """Publish or correct the prices of a day. Refuses: 10001-10003. Emits: ReferencePricesPublished."""
    today = clock.day_of(ctx.market_ms)
    if message.day > today:
        raise DAY_NOT_OVER("day", message.day, f"<= {today}")
    require_uncleared(ctx, message.day)
    low, high = governance.setting(ctx, SPOT_FLOOR, message.day), governance.setting(ctx, SPOT_CAP, message.day)
    for name in ("day_ahead_myuan_mwh", "real_time_myuan_mwh", "market_myuan_mwh"):
        for segment, price in enumerate(getattr(message, name)):
            if not low <= price <= high:
                raise PRICE_OUT_OF_BOUNDS(f"{name}[{segment}]", price, f"{low}..{high}")
    # no refusal below this line
    before = REFERENCE_PRICES.get(ctx, message.day)
    prices = ReferencePrices(
        message.day_ahead_myuan_mwh,
        message.real_time_myuan_mwh,
        message.market_myuan_mwh,
        version_no=1 if before is None else before.version_no + 1,
    )
    REFERENCE_PRICES.put(ctx, (message.day,), prices)
    ctx.emit(
        ReferencePricesPublished(
            deed=f"day:{message.day}",
            parties=(),
            day=message.day,
            version_no=prices.version_no,
            day_ahead_myuan_mwh=prices.day_ahead_myuan_mwh,
            real_time_myuan_mwh=prices.real_time_myuan_mwh,
            market_myuan_mwh=prices.market_myuan_mwh,
        )
    )


def publish_regulation_prices(ctx: Context, message: PublishRegulationPrices) -> None:
    """Publish or correct what F4 needs for a month. Refuses: 10009. Emits: RegulationPricesPublished."""
    if ISSUED_MONTHS.get(ctx, message.month) is not None:
        raise MONTH_IS_ISSUED("month", message.month)
    # no refusal below this line
    prices = RegulationPrices(message.up_myuan_mwh, message.increment_top_myuan_mwh, message.down_called)
    REGULATION_PRICES.put(ctx, (message.month,), prices)
    ctx.emit(
        RegulationPricesPublished(
            deed=f"month:{message.month}",
            parties=(),
            month=message.month,
            up_myuan_mwh=prices.up_myuan_mwh,
            increment_top_myuan_mwh=prices.increment_top_myuan_mwh,
            down_called=prices.down_called,
        )
    )


def publish_day_ahead(ctx: Context, message: PublishDayAhead) -> None:
    """Publish or correct the day-ahead awards of members. Refuses: 3001, 10002. Emits: DayAheadPublished."""
    require_uncleared(ctx, message.day)
    for member_id in message.member_ids:
        identity.member(ctx, member_id)
    # no refusal below this line
    for place, member_id in enumerate(message.member_ids):
        first = place * SEGMENTS_PER_DAY
        award = DayAhead(message.quantities_kwh[first : first + SEGMENTS_PER_DAY])
        DAY_AHEAD.put(ctx, (message.day, member_id), award)
    ctx.emit(
        DayAheadPublished(
            deed=f"day:{message.day}",
            parties=(ctx.sender_id,),
            day=message.day,
            member_ids=message.member_ids,
            quantities_kwh=message.quantities_kwh,
        )
    )


def require_uncleared(at: HasStore, day: int) -> None:
    """Refuse a day that is cleared. Refuses: 10002."""
    if CLEARED_DAYS.get(at, day) is not None:
        raise DAY_IS_CLEARED("day", day)
