"""Energy of an agreement by day, and what it adds to the positions of its two sides."""

from collections.abc import Sequence
from typing import Final

from shudian.contracts.agreements.messages import AGREEMENT_UNKNOWN, Agreement, Terms
from shudian.contracts.agreements.rules_curves import share_of_day_kwh, slots_kwh
from shudian.contracts.agreements.state import AGREEMENTS, DAYS, POSITIONS, TERMS, Position
from shudian.kernel import clock
from shudian.kernel.contract import BlockContext
from shudian.kernel.tables import HasStore
from shudian.kernel.units import SEGMENTS_PER_DAY, SLOTS_PER_SEGMENT, split_largest_remainder

_NO_ENERGY: Final = (0,) * SEGMENTS_PER_DAY


def agreement(at: HasStore, agreement_id: int) -> Agreement:
    """An agreement as it stands. Refuses: 8001."""
    row = AGREEMENTS.get(at, agreement_id)
    if row is None:
        raise AGREEMENT_UNKNOWN("agreement_id", agreement_id)
    return row


def terms(at: HasStore, agreement_id: int) -> Terms:
    """What an agreement binds its sides to. Refuses: 8001."""
    row = TERMS.get(at, agreement_id)
    if row is None:
        raise AGREEMENT_UNKNOWN("agreement_id", agreement_id)
    return row


def day_lines_kwh(at: HasStore, agreement_id: int, day: int) -> tuple[int, ...]:
    """Open energy of each line on a day: equal days, the residue on the first (domain 3.10), less what transfers have moved.

    0 outside the period. The sum over the days of the period is the line's open quantity. Refuses: 8001.
    """
    bound = terms(at, agreement_id)
    if not bound.first_day <= day <= bound.last_day:
        return (0,) * len(bound.lines)
    changed = DAYS.get(at, agreement_id, day)
    if changed is not None:
        return changed.lines_kwh
    day_count = clock.days_between(bound.first_day, bound.last_day) + 1
    day_no = clock.days_between(bound.first_day, day)
    return tuple(share_of_day_kwh(line.quantity_kwh, day_count, day_no) for line in bound.lines)


def day_segments_kwh(at: HasStore, agreement_id: int, day: int) -> tuple[int, ...]:
    """Open energy of each of the 24 segments on a day. Refuses: 8001."""
    bound = terms(at, agreement_id)
    return by_segment(bound, day_lines_kwh(at, agreement_id, day))


def day_slots_kwh(at: HasStore, agreement_id: int, day: int) -> tuple[int, ...]:
    """Open energy of each of the 96 quarter hours on a day: an hour spreads by the shape of the terms, else in equal quarters.

    Refuses: 8001.
    """
    segments_kwh = day_segments_kwh(at, agreement_id, day)
    equal_kwh, shape_kwh = slots_kwh(segments_kwh), terms(at, agreement_id).shape_kwh
    spread_kwh: list[int] = []
    for segment, energy_kwh in enumerate(segments_kwh):
        quarters = slice(SLOTS_PER_SEGMENT * segment, SLOTS_PER_SEGMENT * (segment + 1))
        weights = shape_kwh[quarters]
        spread_kwh += split_largest_remainder(energy_kwh, weights) if sum(weights) else equal_kwh[quarters]
    return tuple(spread_kwh)


def by_segment(bound: Terms, lines_kwh: Sequence[int]) -> tuple[int, ...]:
    """Energy of lines, added up by segment."""
    segments_kwh = list(_NO_ENERGY)
    for line, energy_kwh in zip(bound.lines, lines_kwh, strict=True):
        segments_kwh[line.segment] += energy_kwh
    return tuple(segments_kwh)


def position_kwh(at: HasStore, member_id: int, day: int) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """What a member has bought and sold for a day by agreements, 24 segments each."""
    row = POSITIONS.get(at, member_id, day)
    return (_NO_ENERGY, _NO_ENERGY) if row is None else (row.bought_kwh, row.sold_kwh)


def book(ctx: BlockContext, bound: Terms, day: int, segments_kwh: Sequence[int]) -> None:
    """Add a day's energy to what the buyer has bought and the seller has sold; negative energy takes it away."""
    bought_kwh, other_kwh = position_kwh(ctx, bound.buyer_id, day)
    POSITIONS.put(ctx, (bound.buyer_id, day), Position(_plus(bought_kwh, segments_kwh), other_kwh))
    other_kwh, sold_kwh = position_kwh(ctx, bound.seller_id, day)
    POSITIONS.put(ctx, (bound.seller_id, day), Position(other_kwh, _plus(sold_kwh, segments_kwh)))


def _plus(left: Sequence[int], right: Sequence[int]) -> tuple[int, ...]:
    return tuple(map(int.__add__, left, right))
