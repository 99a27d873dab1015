"""Contract transfer 合同转让 (domain 3.5): energy of days to come moves to a child agreement, in which another member stands on one side."""

from collections.abc import Sequence

from msgspec.structs import replace

from shudian.contracts.agreements.messages import (
    AGREEMENT_IS_OVER,
    DAYS_NOT_MOVABLE,
    GREEN_STAYS_WITH_ITS_SOURCE,
    OPEN_QUANTITY_TOO_LOW,
    TERMS_VERSION,
    AgreementTransferred,
    Line,
    Method,
    State,
    Terms,
    TransferTerms,
)
from shudian.contracts.agreements.rules_birth import bear_on_days, deed_of
from shudian.contracts.agreements.rules_days import agreement, book, by_segment, day_lines_kwh, terms
from shudian.contracts.agreements.state import AGREEMENTS, DAYS, DayEnergy
from shudian.kernel import check, clock
from shudian.kernel.contract import BlockContext
from shudian.kernel.tables import HasStore
from shudian.kernel.units import split_largest_remainder


def open_kwh(at: HasStore, agreement_id: int) -> tuple[int, ...]:
    """Per line of the terms, what transfers have not moved to other agreements, delivered days included. Refuses: 8001."""
    bound, row = terms(at, agreement_id), agreement(at, agreement_id)
    return tuple(line.quantity_kwh - moved for line, moved in zip(bound.lines, row.moved_kwh, strict=True))


def movable_kwh(at: BlockContext, agreement_id: int, first_day: int) -> tuple[int, ...]:
    """Per line, the open energy from ``first_day`` to the end, which a transfer may move. Refuses: 8001-8003."""
    row = agreement(at, agreement_id)
    if row.state not in (State.EFFECTIVE, State.DELIVERING):
        raise AGREEMENT_IS_OVER("agreement_id", agreement_id)
    low = max(row.first_day, clock.day_after(clock.day_of(at.market_ms)))
    if not low <= first_day <= row.last_day:
        raise DAYS_NOT_MOVABLE("first_day", first_day, f"{low}..{row.last_day}")
    days = [day_lines_kwh(at, agreement_id, day) for day in clock.days(first_day, row.last_day)]
    return tuple(map(sum, zip(*days, strict=True)))


def child_terms(
    at: BlockContext,
    parent_id: int,
    from_id: int,
    to_id: int,
    first_day: int,
    quantities_kwh: Sequence[int],
    price_myuan_mwh: int,
) -> Terms:
    """The terms of the agreement that a transfer would make; quantities per line of the parent, 0 for lines that stay.

    The lines keep the parent's prices, so that the other side neither gains nor loses. Refuses: 8001-8005.
    """
    bound = terms(at, parent_id)
    most_kwh = movable_kwh(at, parent_id, first_day)
    if len(quantities_kwh) != len(most_kwh):
        raise OPEN_QUANTITY_TOO_LOW("quantities_kwh", f"{len(quantities_kwh)} lines", f"{len(most_kwh)} lines")
    for line_no, (wanted_kwh, allowed_kwh) in enumerate(zip(quantities_kwh, most_kwh, strict=True)):
        if wanted_kwh > allowed_kwh:
            raise OPEN_QUANTITY_TOO_LOW(f"quantities_kwh[{line_no}]", wanted_kwh, f"<= {allowed_kwh}")
    if bound.green is not None and from_id == bound.seller_id:
        raise GREEN_STAYS_WITH_ITS_SOURCE("agreement_id", parent_id)
    return replace(
        bound,
        terms_version=TERMS_VERSION,
        seller_id=to_id if from_id == bound.seller_id else bound.seller_id,
        buyer_id=to_id if from_id == bound.buyer_id else bound.buyer_id,
        method=Method.TRANSFER,
        session_id=0,
        first_day=first_day,
        lines=tuple(
            Line(line.segment, moved_kwh, line.price_myuan_mwh)
            for line, moved_kwh in zip(bound.lines, quantities_kwh, strict=True)
            if moved_kwh
        ),
        transfer=TransferTerms(parent_id, from_id, price_myuan_mwh),
    )


def transfer(
    ctx: BlockContext,
    parent_id: int,
    from_id: int,
    to_id: int,
    first_day: int,
    quantities_kwh: Sequence[int],
    price_myuan_mwh: int,
    also: tuple[str, ...] = (),
) -> int:
    """Move energy of an agreement from ``first_day`` on to a child agreement with ``to_id`` in the place of ``from_id``; its id.

    quantities_kwh: per line of the parent, at least one positive; each is spread over the days in proportion to what is open on
    them, so no day turns negative. Positions follow; collateral and the transfer's own price are the caller's. Refuses: 8001-8005.
    Emits: AgreementBorn, AgreementTransferred.
    """
    bound, row = terms(ctx, parent_id), agreement(ctx, parent_id)
    check.that(from_id in (bound.seller_id, bound.buyer_id), "only a side of an agreement is replaced")
    child = child_terms(ctx, parent_id, from_id, to_id, first_day, quantities_kwh, price_myuan_mwh)
    # no refusal below this line
    days = list(clock.days(first_day, bound.last_day))
    before = [day_lines_kwh(ctx, parent_id, day) for day in days]
    by_line = [
        split_largest_remainder(moved_kwh, open_days_kwh) if moved_kwh else [0] * len(days)
        for moved_kwh, open_days_kwh in zip(quantities_kwh, zip(*before, strict=True), strict=True)
    ]
    moved_lines = [line_no for line_no, moved_kwh in enumerate(quantities_kwh) if moved_kwh]
    child_days = {}
    for day, left, moved in zip(days, before, zip(*by_line, strict=True), strict=True):
        child_days[day] = tuple(moved[line_no] for line_no in moved_lines)
        DAYS.put(ctx, (parent_id, day), DayEnergy(tuple(map(int.__sub__, left, moved))))
        book(ctx, bound, day, [-energy_kwh for energy_kwh in by_segment(bound, moved)])
    AGREEMENTS.put(ctx, (parent_id,), replace(row, moved_kwh=tuple(map(int.__add__, row.moved_kwh, quantities_kwh))))
    deed = deed_of(parent_id)
    child_id = bear_on_days(ctx, child, child_days, (deed, *also))
    ctx.emit(
        AgreementTransferred(
            deed=deed,
            parties=(bound.seller_id, bound.buyer_id, to_id),
            also=(deed_of(child_id), *also),
            agreement_id=parent_id,
            child_id=child_id,
            from_id=from_id,
            to_id=to_id,
            first_day=first_day,
            moved_kwh=tuple(quantities_kwh),
            open_kwh=open_kwh(ctx, parent_id),
            price_myuan_mwh=price_myuan_mwh,
        )
    )
    return child_id
