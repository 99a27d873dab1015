"""Birth of an agreement: the terms are kept with their hash, and both sides' positions grow."""

from collections.abc import Mapping

from shudian.contracts.agreements.messages import Agreement, AgreementBorn, State, Terms
from shudian.contracts.agreements.rules_days import book, by_segment, day_lines_kwh
from shudian.contracts.agreements.state import AGREEMENTS, DAYS, TERMS, DayEnergy
from shudian.kernel import clock
from shudian.kernel.codec import encode
from shudian.kernel.contract import BlockContext
from shudian.kernel.crypto import sha256
from shudian.kernel.tables import next_id


def deed_of(agreement_id: int) -> str:
    """The deed under which everything about an agreement is told."""
    return f"agreement:{agreement_id}"


def hash_of(bound: Terms) -> bytes:
    """SHA-256 of the canonical bytes of terms: what both sides sign."""
    return sha256(encode(bound))


def bear(ctx: BlockContext, bound: Terms, also: tuple[str, ...] = ()) -> int:
    """Make an agreement of terms that both sides are bound to; returns its id. Refuses nothing: the caller has checked.

    ``also``: further deeds on whose timeline its birth stands. Emits: AgreementBorn.
    """
    return bear_on_days(ctx, bound, {}, also)


def bear_on_days(
    ctx: BlockContext, bound: Terms, days_kwh: Mapping[int, tuple[int, ...]], also: tuple[str, ...]
) -> int:
    """As :func:`bear`; ``days_kwh``: energy of each line on the days that do not follow from the terms alone."""
    agreement_id = next_id(ctx, "agreements.agreement")
    terms_hash = hash_of(bound)
    row = Agreement(
        terms_version=bound.terms_version,
        terms_hash=terms_hash,
        seller_id=bound.seller_id,
        buyer_id=bound.buyer_id,
        method=bound.method,
        first_day=bound.first_day,
        last_day=bound.last_day,
        quantity_kwh=sum(line.quantity_kwh for line in bound.lines),
        moved_kwh=(0,) * len(bound.lines),
        state=State.EFFECTIVE,
    )
    AGREEMENTS.put(ctx, (agreement_id,), row)
    TERMS.put(ctx, (agreement_id,), bound)
    for day, lines_kwh in days_kwh.items():
        DAYS.put(ctx, (agreement_id, day), DayEnergy(lines_kwh))
    for day in clock.days(bound.first_day, bound.last_day):
        book(ctx, bound, day, by_segment(bound, day_lines_kwh(ctx, agreement_id, day)))
    ctx.emit(
        AgreementBorn(
            deed=deed_of(agreement_id),
            parties=(bound.seller_id, bound.buyer_id),
            also=also,
            agreement_id=agreement_id,
            terms_hash=terms_hash,
            terms=bound,
        )
    )
    return agreement_id
