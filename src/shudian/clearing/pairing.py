"""From auction fills to agreements 合同配对: buy rank against sell rank, as few pairs as the walk needs, not a kWh lost."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from shudian.clearing.auction import Flags, Ints
from shudian.clearing.ranks import ranks
from shudian.kernel.units import SEGMENTS_PER_DAY


@dataclass(frozen=True, slots=True)
class Pair:
    """Energy that one buy order takes from one sell order; both named by their index in the auction's input."""

    buy_no: int
    sell_no: int
    energy_kwh: int


@dataclass(frozen=True, slots=True)
class PairedCurve:
    """All energy of a session between a buyer and a seller, one number per segment (0 is the first of the day)."""

    buyer_id: int
    seller_id: int
    curve_kwh: tuple[int, ...]


def pair_fills(
    is_buy: Flags,
    price_myuan_mwh: Ints,
    fills_kwh: Ints,
    submitted_ms: Ints | None = None,
    member_ids: Sequence[int] | None = None,
) -> list[Pair]:
    """Pair what was bought with what was sold: best price first, then earliest, then first in the input, on both sides.

    Two neighbours pair for the smaller of what each has left, so b buys and s sells make at most b + s - 1 pairs. With
    ``member_ids`` no member is left paired with itself where that can be helped: its pair trades partners with the first pairs that
    do not concern it. That fails only for a member whose buys and sells together exceed the volume; then such a pair remains, and
    the caller decides what energy sold to oneself means.

    Raises:
        ValueError: if the buys and the sells do not sum to the same.

    >>> import numpy as np
    >>> pair_fills(np.array([True, True, False]), np.array([200, 210, 190]), np.array([3, 4, 7]))
    [Pair(buy_no=1, sell_no=2, energy_kwh=4), Pair(buy_no=0, sell_no=2, energy_kwh=3)]
    """
    fills = fills_kwh.tolist()
    buy_nos, sell_nos = ranks(is_buy, price_myuan_mwh, submitted_ms)
    if sum(fills[no] for no in buy_nos) != sum(fills[no] for no in sell_nos):
        message = "what is bought is not what is sold"
        raise ValueError(message)
    pairs = _walk(buy_nos, sell_nos, fills)
    return pairs if member_ids is None else _without_self_pairs(pairs, member_ids)


def _walk(buy_nos: list[int], sell_nos: list[int], fills: list[int]) -> list[Pair]:
    left = list(fills)
    pairs = []
    sell_rank = 0
    for buy_no in buy_nos:
        while left[buy_no]:
            sell_no = sell_nos[sell_rank]
            energy_kwh = min(left[buy_no], left[sell_no])
            if energy_kwh:
                pairs.append(Pair(buy_no, sell_no, energy_kwh))
            left[buy_no] -= energy_kwh
            left[sell_no] -= energy_kwh
            sell_rank += not left[sell_no]
    return pairs


def _without_self_pairs(pairs: list[Pair], member_ids: Sequence[int]) -> list[Pair]:
    """Exchange the sellers of each self pair and of the first pairs that do not concern its member."""
    result = list(pairs)
    # Partners before this place are used up or concern the member, for good: no self pair of his looks there again.
    next_partner: dict[int, int] = {}
    for place, self_pair in enumerate(pairs):
        member_id = member_ids[self_pair.buy_no]
        if member_id != member_ids[self_pair.sell_no]:
            continue
        other = next_partner.get(member_id, 0)
        while result[place].energy_kwh and other < len(result):
            if member_id not in (member_ids[result[other].buy_no], member_ids[result[other].sell_no]):
                _exchange_sellers(result, place, other)
            other += bool(result[place].energy_kwh)
        next_partner[member_id] = other
    return [pair for pair in result if pair.energy_kwh]


def _exchange_sellers(pairs: list[Pair], place: int, other: int) -> None:
    """Move as much as both pairs have to two new pairs at the end, each with the buyer of one and the seller of the other."""
    one, two = pairs[place], pairs[other]
    energy_kwh = min(one.energy_kwh, two.energy_kwh)
    if energy_kwh:
        pairs[place] = replace(one, energy_kwh=one.energy_kwh - energy_kwh)
        pairs[other] = replace(two, energy_kwh=two.energy_kwh - energy_kwh)
        pairs += [Pair(one.buy_no, two.sell_no, energy_kwh), Pair(two.buy_no, one.sell_no, energy_kwh)]


def merge_segments(
    pairs_by_segment: Mapping[int, Sequence[Pair]],
    member_ids_by_segment: Mapping[int, Sequence[int]],
) -> list[PairedCurve]:
    """One entry per buyer and seller of a session, sorted by buyer and seller, with its curve of 24 segments.

    pairs_by_segment: the pairs of each segment 0-23. member_ids_by_segment: for each, whose order each index of the auction's input is.

    >>> merge_segments({0: [Pair(0, 1, 5)], 2: [Pair(1, 0, 7)]}, {0: [11, 12], 2: [12, 11]})[0].curve_kwh[:3]
    (5, 0, 7)
    """
    curves: dict[tuple[int, int], list[int]] = {}
    for segment, pairs in pairs_by_segment.items():
        member_ids = member_ids_by_segment[segment]
        for pair in pairs:
            parties = (member_ids[pair.buy_no], member_ids[pair.sell_no])
            curve = curves.setdefault(parties, [0] * SEGMENTS_PER_DAY)
            curve[segment] += pair.energy_kwh
    return [PairedCurve(*parties, tuple(curves[parties])) for parties in sorted(curves)]
