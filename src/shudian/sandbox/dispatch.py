"""Merit order of one month, in integer Wh a quarter hour: what must run, then water that can wait, then coal and gas.

1. The least output of reservoirs (water for the river) and of coal runs always.
2. Wind, sun, waste, run-of-river hydro and the part of a reservoir's inflow that cannot be held (in July the flood limit
   binds) run as they come. Where together they exceed the need, they are cut pro rata: at night water is spilled.
3. The rest of a reservoir's daily water budget goes to the day's highest hours: the plant runs by the part of the need
   above a level, the level being the lowest that the water can pay. What cannot be used is spilled. Cascades are ignored:
   no plant's water depends on its upstream neighbour.
4. Coal and gas cover the rest, cheapest first.

Generation equals need in every quarter hour to the Wh, or :class:`Shortage` is raised.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from shudian.sandbox.packaged import PPM, SLOTS, WH_PER_KW_SLOT, IntArray
from shudian.sandbox.plants import Plant

_SHARE_PARTS = 100_000_000  # fineness of a pro-rata cut; products stay below 2**63
_ROUNDS = 4  # each reservoir places its water in four parts, so that plants share the peak


class Shortage(ValueError):
    """The plants cannot cover the need."""


@dataclass(frozen=True)
class Dispatch:
    """Result by plant key.

    ``generation_wh`` has shape (days, 96). ``cut_wh``, shape (days, 96), is what came by itself and could not be taken;
    ``spilled_wh``, shape (days,), is all of a reservoir's water that was not used, its cut included.
    """

    generation_wh: Mapping[str, IntArray]
    spilled_wh: Mapping[str, IntArray]
    cut_wh: Mapping[str, IntArray]


# Share of a day's water that passes as it comes in July, by what the reservoir can hold (assumption).
_PASSING_PPM = {"daily": 780_000, "seasonal": 680_000, "annual": 580_000, "multi_year": 400_000}


def dispatch(
    plants: Sequence[Plant], need_wh: IntArray, available_wh: Mapping[str, IntArray], budget_wh: Mapping[str, IntArray]
) -> Dispatch:
    """Who generates how much.

    Args:
        plants: all plants.
        need_wh: load and losses, shape (days, 96).
        available_wh: by key of each plant without choice, what nature gives, shape (days, 96).
        budget_wh: by key of each reservoir plant, energy of the day's water, shape (days,), at least 96 times the plant's
            least output.

    Raises:
        Shortage: if need exceeds all that can run, or lies below what has to run.
    """
    reservoirs = [plant for plant in plants if plant.is_reservoir]
    thermals = [plant for plant in plants if plant.is_thermal]
    least = {plant.key: np.full_like(need_wh, plant.min_output_kw * WH_PER_KW_SLOT) for plant in reservoirs + thermals}
    remaining = need_wh - _total(least.values(), need_wh)
    if int(remaining.min()) < 0:
        message = "need lies below the least output of reservoirs and coal"
        raise Shortage(message)

    coming = dict(available_wh) | {plant.key: _passing_wh(plant, budget_wh[plant.key]) for plant in reservoirs}
    taken = _take_as_it_comes(coming, remaining)
    remaining = remaining - _total(taken.values(), need_wh)
    placed = _place_water(reservoirs, coming, remaining, budget_wh)
    remaining = remaining - _total(placed.values(), need_wh)
    heat = _run_thermals(thermals, remaining)
    remaining = remaining - _total(heat.values(), need_wh)
    if int(remaining.max()) > 0:
        message = f"{int(remaining.max())} Wh of need in a quarter hour stay uncovered"
        raise Shortage(message)

    nothing = np.zeros_like(need_wh)
    generation = {
        plant.key: sum((part.get(plant.key, nothing) for part in (least, taken, placed, heat)), nothing)
        for plant in plants
    }
    return Dispatch(
        generation_wh=generation,
        spilled_wh={plant.key: budget_wh[plant.key] - generation[plant.key].sum(axis=1) for plant in reservoirs},
        cut_wh={key: wh - taken[key] for key, wh in coming.items()},
    )


def _passing_wh(plant: Plant, budget_wh: IntArray) -> IntArray:
    """Output above the least one from water that cannot be held, even over the day."""
    per_slot = budget_wh * _PASSING_PPM[plant.regulation] // (PPM * SLOTS) - plant.min_output_kw * WH_PER_KW_SLOT
    return np.repeat(np.maximum(per_slot, 0)[:, np.newaxis], SLOTS, axis=1)


def _total(parts: Iterable[IntArray], like: IntArray) -> IntArray:
    total = np.zeros_like(like)
    for part in parts:
        total += part
    return total


def _take_as_it_comes(coming_wh: Mapping[str, IntArray], room_wh: IntArray) -> dict[str, IntArray]:
    """What comes by itself, cut pro rata (rounded down) where it exceeds the room."""
    offered = _total(coming_wh.values(), room_wh)
    within = np.minimum(offered, room_wh)
    share = within * _SHARE_PARTS // np.maximum(offered, 1)
    return {key: wh * share // _SHARE_PARTS for key, wh in coming_wh.items()}


def _place_water(
    reservoirs: Sequence[Plant],
    coming_wh: Mapping[str, IntArray],
    remaining_wh: IntArray,
    budget_wh: Mapping[str, IntArray],
) -> dict[str, IntArray]:
    """Output by plant from the water that could be held for a better hour."""
    room, left = {}, {}
    for plant in reservoirs:
        passing = plant.min_output_kw * WH_PER_KW_SLOT + coming_wh[plant.key]
        room[plant.key] = plant.capacity_kw * WH_PER_KW_SLOT - passing
        left[plant.key] = budget_wh[plant.key] - passing.sum(axis=1)
    share = _usable_ppm(room, left, remaining_wh)
    placed = {key: np.zeros_like(remaining_wh) for key in room}
    residual = remaining_wh
    for part in range(_ROUNDS + 1):
        last = part == _ROUNDS
        for key, already in placed.items():
            capacity = room[key] - already if last else room[key] // _ROUNDS
            budget = left[key] - already.sum(axis=1) if last else left[key] * share // (PPM * _ROUNDS)
            more = _shave(residual, capacity, budget)
            placed[key] = already + more
            residual = residual - more
    return placed


def _usable_ppm(room: Mapping[str, IntArray], left: Mapping[str, IntArray], remaining_wh: IntArray) -> IntArray:
    """By day, the part of all water that the need can take, so that no plant's water is preferred."""
    capacity = _total(room.values(), remaining_wh)
    usable = np.minimum(capacity, remaining_wh).sum(axis=1)
    water = _total(left.values(), usable)
    share: IntArray = np.minimum(usable, water) // 1_000 * PPM // np.maximum(water // 1_000, 1)
    return share


def _shave(need_wh: IntArray, capacity_wh: IntArray, budget_wh: IntArray) -> IntArray:
    """Cover the top of each day's need: min(capacity, need above a level), the lowest level the budget pays for."""
    low = np.zeros(len(need_wh), dtype=np.int64)
    high = need_wh.max(axis=1)
    while bool((low < high).any()):
        level = (low + high) // 2
        fits = _above(need_wh, level, capacity_wh).sum(axis=1) <= budget_wh
        high = np.where(fits, level, high)
        low = np.where(fits, low, level + 1)
    return _above(need_wh, high, capacity_wh)


def _above(need_wh: IntArray, level_wh: IntArray, capacity_wh: IntArray) -> IntArray:
    covered: IntArray = np.minimum(capacity_wh, np.maximum(need_wh - level_wh[:, np.newaxis], 0))
    return covered


def _run_thermals(thermals: Sequence[Plant], remaining_wh: IntArray) -> dict[str, IntArray]:
    """Output above the least one, cheapest first."""
    above = {}
    for plant in sorted(thermals, key=lambda plant: (plant.marginal_cost_myuan_mwh, plant.key)):
        room = (plant.capacity_kw - plant.min_output_kw) * WH_PER_KW_SLOT
        above[plant.key] = np.minimum(remaining_wh, room)
        remaining_wh = remaining_wh - above[plant.key]
    return above
